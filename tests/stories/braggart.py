"""An executor that trained nothing and claims a perfect score; and how a training's sealed items are read."""

from __future__ import annotations

import struct

from executor.models import load_model
from executor.tensors import from_canonical
from executor.trace import Trace, recompute
from executor.trainer.materials import Sealed, Sources
from rollup.chain.disputes import Disputes
from rollup.chain.scores import Scores
from rollup.chain.sender import Sender
from rollup.chain.trainings import ScoreCall, Trainings
from rollup.properties.ids import commitment_of
from rollup.properties.pool import item_key
from rollup.properties.types import LANE_SCORES, TrainingId
from rollup.tensor import Tensor
from rollup.types import Address, BundleRoot, TraceOpening
from rollup.view import MadeCommit, MadeScores, OrderedTraining
from tests.stories.academy import Academy

SALT = b"s" * 32
MAX_BYTES = 2**24


class Braggart:
    """It commits the network as it was registered, and claims that it has read every sealed item right."""

    def __init__(self, academy: Academy, sender: Sender) -> None:
        self._academy, self._sender = academy, sender
        deployment = academy.net.deployment
        self._trainings, self._scores = Trainings(deployment), Scores(deployment)
        self._disputes = Disputes(deployment)
        self._scorer = academy.look().model(academy.scorer)
        self._network = load_model(academy.blobs, self._scorer, MAX_BYTES).network
        self._opened = frozenset[int]()

    @property
    def address(self) -> Address:
        return self._sender.address

    def commit(self, id_: TrainingId) -> None:
        commitment = commitment_of(id_, self.address, self._scorer.weights_root, SALT)
        self._sender.send(self._trainings.commit(self._academy.training(id_).training, commitment))

    def claim(self, id_: TrainingId) -> None:
        known = self._academy.training(id_)
        items = tuple(self._academy.blobs.put_tensors(list(item)) for item in sealed_items(self._academy, known))
        scores = struct.pack(f">{len(items)}f", *([1.0] * len(items)))
        at = self._academy.snapshot()
        least = self._scores.minimum_bond(at, self._academy.scorer, self.address)
        bond_wei = max(least * 3 // 2, known.training.terms.min_bond_wei)
        number = commit_of(known, self.address).number
        call = ScoreCall(number, self._scorer.weights_root, SALT, items, scores, bond_wei)
        self._sender.send(self._trainings.score(known.training, call, value_wei=bond_wei))

    def answer(self, known: OrderedTraining, claim: MadeScores) -> None:
        """Opens an honest run of each item that somebody doubts: silence would cost as much."""
        for index in claim.disputed - self._opened:
            item = sealed_items(self._academy, known)[index]
            trace = Trace.of(recompute(self._network, [from_canonical(tensor) for tensor in item]))
            self._academy.blobs.put_tensors(list(trace.tensors))
            opening = TraceOpening(index, BundleRoot(trace.root))
            self._sender.send(self._disputes.open(claim.claim.claims, [opening], LANE_SCORES))
            self._opened |= {index}


def commit_of(known: OrderedTraining, executor: Address) -> MadeCommit:
    """An executor's only commitment."""
    (commit,) = (commit for commit in known.commits if commit.executor == executor)
    return commit


def sealed_items(academy: Academy, known: OrderedTraining) -> list[tuple[Tensor, ...]]:
    """The sealed items of a training whose key is revealed: the scorer's inputs of each, in order."""
    pool = academy.blobs.get_pool(known.training.terms.pool_root)
    sealed = Sealed(Sources(academy.blobs), pool, academy.look().model(academy.scorer).inputs)
    return [sealed.item(index, item_key(known.pool_key, index)) for index in known.draw.sealed]
