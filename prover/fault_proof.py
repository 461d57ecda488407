"""Builds the witness for one wrong thing in an opened trace; the Python judge decides it before anyone sends it.

Knows no chain and no torch: it reads tensors that somebody fetched and verified. A prover in doubt stops and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from rollup.errors import BadEncoding, Doubt
from rollup.graph import Graph, Numerics, Op, Source
from rollup.judge.elements import elements_linked
from rollup.judge.evaluate import Opened, bits_of, evaluate, open_element, run_of
from rollup.judge.finding import Finding
from rollup.judge.judge import judge
from rollup.judge.link import Bands, find_link
from rollup.judge.opening import is_inline
from rollup.judge.reads import Run
from rollup.judge.undefined import find_undefined, overflows, reads_of_overflow
from rollup.tensor import Tensor
from rollup.types import Committed, FaultKind, FaultProof, Opening, StepProof, Verdict


class TensorBundle(Protocol):
    """A bundle's tensors with their places in it."""

    def tensor(self, index: int) -> Tensor:
        """Tensor number `index`. Raises NotFound if it is not served."""

    def path(self, index: int) -> tuple[bytes, ...]:
        """Siblings from the tensor's root to the top of the bundle."""


@dataclass(frozen=True)
class Evidence:
    """Everything that a fault in one opened trace is shown from.

    `claimed` is the claimed output where the claim holds only its root, and somebody has shown it; else None.
    """

    committed: Committed
    graph: Graph
    numerics: Numerics
    inputs: TensorBundle
    weights: TensorBundle
    trace: TensorBundle
    claimed: Tensor | None = None

    @property
    def last(self) -> int:
        """Number of the step that makes the output."""
        return len(self.graph.steps) - 1

    @property
    def knows_output(self) -> bool:
        return self.claimed is not None or is_inline(self.committed)

    def tensor(self, step: int, slot: int) -> Tensor:
        """Tensor in slot `slot` of a step: 0 its result, 1.. its operands."""
        bundle, index = self._place(step, slot)
        return bundle.tensor(index)

    def values(self, step: int, run: Run) -> tuple[int, ...]:
        """Bits of a run's elements."""
        return run_of(self.tensor(step, run.slot), run)

    def open(self, step: int, run: Run) -> Opening:
        """Opening of a run's leaves."""
        bundle, index = self._place(step, run.slot)
        return bundle.tensor(index).open(run.first, run.count, bundle.path(index))

    def claimed_bits(self, element: int) -> int:
        """Bits of one element of the claimed output. Raises Doubt if only its root is known."""
        if self.claimed is not None:
            return run_of(self.claimed, Run(0, element, 1))[0]
        if not self.knows_output:
            raise Doubt("the claimed output is known only by its root")
        return bits_of(self.committed.claimed_output, self.graph.output.dtype)[element]

    def _place(self, step: int, slot: int) -> tuple[TensorBundle, int]:
        if slot == 0:
            return self.trace, step
        operand = self.graph.steps[step].operands[slot - 1]
        bundles = {Source.INPUT: self.inputs, Source.WEIGHT: self.weights, Source.STEP: self.trace}
        return bundles[operand.source], operand.index


def find_step(evidence: Evidence, step: int, element: int) -> Finding:
    """What the judge would find at one element of one step, by the values alone."""
    record = evidence.graph.steps[step]
    opened = _opened(evidence, step, element)
    return evaluate(record, opened.values, opened.hint, evidence.numerics.factors[step], evidence.numerics.profile)


def find_output(evidence: Evidence, element: int) -> Finding:
    """What the judge would find between the claimed and the traced output at one element."""
    record, claimed = evidence.graph.steps[-1], evidence.claimed_bits(element)
    runs = elements_linked(record, element, claimed, _link_hint(evidence, element))
    traced = [evidence.values(evidence.last, run)[0] for run in runs]
    return find_link(record, claimed, traced, Bands(evidence.committed.output_band, evidence.committed.slash_band))


def worst_element(evidence: Evidence, step: int, suspects: Iterable[int]) -> int | None:
    """Of the suspects of one step that are faults: the one with the gravest verdict, then the largest excess."""
    findings = {element: find_step(evidence, step, element) for element in suspects}
    faults = [element for element, finding in findings.items() if finding.verdict is not Verdict.NO_FAULT]
    return max(faults, key=lambda element: (findings[element].verdict, findings[element].excess), default=None)


def prove_step(evidence: Evidence, step: int, element: int) -> FaultProof:
    """Proof that one element of one step is wrong. Raises Doubt unless the Python judge finds the same."""
    finding = find_step(evidence, step, element)
    proof = step_witness(evidence, step, element)
    if finding.verdict is Verdict.BEYOND_SOUND:
        # The calibrated factor would only cost calldata.
        proof = replace(proof, factor=0, numerics_path=())
    return _checked(evidence, proof, finding.verdict)


def prove_link(evidence: Evidence, element: int) -> FaultProof:
    """Proof that the claimed output is not the traced one. Raises Doubt unless the Python judge finds the same."""
    return _checked(evidence, link_witness(evidence, element), find_output(evidence, element).verdict)


def find_overflow(evidence: Evidence, step: int, element: int) -> Finding:
    """What the judge would find of the claim at an element that overflows or not, by the values alone.

    Raises NotFound where nobody has shown them.
    """
    runs = _reads_of_overflow(evidence, step, element)
    does = bool(runs) and overflows(evidence.graph.steps[step], runs, lambda place: evidence.values(step, runs[place]))
    return find_undefined(does, evidence.committed.undefined)


def prove_undefined(evidence: Evidence, step: int, element: int) -> FaultProof:
    """Proof that an undefined claim names what does not overflow, or that a claim of an output has what does.

    Raises Doubt unless the Python judge finds the same.
    """
    expected = find_overflow(evidence, step, element).verdict
    return _checked(evidence, undefined_witness(evidence, step, element), expected)


def undefined_witness(evidence: Evidence, step: int, element: int) -> FaultProof:
    """The witness of an element that overflows or not; nothing is opened for one that cannot."""
    shown = evidence.graph.step_proof(step) if step <= evidence.last else StepProof(b"", ())
    return FaultProof(
        kind=FaultKind.UNDEFINED,
        step=step,
        element=element,
        step_record=shown.record,
        step_path=shown.path,
        openings=tuple(evidence.open(step, run) for run in _reads_of_overflow(evidence, step, element)),
        hint=0,
        factor=0,
        numerics_path=(),
    )


def _reads_of_overflow(evidence: Evidence, step: int, element: int) -> tuple[Run, ...]:
    return reads_of_overflow(evidence.graph.steps[step], element) if step <= evidence.last else ()


def step_witness(evidence: Evidence, step: int, element: int) -> FaultProof:
    """The witness of one element of one step, fault or not: what the chain would need to judge it."""
    record, factor = evidence.graph.steps[step], evidence.numerics.factors[step]
    opened = _opened(evidence, step, element)
    return FaultProof(
        kind=FaultKind.STEP,
        step=step,
        element=element,
        step_record=record.record,
        step_path=evidence.graph.step_path(step),
        openings=tuple(evidence.open(step, run) for run in opened.runs),
        hint=opened.hint,
        factor=factor,
        numerics_path=evidence.numerics.path(step) if factor else (),
    )


def _opened(evidence: Evidence, step: int, element: int) -> Opened:
    record, profile = evidence.graph.steps[step], evidence.numerics.profile
    return open_element(record, element, lambda run: evidence.values(step, run), profile=profile)


def link_witness(evidence: Evidence, element: int) -> FaultProof:
    """The witness of one element of the output, fault or not."""
    record, last = evidence.graph.steps[-1], evidence.last
    hint = _link_hint(evidence, element)
    runs = elements_linked(record, element, evidence.claimed_bits(element), hint)
    openings = [evidence.open(last, run) for run in runs]
    if evidence.claimed is not None:
        openings.append(evidence.claimed.open(element, 1))
    return FaultProof(
        kind=FaultKind.LINK,
        step=last,
        element=element,
        step_record=record.record,
        step_path=evidence.graph.step_path(last),
        openings=tuple(openings),
        hint=hint,
        factor=0,
        numerics_path=(),
    )


def _link_hint(evidence: Evidence, element: int) -> int:
    """Of a label, the index of a largest traced logit."""
    record = evidence.graph.steps[-1]
    return _opened(evidence, evidence.last, element).hint if record.op is Op.ARGMAX else 0


def _checked(evidence: Evidence, proof: FaultProof, expected: Verdict) -> FaultProof:
    place = f"{proof.kind.name} fault at element {proof.element} of step {proof.step}"
    try:
        verdict = judge(evidence.committed, proof)
    except BadEncoding as error:
        raise Doubt(f"the evidence for a {place} is not what was committed: {error}") from error
    if verdict is Verdict.NO_FAULT or verdict is not expected:
        raise Doubt(f"the judge finds {verdict.name} for a {place}, the values alone {expected.name}")
    return proof
