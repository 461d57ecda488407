"""Trainings on a real chain: the arena, a scorer of its network, a requester, and an executor who claims anything."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from executor.models import LoadedModel, load_model
from executor.tensors import from_canonical, to_canonical
from executor.trace import Trace, recompute
from prover.known import Held
from rollup.chain.disputes import Disputes, Supply
from rollup.chain.models import Models
from rollup.chain.scores import Scores
from rollup.chain.trainings import ScoreCall, Trainings
from rollup.codec import model_id
from rollup.errors import BadEncoding
from rollup.properties.draw import Draw, draw_seed
from rollup.properties.ids import commitment_of
from rollup.properties.pool import Pool, PoolEntry, item_key, key_hash, mask_item
from rollup.properties.scores import derived
from rollup.properties.types import LANE_SCORES, Training, TrainingId, TrainingStatus
from rollup.types import BundleRoot, Certainty, ClaimId, Dispute, StepProof, TraceOpening
from rollup.view import MadeScores, Page
from tests.chain_fixture import REGISTRANT_BOND_WEI, USER, Anvil
from tests.executor.nets import ConvNet
from tests.prover.arena import ETHER, FIRST_LIAR, Arena
from tests.prover.school import OPEN, POOL, POOL_KEY, Item, Paper, pictures
from tests.prover.scorers import Accuracy, scorer
from tests.rollup.properties.examples import ACCURACY, TRAINING

SALT = b"s" * 32
PERIOD = 100


class Classroom(Arena):
    """The registered network is to be trained; `trained` is what comes of it, and right about four items in five."""

    def __init__(
        self, anvil: Anvil, folder: Path, net: type[torch.nn.Module] = ConvNet, score: type[torch.nn.Module] = Accuracy
    ) -> None:
        torch.manual_seed(1)
        super().__init__(anvil, folder, net())
        torch.manual_seed(1)
        examples = (torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.long))
        self.scorer = scorer(self.blobs, score(net()), *examples)
        assert self.scorer.record.weights_root == self.model.record.weights_root
        anvil.sender(0).send(Models(self.deployment).register(self.scorer.record, REGISTRANT_BOND_WEI))
        self.trained = self.other_weights(2)
        self.items = pictures(self.trained)
        self.calls, self._turn = Trainings(self.deployment), 0

    def other_weights(self, seed: int, is_served: bool = True) -> LoadedModel:
        """The scorer with other weights than the registered ones."""
        generator = torch.Generator().manual_seed(seed)
        tensors = [
            to_canonical(weight + 0.3 * torch.randn(weight.shape, generator=generator))
            for weight in self.scorer.network.weights
        ]
        root = self.blobs.put_tensors(tensors)
        loaded = load_model(self.blobs, derived(self.scorer.record, root), 2**30)
        if not is_served:
            for name in (root, *(tensor.root for tensor in tensors)):
                self.withhold(name)
        return loaded

    def withhold(self, name: bytes) -> None:
        (self.folder / "blobs" / name.hex()[:2] / name.hex()).unlink()

    # The requester.

    def asked(self, pool: Pool | None = None) -> Training:
        roots = [self.blobs.put_tensors(mask_item(POOL_KEY, at, item)[0]) for at, item in enumerate(self.items)]
        self.pool = pool or Pool.of(POOL_KEY, roots)
        self.blobs.put_named(self.pool.root, self.pool.encoded)
        terms = replace(
            TRAINING.terms, architecture=model_id(self.model.record), scorer=model_id(self.scorer.record),
            pool_root=self.pool.root, pool_count=POOL, open_count=OPEN, key_hash=key_hash(POOL_KEY), property=ACCURACY,
            min_bond_wei=0, open=PERIOD, commit=PERIOD, reveal=PERIOD, claim=PERIOD,
        )  # fmt: skip
        self._turn += 1
        self.anvil.sender(USER).send(self.calls.request(terms, str(self._turn)))
        self.id: TrainingId = self.view.trainings()[-1].id
        training = self.view.training(self.id).training
        self.anvil.mine(2)
        beacon = self.client.block(training.requested_block + 1).hash
        draw = Draw(draw_seed(self.id, beacon), POOL, OPEN)
        opened = [self.pool.opened(index, item_key(POOL_KEY, index)) for index in draw.opened]
        self.anvil.sender(USER).send(self.calls.open(training, opened))
        return training

    def revealed(self, weights: BundleRoot, pool: Pool | None = None) -> Training:
        """A training to which one executor has committed these weights, and whose key is shown."""
        training, sender = self.asked(pool), self.anvil.sender(FIRST_LIAR)
        commitment = commitment_of(self.id, sender.address, weights, SALT)
        sender.send(self.calls.commit(training, commitment))
        self.anvil.warp(PERIOD)
        self.anvil.sender(USER).send(self.calls.reveal(training, POOL_KEY))
        return training

    def revealed_spoiled(self, weights: BundleRoot) -> None:
        """The same, but one sealed item has a key of its own: which are sealed is drawn after the pool is made."""
        roots = [mask_item(POOL_KEY, at, item)[1] for at, item in enumerate(self.items)]
        sound = Pool.of(POOL_KEY, roots)
        spoiled = Pool((PoolEntry(b"x" * 32, sound.entries[0].masked_root), *sound.entries[1:]))
        with suppress(BadEncoding):
            self.revealed(weights, spoiled)
            return
        # Item 0 was drawn, and its requester could not open it; one in five is.
        self.revealed_spoiled(weights)

    # The executor.

    @property
    def sealed(self) -> list[Item]:
        return [self.items[index] for index in self.view.training(self.id).draw.sealed]

    def truth(self, network: LoadedModel) -> Paper:
        """The pool's items, served, and the scores of a network."""
        items = self.sealed
        outputs = network.runner.run([[tensor.data for tensor in item] for item in items])
        scores = [struct.unpack(">f", output)[0] for output in outputs]
        return Paper(network.record.weights_root, [self.blobs.put_tensors(item) for item in items], scores)

    def scored(self, paper: Paper) -> MadeScores:
        sender, packed = self.anvil.sender(FIRST_LIAR), struct.pack(f">{len(paper.scores)}f", *paper.scores)
        call = ScoreCall(0, paper.weights, SALT, tuple(paper.items), packed, ETHER // 2)
        sender.send(self.calls.score(self.view.training(self.id).training, call, value_wei=ETHER))
        claim = self.view.training(self.id).commits[0].claim
        assert claim is not None
        return self.view.scores(claim)

    def trace_of(self, network: LoadedModel, item: int, is_served: bool = True) -> Trace:
        """A float64 run of one sealed item."""
        trace = Trace.of(recompute(network.network, [from_canonical(tensor) for tensor in self.sealed[item]]))
        if is_served:
            self.blobs.put_tensors(list(trace.tensors))
        return trace

    def opens(self, made: MadeScores, item: int, trace: Trace) -> None:
        opening = TraceOpening(item, trace.root)
        self.anvil.sender(FIRST_LIAR).send(Disputes(self.deployment).open(made.claim.claims, [opening], LANE_SCORES))

    def supplies(self, claim: ClaimId, tensors: dict[tuple[int, int], tuple[Held, int]]) -> None:
        """The executor supplies all that was demanded: of each step and slot a tensor of a bundle."""
        for page in self.view.dispute(claim).pages:
            self._supplies_page(claim, page, tensors)

    def _supplies_page(self, claim: ClaimId, page: Page, tensors: dict[tuple[int, int], tuple[Held, int]]) -> None:
        graph = self.scorer.network.graph
        for start in range(0, len(page.refs), 16):
            positions = tuple(range(len(page.refs))[start : start + 16])
            refs = [page.refs[position] for position in positions]
            steps = [StepProof(graph.steps[ref.step].record, graph.step_path(ref.step)) for ref in refs]
            openings = []
            for ref in refs:
                held, index = tensors[ref.step, ref.slot]
                openings.append(held.tensor(index).open_leaves(ref.leaf, ref.leaf, held.path(index)))
            supply = Supply(page.number, page.refs, positions, tuple(steps), tuple(openings))
            self.anvil.sender(FIRST_LIAR).send(Disputes(self.deployment).supply(self.view.witness(claim), supply))

    # What the chain itself says.

    def standing(self, made: MadeScores) -> Certainty:
        return Scores(self.deployment).standing_of(self.place.snapshot(), made.id).certainty

    def item_dispute(self, made: MadeScores, item: int) -> Dispute:
        return Disputes(self.deployment).dispute_of(self.place.snapshot(), made.claim.claim_id(item), LANE_SCORES)

    def disputed(self, made: MadeScores) -> list[int]:
        return sorted(self.view.scores(made.id).disputed)

    def status(self) -> TrainingStatus:
        return self.calls.state_of(self.place.snapshot(), self.id).status
