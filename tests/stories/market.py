"""A lending market that asks networks how much may be lent: the oracle, its training on real prices, and its cheats."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from executor.capture import capture
from executor.models import LoadedModel, Models, load_model
from executor.scorer import Score
from executor.tensors import canonical_bytes
from executor.trace import Trace, recompute
from executor.trainer.craft import Assignment, Craft
from executor.trainer.materials import Sources
from executor.trainer.pledge import Pledge
from executor.trainer.policy import Policy
from rollup.chain.abi import Abi, record_of
from rollup.chain.artifacts import load
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.keys import Key
from rollup.chain.models import Models as Registry
from rollup.chain.scores import Scores
from rollup.chain.sender import Intent, Sender
from rollup.chain.trainings import ScoreCall, Trainings
from rollup.chain.transactions import MemoryStore
from rollup.config import Deployment
from rollup.devnet import Devnet
from rollup.properties.types import TrainingId
from rollup.types import Address, ModelId, RequestId, Windows
from rollup.view import OrderedTraining
from tests.actors import STAKE_WEI, Lie, Place
from tests.stories.academy import Academy, Subject, found_academy
from tests.stories.office import create
from tests.volatility import BATCH, DAYS, DECAY, EPOCHS, RATE, VolatilityNet, poisoned, returns, split, trained

# Where nobody has anything to do the story moves the clock on, so these are as long as a slow machine may want.
WINDOWS = Windows(challenge=120, open=60, collect=20, supply=40, prove=60)
# Percent: what a day's return may be, and what a mean absolute return may be.
RANGES = ((-25.0, 25.0), (0.0, 25.0))
# Squared percent. What the mean of all that was known before comes to on the pool is 0.201: the network must beat it.
THRESHOLD = 0.2
# Half of the pool is opened, half sealed.
POOL, OPEN = 66, 33
FEE_WEI, TIP_WEI, BOND_WEI = 10**15, 10**14, 10**16
DAY_SECONDS = 24 * 3600
MAX_BYTES = 2**24
SEATS = 3
RECIPE = {
    "loss": "squared_error",
    "optimiser": {"kind": "adamw", "learning_rate": RATE, "weight_decay": DECAY},
    "schedule": {"kind": "cosine"},
    "epochs": EPOCHS,
    "batch_size": BATCH,
}
TRAINING = {
    "open_count": OPEN,
    "comparison": "at-most",
    "threshold": THRESHOLD,
    "full_score": 0.0,
    "open": 120,
    "commit": 120,
    "reveal": 120,
    "claim": 120,
}


@dataclass(frozen=True)
class Day:
    """As RiskOracle keeps it. Factors in 1/10,000; bit i of `heard`: network i has given its final answer."""

    number: int
    added_at: int
    low: int
    high: int
    heard: int
    factors: tuple[int, ...]


class RiskOracle(Contract):
    def __init__(self, address: Address) -> None:
        self.address, self._abi = address, Abi("RiskOracle", load()["RiskOracle"].abi)

    @classmethod
    def create(
        cls, sender: Sender, deployment: Deployment, seats: Sequence[tuple[TrainingId, int]], row: bytes, bond_wei: int
    ) -> RiskOracle:
        """The sender will feed it. `bond_wei`: of the two networks that the training has not registered."""
        sources = (
            deployment.inbox,
            deployment.claim_chain,
            deployment.vault,
            deployment.model_registry,
            deployment.trainings,
            deployment.score_claims,
            sender.address,
        )
        terms = (
            FEE_WEI,
            TIP_WEI,
            BOND_WEI,
            3600,  # answer within, seconds
            100_000,  # callback gas
            DAY_SECONDS * 5 // 6,  # least gap between two days, seconds
            4 * DAY_SECONDS,  # fresh for, seconds
            94_868,  # deviations of a day, 1/10,000: three, over ten days
            13_500,  # stretch of the band, 1/10,000
            9_400,  # greatest factor, 1/10,000
        )
        return cls(create(sender, "RiskOracle", [sources, terms, list(seats), row], bond_wei))

    def add_day(self, daily_return: np.float32) -> Intent:
        """Asks the three networks. `daily_return`: percent."""
        bits = int(daily_return.view(np.uint32))
        return self._intent("addDay", bits, value_wei=SEATS * (FEE_WEI + TIP_WEI))

    def collateral_factor(self, at: Snapshot) -> tuple[int, bool]:
        """In 1/10,000, and whether it is fresh and all three networks are heard."""
        factor, sure = self._read(at, "collateralFactor")
        return int(factor), bool(sure)

    def factor_of(self, at: Snapshot, output: bytes) -> int:
        """What one network's answer alone would come to."""
        return int(self._read(at, "factorOfForecast", output)[0])

    def day(self, at: Snapshot) -> Day:
        day: Day = record_of(Day, self._read(at, "dayNow")[0])
        return day

    def networks(self, at: Snapshot) -> list[ModelId]:
        return [ModelId(id_) for id_ in self._read(at, "networks")[0]]


def open_market(net: Devnet) -> Academy:
    """Registers the untrained network and the scorer of its squared error."""
    torch.manual_seed(0)
    untrained = capture(VolatilityNet().eval(), [torch.zeros(1, DAYS)])
    return found_academy(net, Subject(untrained, Score.SQUARED_ERROR, RANGES, WINDOWS))


def ask_for_training(academy: Academy) -> TrainingId:
    """What is shown are the years before 2011, what is judged on are days after that; none is in both."""
    parts = split()
    data = {"input_0": parts.shown.rows, "targets": parts.shown.targets}
    pool = {"input_0": parts.pool.rows[:POOL], "targets": parts.pool.targets[:POOL]}
    return academy.ask(academy.describe(data, pool, **TRAINING))


def row_until(day: int) -> NDArray[np.float32]:
    """The returns that are known on the evening of a day, f32 [DAYS]."""
    return returns()[day + 1 - DAYS : day + 1]


class Poisoner:
    """Trains as well as anybody, then has its network say that nothing will move after one day. Its scores are true."""

    def __init__(self, academy: Academy, key: Key, day: int) -> None:
        self.address = key.address
        self._academy, deployment = academy, academy.net.deployment
        self._sender = Sender(academy.net.client, key, MemoryStore())
        self._trainings, self._scores = Trainings(deployment), Scores(deployment)
        blobs = academy.blobs
        network = capture(poisoned(trained(2), row_until(day)).eval(), [torch.zeros(1, DAYS)])
        self._pledge = Pledge.to(blobs.put_tensors(list(network.committed)))
        self._craft = Craft(blobs, Models(blobs), Sources(blobs), Policy())

    def commit(self, id_: TrainingId) -> None:
        commitment = self._pledge.commitment(id_, self.address)
        self._sender.send(self._trainings.commit(self._training(id_).training, commitment))

    def claim(self, id_: TrainingId) -> None:
        """Claims what its network has on the sealed items."""
        view, known = self._academy.look(), self._training(id_)
        terms = known.training.terms
        scored = self._craft.score(
            Assignment(known, view.model(terms.architecture), view.model(terms.scorer)), self._pledge
        )
        (commit,) = known.commits_of(self.address)
        bond = self._scores.minimum_bond(_now(self._academy.net), terms.scorer, self.address) * 5 // 4
        root, salt = self._pledge.weights_root, self._pledge.salt
        call = ScoreCall(commit.number, root, salt, scored.items, scored.scores, bond)
        self._sender.send(self._trainings.score(known.training, call, STAKE_WEI))

    def finalise(self, id_: TrainingId) -> None:
        (commit,) = self._training(id_).commits_of(self.address)
        assert commit.claim is not None
        self._sender.send(self._scores.finalise(self._academy.look().scores(commit.claim).claim.claims))

    def _training(self, id_: TrainingId) -> OrderedTraining:
        return self._academy.training(id_)


class Calm(Lie):
    """Says that nothing will move, which the network has not said; opens an honest trace."""

    name = "calm"

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return canonical_bytes(torch.full((1, 1), 0.01))

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return Trace.of(recompute(model.network, inputs))


class Market:
    """An oracle with who feeds it, and the academy in which its networks were trained."""

    def __init__(self, academy: Academy, feeder: Sender, oracle: RiskOracle) -> None:
        self.academy, self.oracle = academy, oracle
        self._feeder = feeder

    @classmethod
    def open(cls, academy: Academy, feeder: Key, training: TrainingId, day: int) -> Market:
        """Its oracle asks the networks of the first three commitments, and knows the days until `day`."""
        sender, deployment = Sender(academy.net.client, feeder, MemoryStore()), academy.net.deployment
        bonds_wei = (SEATS - 1) * Registry(deployment).minimum_bond(_now(academy.net))
        row = struct.pack(f">{DAYS}f", *row_until(day))
        seats = [(training, number) for number in range(SEATS)]
        return cls(academy, sender, RiskOracle.create(sender, deployment, seats, row, bonds_wei))

    def place_of(self, network: int) -> Place:
        """Where one of its networks is run, and lied about."""
        net, view = self.academy.net, self.academy.look()
        record = view.model(self.oracle.networks(_now(net))[network])
        return Place(net.client, net.deployment, load_model(self.academy.blobs, record, MAX_BYTES))

    def add_day(self, day: int) -> list[RequestId]:
        """A day passes, and its return comes in; what the three networks are asked, in their order."""
        known = set(self.academy.look().state.requests)
        net = self.academy.net
        net.pass_until(net.client.head().timestamp + DAY_SECONDS)
        assert self._feeder.send(self.oracle.add_day(returns()[day])).succeeded
        return [id_ for id_ in self.academy.look().state.requests if id_ not in known]

    def factor(self) -> tuple[int, bool]:
        return self.oracle.collateral_factor(_now(self.academy.net))

    def factor_of(self, output: bytes) -> int:
        return self.oracle.factor_of(_now(self.academy.net), output)

    def band(self) -> tuple[int, int]:
        day = self.oracle.day(_now(self.academy.net))
        return day.low, day.high


def _now(net: Devnet) -> Snapshot:
    return net.client.at(net.client.head())
