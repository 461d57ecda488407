"""A training of the digit network without a chain: models, data and pool in blobs, and what the chain would say."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from executor.calibration import Calibration, calibrate
from executor.models import Models
from executor.network import Network
from executor.scorer import Score
from executor.tensors import canonical_bytes, spec_of
from executor.trainer.craft import Assignment, Craft
from executor.trainer.desk import Desk
from executor.trainer.materials import Sources
from executor.trainer.policy import Policy
from executor.training.checkpoint import Checkpoint, Point
from rollup.blobs import Blobs, open_blobs
from rollup.call import f32_bits
from rollup.package import Package
from rollup.properties.draw import draw_seed
from rollup.properties.pool import Pool, item_key, key_hash, mask_item
from rollup.properties.types import (
    Aggregate,
    Comparison,
    Property,
    Training,
    TrainingId,
    TrainingStatus,
    TrainingTerms,
)
from rollup.tensor import Tensor as Committed
from rollup.types import ZERO_WORD, Address, BundleRoot, ModelId
from rollup.view import OrderedTraining
from tests.digits import DigitNet, digits, trained
from tests.executor.scored import PLAN, digit_samples, entered, packed

REQUESTER, EXECUTOR = Address(b"\1" * 20), Address(b"\2" * 20)
POOL_KEY = bytes(range(32))
POOL, OPEN, SHOWN = 24, 12, 200
REQUESTED_AT, OPENED_AT, PERIOD = 1000, 1010, 100
RECIPE = json.dumps({"epochs": 2, "optimiser": {"learning_rate": 0.01}}).encode()


@dataclass(frozen=True)
class Commission:
    """`given` is at its opening; `blobs` hold all that it names."""

    blobs: Blobs
    given: Assignment
    folder: Path

    def craft(self, policy: Policy | None = None, recipe: bytes | None = RECIPE) -> Craft:
        return Craft(self.blobs, Models(self.blobs), Sources(self.blobs), policy or Policy(), recipe)

    @property
    def desk(self) -> Desk:
        return Desk.of(self.folder / "trainings", self.given.training.id)

    @property
    def revealed(self) -> Assignment:
        """After the revelation."""
        known = replace(
            self.given.training, status=TrainingStatus.REVEALED, revealed_at=OPENED_AT + PERIOD, pool_key=POOL_KEY
        )
        return replace(self.given, training=known)

    def finish_job(self, net: torch.nn.Module | None = None) -> None:
        """As if the job had found the weights of `net`, or those of the trained network."""
        weights = {name: tensor.detach() for name, tensor in (net or trained()).state_dict().items()}
        # In another order than the program has them: a file need not keep it.
        weights = dict(sorted(weights.items()))
        self.desk.job.keep(Checkpoint(weights, {}, (Point(0, 0.1, 0.9, 1.0),)))


def commission(
    folder: Path, labels: Tensor | None = None, data: tuple[Tensor, Tensor] | None = None, **terms: Any
) -> Commission:
    """`labels` replace those of the pool, `data` what is trained on."""
    blobs = open_blobs(folder / "blobs")
    architecture, scorer = (entered(blobs, *_models()[name]) for name in ("architecture", "scorer"))
    items = _items(labels)
    roots = []
    for index, item in enumerate(items):
        hidden, root = mask_item(POOL_KEY, index, item)
        blobs.put_tensors(hidden)
        roots.append(root)
    pool = Pool.of(POOL_KEY, roots)
    blobs.put_named(pool.root, pool.encoded)
    wanted = _terms(pool, blobs.put_tensors([_committed(tensor) for tensor in data or _shown()]), terms)
    return Commission(blobs, Assignment(_opened(wanted, pool), architecture, scorer), folder)


@cache
def _models() -> dict[str, tuple[Package, Calibration]]:
    """Drawn weights, as they are registered before anybody has trained."""
    torch.manual_seed(5)
    net = DigitNet()
    samples = digit_samples(2)
    both = {"architecture": (packed(net), [sample[:1] for sample in samples])}
    both["scorer"] = (packed(net, Score.ACCURACY), samples)
    return {
        name: (package, calibrate(Network.from_package(package), inputs, PLAN))
        for name, (package, inputs) in both.items()
    }


def _shown() -> tuple[Tensor, Tensor]:
    data = digits()
    return torch.from_numpy(data.shown[:SHOWN]), torch.from_numpy(data.shown_labels[:SHOWN])


def _items(labels: Tensor | None) -> list[list[Committed]]:
    """Of pictures that the trained network reads right."""
    data = digits()
    pictures, known = torch.from_numpy(data.held_out), torch.from_numpy(data.held_out_labels)
    with torch.no_grad():
        right = (trained()(pictures).argmax(1) == known).nonzero().flatten()[:POOL]
    pictures, known = pictures[right], known[right] if labels is None else labels
    return [[_committed(pictures[i : i + 1]), _committed(known[i : i + 1])] for i in range(POOL)]


def _committed(tensor: Tensor) -> Committed:
    return Committed(spec_of(tensor), canonical_bytes(tensor))


def _terms(pool: Pool, data_root: BundleRoot, changes: dict[str, Any]) -> TrainingTerms:
    wanted = TrainingTerms(
        architecture=ModelId(ZERO_WORD), scorer=ModelId(ZERO_WORD), data_root=data_root, recipe=ZERO_WORD,
        pool_root=pool.root, pool_count=POOL, open_count=OPEN, key_hash=key_hash(POOL_KEY),
        property=Property(Aggregate.MEAN, Comparison.AT_LEAST, f32_bits(0.9)), fee_wei=10**18, bonus_wei=0,
        full_score=f32_bits(1.0), commit_fee_wei=10**15, min_bond_wei=0, unscored_share=5000, open=PERIOD,
        commit=PERIOD, reveal=PERIOD, claim=PERIOD,
    )  # fmt: skip
    return replace(wanted, **changes)


def _opened(terms: TrainingTerms, pool: Pool) -> OrderedTraining:
    id_ = TrainingId(b"\7" * 32)
    training = Training(REQUESTER, 0, REQUESTED_AT, 5, terms)
    known = OrderedTraining(id_, training, TrainingStatus.COMMITTING, OPENED_AT, seed=draw_seed(id_, b"\3" * 32))
    opened = tuple(pool.opened(index, item_key(POOL_KEY, index)) for index in known.draw.opened)
    return replace(known, opened=opened)
