"""A program being written out call by call, each value's shape known as soon as it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollup.call import MAX_LIST, SIGNATURES, Call, Function, Ref, Value, f32_bits
from rollup.graph import Source
from rollup.program import Program
from rollup.shapes import result_of
from rollup.tensor import DType


class Writer:
    """Calls so far, over the inputs and weights of `program`. `origin` is put on every call until it changes."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.calls: list[Call] = []
        self._results: list[Value] = []
        self._constants: dict[float, Ref] = {}
        self.origin = ""

    def call(self, function: Function, *operands: Ref, **options: Sequence[int] | int) -> Ref:
        """Appends a call. Options come in any order, a single integer as itself."""
        given = {name: (values,) if isinstance(values, int) else tuple(values) for name, values in options.items()}
        ordered = tuple((name, given[name]) for name, _ in SIGNATURES[function].options)
        return self.copy(Call(function, operands, ordered, self.origin))

    def copy(self, call: Call) -> Ref:
        """Appends a call as it is."""
        self._results.append(result_of(call, [self.value(operand) for operand in call.operands]))
        self.calls.append(call)
        return Ref(Source.STEP, len(self.calls) - 1)

    def value(self, ref: Ref) -> Value:
        return self._results[ref.index] if ref.source is Source.STEP else self._program.value(ref)

    def shape(self, ref: Ref) -> tuple[int, ...]:
        return self.value(ref).shape

    def constant(self, value: float) -> Ref:
        """A f32 without dimensions, which broadcasts to any shape; made once."""
        if value not in self._constants:
            fill = f32_bits(value)
            self._constants[value] = self.call(Function.FULL, dtype=DType.F32, shape=(), fill=fill)
        return self._constants[value]

    def scaled(self, x: Ref, factor: float) -> Ref:
        return x if factor == 1.0 else self.call(Function.MUL, x, self.constant(factor))

    def cast(self, x: Ref, dtype: DType) -> Ref:
        return x if self.value(x).dtype is dtype else self.call(Function.TO, x, dtype=dtype)

    def view(self, x: Ref, *shape: int) -> Ref:
        return self.call(Function.VIEW, x, shape=shape)

    def cut(self, x: Ref, dim: int, start: int, stop: int) -> Ref:
        """start:stop along a dimension."""
        if (start, stop) == (0, self.shape(x)[dim]):
            return x
        return self.call(Function.SLICE, x, dim=dim, start=start, stop=stop, step=1)

    def cat(self, refs: Sequence[Ref], dim: int) -> Ref:
        """Side by side, however many."""
        while len(refs) > 1:
            groups = [refs[start : start + MAX_LIST] for start in range(0, len(refs), MAX_LIST)]
            refs = [self.call(Function.CAT, *group, dim=dim) if len(group) > 1 else group[0] for group in groups]
        return refs[0]

    def swapped(self, x: Ref) -> Ref:
        """With the last two dimensions exchanged."""
        rank = len(self.shape(x))
        return self.call(Function.PERMUTE, x, dims=(*range(rank - 2), rank - 1, rank - 2))


# Writes a call out in primitive ones over the operands given; returns the last of them, which makes its result.
Expand = Callable[[Writer, Call, Sequence[Ref]], Ref]
