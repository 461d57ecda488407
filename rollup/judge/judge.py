"""Decides a fault proof: the Python twin of StepJudge (PROTOCOL.md, 5).

Raises BadEncoding for a proof that shows nothing (the contract reverts), answers NO_FAULT when unsure.
"""

from __future__ import annotations

from rollup.codec import Overflow
from rollup.errors import BadEncoding, BadGraph
from rollup.graph import Step
from rollup.judge.elements import elements_linked
from rollup.judge.evaluate import evaluate, open_element
from rollup.judge.finding import ACQUITTED, Finding
from rollup.judge.link import Bands, find_link
from rollup.judge.opening import (
    claimed_value,
    counts_of,
    is_inline,
    require_factor,
    require_ordered,
    step_of,
    values_of,
)
from rollup.judge.reads import Run
from rollup.judge.undefined import find_undefined, overflows, reads_of_overflow
from rollup.numerics import Profile
from rollup.types import Committed, FaultKind, FaultProof, StepProof, Verdict


def judge(committed: Committed, proof: FaultProof) -> Verdict:
    """The verdict on one fault proof. Raises BadEncoding if it is malformed or not about what was committed."""
    try:
        return _find(committed, proof).verdict
    except BadGraph:
        return Verdict.NO_FAULT


def _find(committed: Committed, proof: FaultProof) -> Finding:
    if proof.kind is FaultKind.UNDEFINED:
        return _find_undefined(committed, proof)
    step = step_of(committed, proof.step, StepProof(proof.step_record, proof.step_path))
    if proof.element >= step.result.elements:
        raise BadEncoding(f"element {proof.element} is outside a result of {step.result.elements}")
    require_factor(committed, proof)
    require_ordered(committed, proof.step, step)
    find = _find_link if proof.kind is FaultKind.LINK else _find_step
    return find(committed, proof, step)


def _find_step(committed: Committed, proof: FaultProof, step: Step) -> Finding:
    openings = iter(proof.openings)

    def read(run: Run) -> tuple[int, ...]:
        opening = next(openings, None)
        if opening is None:
            raise BadEncoding(f"this fault needs more than {len(proof.openings)} openings")
        return values_of(committed, proof.step, step, run, opening)

    opened = open_element(step, proof.element, read, proof.hint)
    _require_openings(proof, len(opened.runs))
    return evaluate(step, opened.values, proof.hint, proof.factor, Profile.from_header(committed.numerics_header))


def _find_link(committed: Committed, proof: FaultProof, step: Step) -> Finding:
    if committed.undefined:
        # No output is claimed that could differ from the traced one.
        return ACQUITTED
    steps = counts_of(committed)[2]
    if proof.step != steps - 1:
        raise BadEncoding(f"a link fault is about step {steps - 1}, got {proof.step}")
    if step.result.header != committed.output_header:
        raise BadGraph("the last step's result is not the output")
    hidden = 0 if is_inline(committed) else 1
    if len(proof.openings) < hidden:
        raise BadEncoding("an output claimed by its root needs an opening")
    split = len(proof.openings) - hidden
    claimed = claimed_value(committed, proof.element, proof.openings[split:])
    runs = elements_linked(step, proof.element, claimed, proof.hint)
    _require_openings(proof, len(runs) + hidden)
    traced = [
        values_of(committed, proof.step, step, run, opening)[0]
        for run, opening in zip(runs, proof.openings[:split], strict=True)
    ]
    return find_link(step, claimed, traced, Bands(committed.output_band, committed.slash_band))


def _find_undefined(committed: Committed, proof: FaultProof) -> Finding:
    require_factor(committed, proof)
    if committed.undefined and committed.claimed_output != Overflow(proof.step, proof.element).encoded:
        return ACQUITTED
    step = _step_of_overflow(committed, proof)
    if step is None:
        _require_openings(proof, 0)
        return find_undefined(False, committed.undefined)
    runs = reads_of_overflow(step, proof.element)
    _require_openings(proof, len(runs))

    def values(place: int) -> tuple[int, ...]:
        return values_of(committed, proof.step, step, runs[place], proof.openings[place])

    return find_undefined(overflows(step, runs, values), committed.undefined)


def _step_of_overflow(committed: Committed, proof: FaultProof) -> Step | None:
    """The step that a proof shows; None if there is no such step, or it cannot be judged."""
    shown = StepProof(proof.step_record, proof.step_path)
    if proof.step >= counts_of(committed)[2]:
        if proof.step_record or proof.step_path:
            raise BadEncoding(f"there is no step {proof.step} to show")
        return None
    try:
        step = step_of(committed, proof.step, shown)
        require_ordered(committed, proof.step, step)
    except BadGraph:
        return None
    return step


def _require_openings(proof: FaultProof, expected: int) -> None:
    if len(proof.openings) != expected:
        raise BadEncoding(f"this fault needs {expected} openings, got {len(proof.openings)}")
