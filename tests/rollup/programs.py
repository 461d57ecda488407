"""Programs built by hand, for tests without torch."""

from __future__ import annotations

from rollup.call import Call, Function, Ref
from rollup.graph import Source
from rollup.program import Program, Weight
from rollup.tensor import DType, TensorSpec

INPUT = Ref(Source.INPUT, 0)
WINDOW = (("stride", (1, 1)), ("padding", (1, 1)), ("dilation", (1, 1)))


def f32(*shape: int) -> TensorSpec:
    return TensorSpec(DType.F32, shape)


def made(index: int) -> Ref:
    return Ref(Source.STEP, index)


def weight(index: int) -> Ref:
    return Ref(Source.WEIGHT, index)


def options(**values: tuple[int, ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple(values.items())


def small() -> Program:
    """A grouped convolution, max-pool, a linear layer, and the label."""
    pool = options(kernel=(2, 2), stride=(2, 2), padding=(0, 0), dilation=(1, 1), ceil=(0,))
    return Program(
        inputs=(f32(1, 2, 4, 4),),
        weights=(Weight("conv.weight", f32(4, 1, 3, 3)), Weight("conv.bias", f32(4)), Weight("head", f32(3, 16))),
        calls=(
            Call(Function.CONV2D, (INPUT, weight(0), weight(1)), (*WINDOW, ("groups", (2,))), "conv"),
            Call(Function.RELU, (made(0),)),
            Call(Function.MAX_POOL2D, (made(1),), pool),
            Call(Function.VIEW, (made(2),), options(shape=(1, 16))),
            Call(Function.LINEAR, (made(3), weight(2))),
            Call(Function.ARGMAX, (made(4),), options(keepdim=(0,))),
        ),
    )
