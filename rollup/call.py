"""One call of a program: a tensor function as executors run it, its operands and options.

A value's shape is written for one request; a batched value holds its requests side by side in the leading dimension,
so that one program runs at any batch. Knows nothing of shapes' rules (shapes.py), nor of steps (lowering.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rollup.errors import BadGraph
from rollup.graph import Source
from rollup.tensor import DType, TensorSpec


class Function(StrEnum):
    """What a call computes; the names are ATen's."""

    CONV2D = "conv2d"
    LINEAR = "linear"
    MATMUL = "matmul"
    ADD = "add"
    MUL = "mul"
    RELU = "relu"
    MAX_POOL2D = "max_pool2d"
    AMAX = "amax"
    ARGMAX = "argmax"
    VIEW = "view"
    PERMUTE = "permute"
    EXPAND = "expand"
    SLICE = "slice"
    CAT = "cat"


@dataclass(frozen=True)
class Signature:
    """What a function takes. `options`: each one's count of integers; 0 is any count up to the rank limit."""

    least: int
    most: int
    options: tuple[tuple[str, int], ...] = ()


MAX_CAT = 64
SIGNATURES = {
    # x, w and optionally bias
    Function.CONV2D: Signature(2, 3, (("stride", 2), ("padding", 2), ("dilation", 2), ("groups", 1))),
    Function.LINEAR: Signature(2, 3),
    Function.MATMUL: Signature(2, 2),
    Function.ADD: Signature(2, 2),
    Function.MUL: Signature(2, 2),
    Function.RELU: Signature(1, 1),
    Function.MAX_POOL2D: Signature(1, 1, (("kernel", 2), ("stride", 2), ("padding", 2), ("dilation", 2))),
    # amax and argmax reduce the last dimension; keepdim is 0 or 1
    Function.AMAX: Signature(1, 1, (("keepdim", 1),)),
    Function.ARGMAX: Signature(1, 1, (("keepdim", 1),)),
    # shapes are those of one request
    Function.VIEW: Signature(1, 1, (("shape", 0),)),
    Function.PERMUTE: Signature(1, 1, (("dims", 0),)),
    Function.EXPAND: Signature(1, 1, (("shape", 0),)),
    Function.SLICE: Signature(1, 1, (("dim", 1), ("start", 1), ("stop", 1), ("step", 1))),
    Function.CAT: Signature(1, MAX_CAT, (("dim", 1),)),
}


@dataclass(frozen=True)
class Value:
    """dtype and shape, for one request, of what a call takes or makes. A batched one has N times the leading size."""

    spec: TensorSpec
    batched: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return self.spec.shape

    @property
    def dtype(self) -> DType:
        return self.spec.dtype

    def with_shape(self, shape: tuple[int, ...]) -> Value:
        return Value(TensorSpec(self.dtype, shape), self.batched)


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
