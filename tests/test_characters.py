"""The network that tells stories has learnt its tale, and can be asked on chain."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator

from executor.capture import capture
from executor.generation.scorers import GreedyScorer, SampledScorer
from executor.generation.writer import capture_writer
from executor.network import Network
from executor.runner import Runner
from executor.tensors import canonical_bytes, from_bytes
from rollup.inputs import inputs_root
from rollup.lowering import lower
from rollup.tensor import DType, TensorSpec
from tests.characters import (
    ALPHABET,
    LENGTH,
    NEW_TOKENS,
    OPENING,
    CharacterNet,
    decoded,
    encoded,
    loss_of,
    opening,
    tale,
    trained,
    windows,
    written,
)

HARMLESS = set("abcdefghijklmnopqrstuvwxyz .,;:!?'-")


@pytest.fixture(scope="module")
def net() -> CharacterNet:
    return trained()


def test_alphabet__every_character__is_one_that_the_storyteller_takes_once():
    assert len(ALPHABET) == len(set(ALPHABET))
    assert set(ALPHABET) <= HARMLESS
    assert ALPHABET[0] == " "


def test_encoded__character_outside_the_alphabet__is_refused():
    with pytest.raises(ValueError, match="substring not found"):
        encoded("a <script>")


def test_opening__of_any_length__is_filled_or_cut_from_the_left():
    assert decoded(opening("once")) == "once".rjust(OPENING)
    assert decoded(opening("x" * 9 + "y" * OPENING)) == "y" * OPENING


def test_windows__drawn__are_pieces_of_the_tale_that_goes_round():
    twice = decoded(tale()) * 2
    for piece in windows(40, Generator().manual_seed(3)):
        said = decoded(piece)
        assert len(said) == LENGTH + 1
        assert said.lstrip() in twice


def test_net__a_later_character__changes_no_earlier_row(net: CharacterNet):
    text = windows(1, Generator().manual_seed(1))[:, :LENGTH]
    changed = text.clone()
    changed[0, 50] = (changed[0, 50] + 1) % len(ALPHABET)
    with torch.no_grad():
        before, after = net(text), net(changed)
    assert torch.equal(before[:, :50], after[:, :50])
    assert not torch.equal(before[:, 50], after[:, 50])


def test_trained__pieces_it_has_not_drawn__are_known_to_it(net: CharacterNet):
    fresh = CharacterNet().eval()
    pieces = windows(64, Generator().manual_seed(9))
    with torch.no_grad():
        assert float(loss_of(fresh, pieces)) > 3
        assert float(loss_of(net, pieces)) < 0.3


def test_written__likeliest__goes_on_with_words_of_the_tale(net: CharacterNet):
    said = decoded(written(net, opening("once upon a time")))
    assert len(said) == LENGTH
    assert said.lstrip().startswith("once upon a time there was a lighthouse")
    words = said.split()[:-1]
    known = set(decoded(tale()).split())
    assert sum(word in known for word in words) > 0.8 * len(words)


def test_written__other_uniforms__make_other_texts(net: CharacterNet):
    generator = Generator().manual_seed(5)
    begun = opening("one night")
    texts = {decoded(written(net, begun, torch.rand(NEW_TOKENS, generator=generator))) for _ in range(4)}
    assert len(texts) > 1
    assert all(text.startswith(decoded(begun)) for text in texts)


def test_capture__architecture__runs_as_the_module(net: CharacterNet):
    captured = capture(net, [torch.zeros(1, LENGTH, dtype=torch.int64)])
    spec = TensorSpec(DType.I64, (1, LENGTH))
    assert captured.program.inputs == (spec,)
    runner = Runner(Network(captured.program, lower(captured.program), tuple(captured.weights.values())))
    texts = windows(3, Generator().manual_seed(2))[:, :LENGTH]
    said = b"".join(runner.run([[canonical_bytes(text)] for text in texts]))
    output = replace(captured.program.output.spec, shape=(3, LENGTH, len(ALPHABET)))
    with torch.no_grad():
        assert torch.allclose(from_bytes(output, said), net(texts), atol=1e-4)


@pytest.mark.parametrize("sampled", [False, True])
def test_capture_writer__scorer_and_architecture__have_one_weights_root(net: CharacterNet, sampled: bool):
    scorer = SampledScorer(net, NEW_TOKENS, len(ALPHABET)) if sampled else GreedyScorer(net, NEW_TOKENS)
    architecture, judge = capture_writer(scorer, LENGTH)
    assert inputs_root(architecture.committed) == inputs_root(judge.committed)
    assert [spec.shape for spec in judge.program.inputs] == [(1, LENGTH), (1, NEW_TOKENS)][: 1 + sampled]
    assert architecture.program.output.spec.shape == (1, LENGTH, len(ALPHABET))
    assert judge.program.output.spec.shape == (1, NEW_TOKENS)
    text = windows(1, Generator().manual_seed(4))[:, :LENGTH]
    uniforms = [torch.rand(1, NEW_TOKENS)] if sampled else []
    runner = Runner(Network(judge.program, lower(judge.program), tuple(judge.weights.values())))
    with torch.no_grad():
        assert torch.allclose(runner.forward([text, *uniforms]), scorer(text, *uniforms), atol=1e-4)


def test_capture__apart__has_two_weights_roots(net: CharacterNet):
    tokens = torch.zeros(1, LENGTH, dtype=torch.int64)
    scorer = SampledScorer(net, NEW_TOKENS, len(ALPHABET)).eval()
    architecture, judge = capture(net, [tokens]), capture(scorer, [tokens, torch.zeros(1, NEW_TOKENS)])
    assert inputs_root(architecture.committed) != inputs_root(judge.committed)
