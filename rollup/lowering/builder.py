"""Steps in the making: what the families of lowering share. Knows no function of a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from rollup.call import Call, Ref
from rollup.graph import MAX_ROW as MAX_ROW
from rollup.graph import Op, Operand, Source, Step
from rollup.program import Program
from rollup.tensor import DType, TensorSpec

# Longest contraction: one element's openings fit into one proof (limits.py), its arithmetic into one transaction. As
# rows longer than MAX_ROW are, longer ones are cut into blocks.
MAX_CONTRACTION = 13_568
PLUS_ZERO = 0
MINUS_INFINITY = 0xFF800000


@dataclass(frozen=True)
class Axes:
    """Attributes of a step, and the number of axes among them."""

    attributes: tuple[int, ...]
    rank: int = 0


NO_AXES = Axes(())


class Builder:
    """Steps so far, and the step that made each call's result."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.steps: list[Step] = []
        self.results: list[int] = []
        self.covered: list[bool] = []
        self._seeds: dict[DType, Operand] = {}
        self._origin = ""

    def lower(self, rule: Lower, call: Call, result: TensorSpec) -> None:
        """Appends the steps of a call; the last one makes its result."""
        self._origin = call.origin
        covered = rule(self, call, [self._operand(ref) for ref in call.operands], result)
        self.results.append(len(self.steps) - 1)
        self.covered.append(covered)

    def step(self, op: Op, result: TensorSpec, operands: Sequence[Operand], axes: Axes = NO_AXES) -> Operand:
        """Appends a step; returns its result as an operand."""
        self.steps.append(Step(op, result, tuple(operands), axes.rank, axes.attributes, self._origin))
        return Operand(Source.STEP, len(self.steps) - 1, result)

    def strided(
        self, x: Operand, result: TensorSpec, strides: Sequence[int], dims: Sequence[int] = (), offset: int = 0
    ) -> Operand:
        """Element `offset + index . strides` of x at every index over `dims`, which are the result's if not given."""
        dims = dims or result.shape
        return self.step(Op.STRIDED, result, [x], Axes((offset, *dims, *strides), len(dims)))

    def full(self, result: TensorSpec, fill: int) -> Operand:
        """A constant: padding around an operand of which nothing is left."""
        seed = self._seed(result.dtype)
        sizes = (result.elements, seed.spec.elements, result.elements)
        return self.step(Op.PAD, result, [seed], Axes((fill, *sizes), 1))

    def cast(self, x: Operand, dtype: DType) -> Operand:
        if x.spec.dtype is dtype:
            return x
        return self.step(Op.CAST, TensorSpec(dtype, x.spec.shape), [x])

    def made_by(self, operand: Operand) -> Step | None:
        """The step that makes an operand; None for inputs and weights."""
        return self.steps[operand.index] if operand.source is Source.STEP else None

    def _seed(self, dtype: DType) -> Operand:
        """Any tensor of that dtype: the first input or weight, else the first input's first element, cast."""
        if dtype not in self._seeds:
            inputs = [Operand(Source.INPUT, place, spec) for place, spec in enumerate(self._program.inputs)]
            weights = [Operand(Source.WEIGHT, place, w.spec) for place, w in enumerate(self._program.weights)]
            alike = [operand for operand in (*inputs, *weights) if operand.spec.dtype is dtype]
            self._seeds[dtype] = alike[0] if alike else self._first(inputs[0], dtype)
        return self._seeds[dtype]

    def _first(self, x: Operand, dtype: DType) -> Operand:
        return self.cast(self.strided(x, TensorSpec(x.spec.dtype, (1,)), (0,)), dtype)

    def _operand(self, ref: Ref) -> Operand:
        index = self.results[ref.index] if ref.source is Source.STEP else ref.index
        return Operand(ref.source, index, self._program.value(ref).spec)


# Appends a call's steps. True if the last step's bound holds for the call's kernel, so that the kernel's own value may
# stand in a trace; else the value is derived from the steps before.
Lower = Callable[[Builder, Call, Sequence[Operand], TensorSpec], bool]


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Elements between neighbours along each axis of a contiguous tensor."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def spread(shape: Sequence[int], wide: Sequence[int]) -> tuple[int, ...]:
    """Strides that read a tensor of `shape` as one of shape `wide`; 0 repeats."""
    missing = (0,) * (len(wide) - len(shape))
    strides = zip(shape, strides_of(shape), strict=True)
    return missing + tuple(stride if size > 1 else 0 for size, stride in strides)


def derived(*shape: int) -> TensorSpec:
    """Shape of what only the graph has: always f32, whatever the dtype of what it is derived from."""
    return TensorSpec(DType.F32, shape)


@dataclass(frozen=True)
class Rows:
    """An operand read as `count` rows of `length` elements."""

    x: Operand
    count: int
    length: int


def blocks(builder: Builder, rows: Rows, most: int) -> list[tuple[Rows, int]]:
    """Rows cut into blocks of at most `most` elements: blocks of one length, and how many of them a row has.

    Either all are of one length, and lie where they are; or what a row has beyond whole blocks is a block of its own.
    """
    least = -(-rows.length // most)
    for pieces in range(least, min(16 * least, most) + 1):
        if rows.length % pieces == 0:
            return [(Rows(rows.x, rows.count * pieces, rows.length // pieces), pieces)]
    head = rows.length // most * most
    cuts = ((0, head, head // most), (head, rows.length - head, 1))
    return [(Rows(_cut(builder, rows, start, size), rows.count * n, size // n), n) for start, size, n in cuts]


def _cut(builder: Builder, rows: Rows, start: int, size: int) -> Operand:
    part = TensorSpec(rows.x.spec.dtype, (rows.count, size))
    return builder.strided(rows.x, part, (rows.length, 1), offset=start)


def joined(builder: Builder, parts: Sequence[Operand], count: int) -> Rows:
    """Parts of [count, n] each, side by side in rows."""
    lengths = [part.spec.elements // count for part in parts]
    if len(parts) == 1:
        return Rows(parts[0], count, lengths[0])
    spec = TensorSpec(parts[0].spec.dtype, (count, sum(lengths)))
    return Rows(builder.step(Op.CAT, spec, parts, Axes((1, *lengths))), count, sum(lengths))
