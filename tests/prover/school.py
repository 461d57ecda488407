"""Trainings without a chain: a pool of pictures, a scorer over a small network, and executors that claim its scores."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from executor.models import LoadedModel
from executor.tensors import canonical_bytes, to_canonical
from prover.inputs import Inputs
from prover.known import KnownModels
from prover.said import Said
from prover.score_watch import ScoreWatch
from prover.sources import Sources
from rollup import events as base
from rollup.blobs import Blobs
from rollup.codec import model_id
from rollup.properties import events
from rollup.properties.aggregate import judge
from rollup.properties.draw import Draw, draw_seed
from rollup.properties.ids import training_id, training_subject
from rollup.properties.pool import Pool, item_key, key_hash, mask_item
from rollup.properties.scores import claim_of_scores
from rollup.properties.types import Scoring
from rollup.tensor import Tensor as Canonical
from rollup.types import Address, BundleRoot, ClaimId
from rollup.view import MadeScores, View
from tests.prover.desk import Shelf
from tests.prover.scorers import CLASSES
from tests.rollup.properties.examples import ACCURACY, DOMAIN, EXECUTOR, REQUESTER, TRAINING
from tests.rollup.story import Story

POOL_KEY = bytes(range(32))
OPEN = 4
POOL = 5 * OPEN
SEALED = POOL - OPEN
ME = Address(b"m" * 20)
Item = list[Canonical]


def pictures(scorer: LoadedModel, count: int = POOL, wrong: int = 5) -> list[Item]:
    """Items: a picture f32 [1, 1, 8, 8] and the label i64 [1] that a scorer's network gives it, but each `wrong`th
    another.
    """
    generator = torch.Generator().manual_seed(7)
    items = []
    for number in range(count):
        picture = torch.rand(1, 1, 8, 8, generator=generator)
        label = label_of(scorer, picture)
        items.append([to_canonical(picture), to_canonical(torch.tensor([(label + (number % wrong == 0)) % CLASSES]))])
    return items


def label_of(scorer: LoadedModel, picture: Tensor) -> int:
    """The target that a scorer takes for right."""
    batch = [[canonical_bytes(picture), canonical_bytes(torch.tensor([label]))] for label in range(CLASSES)]
    return max(range(CLASSES), key=lambda label: struct.unpack(">f", scorer.runner.run(batch)[label])[0])


@dataclass
class Paper:
    """What an executor claims: weights, the items' inputs, and a score for each."""

    weights: BundleRoot
    items: list[BundleRoot]
    scores: list[float]


class School(Story):
    """One training, revealed. `shelf` is what everybody serves."""

    def __init__(self, scorer: LoadedModel, shelf: Shelf, items: Sequence[Item], pool: Pool | None = None) -> None:
        super().__init__()
        self.view = View(DOMAIN)
        self.shelf, self.blobs, self.scorer, self.items = shelf, Blobs(shelf), scorer, list(items)
        roots = [self._mask(index, item) for index, item in enumerate(items)]
        self.pool = pool or Pool.of(POOL_KEY, roots)
        shelf.write(self.pool.root, self.pool.encoded)
        architecture = replace(scorer.record, min_bond_gas=1)
        for model in (scorer.record, architecture):
            self.tell(base.Registered, model_id(model), REQUESTER, model)
        terms = replace(
            TRAINING.terms, architecture=model_id(architecture), scorer=model_id(scorer.record),
            pool_root=self.pool.root, pool_count=POOL, open_count=OPEN, key_hash=key_hash(POOL_KEY), property=ACCURACY,
        )  # fmt: skip
        training = replace(TRAINING, requested_at=self.now, terms=terms)
        self.id = training_id(training, DOMAIN)
        self.draw = Draw(draw_seed(self.id, b"b" * 32), POOL, OPEN)
        self.tell(events.TrainingRequested, self.id, REQUESTER, training)
        opened = tuple(self.pool.opened(index, item_key(POOL_KEY, index)) for index in self.draw.opened)
        self.tell(events.PoolOpened, self.id, self.draw.seed, opened)
        self.tell(events.WeightsCommitted, self.id, 0, EXECUTOR, b"c" * 32)
        self.tell(events.PoolRevealed, self.id, POOL_KEY)

    def _mask(self, index: int, item: Item) -> BundleRoot:
        return self.blobs.put_tensors(mask_item(POOL_KEY, index, item)[0])

    @property
    def sealed(self) -> list[Item]:
        return [self.items[index] for index in self.draw.sealed]

    def honest(self, scorer: LoadedModel | None = None) -> Paper:
        """Everything as it is: the pool's items, and the fast run's scores of a network."""
        network, items = scorer or self.scorer, self.sealed
        outputs = network.runner.run([[tensor.data for tensor in item] for item in items])
        scores = [struct.unpack(">f", output)[0] for output in outputs]
        return Paper(network.record.weights_root, [self.blobs.put_tensors(item) for item in items], scores)

    def scored(self, paper: Paper) -> MadeScores:
        """The executor claims scores."""
        subject = training_subject(self.id, 0, EXECUTOR, paper.weights)
        packed = struct.pack(f">{len(paper.scores)}f", *paper.scores)
        given = Scoring(
            subject, EXECUTOR, model_id(self.scorer.record), paper.weights, tuple(paper.items), packed, 10**16
        )
        claim = claim_of_scores(DOMAIN.trainings, given, self.scorer.record, DOMAIN, self.now)
        records = (claim.claims, claim.requests, given)
        self.tell(events.ScoresClaimed, claim.id, subject, claim.source, *records)
        total = judge(ACCURACY, packed).total
        self.tell(events.ScoresMade, self.id, 0, EXECUTOR, claim.id, paper.weights, total)
        return self.view.scores(claim.id)

    def contested(self, made: MadeScores, item: int, by: Address = ME) -> ClaimId:
        id_ = made.claim.claim_id(item)
        self.tell(events.ScoresContested, id_, made.id, item)
        self.tell(base.ChallengeMade, id_, by, EXECUTOR, 10**15)
        return id_

    def watch(self) -> ScoreWatch:
        """A fresh one, that knows nothing but the chain and the shelf."""
        sources = Sources(self.shelf, lambda: [])
        return ScoreWatch(sources, KnownModels(sources.all), Inputs(sources), Said())

    def look(self, watch: ScoreWatch) -> None:
        """What a watchtower does after a block."""
        watch._models.new_look()
        watch.look(self.view, ME)

    def picked(self, watch: ScoreWatch) -> list[int]:
        """Items that one look finds to be challenged."""
        self.look(watch)
        return [self.view.claim(id_).index for id_ in watch.picked]
