"""The desk: which scorers are served, and texts that are made once however often they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from executor.generation import desk as module
from executor.generation.decoding import Decoder, Text, Wish
from executor.generation.desk import Answer, Desk, name_of, wish_of
from executor.models import Models
from executor.registration import Terms, prepare
from executor.tensors import canonical_bytes, from_bytes, to_canonical
from rollup.blobs import Blobs, open_blobs
from rollup.codec import model_id
from rollup.errors import Overloaded
from rollup.package import Package
from rollup.properties.draw import uniforms
from rollup.properties.text import text_inputs, text_root
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import Model, RequestId, Windows
from rollup.view import OrderedGeneration
from tests.executor.generation.decoders import PROMPT, VOCABULARY, decoder_module, network_of, scorer_of
from tests.executor.generation.test_decoding import Spread
from tests.rollup.properties.examples import GENERATION

NEW = 6
SEED = b"s" * 32
SECONDS = 60.0
RANGES = ((0.0, VOCABULARY - 1.0), (0.0, 1.0))


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Blobs:
    return open_blobs(tmp_path_factory.mktemp("blobs"))


def registered(blobs: Blobs, scorer: nn.Module, ranges: tuple[tuple[float, float], ...] = RANGES) -> Model:
    network = network_of(scorer)
    package = Package(network.program, tuple(to_canonical(weight) for weight in network.weights))
    terms = Terms(0, 1, 0, Windows(0, 0, 0, 0, 0), ranges[: len(network.program.inputs)])
    return prepare(blobs, package, terms).record


@pytest.fixture(scope="module")
def scorer(blobs: Blobs) -> Model:
    return registered(blobs, scorer_of(decoder_module("characters"), NEW, sampled=True))


@pytest.fixture
def desk(blobs: Blobs) -> Desk:
    return Desk(Models(blobs), blobs)


def generation(scorer: Model, name: int) -> OrderedGeneration:
    prompt = torch.randint(VOCABULARY, (PROMPT,), generator=torch.Generator().manual_seed(name))
    terms = replace(
        GENERATION.terms, scorer=model_id(scorer), prompt=canonical_bytes(prompt), new_tokens=NEW, sampled=True
    )
    known = OrderedGeneration(RequestId(bytes([name]) * 32), replace(GENERATION, terms=terms), 1, 9_000)
    return replace(known, seed=SEED)


@pytest.mark.parametrize(
    "make", [lambda: Spread().eval(), lambda: scorer_of(decoder_module("characters"), NEW, sampled=False)]
)
def test_what_is_no_scorer_or_takes_too_few_tokens__is_not_served(
    desk: Desk, blobs: Blobs, make: Callable[[], nn.Module]
) -> None:
    # Half of the vocabulary: the likeliest token may be one that no claim can hold.
    assert not desk.serves(registered(blobs, make(), ((0.0, VOCABULARY // 2),)))


def test_a_scorer_whose_blobs_are_not_here__is_not_served_yet(scorer: Model, tmp_path: Path, blobs: Blobs) -> None:
    empty = open_blobs(tmp_path)
    assert not Desk(Models(empty), empty).serves(scorer)
    assert Desk(Models(blobs), blobs).serves(scorer)


def test_a_scorer_whose_pass_is_too_large__is_not_served(
    desk: Desk, scorer: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PASS_ELEMENTS", 1000)
    assert not desk.serves(scorer)


def test_a_text__beyond_its_time__is_not_kept(desk: Desk, scorer: Model, blobs: Blobs) -> None:
    known = generation(scorer, 1)
    with pytest.raises(Overloaded):
        desk.answer(known, scorer, 0.0)
    assert not blobs.exists(name_of(known))


def test_an_answer__has_its_inputs_and_scores_as_blobs(desk: Desk, scorer: Model, blobs: Blobs) -> None:
    known = generation(scorer, 2)
    answer = desk.answer(known, scorer, SECONDS)
    inputs = text_inputs(known.generation.terms, scorer, answer.tokens, SEED)
    assert [each.data for each in blobs.get_tensors(text_root(inputs))] == [each.data for each in inputs]
    scores = Tensor(TensorSpec(DType.F32, (1, NEW)), answer.scores)
    assert blobs.get_tensor(scores.root).data == scores.data
    assert inputs[1].data == uniforms(SEED, NEW)
    assert float(from_bytes(scores.spec, scores.data).min()) >= -wish_of(known, scorer).delta


def test_a_text__is_made_once_for_a_seed_and_an_attempt(
    blobs: Blobs, scorer: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, generate = [], Decoder.generate

    def counted(decoder: Decoder, wish: Wish, limit_seconds: float) -> Text:
        made.append(wish)
        return generate(decoder, wish, limit_seconds)

    monkeypatch.setattr(Decoder, "generate", counted)
    known = generation(scorer, 3)
    first = Desk(Models(blobs), blobs).answer(known, scorer, SECONDS)
    # As another process that starts after this one was killed.
    assert Desk(Models(blobs), blobs).answer(known, scorer, SECONDS) == first
    assert len(made) == 1
    Desk(Models(blobs), blobs).answer(replace(known, attempts=1), scorer, SECONDS)
    Desk(Models(blobs), blobs).answer(replace(known, seed=b"t" * 32), scorer, SECONDS)
    assert len(made) == 3


def test_a_kept_text_that_is_damaged__is_made_again(desk: Desk, scorer: Model, blobs: Blobs) -> None:
    known = generation(scorer, 4)
    first = desk.answer(known, scorer, SECONDS)
    blobs.put_named(name_of(known), first.tokens)
    assert desk.answer(known, scorer, SECONDS) == first
    assert blobs.get_named(name_of(known), lambda data: Answer(data[: 8 * NEW], data[8 * NEW :])) == first
