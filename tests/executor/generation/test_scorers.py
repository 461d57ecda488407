"""Scorers: what they say of texts, that they can be judged, and that honest runs of them are acquitted."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from executor.calibration import calibrate
from executor.generation.scorers import GreedyScorer, SampledScorer
from executor.network import operands_of
from executor.runner import Runner
from executor.tensors import bits_of_f32_above, canonical_bytes, f32_of_bits, from_canonical, to_canonical
from executor.trace import Request, trace_for
from rollup.errors import BadInput
from rollup.judge.evaluate import evaluate, open_tensors
from rollup.lowering.limits import MAX_OPENED, opened_bytes
from rollup.types import Verdict
from tests.executor.generation.decoders import (
    PROMPT,
    TEMPERATURE,
    VOCABULARY,
    decoder_module,
    gpt2,
    network_of,
    scorer_of,
)

NEW = 5


def text(seed: int = 0, vocabulary: int = VOCABULARY) -> Tensor:
    return torch.randint(vocabulary, (1, PROMPT + NEW), generator=torch.Generator().manual_seed(seed))


def inputs(sampled: bool, seed: int = 0) -> list[Tensor]:
    uniforms = torch.rand(1, NEW, generator=torch.Generator().manual_seed(seed))
    return [text(seed), uniforms] if sampled else [text(seed)]


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf"), float("nan")])
def test_a_scorer__without_a_temperature__is_refused(temperature: float) -> None:
    with pytest.raises(BadInput, match="positive"):
        SampledScorer(nn.Identity(), NEW, VOCABULARY, temperature)


def test_a_scorer__of_no_new_token__is_refused() -> None:
    with pytest.raises(BadInput, match="at least one"):
        GreedyScorer(nn.Identity(), 0)


def test_a_greedy_score__is_the_tokens_logit_less_the_greatest() -> None:
    module, tokens = decoder_module("gpt2"), text()
    logits = module(tokens)[0]
    scores = GreedyScorer(module, NEW)(tokens)[0]
    for place in range(NEW):
        row = logits[PROMPT - 1 + place]
        assert scores[place] == row[tokens[0, PROMPT + place]] - row.max()
    likeliest = torch.cat([tokens[:, :PROMPT], logits[PROMPT - 1 : PROMPT].argmax(-1)[None]], 1)
    assert GreedyScorer(module, 1)(likeliest) == 0


def test_a_sampled_score__is_the_uniforms_distance_from_the_nearer_end_of_its_tokens_part() -> None:
    module, (tokens, uniforms) = decoder_module("gpt2"), inputs(sampled=True)
    parts = torch.softmax(module(tokens)[0].double() / TEMPERATURE, -1)
    scores = scorer_of(module, NEW, sampled=True)(tokens, uniforms)[0]
    for place in range(NEW):
        ends = parts[PROMPT - 1 + place].cumsum(-1)
        token, uniform = int(tokens[0, PROMPT + place]), float(uniforms[0, place])
        low = float(ends[token - 1]) if token else 0.0
        assert float(scores[place]) == pytest.approx(min(float(ends[token]) - uniform, uniform - low), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "sampled"), [("gpt2", False), ("llama", True), ("characters", False), ("characters", True)]
)
def test_an_honest_score__passes_the_judge_at_every_element_of_every_step(name: str, sampled: bool) -> None:
    network = network_of(scorer_of(decoder_module(name), NEW, sampled))
    calibration = calibrate(network, [inputs(sampled, seed) for seed in range(4)])
    given, runner = inputs(sampled, 9), Runner(network)
    data = [canonical_bytes(tensor) for tensor in given]
    band = f32_of_bits(bits_of_f32_above(calibration.output_band))
    trace = trace_for(network, calibration.numerics, runner, Request(data, runner.run([data])[0], band))
    results = [from_canonical(tensor) for tensor in trace.tensors]
    generator = torch.Generator().manual_seed(1)
    for number, (step, factor) in enumerate(zip(network.graph.steps, calibration.numerics.factors, strict=True)):
        operands = operands_of(step, given, network.weights, results)
        tensors = [trace.tensors[number], *(to_canonical(operand) for operand in operands)]
        for element in torch.randint(step.result.elements, (2,), generator=generator).tolist():
            opened = open_tensors(step, element, tensors)
            assert evaluate(step, opened.values, opened.hint, factor).verdict is Verdict.NO_FAULT


@pytest.mark.parametrize("sampled", [False, True])
def test_a_scorer__of_fifty_thousand_tokens__can_be_proven_at_every_step(sampled: bool) -> None:
    vocabulary = 50_257
    module = gpt2(vocabulary, width=8, layers=1).eval().requires_grad_(False)
    network = network_of(scorer_of(module, NEW, sampled, vocabulary))
    assert max(opened_bytes(step) for step in network.graph.steps) <= MAX_OPENED
