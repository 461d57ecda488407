"""One claim, looked at: dear looks only when cheap ones ask, and an opinion of whatever is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from executor.models import LoadedModel
from executor.tensors import canonical_bytes
from executor.trace import Trace, recompute
from prover.checker import Checker
from rollup.blobs import open_blobs
from rollup.errors import Doubt, NotFound
from rollup.judge.judge import judge
from rollup.types import INLINE_OUTPUT_BYTES, FaultKind, FaultProof, LeafRef, Verdict
from tests.actors import FabricatedTrace, SkippedLayer
from tests.executor.nets import Features
from tests.prover.arena import drawn, prepared
from tests.prover.desk import Shelf, case_of, changed, fault_of, leaves_of, page_of, reader, run, serving


class Counting(Checker):
    """Counts its dear looks; disagrees with itself when told to."""

    seconds, checks, disagrees = 0, 0, False

    def second_deviation(self, inputs: object, claimed: bytes) -> float:
        self.seconds += 1
        return super().second_deviation(inputs, claimed)  # type: ignore[arg-type]

    def find_fault(self, evidence: object, trace: object) -> FaultProof | None:
        self.checks += 1
        if self.disagrees:
            raise Doubt("two evaluations disagree")
        return super().find_fault(evidence, trace)  # type: ignore[arg-type]


@pytest.fixture
def counting(model: LoadedModel) -> Counting:
    return Counting(model)


def test_look__at_an_honest_output__takes_no_second_look(model: LoadedModel, counting: Counting) -> None:
    inputs = drawn(model, 1)
    case = case_of(model, counting, inputs, run(model, inputs))
    case.look(counting.deviations([case.input_bytes], [case.shown_output])[0])
    assert not case.is_doubted
    assert (case.opinion.deviation, case.opinion.second, counting.seconds) == (0.0, None, 0)


@pytest.mark.parametrize("first", [1.5, float("nan")])
def test_look__at_a_doubtful_output__takes_the_second(model: LoadedModel, counting: Counting, first: float) -> None:
    inputs = drawn(model, 1)
    case = case_of(model, counting, inputs, run(model, inputs))
    case.look(first)
    assert case.is_doubted
    assert case.opinion.second is not None
    assert case.opinion.second <= 1
    assert counting.seconds == 1


def test_look_at_trace__served_whole__finds_the_fault_once(model: LoadedModel, counting: Counting) -> None:
    lie, inputs = SkippedLayer(), drawn(model, 1)
    trace = lie.trace(model, inputs)
    assert trace is not None
    case = case_of(model, counting, inputs, lie.output(model, inputs))
    for _ in range(3):
        case.look_at_trace(trace.root, reader(serving(trace)), ())
    fault = fault_of(case)
    assert fault is not None
    assert judge(fault.committed, fault.proof) is fault.verdict is Verdict.BEYOND_SOUND
    assert fault.committed.trace_root == trace.root
    assert case.opinion.missing == ()
    assert counting.checks == 1


def test_look_at_trace__withheld_and_supplied_on_chain__is_rebuilt_and_proven(
    model: LoadedModel, checker: Checker
) -> None:
    lie, inputs = FabricatedTrace(), drawn(model, 1)
    trace = lie.trace(model, inputs)
    assert trace is not None
    case = case_of(model, checker, inputs, lie.output(model, inputs))
    case.look_at_trace(trace.root, reader(Shelf()), ())
    asked = case.opinion.missing
    assert len(asked) == sum(tensor.spec.leaf_count for tensor in trace.tensors)
    assert fault_of(case) is None
    # Asked for, and not yet supplied: not missing a second time.
    case.look_at_trace(trace.root, reader(Shelf()), [page_of(trace, asked, [])])
    assert case.opinion.missing == ()
    assert fault_of(case) is None
    case.look_at_trace(trace.root, reader(Shelf()), [page_of(trace, asked, range(len(asked)))])
    fault = fault_of(case)
    assert fault is not None
    assert judge(fault.committed, fault.proof) is Verdict.BEYOND_SOUND


def test_look_at_trace__one_wrong_tensor_withheld__is_proven_when_it_is_supplied(
    model: LoadedModel, checker: Checker
) -> None:
    inputs = drawn(model, 1)
    trace = Trace.of(changed(recompute(model.network, inputs), 2, 5, 40.0))
    case = case_of(model, checker, inputs, run(model, inputs))
    # What was made from the wrong tensor is honest, so its consumers are withheld as well.
    withheld = [2, *(n for n, step in enumerate(model.network.graph.steps) for o in step.operands if o.index == 2)]
    served = serving(trace, sorted(set(withheld)))
    case.look_at_trace(trace.root, reader(served), ())
    assert fault_of(case) is None
    refs = leaves_of(trace, 2)
    case.look_at_trace(trace.root, reader(served), [page_of(trace, refs, range(len(refs)))])
    fault = fault_of(case)
    assert fault is not None
    assert fault.proof.step == 2


def test_look_at_trace__of_another_root__forgets_the_old_one(model: LoadedModel, checker: Checker) -> None:
    lie, inputs = SkippedLayer(), drawn(model, 1)
    wrong = lie.trace(model, inputs)
    assert wrong is not None
    right = Trace.of(recompute(model.network, inputs))
    case = case_of(model, checker, inputs, run(model, inputs))
    case.look_at_trace(wrong.root, reader(serving(wrong)), ())
    assert fault_of(case) is not None
    case.look_at_trace(right.root, reader(serving(right)), ())
    assert fault_of(case) is None


def test_look_at_trace__where_evaluations_disagree__says_so_once_and_stays_silent(
    model: LoadedModel, counting: Counting
) -> None:
    lie, inputs = SkippedLayer(), drawn(model, 1)
    trace = lie.trace(model, inputs)
    assert trace is not None
    counting.disagrees = True
    case = case_of(model, counting, inputs, lie.output(model, inputs))
    with pytest.raises(Doubt):
        case.look_at_trace(trace.root, reader(serving(trace)), ())
    case.look_at_trace(trace.root, reader(serving(trace)), ())
    assert fault_of(case) is None
    assert counting.checks == 1


def test_look_at_trace__of_an_output_known_by_its_root__proves_the_link(tmp_path: Path) -> None:
    model = prepared(open_blobs(tmp_path), Features())
    inputs = drawn(model, 1)
    results = recompute(model.network, inputs)
    claimed = canonical_bytes(changed(results, len(results) - 1, 7, 50.0)[-1])
    assert len(claimed) > INLINE_OUTPUT_BYTES
    case = case_of(model, Checker(model), inputs, claimed)
    assert len(case.entry_output) == 32
    trace = Trace.of(results)
    case.look_at_trace(trace.root, reader(serving(trace)), ())
    fault = fault_of(case)
    assert fault is not None
    assert (fault.proof.kind, fault.proof.element) == (FaultKind.LINK, 7)
    assert judge(fault.committed, fault.proof) is Verdict.BEYOND_SOUND


def test_look_at_trace__of_an_output_that_nobody_serves__asks_for_it_and_proves_what_it_can(tmp_path: Path) -> None:
    model = prepared(open_blobs(tmp_path), Features())
    inputs = drawn(model, 1)
    results = recompute(model.network, inputs)
    claimed = canonical_bytes(changed(results, len(results) - 1, 7, 50.0)[-1])
    case = replace(case_of(model, Checker(model), inputs, claimed), output=None)
    assert case.opinion.is_unserved
    honest, wrong = Trace.of(results), Trace.of(changed(results, 0, 5, 40.0))
    case.look_at_trace(honest.root, reader(serving(honest)), ())
    assert fault_of(case) is None
    assert case.opinion.missing == (LeafRef(len(results), 0, 0),)
    with pytest.raises(NotFound, match="nobody serves the claimed output"):
        case.look(9.0)
    # Shown, it is checked again, although no more is known of the trace.
    case.take_output(claimed)
    case.look_at_trace(honest.root, reader(serving(honest)), ())
    fault = fault_of(case)
    assert fault is not None
    assert fault.proof.kind is FaultKind.LINK
    case.take_output(None)
    case.look_at_trace(wrong.root, reader(serving(wrong)), ())
    fault = fault_of(case)
    assert fault is not None
    assert (fault.proof.kind, fault.proof.step) == (FaultKind.STEP, 0)


def test_a_proof__is_judged_against_this_claims_own_output(model: LoadedModel, checker: Checker) -> None:
    inputs = drawn(model, 1)
    results = recompute(model.network, inputs)
    trace = Trace.of(results)
    case = case_of(model, checker, inputs, canonical_bytes(changed(results, len(results) - 1, 0, 50.0)[-1]))
    case.look_at_trace(trace.root, reader(serving(trace)), ())
    fault = fault_of(case)
    assert fault is not None
    honest = replace(fault.committed, claimed_output=run(model, inputs))
    assert judge(honest, fault.proof) is Verdict.NO_FAULT
