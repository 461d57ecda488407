"""What a proof shows of the committed roots: steps, values, factors (PROTOCOL.md, 2).

Raises BadEncoding where it shows nothing. Neither a header, an index nor a length is taken from the trace: they follow
from the graph's own records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.codec import Overflow
from rollup.errors import BadEncoding, BadGraph
from rollup.graph import GRAPH_TAG, NUMERICS_TAG, STEP_TAG, Operand, Source, Step
from rollup.judge.evaluate import bits_of
from rollup.judge.operators import OPERATORS
from rollup.judge.reads import Run
from rollup.merkle import sha256, top_of_run
from rollup.tensor import TensorSpec, root_of_bundle, root_of_opening
from rollup.types import (
    INLINE_OUTPUT_BYTES,
    LEAF_BYTES,
    BundleRoot,
    Committed,
    FaultProof,
    LeafRef,
    Opening,
    StepProof,
    TensorRoot,
)


@dataclass(frozen=True)
class _Place:
    """Where a tensor of a step lies: bundle, how many tensors that has, which one, its shape."""

    bundle: BundleRoot
    count: int
    index: int
    spec: TensorSpec


def counts_of(committed: Committed) -> tuple[int, int, int]:
    """Inputs, weights and steps of the graph."""
    header = committed.graph_header
    inputs, weights, steps = (int.from_bytes(header[i : i + 4], "big") for i in (0, 4, 8))
    return inputs, weights, steps


def step_of(committed: Committed, number: int, proof: StepProof) -> Step:
    """Step `number` of the graph. Raises BadGraph if it reads from no bundle, BadEncoding if nothing judges it."""
    steps = counts_of(committed)[2]
    if not 0 <= number < steps:
        raise BadEncoding(f"step {number} is outside a graph of {steps} steps")
    top = top_of_run([sha256(STEP_TAG + proof.record)], number, steps, proof.path)
    if sha256(GRAPH_TAG + committed.graph_header + top) != committed.graph_root:
        raise BadEncoding(f"the record shown is not step {number} of the graph")
    step = Step.from_record(proof.record)
    if step.op not in OPERATORS:
        raise BadEncoding(f"operator {step.op.name} has no judge")
    return step


def values_of(committed: Committed, number: int, step: Step, run: Run, opening: Opening) -> tuple[int, ...]:
    """Bits of the elements of `run` of step `number`, as opened."""
    place = _place(committed, number, step, run.slot)
    first, last = place.spec.leaves_of(run.first, run.count)
    _require_in_bundle(place, root_of_opening(place.spec, opening, first, last), opening)
    return _cut(place.spec, run, first, opening.leaves)


def claimed_value(committed: Committed, element: int, openings: Sequence[Opening]) -> int:
    """Bits of one element of the claimed output: inline, or from the one opening under its tensor root."""
    spec = TensorSpec.from_header(committed.output_header)
    run = Run(0, element, 1)
    if is_inline(committed):
        if len(committed.claimed_output) != spec.byte_length:
            raise BadEncoding(f"the output has {spec.byte_length} bytes, got {len(committed.claimed_output)}")
        return _cut(spec, run, 0, committed.claimed_output)[0]
    first, last = spec.leaves_of(element, 1)
    (opening,) = openings
    _require_claimed(committed, opening, first, last)
    return _cut(spec, run, first, opening.leaves)[0]


def is_inline(committed: Committed) -> bool:
    """Whether the claimed output lies whole in the claim."""
    return TensorSpec.from_header(committed.output_header).byte_length <= INLINE_OUTPUT_BYTES


def require_ordered(committed: Committed, number: int, step: Step) -> None:
    """Raises BadGraph unless every operand of step `number` is there before it: such a step cannot be judged."""
    inputs, weights, _ = counts_of(committed)
    limits = {Source.INPUT: inputs, Source.WEIGHT: weights, Source.STEP: number}
    for operand in step.operands:
        if operand.index >= limits[operand.source]:
            raise BadGraph(f"step {number} reads {operand.source.name} {operand.index} of {limits[operand.source]}")


def require_factor(committed: Committed, proof: FaultProof) -> None:
    """Checks the proof's calibrated factor; one of zero claims nothing of the numerics, so nothing may be shown."""
    if proof.factor == 0:
        if proof.numerics_path:
            raise BadEncoding(f"a factor of zero has no path, got {len(proof.numerics_path)} siblings")
        return
    word, steps = proof.factor.to_bytes(32, "big"), counts_of(committed)[2]
    top = top_of_run([word], proof.step, steps, proof.numerics_path)
    if sha256(NUMERICS_TAG + committed.numerics_header + top) != committed.numerics_root:
        raise BadEncoding(f"factor {proof.factor} is not that of step {proof.step}")


def require_slot(committed: Committed, ref: LeafRef, proof: StepProof) -> TensorSpec:
    """Checks that the leaf that `ref` names exists; returns the tensor's shape."""
    if _is_output(committed, ref):
        return _output_of_leaf(committed, ref, proof)
    return _place_of_leaf(committed, ref, proof).spec


def require_leaf(committed: Committed, ref: LeafRef, proof: StepProof, opening: Opening) -> None:
    """Checks that `opening` is exactly the leaf that `ref` names."""
    if _is_output(committed, ref):
        _output_of_leaf(committed, ref, proof)
        _require_claimed(committed, opening, ref.leaf, ref.leaf)
        return
    place = _place_of_leaf(committed, ref, proof)
    _require_in_bundle(place, root_of_opening(place.spec, opening, ref.leaf, ref.leaf), opening)


def _is_output(committed: Committed, ref: LeafRef) -> bool:
    """Whether a ref names the claimed output: the place after the last step."""
    return not committed.undefined and ref.step == counts_of(committed)[2]


def _output_of_leaf(committed: Committed, ref: LeafRef, proof: StepProof) -> TensorSpec:
    """Shape of the claimed output. No record of the graph vouches for it: its header stands in the model."""
    spec = TensorSpec.from_header(committed.output_header)
    if is_inline(committed):
        raise BadEncoding(f"an output of {spec.byte_length} bytes stands whole in its claim")
    if proof.record or proof.path:
        raise BadEncoding("a claimed output lies in no graph")
    if ref.slot != 0:
        raise BadEncoding(f"slot {ref.slot} is outside a claimed output, which has slot 0 only")
    _require_in_tensor(spec, ref)
    return spec


def _place_of_leaf(committed: Committed, ref: LeafRef, proof: StepProof) -> _Place:
    if committed.undefined and ref.step > Overflow.decode(committed.claimed_output).step:
        raise BadEncoding(f"the trace ends where it overflows, before step {ref.step}")
    place = _place(committed, ref.step, step_of(committed, ref.step, proof), ref.slot)
    if place.index >= place.count:
        raise BadEncoding(f"tensor {place.index} is outside a bundle of {place.count}")
    _require_in_tensor(place.spec, ref)
    return place


def _require_in_tensor(spec: TensorSpec, ref: LeafRef) -> None:
    if not 0 <= ref.leaf < spec.leaf_count:
        raise BadEncoding(f"leaf {ref.leaf} is outside a tensor of {spec.leaf_count} leaves")


def _place(committed: Committed, number: int, step: Step, slot: int) -> _Place:
    inputs, weights, steps = counts_of(committed)
    if slot == 0:
        return _Place(committed.trace_root, steps, number, step.result)
    if not 1 <= slot <= len(step.operands):
        raise BadEncoding(f"slot {slot} is outside a step of {len(step.operands)} operands")
    operand: Operand = step.operands[slot - 1]
    bundle, count = {
        Source.INPUT: (committed.inputs_root, inputs),
        Source.WEIGHT: (committed.weights_root, weights),
        Source.STEP: (committed.trace_root, steps),
    }[operand.source]
    return _Place(bundle, count, operand.index, operand.spec)


def _require_in_bundle(place: _Place, root: TensorRoot, opening: Opening) -> None:
    if root_of_bundle(root, place.index, place.count, opening.bundle_path) != place.bundle:
        raise BadEncoding(f"the opened tensor is not number {place.index} of its bundle")


def _require_claimed(committed: Committed, opening: Opening, first: int, last: int) -> None:
    spec = TensorSpec.from_header(committed.output_header)
    if opening.bundle_path:
        raise BadEncoding("a claimed output lies in no bundle")
    if root_of_opening(spec, opening, first, last) != committed.claimed_output:
        raise BadEncoding("the opened output is not the claimed one")


def _cut(spec: TensorSpec, run: Run, first_leaf: int, leaves: bytes) -> tuple[int, ...]:
    start = run.first * spec.dtype.width - first_leaf * LEAF_BYTES
    return bits_of(leaves[start : start + run.count * spec.dtype.width], spec.dtype)
