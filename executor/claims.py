"""The claimer: finished outputs become claims, one call for all of a lease.

The chain skips what is claimed already, and the view is asked again before anything is sent twice: so however often
this process dies, a request is claimed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from executor.actor import Deeds, Office
from executor.dispatcher import statuses_of
from executor.orders import Order, input_tensors
from executor.purse import Purse
from rollup.chain.claims import Claim, Claims, UndefinedClaim
from rollup.chain.sender import Intent
from rollup.codec import output_part_length
from rollup.errors import Doubt, Refused
from rollup.reconciler import ClaimPlan, claims_due, groups_of, held_groups
from rollup.tensor import Tensor, TensorSpec
from rollup.types import Model
from rollup.view import OrderedRequest

# The base fee may rise by an eighth a block until the claim is mined.
BOND_PERCENT = 150
# A lease that ends within so many seconds is used for what is there.
HURRY_SECONDS = 6
_log = structlog.get_logger()


@dataclass(frozen=True)
class Stake:
    """What one lease's claims are made with: each one's bond, wei, the turn that tells them from earlier ones."""

    bond_wei: int
    turn: str
    purse: Purse


class Claimer:
    """`eager`: claims carry their trace roots, so that a dispute about them is one transaction."""

    def __init__(self, office: Office, eager: bool = False) -> None:
        self._office = office
        self._eager = eager
        self._deeds = Deeds(office.daemon)
        self._claims = Claims(office.daemon.settings.deployment)

    def step(self) -> None:
        if not self._deeds.are_seen():
            return
        with self._office.reading() as view:
            now = view.now
            held = held_groups(groups_of(view, self._office.address, now), self._office.address)
            models = {group.batch.id: view.model(group.batch.batch.model) for group in held}
        due = claims_due(held, statuses_of(self._office.journal.jobs, held), now, HURRY_SECONDS)
        if due:
            self._deeds.send(self._intents(due, [models[plan.group.batch.id] for plan in due]))

    def _intents(self, plans: Sequence[ClaimPlan], models: Sequence[Model]) -> list[Intent]:
        client, deployment = self._office.daemon.client, self._office.daemon.settings.deployment
        at = client.at(client.head())
        purse = Purse(deployment, at, self._office.address)
        intents = []
        for plan, model in zip(plans, models, strict=True):
            least = self._claims.minimum_bond(at, plan.group.batch.batch, plan.attempts, self._office.address)
            stake = Stake(least * BOND_PERCENT // 100, f"{plan.attempts}:{plan.group.turn}", purse)
            undefined, rest = self._split(plan)
            intents += [self._claim_undefined(plan, request, stake) for request in undefined]
            try:
                intents += [self._claim(rest, model, stake)] if rest.requests else []
            except (Refused, Doubt) as error:
                # No honest party bonds on doubt; the other leases are claimed all the same.
                _log.error("executor.cannot_claim", requests=plan.group.batch.id.hex(), error=str(error))
        return intents

    def _split(self, plan: ClaimPlan) -> tuple[list[OrderedRequest], ClaimPlan]:
        """Requests that overflow, which are claimed singly, and the others."""
        undefined = [request for request in plan.requests if self._office.journal.jobs.read(request.id).undefined]
        return undefined, replace(plan, requests=tuple(each for each in plan.requests if each not in undefined))

    def _claim_undefined(self, plan: ClaimPlan, request: OrderedRequest, stake: Stake) -> Intent:
        entry = self._office.journal.jobs.read(request.id).output or b""
        claim = UndefinedClaim(plan.group.batch.batch, request.index, entry, stake.bond_wei)
        return self._claims.claim_undefined(claim, stake.turn, stake.purse.take(stake.bond_wei))

    def _claim(self, plan: ClaimPlan, model: Model, stake: Stake) -> Intent:
        entries = tuple(self._entry(model, request) for request in plan.requests)
        present = tuple(request.index for request in plan.requests)
        batch = plan.group.batch.batch
        claim = Claim(batch, plan.first, plan.count, present, entries, self._eager, stake.bond_wei)
        return self._claims.claim(claim, stake.turn, stake.purse.take(stake.bond_wei * len(present)))

    def _entry(self, model: Model, request: OrderedRequest) -> bytes:
        """Output, whole or by root, and the trace root if eager; what is claimed by root is served."""
        output = self._office.journal.jobs.read(request.id).output or b""
        spec = TensorSpec.from_header(model.output_header)
        tensor = Tensor(spec, output)
        inline = output_part_length(spec.byte_length) == spec.byte_length
        part = output if inline else bytes(self._office.blobs.put_tensor(tensor))
        return part + (self._trace_root(model, request, output) if self._eager else b"")

    def _trace_root(self, model: Model, request: OrderedRequest, output: bytes) -> bytes:
        order = Order(request.request, request.inputs)
        inputs = [tensor.data for tensor in input_tensors(self._office.blobs, order, model.inputs)]
        trace = self._office.models.load(model).trace(inputs, output)
        return self._office.blobs.put_tensors(list(trace.tensors))
