"""One call of a program: a tensor function as executors run it, its operands and options.

A value's shape is written for one request; a program runs at any batch, its requests side by side along one dimension
of every value that depends on them. Knows nothing of shapes' rules (rollup/shapes), nor of steps (rollup/lowering).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import pack, unpack

from rollup.errors import BadGraph
from rollup.functions import MAX_LIST, SIGNATURES, Function, Signature
from rollup.graph import Source
from rollup.tensor import DType, TensorSpec

__all__ = ["MAX_LIST", "SIGNATURES", "Call", "Function", "Place", "Ref", "Signature", "Value", "f32_bits", "f32_value"]


def f32_bits(value: float) -> int:
    """The option that a float is: the bits of the f32 nearest to it, unsigned."""
    try:
        return int.from_bytes(pack(">f", value), "big")
    except OverflowError:
        return int.from_bytes(pack(">f", float("inf") if value > 0 else float("-inf")), "big")


def f32_value(bits: int) -> float:
    """The float that an option is."""
    value: float = unpack(">f", bits.to_bytes(4, "big"))[0]
    return value


@dataclass(frozen=True)
class Place:
    """Where the requests lie in a value: dimension `axis` of a batch of N is [outer, N, rest], flattened.

    `outer * rest` is the dimension's size for one request.
    """

    axis: int = 0
    outer: int = 1


LEADING = Place()


@dataclass(frozen=True)
class Value:
    """dtype and shape, for one request, of what a call takes or makes.

    `batched`: whether it depends on the request. `place`: where a batch's requests lie in it, if it is batched; None
    where they have been mixed, so that only one request at a time can be run.
    """

    spec: TensorSpec
    batched: bool
    place: Place | None = LEADING

    @property
    def shape(self) -> tuple[int, ...]:
        return self.spec.shape

    @property
    def dtype(self) -> DType:
        return self.spec.dtype

    @property
    def leads(self) -> bool:
        """Whether the requests of a batch lie one after another in the value's memory."""
        return self.place is not None and self.outer == 1

    @property
    def outer(self) -> int:
        """Blocks in which each request's elements lie, a block of each request after a block of the one before."""
        if self.place is None:
            raise BadGraph("a value in which requests are mixed has no part of one request")
        blocks = self.place.outer
        for size in self.shape[: self.place.axis]:
            blocks *= size
        return blocks


@dataclass(frozen=True)
class Ref:
    """Input, weight or earlier call's result that a call takes."""

    source: Source
    index: int


@dataclass(frozen=True)
class Call:
    """One function applied once. `origin` is the place in the user's module that made it; for people, not committed."""

    function: Function
    operands: tuple[Ref, ...]
    options: tuple[tuple[str, tuple[int, ...]], ...] = ()
    origin: str = field(default="", compare=False)

    def option(self, name: str) -> tuple[int, ...]:
        return dict(self.options)[name]

    def number(self, name: str) -> int:
        """An option of a single integer."""
        return self.option(name)[0]

    def real(self, name: str) -> float:
        """An option that is a float. Raises BadGraph if it is no f32's bits."""
        bits = self.number(name)
        if not 0 <= bits < 2**32:
            raise BadGraph(f"option {name} is {bits}, not the bits of a f32")
        return f32_value(bits)

    def require_signature(self) -> None:
        """Raises BadGraph unless the operands' count and the options are the function's."""
        signature = SIGNATURES[self.function]
        if not signature.least <= len(self.operands) <= signature.most:
            raise BadGraph(f"takes {signature.least} to {signature.most} operands, got {len(self.operands)}")
        given, known = [name for name, _ in self.options], [name for name, _ in signature.options]
        if given != known:
            raise BadGraph(f"takes the options {known}, got {given}")
        for (name, values), (_, count) in zip(self.options, signature.options, strict=True):
            if count and len(values) != count:
                raise BadGraph(f"option {name} has {count} values, got {len(values)}")
