"""Decoding: position by position what whole passes give, for any decoder; and nothing the scorer would not accept."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from executor.generation.choice import rows_of
from executor.generation.decoding import Decoder, Text, Wish
from executor.generation.passes import WholePass
from executor.runner import Runner, profile
from executor.tensors import from_bytes
from rollup.call import Ref
from rollup.errors import BadGraph, BadInput, Doubt, Overloaded
from rollup.graph import Source
from rollup.tensor import DType, TensorSpec
from tests.executor.generation.decoders import (
    DECODERS,
    PROMPT,
    TEMPERATURE,
    VOCABULARY,
    decoder_module,
    decoder_of,
    network_of,
    scorer_of,
)

DELTA = 1e-4
NEW = 12
NEAR = 1e-5


def wish(sampled: bool, seed: int = 0, delta: float = DELTA, new_tokens: int = NEW) -> Wish:
    generator = torch.Generator().manual_seed(seed)
    prompt = torch.randint(VOCABULARY, (PROMPT,), generator=generator)
    return Wish(prompt, torch.rand(new_tokens, generator=generator) if sampled else None, delta)


def tokens_of(text: Text, new_tokens: int = NEW) -> Tensor:
    return from_bytes(TensorSpec(DType.I64, (new_tokens,)), text.tokens)


def naive(name: str, asked: Wish, sampled: bool, new_tokens: int = NEW) -> list[int]:
    """Token by token with the module itself, and with nothing kept."""
    module, text = decoder_module(name), asked.prompt.tolist()
    rows = decoder_of(name, sampled).rows
    for place in range(new_tokens):
        filled = torch.tensor([text + [0] * (PROMPT + new_tokens - len(text))])
        # Of the last positions only, if that is all that the module gives.
        logits = module(filled)[0, len(text) - 1 - (PROMPT + new_tokens)]
        row = torch.softmax(logits / TEMPERATURE, -1) if sampled else logits
        text.append(rows.choose(row, float(asked.uniforms[place]) if asked.uniforms is not None else None))
    return text[PROMPT:]


@pytest.mark.parametrize("given", [(PROMPT - 1, NEW), (PROMPT, NEW + 1), (PROMPT, 0)])
def test_a_wish__of_another_length__is_refused(given: tuple[int, int]) -> None:
    uniforms = torch.rand(given[1]) if given[1] else None
    with pytest.raises(BadInput, match="the scorer takes"):
        decoder_of("characters", True).generate(Wish(torch.zeros(given[0], dtype=torch.long), uniforms, DELTA))


class Spread(nn.Module):
    """Takes tokens and gives a number for each, by no greatest and no softmax."""

    def forward(self, tokens: Tensor) -> Tensor:
        scores: Tensor = (tokens[:, PROMPT:] * 0.5).float() - 1
        return scores

    new_tokens = NEW


def test_a_model_that_is_no_scorer__generates_nothing() -> None:
    network = network_of(Spread().eval())
    with pytest.raises(BadGraph, match="follow from no rows"):
        rows_of(network.program, network.weights)


class Liar(Spread):
    """Takes a greatest, and scores by something else."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, tokens: Tensor) -> Tensor:
        scores: Tensor = self.module(tokens)[:, PROMPT - 1 : -1].amax(-1) * 2
        return scores


def test_rows_that_do_not_explain_the_scores__are_not_believed() -> None:
    network = network_of(Liar(decoder_module("characters")).eval())
    with pytest.raises(BadGraph, match="follow from no rows"):
        rows_of(network.program, network.weights)


def test_a_text__beyond_its_time__is_given_up() -> None:
    with pytest.raises(Overloaded, match="1 of 12 tokens"):
        decoder_of("characters", False).generate(wish(False), limit_seconds=0.0)


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("name", DECODERS)
def test_a_row_at_a_time__gives_the_rows_of_whole_passes(name: str, sampled: bool) -> None:
    decoder = decoder_of(name, sampled)
    assert decoder.is_incremental
    asked = wish(sampled, seed=4)
    text = decoder.generate(asked)
    whole = WholePass(decoder.network.program, decoder.network.weights, [Ref(Source.STEP, decoder.rows.place)])
    written = torch.cat([asked.prompt, tokens_of(text)])[None]
    with profile():
        expected = whole.run(written)[0].reshape(NEW, VOCABULARY)
        found = decoder.rows_along(written)
    assert (found - expected).abs().max() <= NEAR * expected.abs().max()


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("name", [*DECODERS, "gru"])
def test_a_text__is_what_the_module_gives_token_by_token(name: str, sampled: bool) -> None:
    for seed in range(3):
        asked = wish(sampled, seed)
        text = decoder_of(name, sampled).generate(asked)
        assert tokens_of(text).tolist() == naive(name, asked, sampled)
        assert text.retries == 0


@pytest.mark.parametrize("sampled", [False, True])
def test_scores_of_a_text__are_the_scorers_own_and_none_is_missed(sampled: bool) -> None:
    decoder, asked = decoder_of("gpt2", sampled), wish(sampled)
    text = decoder.generate(asked)
    scores = from_bytes(decoder.network.program.output.spec, text.scores)[0]
    assert torch.equal(decoder.score(torch.cat([asked.prompt, tokens_of(text)]), asked.uniforms), scores)
    assert float(scores.min()) >= -DELTA


def test_a_text_with_one_token_swapped__is_missed_by_the_scorer() -> None:
    decoder, asked = decoder_of("gpt2", False), wish(False)
    tokens = tokens_of(decoder.generate(asked))
    for place in range(NEW):
        swapped = tokens.clone()
        swapped[place] = (swapped[place] + 1) % VOCABULARY
        assert float(decoder.score(torch.cat([asked.prompt, swapped]), None)[place]) < -DELTA


def test_a_recurrent_decoder__is_decoded_by_whole_passes() -> None:
    assert not decoder_of("gru", False).is_incremental


def test_a_decoder_that_reads_later_tokens__is_seen_and_claims_nothing() -> None:
    # Its calls could be made row by row; only what they give shows that they must not.
    decoder = decoder_of("foreseeing", False)
    assert not decoder.is_incremental
    with pytest.raises(Doubt, match="its own rows select"):
        decoder.generate(wish(False, delta=0.0))


def test_a_token_that_the_scorer_rejects__is_chosen_again_from_its_own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = decoder_of("llama", False)
    honest = decoder.generate(wish(False))
    assert decoder.cache is not None
    step = decoder.cache.step

    def wrong(position: int, token: Tensor) -> Tensor:
        row = step(position, token)
        return -row if position == PROMPT + 3 else row

    monkeypatch.setattr(decoder.cache, "step", wrong)
    text = decoder.generate(wish(False))
    assert (text.tokens, text.retries) == (honest.tokens, 1)


@pytest.mark.parametrize("name", ["gpt2", "characters"])
def test_a_text_of_one_token__needs_no_position_but_the_prompts(name: str) -> None:
    network = network_of(scorer_of(decoder_module(name), 1, sampled=False))
    text = Decoder(network, Runner(network)).generate(wish(False))
    assert tokens_of(text, 1).tolist() == naive(name, wish(False), False, new_tokens=1)


def test_equal_logits__select_the_first_token() -> None:
    rows = decoder_of("gpt2", False).rows
    assert rows.choose(torch.tensor([0.0, 2.0, 2.0]), None) == 1


@pytest.mark.parametrize(
    ("uniform", "token"), [(0.0, 0), (0.25 - 2**-24, 0), (0.25, 2), (0.75 - 2**-24, 2), (0.75, 3), (1 - 2**-24, 3)]
)
def test_a_uniform__selects_the_token_whose_part_holds_it(uniform: float, token: int) -> None:
    rows = decoder_of("gpt2", True).rows
    # Parts of nothing are never selected; the last one of something ends where all do.
    assert rows.choose(torch.tensor([0.25, 0.0, 0.5, 0.2499, 0.0]), uniform) == token


def test_the_seeds_uniforms__draw_tokens_as_often_as_their_probabilities_say() -> None:
    rows = replace(decoder_of("gpt2", True).rows, vocabulary=3)
    parts = torch.tensor([0.5, 0.3, 0.2])
    drawn = [rows.choose(parts, (place + 0.5) / 1000) for place in range(1000)]
    assert [drawn.count(token) for token in range(3)] == [500, 300, 200]


def test_positions_one_by_one__are_several_times_faster_than_whole_passes_at_128_tokens() -> None:
    from bench._timing import in_turn, ratio

    new_tokens = 128
    network = network_of(scorer_of(decoder_module("gpt2"), new_tokens, sampled=False))
    decoder = Decoder(network, Runner(network))
    whole = Decoder(network, Runner(network), by_whole_passes=True)
    asked = wish(False, new_tokens=new_tokens)
    assert decoder.generate(asked).tokens == whole.generate(asked).tokens
    rounds = in_turn([lambda: decoder.generate(asked), lambda: whole.generate(asked)], 3)
    assert ratio(rounds, 1) >= 2
    assert statistics.median(times[0] for times in rounds) < 10
