"""Bounds of values' errors, as calls: what they are commonly made of. Knows no function's rule (rules.py)."""

from __future__ import annotations

from math import prod

from rollup.call import Call, Function, Ref
from rollup.errors import BadInput
from rollup.expansion.writer import Writer

UNIT_ROUNDOFF = 2.0**-24
# Every error is at least this, and every operand is taken to err by it: hardware may flush what is subnormal, to
# lose less than 2^-126 of each of fewer than 2^16 terms, and what follows multiplies that.
FLOOR = 2.0**-100
# For what runs inside their bounds may take off the errors themselves, which is less than half.
DOUBLED = 2.0


class Errors:
    """Bounds of values so far; what has none is exact. Writes calls, and what bounds are commonly made of."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._of: dict[Ref, Ref] = {}
        self._sizes: dict[Ref, Ref] = {}

    def put(self, ref: Ref, error: Ref) -> None:
        self._of[ref] = error

    def has(self, ref: Ref) -> bool:
        return ref in self._of

    def of(self, ref: Ref) -> Ref:
        """The error of an operand: of one that is exact, what flushing may take off it."""
        return self._of.get(ref) or self.writer.constant(FLOOR)

    def size(self, ref: Ref) -> Ref:
        if ref not in self._sizes:
            self._sizes[ref] = self.writer.call(Function.ABS, ref)
        return self._sizes[ref]

    def add(self, *terms: Ref) -> Ref:
        total = terms[0]
        for term in terms[1:]:
            total = self.writer.call(Function.ADD, total, term)
        return total

    def multiply(self, a: Ref, b: Ref) -> Ref:
        return self.writer.call(Function.MUL, a, b)

    def part(self, ref: Ref, count: float) -> Ref:
        """`count` units of a value's magnitude."""
        return self.writer.scaled(self.size(ref), count * UNIT_ROUNDOFF)

    def shaken(self, ref: Ref, terms: int) -> Ref:
        """An operand's error, and its part in the error of a sum of so many terms, each rounded as often at most."""
        return self.add(self.part(ref, count_of(terms)), self.of(ref))

    def lifted(self, ref: Ref, least: float = FLOOR) -> Ref:
        """An operand's magnitude, with what flushing may take off it."""
        return self.add(self.size(ref), self.writer.constant(least))

    def whole(self, *terms: Ref) -> Ref:
        return self.add(*terms, self.writer.constant(FLOOR))

    def like(self, call: Call, *operands: Ref) -> Ref:
        """The same function of other operands."""
        return self.writer.copy(Call(call.function, operands, call.options, self.writer.origin))


def count_of(terms: int) -> float:
    """Of `n` terms: n u / (1 - n u) of the summed magnitudes, and the rounding of the result (PROTOCOL.md, 5)."""
    if terms * UNIT_ROUNDOFF > 2.0**-8:
        raise BadInput(f"sums {terms} terms, at most {2**16} can be certified")
    return (terms + 2) / (1 - 2.0**-7)


def terms_of(writer: Writer, call: Call) -> int:
    """Summed for one element."""
    if call.function is Function.CONV2D:
        return prod(writer.shape(call.operands[1])[1:]) + 1
    if call.function is Function.AVG_POOL2D:
        return prod(call.option("kernel"))
    if call.function in (Function.LINEAR, Function.MATMUL, Function.SUM, Function.MEAN):
        return writer.shape(call.operands[0])[-1] + 1
    return 1
