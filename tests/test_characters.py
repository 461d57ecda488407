"""The network that tells stories has learnt its tale, and can be asked on chain."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor, nn

from executor.capture import capture, capture_buckets
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
    Writer,
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


class Inside(nn.Module):
    """What uniforms leave of the new tokens' parts: a scorer with a constant of its own."""

    places: Tensor

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder
        self.register_buffer("places", torch.arange(len(ALPHABET)))

    def forward(self, tokens: Tensor, uniforms: Tensor) -> Tensor:
        parts = torch.softmax(self.decoder(tokens)[:, -NEW_TOKENS - 1 : -1], -1)
        claimed = tokens[:, -NEW_TOKENS:, None]
        return torch.where(self.places <= claimed, parts, torch.zeros(1)).sum(-1) - uniforms


def test_writer__captured_as_buckets__scorer_and_architecture_have_one_weights_root(net: CharacterNet):
    tokens, uniforms = torch.zeros(1, LENGTH, dtype=torch.int64), torch.zeros(1, NEW_TOKENS)
    architecture, scorer = capture_buckets(Writer(Inside(net)).eval(), [[tokens], [tokens, uniforms]])
    assert inputs_root(architecture.committed) == inputs_root(scorer.committed)
    assert architecture.program.output.spec.shape == (1, LENGTH, len(ALPHABET))
    assert scorer.program.output.spec.shape == (1, NEW_TOKENS)
    alone = [capture(net, [tokens]), capture(Inside(net).eval(), [tokens, uniforms])]
    assert inputs_root(alone[0].committed) != inputs_root(alone[1].committed)
