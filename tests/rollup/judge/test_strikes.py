"""Places where nothing can be judged: found in what is malformed, never in a graph that can be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup.errors import BadEncoding, BadGraph
from rollup.graph import Graph, Op, Operand, Source, Step
from rollup.judge.strikes import find_unjudgeable, is_unjudgeable, require_judgeable
from rollup.tensor import DType, TensorSpec
from tests.parity.meanings import step_of
from tests.parity.toy import network, wide_linear

HEADER = b"".join(count.to_bytes(4, "big") for count in (3, 0, 1)).ljust(32, b"\0")
F32 = DType.F32


def found(step: Step) -> tuple[int, int] | None:
    """In a graph of this one step over three inputs."""
    return find_unjudgeable([step.record], HEADER)


def operand(elements: int, source: Source = Source.INPUT, index: int = 0) -> Operand:
    return Operand(source, index, TensorSpec(F32, (elements,)))


def records_of(graph: Graph) -> list[bytes]:
    return [step.record for step in graph.steps]


def test_graphs_that_can_be_judged__have_no_such_place() -> None:
    for evidence in (network(), network(with_label=True), wide_linear()):
        assert find_unjudgeable(records_of(evidence.graph), evidence.graph.header) is None


def test_dtypes_without_a_meaning__are_found_where_they_are() -> None:
    graph = network().graph
    records = records_of(graph)
    whole = replace(graph.steps[4], result=TensorSpec(DType.I64, graph.steps[4].result.shape))
    assert find_unjudgeable([*records[:4], whole.record, *records[5:]], graph.header) == (4, 0)


def test_what_is_no_record__is_found() -> None:
    graph = network().graph
    records = records_of(graph)
    for bad in (b"", b"\xff" + records[2][1:], records[2] + b"\0", records[2][:4] + b"\x09" + records[2][5:]):
        assert find_unjudgeable([*records[:2], bad, *records[3:]], graph.header) == (2, 0)


def test_what_is_not_there_before_it__is_found() -> None:
    for missing in (operand(4, Source.STEP), operand(4, Source.WEIGHT), operand(4, index=3)):
        assert found(Step(Op.RELU, TensorSpec(F32, (4,)), (missing,))) == (0, 0)
    assert found(Step(Op.RELU, TensorSpec(F32, (4,)), (operand(4, index=2),))) is None


@pytest.mark.parametrize(
    ("stride", "offset", "expected"), [(1, 0, None), (2, 0, (0, 3)), (-1, 3, None), (-1, 2, (0, 3)), (1, 1, (0, 3))]
)
def test_an_element_that_reads_outside__is_found(stride: int, offset: int, expected: tuple[int, int] | None) -> None:
    assert found(Step(Op.STRIDED, TensorSpec(F32, (4,)), (operand(4),), 1, (offset, 4, stride))) == expected


def test_an_element_that_reads_outside__is_found_between_corners_of_several_axes() -> None:
    """Down along the first axis, up along the second: neither the first element nor the last reads farthest."""
    attributes = (6, 2, 4, -4, 1)
    inside = Step(Op.STRIDED, TensorSpec(F32, (2, 4)), (operand(10),), 2, attributes)
    assert found(inside) is None
    assert found(replace(inside, operands=(operand(9),))) == (0, 3)
    assert found(replace(inside, attributes=(3, 2, 4, -4, 1))) == (0, 4)


def test_an_operand_of_a_cat_that_is_too_short__is_found() -> None:
    parts = (operand(4), operand(3), operand(4))
    step = Step(Op.CAT, TensorSpec(F32, (2, 6)), parts, 0, (1, 2, 2, 2))
    assert found(step) == (0, 9)
    assert found(replace(step, operands=(operand(4), operand(4), operand(4)))) is None


def test_what_no_proof_can_open__is_found() -> None:
    def wide(length: int) -> Step:
        rows = (Operand(Source.INPUT, 0, TensorSpec(F32, (1, length))), operand(length, index=1))
        return Step(Op.CONTRACT, TensorSpec(F32, (1,)), rows, 1, (length, 1, 1, 1, 0))

    assert found(wide(16_384)) is None
    assert found(wide(16_385)) == (0, 0)


def test_a_graph_with_such_a_place__is_refused_by_step_origin_and_reason() -> None:
    require_judgeable(network().graph)
    step = replace(step_of(Op.EXP, 1, (F32, DType.I64)), origin="net.act")
    graph = Graph((step.operands[0].spec,), (), (step,))
    with pytest.raises(BadGraph, match=r"step 0 \(net.act\): element 0 cannot be judged: EXP does not give F32 of I64"):
        require_judgeable(graph)


def test_an_element_that_is_not_there__is_refused() -> None:
    record = step_of(Op.EXP, 1, (F32, F32)).record
    assert not is_unjudgeable(record, 0, HEADER, 3)
    with pytest.raises(BadEncoding, match="element 4 is outside a result of 4"):
        is_unjudgeable(record, 0, HEADER, 4)
