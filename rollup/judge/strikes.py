"""Where a graph can never be judged: the twin of LimitsJudge.isUnjudgeable (PROTOCOL.md, 4, "Strikes").

Pure, and from records alone: a graph that cannot be judged need not be one that this package can build.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollup.errors import BadEncoding, BadGraph
from rollup.graph import Graph, Op, Source, Step
from rollup.judge.elements import elements_needed
from rollup.tensor import TensorSpec
from rollup.types import LEAF_BYTES, MAX_OPENED_BYTES

# Their dims come after one attribute of another kind; those of all others first.
_DIMS_SECOND = frozenset({Op.CONTRACT, Op.STRIDED, Op.PAD})


def is_unjudgeable(record: bytes, number: int, header: bytes, element: int) -> bool:
    """Whether no proof can ever be judged at `element` of step `number`, whose bytes in the graph are `record`.

    `header`: the graph's. Raises BadEncoding for a well-formed step whose result has no such element.
    """
    return bool(reason(record, number, header, element))


def reason(record: bytes, number: int, header: bytes, element: int) -> str:
    """Why nothing can be judged there; empty if something can. Raises as `is_unjudgeable` does."""
    try:
        step = Step.from_record(record)
    except BadEncoding as error:
        return str(error)
    except BadGraph as error:
        # An operand that lies in no bundle.
        _require_element(TensorSpec.from_header(record[4:36]), element)
        return str(error)
    _require_element(step.result, element)
    if not _is_ordered(step, number, header):
        return f"{step.op.name} reads what is not before it"
    try:
        runs = elements_needed(step, element)[1:]
    except BadGraph as error:
        return str(error)
    leaves = (step.spec(run.slot).leaves_of(run.first, run.count) for run in runs)
    size = sum(last + 1 - first for first, last in leaves) * LEAF_BYTES
    return f"{step.op.name} reads {size} bytes, at most {MAX_OPENED_BYTES}" if size > MAX_OPENED_BYTES else ""


def require_judgeable(graph: Graph) -> None:
    """Raises BadGraph that names a step of which some element can never be judged: its registrant could be struck."""
    found = find_unjudgeable([step.record for step in graph.steps], graph.header)
    if found is not None:
        number, element = found
        step = graph.steps[number]
        why = reason(step.record, number, graph.header, element)
        raise BadGraph(f"step {number} ({step.origin or step.op.name}): element {element} cannot be judged: {why}")


def find_unjudgeable(records: Sequence[bytes], header: bytes) -> tuple[int, int] | None:
    """A step and an element of a graph at which no proof can ever be judged; None where none was found.

    Of each step the elements are tried that read farthest to either side of an operand: what lies between reads inside.
    """
    for number, record in enumerate(records):
        for element in _tried(record):
            if is_unjudgeable(record, number, header, element):
                return number, element
    return None


def _require_element(result: TensorSpec, element: int) -> None:
    if not 0 <= element < result.elements:
        raise BadEncoding(f"element {element} is outside a result of {result.elements}")


def _is_ordered(step: Step, number: int, header: bytes) -> bool:
    """Whether every operand is there before step `number`."""
    inputs, weights = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))
    limits = {Source.INPUT: inputs, Source.WEIGHT: weights, Source.STEP: number}
    return all(operand.index < limits[operand.source] for operand in step.operands)


def _tried(record: bytes) -> Sequence[int]:
    """Elements of a step, the first one among them; of bytes that are no step that one only."""
    try:
        step = Step.from_record(record)
    except (BadEncoding, BadGraph):
        return (0,)
    last = step.result.elements - 1
    ends = _joints(step) if step.op is Op.CAT else _corners(step)
    return sorted({0, last, *(element for element in ends if 0 < element < last)})


def _corners(step: Step) -> Iterator[int]:
    """For each list of strides, the elements at which it reaches farthest up and down."""
    rank = step.rank
    attributes = step.attributes[1:] if step.op in _DIMS_SECOND else step.attributes
    dims = attributes[:rank]
    if not rank or len(dims) < rank or min(dims) < 1:
        return
    for start in range(rank, len(attributes) - rank + 1, rank):
        ups = [stride > 0 for stride in attributes[start : start + rank]]
        for upwards in (True, False):
            yield _flat(dims, [dim - 1 if up is upwards else 0 for dim, up in zip(dims, ups, strict=True)])


def _flat(dims: Sequence[int], index: Sequence[int]) -> int:
    element = 0
    for dim, place in zip(dims, index, strict=True):
        element = element * dim + place
    return element


def _joints(step: Step) -> Iterator[int]:
    """The last element that a cat has of each operand."""
    if len(step.attributes) != 1 + len(step.operands) or min(step.attributes) < 1:
        return
    inner, *lengths = step.attributes
    row = inner * sum(lengths)
    end = (step.result.elements // row - 1) * row
    for length in lengths:
        end += length * inner
        yield end - 1
