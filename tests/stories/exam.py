"""A training whose executors lie: a running chain, a watchtower of its own process, and whoever claims scores."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from executor.calibration import Plan
from executor.capture import capture
from executor.models import LoadedModel, load_model
from executor.network import Network
from executor.registration import Terms, enter, measure
from executor.tensors import from_canonical, to_canonical
from executor.trace import Trace, recompute
from rollup.blobs import open_blobs
from rollup.chain.disputes import Disputes
from rollup.chain.follower import Follower
from rollup.chain.models import Models
from rollup.chain.sender import Sender
from rollup.chain.trainings import ScoreCall, Trainings
from rollup.chain.transactions import MemoryStore
from rollup.codec import model_id
from rollup.config import Settings
from rollup.devnet import Account, Devnet, Part
from rollup.errors import NotYet, Unavailable
from rollup.package import Package
from rollup.processes import Process
from rollup.properties.draw import Draw, draw_seed
from rollup.properties.ids import commitment_of
from rollup.properties.pool import Pool, PoolEntry, item_key, key_hash, mask_item
from rollup.properties.scores import derived
from rollup.properties.types import LANE_SCORES, Aggregate, Comparison, Property, TrainingTerms
from rollup.tensor import Tensor as Canonical
from rollup.types import ZERO_WORD, BundleRoot, Model, TraceOpening, Windows
from rollup.view import MadeScores, OrderedTraining, View
from tests.digits import DigitNet, digits, trained
from tests.prover.scorers import Accuracy

# Real time, a block a second.
WINDOWS = Windows(challenge=12, open=15, collect=4, supply=10, prove=10)
PLAN = Plan(threads=(1,), batch_sizes=(1, 8), requests=4, reach_samples=1, reach_elements=2)
MIN_BOND_GAS = 3_000_000
POLL_SECONDS = 0.25
ETHER = 10**18
POOL_KEY, SALT = bytes(range(32)), b"s" * 32
POOL, OPEN = 100, 20
SEALED = POOL - OPEN
THRESHOLD = 0.95
FIRST = Account.FIRST_USER + 1


@dataclass(frozen=True)
class Said:
    """What is claimed: weights that were committed, and a score for each sealed item."""

    weights: BundleRoot
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.scores) / len(self.scores)


class Exam:
    """`pupils` are executors; the requester is the first user. `network`: the one to be trained."""

    def __init__(self, net: Devnet, network: nn.Module | None = None) -> None:
        self._net, self.blobs = net, open_blobs(net.folder / "blobs")
        settings = Settings(deployment=net.deployment, rpc_url=net.rpc_url, blobs=net.folder / "blobs")
        self._follower = Follower.from_settings(settings, net.client)
        self._calls, self._disputes = Trainings(net.deployment), Disputes(net.deployment)
        torch.manual_seed(0)
        network = (network or DigitNet()).eval()
        picture, target = torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.long)
        self.architecture = self._register(network, picture)
        self.scorer = self._register(Accuracy(network), picture, target)
        # Of which the trained network knows all but a few.
        data = digits()
        pairs = zip(data.shown[:POOL], data.shown_labels[:POOL], strict=True)
        self.masks([[_picture(picture), to_canonical(torch.tensor([int(label)]))] for picture, label in pairs])

    def _register(self, module: nn.Module, *examples: Tensor) -> Model:
        captured = capture(module.eval(), list(examples))
        package = Package(captured.program, captured.committed)
        terms = Terms(0.0, 1.0, MIN_BOND_GAS, WINDOWS, ((0.0, 1.0), (0, 9))[: len(examples)])
        record = enter(self.blobs, package, terms, measure(Network.from_package(package), terms, [], PLAN)).record
        self.sender(Account.DEPLOYER).send(Models(self._net.deployment).register(record, ETHER // 100))
        return record

    def sender(self, account: int) -> Sender:
        return Sender(self._net.client, self._net.key(account), MemoryStore())

    def look(self) -> View:
        self._follower.catch_up()
        return self._follower.view

    def wait(self, what: str, done: Callable[[View], bool], seconds: float = 40) -> View:
        """Looks until `done`. Raises NotYet when the time is over, Unavailable if a process failed."""
        limit = time.monotonic() + seconds
        while not done(view := self.look()):
            for process in self._net.processes.failed():
                raise Unavailable(f"{process.name} ended with {process.handle.returncode}:\n{process.last_words()}")
            if time.monotonic() > limit:
                raise NotYet(f"{what} did not happen within {seconds:g} s")
            time.sleep(POLL_SECONDS)
        return view

    # The requester.

    def ask(self, accepts: Callable[[Draw], bool] = bool, **changes: Any) -> None:
        """Asks, waits for the beacon, and opens what it drew; asks again until it likes the draw."""
        terms = TrainingTerms(
            architecture=model_id(self.architecture), scorer=model_id(self.scorer), data_root=BundleRoot(b"d" * 32),
            recipe=ZERO_WORD, pool_root=self.pool.root, pool_count=POOL, open_count=OPEN, key_hash=key_hash(POOL_KEY),
            property=Property(Aggregate.MEAN, Comparison.AT_LEAST, _bits(THRESHOLD)), fee_wei=ETHER // 10,
            bonus_wei=0, full_score=_bits(1.0), commit_fee_wei=10**14, min_bond_wei=0, unscored_share=2_000,
            open=20, commit=14, reveal=20, claim=40,
        )  # fmt: skip
        requester, draw = self.sender(Account.FIRST_USER), None
        while draw is None or not accepts(draw):
            requester.send(self._calls.request(replace(terms, **changes), str(len(self.look().trainings()))))
            self.id = self.look().trainings()[-1].id
            training = self.training.training
            self.wait("the beacon", lambda view: view.block > self.training.training.requested_block + 1)
            beacon = self._net.client.block(training.requested_block + 1).hash
            draw = Draw(draw_seed(self.id, beacon), POOL, OPEN)
        requester.send(self._calls.open(training, [self.pool.opened(at, item_key(POOL_KEY, at)) for at in draw.opened]))
        self.look()

    def masks(
        self, items: Sequence[Sequence[Canonical]], key_hashes: Mapping[int, bytes] = MappingProxyType({})
    ) -> None:
        """From now on these items are the pool; some with the hash of another key than theirs."""
        self.items = [list(item) for item in items]
        roots = [self.blobs.put_tensors(mask_item(POOL_KEY, at, item)[0]) for at, item in enumerate(self.items)]
        sound = Pool.of(POOL_KEY, roots)
        entries = [
            PoolEntry(key_hashes.get(at, each.key_hash), each.masked_root) for at, each in enumerate(sound.entries)
        ]
        self.pool = Pool(tuple(entries))
        self.blobs.put_pool(self.pool)

    def shows(self) -> BundleRoot:
        """Puts what may be trained on where everybody finds it."""
        data = digits()
        return self.blobs.put_tensors(
            [to_canonical(torch.from_numpy(each)) for each in (data.shown, data.shown_labels)]
        )

    def reveal(self) -> None:
        # Nobody has anything to do until then.
        self._net.pass_until(self.training.course.commit_end)
        self.sender(Account.FIRST_USER).send(self._calls.reveal(self.training.training, POOL_KEY))

    @property
    def training(self) -> OrderedTraining:
        return self.look().training(self.id)

    @property
    def sealed(self) -> list[list[Canonical]]:
        return [self.items[index] for index in self.training.draw.sealed]

    # Executors.

    @cached_property
    def good(self) -> LoadedModel:
        """The scorer of a network that has learned its digits."""
        return self._with([value.detach() for value in trained().state_dict().values()])

    def noisy(self, right: Callable[[int], bool]) -> LoadedModel:
        """One of a network with noise on its weights, that knows as many sealed digits as `right` takes."""
        for seed in range(400):
            generator = torch.Generator().manual_seed(seed)
            scale = 0.02 + 0.001 * (seed % 100)
            known = self.good.network.weights
            noisy = self._with([weight + scale * torch.randn(weight.shape, generator=generator) for weight in known])
            if right(round(sum(self.truth(noisy).scores))):
                return noisy
        raise NotYet("no network knows just so many digits")

    def _with(self, weights: list[Tensor]) -> LoadedModel:
        root = self.blobs.put_tensors([to_canonical(weight) for weight in weights])
        return load_model(self.blobs, derived(self.scorer, root), 2**30)

    def truth(self, network: LoadedModel) -> Said:
        outputs = network.runner.run([[tensor.data for tensor in item] for item in self.sealed])
        return Said(network.record.weights_root, tuple(struct.unpack(">f", output)[0] for output in outputs))

    def commit(self, pupil: int, weights: BundleRoot) -> None:
        sender = self.sender(FIRST + pupil)
        commitment = commitment_of(self.id, sender.address, weights, SALT)
        sender.send(self._calls.commit(self.training.training, commitment))

    def claim(self, pupil: int, said: Said) -> MadeScores:
        """Commitments are numbered as their pupils are."""
        items = tuple(self.blobs.put_tensors(item) for item in self.sealed)
        packed = struct.pack(f">{len(said.scores)}f", *said.scores)
        call = ScoreCall(pupil, said.weights, SALT, items, packed, ETHER // 4)
        self.sender(FIRST + pupil).send(self._calls.score(self.training.training, call, value_wei=ETHER // 2))
        claim = self.training.commits[pupil].claim
        assert claim is not None
        return self.look().scores(claim)

    def answer(self, pupil: int, made: MadeScores, network: LoadedModel) -> int:
        """Opens a float64 run of the item that somebody challenges, with the tensors of it; returns the item."""
        view = self.wait("a challenge", lambda view: bool(view.scores(made.id).disputed))
        (item,) = view.scores(made.id).disputed
        trace = Trace.of(recompute(network.network, [from_canonical(tensor) for tensor in self.sealed[item]]))
        self.blobs.put_tensors(list(trace.tensors))
        opening = TraceOpening(item, trace.root)
        self.sender(FIRST + pupil).send(self._disputes.open(made.claim.claims, [opening], LANE_SCORES))
        return item


def start_watchtower(net: Devnet) -> Process:
    return net.start_part(Part("watch", Account.WATCHTOWER))


def _picture(picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Canonical:
    return to_canonical(torch.from_numpy(np.ascontiguousarray(picture, np.float32)).reshape(1, 1, 8, 8))


def _bits(value: float) -> int:
    bits: int = struct.unpack(">I", struct.pack(">f", value))[0]
    return bits
