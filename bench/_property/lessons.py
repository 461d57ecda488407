"""What is trained and then checked: a network, what it is shown, and the sealed items as a pool masks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from executor.capture import Captured, capture
from executor.network import Network
from executor.runner import Runner
from executor.scorer import Score, scorer_of
from executor.tensors import canonical_bytes, spec_of
from executor.training.dataset import Dataset
from executor.training.loop import Run, Seat, train
from executor.training.network import Trainee
from executor.training.recipe import Recipe
from rollup.merkle import keccak256
from rollup.package import Package
from rollup.properties.pool import Pool, item_key, mask_item, masked
from rollup.tensor import Bundle
from rollup.tensor import Tensor as Committed
from rollup.types import BundleRoot
from tests.digits import DigitNet, digits

POOL_KEY = bytes(range(32))
STACK = 256


@dataclass(frozen=True)
class Lesson:
    """`sealed`: items, each the inputs and the target. `epochs`: of the whole training. `certified`: the scorer."""

    module: nn.Module
    shown: Dataset
    sealed: tuple[tuple[Tensor, ...], ...]
    score: Score
    epochs: int
    batch_size: int
    certified: bool = False

    @cached_property
    def captured(self) -> Captured:
        return capture(self.module.eval(), [tensor[:1] for tensor in self.shown.inputs])

    @property
    def formula(self) -> float:
        """What checking over training comes to, if a backward pass costs two forward ones and nothing else costs."""
        return len(self.sealed) / (3 * self.epochs * len(self.shown))

    def train_an_epoch(self) -> None:
        weights = list(self.captured.weights.values())
        recipe = Recipe(epochs=1, batch_size=self.batch_size)
        trainee = Trainee(self.captured.program, weights)
        train(Run(recipe, trainee, self.shown, None, lambda _: None, lambda _: None), Seat(trainee.module), None)

    @cached_property
    def desk(self) -> Desk:
        return Desk(self)


class Desk:
    """Whoever checks a claim of scores: it has the masked pool, the revealed key and the claimed weights."""

    def __init__(self, lesson: Lesson) -> None:
        program = scorer_of(lesson.captured.program, lesson.score, lesson.certified)
        self._runner = Runner(Network.from_package(Package(program, lesson.captured.committed)))
        items = [[_committed(tensor) for tensor in item] for item in lesson.sealed]
        self._hidden = [mask_item(POOL_KEY, index, item)[0] for index, item in enumerate(items)]
        self._pool = Pool.of(POOL_KEY, [_root(item) for item in self._hidden])
        self._claimed = [_root(item) for item in items]

    def check(self) -> list[bytes]:
        """Unmasks every item, compares its key and its root with what is committed, and runs the scorer: all scores."""
        return self.run([self._unmasked(place) for place in range(len(self._hidden))])

    def run(self, items: Sequence[Sequence[bytes]]) -> list[bytes]:
        """The passes of the network alone."""
        starts = range(0, len(items), STACK)
        return [score for start in starts for score in self._runner.run(items[start : start + STACK])]

    @cached_property
    def items(self) -> list[list[bytes]]:
        """All items, unmasked."""
        return [self._unmasked(place) for place in range(len(self._hidden))]

    def _unmasked(self, place: int) -> list[bytes]:
        key = item_key(POOL_KEY, place)
        assert keccak256(key) == self._pool.entries[place].key_hash
        item = masked(key, self._hidden[place])
        assert _root(item) == self._claimed[place]
        return [tensor.data for tensor in item]


def _root(tensors: Sequence[Committed]) -> BundleRoot:
    # Made anew, for a tensor keeps its tree.
    return Bundle([Committed(tensor.spec, tensor.data).root for tensor in tensors]).root


def _committed(tensor: Tensor) -> Committed:
    return Committed(spec_of(tensor), canonical_bytes(tensor))


def digits_lesson() -> Lesson:
    """The digits: 30 epochs, as the story trains them."""
    data = digits()
    shown = Dataset((torch.from_numpy(data.shown),), torch.from_numpy(data.shown_labels))
    pictures, labels = torch.from_numpy(data.held_out), torch.from_numpy(data.held_out_labels)
    sealed = tuple(zip(torch.split(pictures, 1), torch.split(labels, 1), strict=True))
    torch.manual_seed(0)
    return Lesson(DigitNet(), shown, sealed, Score.ACCURACY, epochs=30, batch_size=64)


class Transformer(nn.Module):
    """Logits f32 [N, T, VOCABULARY] of tokens i64 [N, T]; 1.0 million weights."""

    VOCABULARY, WIDTH, LAYERS, HEADS = 900, 128, 4, 4

    def __init__(self, length: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(self.VOCABULARY, self.WIDTH)
        self.places = nn.Parameter(torch.randn(length, self.WIDTH) * 0.02)
        layer = nn.TransformerEncoderLayer(self.WIDTH, self.HEADS, 4 * self.WIDTH, 0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, self.LAYERS, enable_nested_tensor=False)
        self.logits = nn.Linear(self.WIDTH, self.VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.logits(self.layers(self.tokens(tokens) + self.places))
        return logits


def transformer_lesson(shown: int = 256, sealed: int = 128, length: int = 32, epochs: int = 3) -> Lesson:
    """Each token is to be told from its successor: what is learned does not matter to the time it takes."""
    torch.manual_seed(0)
    module = Transformer(length)
    drawn = torch.randint(0, Transformer.VOCABULARY, (shown + sealed, length + 1))
    inputs, targets = drawn[:, :-1], drawn[:, 1:]
    items = tuple(zip(torch.split(inputs[shown:], 1), torch.split(targets[shown:], 1), strict=True))
    data = Dataset((inputs[:shown].contiguous(),), targets[:shown].contiguous())
    return Lesson(module, data, items, Score.LIKELIHOOD, epochs, batch_size=32)
