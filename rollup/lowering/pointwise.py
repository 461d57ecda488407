"""Element by element to steps: one each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rollup.call import Call, Function
from rollup.graph import Op, Operand
from rollup.lowering.builder import NO_AXES, Axes, Builder, Lower, spread
from rollup.tensor import TensorSpec


def _together(op: Op, *kind: int) -> Lower:
    """Operands read together, broadcast; `kind` says which of several functions of one operator it is."""

    def lower_together(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
        strides = [stride for operand in operands for stride in spread(operand.spec.shape, result.shape)]
        builder.step(op, result, operands, Axes((*result.shape, *strides, *kind), len(result.shape)))
        return True

    return lower_together


def _plain(op: Op, *options: str) -> Lower:
    """One operand, and options as they are."""

    def lower_plain(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
        builder.step(op, result, operands, Axes(tuple(call.number(name) for name in options)) if options else NO_AXES)
        return True

    return lower_plain


def _gelu(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    builder.step(Op.GELU_TANH if call.number("approximate") else Op.GELU, result, operands)
    return True


def _to(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    (x,) = operands
    if x.spec.dtype is result.dtype:
        builder.strided(x, result, (1,), (result.elements,))
    else:
        builder.step(Op.CAST, result, operands)
    return True


_COMPARISONS = (Function.EQ, Function.NE, Function.LT, Function.LE, Function.GT, Function.GE)
_LOGIC = (Function.LOGICAL_AND, Function.LOGICAL_OR, Function.LOGICAL_XOR)
_ALIKE = (
    *(Function.RELU, Function.NEG, Function.ABS, Function.FLOOR, Function.CEIL, Function.ROUND, Function.TRUNC),
    *(Function.SIGN, Function.EXP, Function.LOG, Function.TANH, Function.SIGMOID, Function.SQRT, Function.RSQRT),
    *(Function.ERF, Function.SILU, Function.SIN, Function.COS, Function.EXPM1, Function.LOG1P),
)
_PAIRS = (
    *(Function.ADD, Function.SUB, Function.MUL, Function.DIV, Function.POW),
    *(Function.MAXIMUM, Function.MINIMUM),
)
# Operators of the same name as their function.
RULES: Mapping[Function, Lower] = {
    **{function: _together(Op[function.name]) for function in _PAIRS},
    **{function: _together(Op.COMPARE, kind) for kind, function in enumerate(_COMPARISONS)},
    **{function: _together(Op.LOGICAL, kind) for kind, function in enumerate(_LOGIC)},
    **{function: _plain(Op[function.name]) for function in _ALIKE},
    Function.WHERE: _together(Op.WHERE),
    Function.LOGICAL_NOT: _plain(Op.NOT),
    Function.CLAMP: _plain(Op.CLAMP, "low", "high"),
    Function.GELU: _gelu,
    Function.TO: _to,
}
