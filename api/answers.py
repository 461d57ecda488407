"""Answers about requests, claims, disputes and models: JSON made from the records of view and journal.

Pure: `view` and `now` come in. Decides nothing that the chain does not say.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from api.schemas import (
    ClaimJson,
    DisputeJson,
    InputJson,
    ModelJson,
    OutputJson,
    OverflowJson,
    RequestJson,
    RequestStateJson,
    Status,
    to_hex,
)
from rollup.codec import Overflow
from rollup.journal import AcceptedRequest, RequestStatus
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import Certainty, Model, ModelId
from rollup.view import DisputeState, MadeClaim, OrderedRequest, View

# Values are decoded for outputs up to so many elements; inline outputs are always smaller.
MAX_VALUES = 1024
# Nothing changes any more once a request is there.
ENDS = frozenset({Status.FINAL, Status.UNDEFINED, Status.REFUNDED, Status.EMPTY, Status.DROPPED})


def request_state(view: View, ordered: OrderedRequest | None, accepted: AcceptedRequest | None) -> RequestStateJson:
    """A request as the chain has it, or as the journal has it until then. One of the two is given."""
    if ordered is None:
        assert accepted is not None
        return _waiting(accepted)
    claim = view.state.claims[ordered.claims[-1]] if ordered.claims else None
    model = view.model(ordered.request.model)
    return RequestStateJson(
        id=to_hex(ordered.id),
        status=_status(view, ordered),
        certainty=_certainty(view.certainty(ordered)),
        n=accepted.n if accepted else None,
        lane=ordered.lane,
        number=ordered.number,
        batch=to_hex(ordered.batch),
        index=ordered.index,
        empty_reason=None,
        seconds_left=_seconds_left(claim, view.now) if claim else None,
        attempts=ordered.attempts,
        request=RequestJson.of(ordered.request),
        claim=claim_state(claim, model, view.now) if claim else None,
    )


def _waiting(accepted: AcceptedRequest) -> RequestStateJson:
    status = {
        RequestStatus.EMPTY: Status.EMPTY,
        RequestStatus.DROPPED: Status.DROPPED,
    }.get(accepted.status, Status.ACCEPTED)
    reason = accepted.empty_reason
    return RequestStateJson(
        id=to_hex(accepted.id),
        status=status,
        certainty=_certainty(Certainty.NONE),
        n=accepted.n,
        lane=None,
        number=None,
        batch=to_hex(accepted.batch_id) if accepted.batch_id else None,
        index=accepted.batch_index,
        empty_reason=reason.name.lower() if status is Status.EMPTY and reason is not None else None,
        seconds_left=None,
        attempts=0,
        request=RequestJson.of(accepted.signed.request),
        claim=None,
    )


def _status(view: View, ordered: OrderedRequest) -> Status:
    if ordered.refunded:
        return Status.REFUNDED
    live = view.live_claim(ordered)
    if live is None:
        return Status.ORDERED
    ends = {Certainty.FINAL: Status.FINAL, Certainty.UNDEFINED: Status.UNDEFINED}
    return ends.get(live.certainty, Status.CLAIMED)


def _certainty(certainty: Certainty) -> str:
    return certainty.name.lower()


def _seconds_left(claim: MadeClaim, now: int) -> int | None:
    return max(0, claim.final_from - now) if claim.certainty is Certainty.PROVISIONAL else None


def claim_state(claim: MadeClaim, model: Model, now: int) -> ClaimJson:
    return ClaimJson(
        id=to_hex(claim.id),
        request=to_hex(claim.request),
        batch=to_hex(claim.batch),
        index=claim.index,
        executor=to_hex(claim.executor),
        certainty=_certainty(claim.certainty),
        bond_wei=str(claim.bond_wei),
        claimed_at=claim.claimed_at,
        final_from=claim.final_from,
        seconds_left=_seconds_left(claim, now),
        contested=claim.contested,
        trace_root=to_hex(claim.trace_root) if claim.trace_root else None,
        callback=claim.delivery.name.lower(),
        output=None if claim.undefined else output_state(TensorSpec.from_header(model.output_header), claim.output),
        overflow=_overflow(claim) if claim.undefined else None,
    )


def _overflow(claim: MadeClaim) -> OverflowJson:
    place = Overflow.decode(claim.output)
    return OverflowJson(step=place.step, element=place.element)


def dispute_state(dispute: DisputeState, now: int) -> DisputeJson:
    course = dispute.course
    return DisputeJson(
        claim=to_hex(dispute.claim),
        status=dispute.status.name.lower(),
        phase=course.phase(now).name.lower(),
        challenger=to_hex(dispute.challenger),
        bond_wei=str(dispute.bond_wei),
        challenged_at=dispute.challenged_at,
        opened_at=dispute.opened_at,
        concludable_from=course.concludable_from,
        trace_root=to_hex(dispute.trace_root),
        demanded=sum(len(page.refs) for page in dispute.pages),
        missing=sum(len(page.missing) for page in dispute.pages),
    )


def output_state(spec: TensorSpec, output: bytes) -> OutputJson:
    """`output`: canonical bytes, the 32-byte root of a larger tensor, or empty where only the shape is told."""
    shape = OutputJson(dtype=spec.dtype.name.lower(), shape=list(spec.shape))
    if not output:
        return shape
    if len(output) != spec.byte_length:
        return shape.model_copy(update={"root": to_hex(output)})
    values = [_number(value) for value in decoded(Tensor(spec, output))[:MAX_VALUES].tolist()]
    return shape.model_copy(update={"data": to_hex(output), "values": values})


def decoded(tensor: Tensor) -> Any:
    """Elements as a flat numpy array; bf16 widened to f32, which loses nothing."""
    raw = np.frombuffer(tensor.data, tensor.spec.dtype.numpy)
    if tensor.spec.dtype is DType.F16:
        return raw.view(">f2")
    if tensor.spec.dtype is DType.BF16:
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return raw


def _number(value: float | int) -> float | int | str:
    if isinstance(value, int) or np.isfinite(value):
        return value
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def model_state(view: View, id_: ModelId) -> ModelJson:
    model = view.model(id_)
    windows = model.windows
    return ModelJson(
        id=to_hex(id_),
        graph_root=to_hex(model.graph_root),
        weights_root=to_hex(model.weights_root),
        numerics_root=to_hex(model.numerics_root),
        inputs=[_input(TensorSpec.from_header(each.header), each.lo, each.hi) for each in model.inputs],
        output=output_state(TensorSpec.from_header(model.output_header), b""),
        output_band=_f32(model.output_band),
        slash_band=_f32(model.slash_band),
        min_bond_gas=model.min_bond_gas,
        windows={name: getattr(windows, name) for name in windows.__dataclass_fields__},
        open=id_ not in view.state.closed,
    )


def _input(spec: TensorSpec, lo: int, hi: int) -> InputJson:
    ends = (_f32(lo), _f32(hi)) if spec.dtype is DType.F32 else (lo, hi)
    return InputJson(dtype=spec.dtype.name.lower(), shape=list(spec.shape), lo=ends[0], hi=ends[1])


def _f32(bits: int) -> float:
    return float(np.array([bits], np.uint32).view(np.float32)[0])
