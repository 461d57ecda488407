"""A whole system on a real chain, a model on it, a watchtower, and people who ask and claim. Time is the test's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from executor.capture import capture
from executor.models import LoadedModel, draw_inputs, load_model
from executor.registration import Terms, prepare
from executor.tensors import canonical_bytes, f32_of_bits
from executor.trace import Trace, recompute
from prover.disputer import Disputer
from prover.sources import Sources
from prover.watcher import Watchtower
from rollup.blobs import Blobs, FolderStore, open_blobs
from rollup.chain.claims import Claim, Claims, UndefinedClaim
from rollup.chain.deploy import demo_system, deploy
from rollup.chain.disputes import Disputes, Supply
from rollup.chain.events import EventStream
from rollup.chain.follower import Follower
from rollup.chain.inbox import Inbox
from rollup.chain.models import Models
from rollup.chain.vault import Vault
from rollup.codec import model_id
from rollup.package import Package
from rollup.types import (
    ZERO_ADDRESS,
    ZERO_WORD,
    BundleRoot,
    Certainty,
    ClaimId,
    Dispute,
    Model,
    RequestId,
    StepProof,
    Windows,
    Wish,
)
from rollup.view import View
from tests.actors import Liar, Lie, Place, entry_of
from tests.chain_fixture import CHALLENGER, KEEPER, REGISTRANT_BOND_WEI, SEQUENCER, USER, Anvil, anvil_key
from tests.executor.nets import ConvNet

WINDOWS = Windows(challenge=60, open=30, collect=20, supply=30, prove=40)
TERMS = Terms(0.0, 1.0, 1_000_000, WINDOWS)
ETHER = 10**18
FIRST_LIAR = 6


def prepared(blobs: Blobs, module: torch.nn.Module | None = None, terms: Terms = TERMS) -> LoadedModel:
    """A small real network, calibrated and stored."""
    torch.manual_seed(1)
    captured = capture((module or ConvNet()).eval(), [torch.zeros(1, 1, 8, 8)])
    record = prepare(blobs, Package(captured.program, captured.committed), terms).record
    return load_model(blobs, record, 2**30)


def drawn(model: LoadedModel, seed: int) -> list[Tensor]:
    return draw_inputs(model.record.inputs, 1, seed)[0]


class Honest(Lie):
    """No lie at all: the fast run's output, and a trace of it."""

    name = "honest"

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return model.runner.run([[canonical_bytes(tensor) for tensor in inputs]])[0]

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return Trace.of(recompute(model.network, inputs))


class Nan(Honest):
    """Claims a NaN, and opens an honest trace."""

    name = "nan"

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return bytes.fromhex("7fc00000") + super().output(model, inputs)[4:]


class SlightlyOff(Honest):
    """Claims an output beyond reach, but inside the slashing band, and opens an honest trace."""

    name = "slightly off"

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        moved = recompute(model.network, inputs)[-1].clone()
        moved.view(-1)[0] += 0.9 * f32_of_bits(model.record.slash_band)
        return canonical_bytes(moved)


class Arena:
    """`look` is what the daemon does after a block."""

    def __init__(self, anvil: Anvil, folder: Path, module: torch.nn.Module | None = None, terms: Terms = TERMS) -> None:
        self.anvil, self.client, self.folder = anvil, anvil.client(), folder
        self.deployment = deploy(self.client, anvil.sender(0), demo_system(anvil_key(SEQUENCER).address))
        self.blobs = open_blobs(folder / "blobs")
        self.model = prepared(self.blobs, module, terms)
        anvil.sender(0).send(Models(self.deployment).register(self.model.record, REGISTRANT_BOND_WEI))
        self.place = Place(self.client, self.deployment, self.model)
        self.follower = Follower(View(self.deployment.domain), EventStream(self.client, self.deployment, 0))
        self.tower = self.watchtower(CHALLENGER)
        self._asked = 0

    @property
    def view(self) -> View:
        self.follower.catch_up()
        return self.follower.view

    def watchtower(self, account: int | None, challenges_unserved: bool = False) -> Watchtower:
        """A fresh one, that knows nothing but the chain; without an account it only watches."""
        sender = None if account is None else self.anvil.sender(account)
        endpoints = self.follower.view.state.endpoints
        sources = Sources(FolderStore(self.folder / "blobs"), lambda: list(endpoints.values()), True)
        disputer = Disputer(self.client, self.deployment, sender, challenges_unserved)
        return Watchtower(sources, disputer, ETHER)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.tower.step(self.view)
            self._until_mined()

    def _until_mined(self) -> None:
        me, limit = anvil_key(CHALLENGER).address, time.monotonic() + 10
        while self.client.nonce(me) < self.client.nonce(me, "pending"):
            assert time.monotonic() < limit, "a transaction of the watchtower is not mined"
            time.sleep(0.01)

    def ask(self, inputs: Sequence[Tensor] | None = None, record: Model | None = None) -> RequestId:
        """A user asks about a picture of its own, or about these inputs; the model, or another one for such inputs."""
        self._asked += 1
        data = b"".join(canonical_bytes(tensor) for tensor in inputs or drawn(self.model, self._asked))
        asked = model_id(record or self.model.record)
        wish = Wish(
            asked, data, BundleRoot(ZERO_WORD), 10**15, 10**14, 0, self.view.now + 10_000,
            ZERO_ADDRESS, 0,
        )  # fmt: skip
        self.anvil.sender(USER).send(Inbox(self.deployment).request(wish, str(self._asked)))
        return list(self.view.state.requests)[-1]

    def liar(self, lie: Lie, number: int = 0) -> Liar:
        return Liar(lie, anvil_key(FIRST_LIAR + number), self.place, self.folder / f"{lie.name}-{self._asked}")

    def told(self, liar: Liar) -> ClaimId:
        """The liar claims a new request."""
        request = self.ask()
        liar.claim(self.view, request)
        return self.newest()

    def told_eagerly(self, lie: Lie, number: int = 0) -> ClaimId:
        """The same, with its trace root in the claim, and the trace served from the store that all share."""
        ordered = self.view.request(self.ask())
        inputs = drawn(self.model, self._asked)
        trace = lie.trace(self.model, inputs)
        assert trace is not None
        if lie.serves:
            self.blobs.put_tensors(list(trace.tensors))
        sender, claims = self.anvil.sender(FIRST_LIAR + number), Claims(self.deployment)
        batch = self.view.batch_of(ordered).batch
        sender.send(claims.lease(batch, 0, turn=str(self._asked), value_wei=ETHER))
        bond = claims.minimum_bond(self.place.snapshot(), batch, 0, sender.address) * 5 // 4
        entry = entry_of(lie, self.model, inputs, self.blobs) + trace.root
        sender.send(claims.claim(Claim(batch, 0, 1, (0,), (entry,), True, bond), value_wei=ETHER))
        return self.newest()

    def claimed_on(self, record: Model) -> ClaimId:
        """Somebody asks another model, which answers as this one does."""
        ordered = self.view.request(self.ask(record=record))
        sender, claims = self.anvil.sender(FIRST_LIAR), Claims(self.deployment)
        batch = self.view.batch_of(ordered).batch
        sender.send(claims.lease(batch, 0, turn=str(self._asked), value_wei=ETHER))
        bond = claims.minimum_bond(self.place.snapshot(), batch, 0, sender.address) * 5 // 4
        entry = entry_of(Honest(), self.model, drawn(self.model, self._asked), self.blobs)
        sender.send(claims.claim(Claim(batch, 0, 1, (0,), (entry,), False, bond), value_wei=ETHER))
        return self.newest()

    def told_undefined(self, request: RequestId, entry: bytes, number: int = 0) -> ClaimId:
        """Somebody claims that a request overflows."""
        ordered = self.view.request(request)
        sender, claims = self.anvil.sender(FIRST_LIAR + number), Claims(self.deployment)
        batch = self.view.batch_of(ordered).batch
        sender.send(claims.lease(batch, 0, turn=request.hex(), value_wei=ETHER))
        bond = claims.minimum_bond(self.place.snapshot(), batch, 0, sender.address) * 5 // 4
        sender.send(claims.claim_undefined(UndefinedClaim(batch, 0, entry, bond), value_wei=ETHER))
        return self.newest()

    def newest(self) -> ClaimId:
        return list(self.view.state.claims)[-1]

    def certainty(self, claim: ClaimId) -> Certainty:
        """What the chain itself says."""
        made = self.view.claim(claim)
        return Claims(self.deployment).certainty_of(self.place.snapshot(), self.view.claims_of(made).batch, made.index)[
            0
        ]

    def dispute(self, claim: ClaimId) -> Dispute:
        return Disputes(self.deployment).dispute_of(self.place.snapshot(), claim)

    def vault_of(self, account: int) -> int:
        return Vault(self.deployment).balance_of(self.place.snapshot(), anvil_key(account).address)

    def supplied(self, claim: ClaimId, trace: Trace, account: int) -> None:
        """Somebody supplies all that the first page demands."""
        (page,) = self.view.dispute(claim).pages
        graph, sender = self.model.network.graph, self.anvil.sender(account)
        for start in range(0, len(page.refs), 16):
            positions = range(len(page.refs))[start : start + 16]
            refs = [page.refs[position] for position in positions]
            steps = [StepProof(graph.steps[ref.step].record, graph.step_path(ref.step)) for ref in refs]
            openings = [
                trace.tensors[ref.step].open_leaves(ref.leaf, ref.leaf, trace.bundle.path(ref.step)) for ref in refs
            ]
            supply = Supply(0, page.refs, tuple(positions), tuple(steps), tuple(openings))
            sender.send(Disputes(self.deployment).supply(self.view.witness(claim), supply))

    def keeper_concludes(self, claim: ClaimId) -> None:
        self.anvil.sender(KEEPER).send(Disputes(self.deployment).conclude(self.view.witness(claim)))
