"""Dtypes and attributes with and without a meaning; places where nothing can be judged, by LimitsJudge and its twin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from random import Random
from typing import Any

from rollup.errors import BadEncoding, BadGraph
from rollup.graph import Op, Operand, Source, Step
from rollup.judge.dtypes import FLOATS
from rollup.judge.operators import OPERATORS
from rollup.judge.strikes import is_unjudgeable
from rollup.tensor import DType, TensorSpec
from tests.parity.trees import hexed

INF, NAN = 0x7F800000, 0x7FC00000
# By operator: how many operands it is tried with, and attributes that fit them, axes first among them where it has any.
SHAPES: dict[Op, tuple[int, tuple[int, ...], tuple[int, ...]]] = {
    Op.CONTRACT: (1, (2, 3), (1, 4, 1, 1, 1)),
    Op.AMAX: (0, (1,), (1,)),
    Op.ARGMAX: (0, (1,), (1,)),
    Op.STRIDED: (1, (1,), (0, 4, 1)),
    Op.CAT: (0, (1, 2, 3), ()),
    Op.PATCHES: (0, (1,), (0, 1, 1, 2, 2, 1, 1, 1, 1, 1, 0, 0, 1, 1, 2, 2, 1, 1)),
    Op.COMPARE: (1, (2,), (4, 1, 1, 5)),
    Op.LOGICAL: (1, (2,), (4, 1, 1, 2)),
    Op.WHERE: (1, (3,), (4, 1, 1, 1)),
    Op.PAD: (1, (1,), (0, 4, 4, 0)),
    Op.GATHER: (1, (2,), (4, 1, 0, 1, 4)),
    Op.CLAMP: (0, (1,), (0, INF)),
    Op.SUM: (0, (1,), (1, 1, 0)),
    Op.SPREAD: (0, (1, 2), (1, 1, 0, 2, 1)),
    Op.EXPSUM: (0, (2,), (1, 1)),
    Op.SOFTMAX: (1, (3,), (4, 1, 1, 1, 9)),
    Op.LOG_SOFTMAX: (1, (3,), (4, 1, 1, 1, 9)),
    Op.NORM: (1, (2, 3), ()),
}
# Own attributes by operator and dtype: the last ones of a step, each list of them with and without a meaning.
OWN: dict[Op, Sequence[tuple[int, ...]]] = {
    Op.COMPARE: [(0,), (5,), (6,), (-1,)],
    Op.LOGICAL: [(0,), (2,), (3,), (-1,)],
    Op.GATHER: [(1, 1), (-1, 4), (1, 0), (1, -1)],
    Op.CLAMP: [(0, 0), (INF | 1 << 31, INF), (NAN, 0), (0, NAN | 1 << 31), (-1, 0), (0, 1 << 32), (0, (1 << 32) - 1)],
    Op.SUM: [(1, 0), (9, 1), (0, 0), (-3, 1), (1, 2), (1, -1)],
    Op.SPREAD: [(1, 0, 0, 0), (1, INF - 1, 2, 1), (0, 0, 0, 0), (1, INF, 0, 0), (1, -1, 0, 0), (1, 0, 3, 0)],
    Op.EXPSUM: [(1,), (0,), (2,)],
    Op.SOFTMAX: [(1,), (2**24 - 9,), (0,), (2**24 - 8,)],
    Op.LOG_SOFTMAX: [(1,), (2**24 - 9,), (0,), (-1,)],
    Op.NORM: [(0, 1), (1, 9), (4, 2**24 - 9), (7, 9), (8, 9), (-1, 9), (0, 0), (2, 2**24 - 8)],
}  # fmt: skip
FILLS = (0, INF, NAN, (1 << 32) - 1, 1 << 32, -1)
ELEMENTS = 4
INPUTS = 3
COUNT = 320


def step_of(op: Op, operands: int, dtypes: Sequence[DType], own: Sequence[int] = ()) -> Step:
    """A step over inputs of four elements, of these dtypes, the result's first. `own`: its last attributes, if any."""
    rank, _, attributes = SHAPES.get(op, (1, (2,), (4, 1, 1)) if _is_paired(op) else (0, (1,), ()))
    if op is Op.CAT:
        attributes = (1, *(1 for _ in range(operands)))
    if op is Op.NORM:
        attributes = (4, *(1 for _ in range(operands)), 0b011 if operands == 4 else 1 if operands == 3 else 0, 9)
    attributes = (*attributes[: len(attributes) - len(own)], *own)
    specs = [TensorSpec(dtype, (1, ELEMENTS)) for dtype in dtypes]
    places = (Operand(Source.INPUT, place, spec) for place, spec in enumerate(specs[1:]))
    return Step(op, specs[0], tuple(places), rank, attributes)


def _is_paired(op: Op) -> bool:
    return op in (Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MAXIMUM, Op.MINIMUM, Op.POW)


def counts_of(op: Op) -> tuple[int, ...]:
    """How many operands an operator is tried with."""
    return SHAPES[op][1] if op in SHAPES else (2,) if _is_paired(op) else (1,)


def is_meant(step: Step) -> bool:
    """Whether its operator has a meaning for a step whose operands and attributes are as many as it has."""
    try:
        OPERATORS[step.op].require_meaning(step)
    except BadGraph:
        return False
    return True


def dtype_vectors() -> dict[str, list[Any]]:
    """For each operator and number of operands a record, and one bit for each choice of dtypes, the last slot fastest.

    The first choice is the mask's highest bit.
    """
    records, masks = [], []
    for op in Op:
        for count in counts_of(op):
            choices = list(product(DType, repeat=count + 1))
            means = "".join(str(int(is_meant(step_of(op, count, dtypes)))) for dtypes in choices)
            records.append(hexed(step_of(op, count, choices[0]).record))
            masks.append(hexed(int(means.ljust(-(-len(means) // 8) * 8, "0"), 2).to_bytes(-(-len(means) // 8), "big")))
    return {"records": records, "masks": masks}


def attribute_steps() -> Iterator[Step]:
    """Steps of good dtypes whose own attributes are tried."""
    for op, choices in OWN.items():
        for count in counts_of(op):
            for own in choices:
                fitting = (dtypes for dtypes in product(DType, repeat=count + 1) if OPERATORS[op].dtypes.fit(dtypes))
                # Of floats and of whole numbers, where they may be both.
                for dtypes in {dtypes[0] in FLOATS: dtypes for dtypes in fitting}.values():
                    yield step_of(op, count, dtypes, own)
    for fill, dtype in product(FILLS, DType):
        yield step_of(Op.PAD, 1, (dtype, dtype), (fill, ELEMENTS, ELEMENTS, 0))


def strike_vectors(random: Random) -> dict[str, list[Any]]:
    """The one step of a graph of three inputs, as it is and spoilt, and what LimitsJudge says of it.

    `strikes` is 1 where nothing can be judged at the element, `reverts` 1 where the step has no such element.
    """
    steps = [*attribute_steps(), *(spoilt(random, one_of(random)) for _ in range(COUNT))]
    records = [step.record for step in steps] + [broken(random, one_of(random).record) for _ in range(COUNT // 4)]
    elements = [random.choice([0, 0, 1, ELEMENTS - 1, ELEMENTS]) for _ in records]
    answers = [_struck(record, element) for record, element in zip(records, elements, strict=True)]
    return {
        "records": [hexed(record) for record in records],
        "elements": elements,
        "strikes": [struck for struck, _ in answers],
        "reverts": [refused for _, refused in answers],
    }


def one_of(random: Random) -> Step:
    """A step that can be judged."""
    while True:
        op = random.choice(list(Op))
        count = random.choice(counts_of(op))
        step = step_of(op, count, [random.choice(list(DType)) for _ in range(count + 1)])
        if is_meant(step):
            return step


def spoilt(random: Random, step: Step) -> Step:
    """The same step with something else in one place: of its attributes, dtypes, shapes, operands."""
    way = random.choice(["attribute", "dtype", "size", "index", "operand", "rank"])
    attributes, operands, result = list(step.attributes), list(step.operands), step.result
    place = random.randrange(len(operands))
    if way == "attribute" and attributes:
        attributes[random.randrange(len(attributes))] = random.choice([-1, 0, 1, 2, 3, 5, 2**16, 2**32, -(2**63)])
    elif way == "dtype":
        operands[place] = Operand(Source.INPUT, place, TensorSpec(random.choice(list(DType)), (1, ELEMENTS)))
    elif way == "size":
        shape = random.choice([(1,), (8,), (2, 2), (70_000,)])
        operands[place] = Operand(Source.INPUT, place, TensorSpec(operands[place].spec.dtype, shape))
    elif way == "index":
        operands[place] = Operand(random.choice(list(Source)), random.randrange(3), operands[place].spec)
    elif way == "operand":
        operands = operands[:place] if random.random() < 0.5 else [*operands, operands[place]]
    rank = step.rank + random.choice([-1, 1]) if way == "rank" else step.rank
    return Step(step.op, result, tuple(operands), max(rank, 0), tuple(attributes))


def broken(random: Random, record: bytes) -> bytes:
    """Bytes that may be no record any more."""
    if random.random() < 0.3:
        return record[: random.randrange(len(record))]
    place = random.choice([0, 2, 3, 4, 5, 8, 36, 41, 42])
    return bytes(record[:place]) + bytes([random.randrange(256)]) + record[place + 1 :]


def _struck(record: bytes, element: int) -> tuple[int, int]:
    header = b"".join(count.to_bytes(4, "big") for count in (INPUTS, 0, 1)).ljust(32, b"\0")
    try:
        return int(is_unjudgeable(record, 0, header, element)), 0
    except BadEncoding:
        return 0, 1
