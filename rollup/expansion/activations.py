"""Activations in primitive calls, written so that nothing overflows on the way to a finite result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rollup.call import Call, Function, Ref, f32_bits
from rollup.expansion.writer import Expand, Writer

_MINUS_INFINITY = f32_bits(float("-inf"))


def _hard_gate(writer: Writer, x: Ref) -> Ref:
    """min(max(x + 3, 0), 6)"""
    shifted = writer.call(Function.ADD, x, writer.constant(3.0))
    return writer.call(Function.CLAMP, shifted, low=f32_bits(0.0), high=f32_bits(6.0))


def _hardsigmoid(writer: Writer, _: Call, operands: Sequence[Ref]) -> Ref:
    return writer.call(Function.DIV, _hard_gate(writer, operands[0]), writer.constant(6.0))


def _hardswish(writer: Writer, _: Call, operands: Sequence[Ref]) -> Ref:
    (x,) = operands
    product = writer.call(Function.MUL, x, _hard_gate(writer, x))
    return writer.call(Function.DIV, product, writer.constant(6.0))


def _above_zero(writer: Writer, x: Ref, above: Ref, below: Ref) -> Ref:
    return writer.call(Function.WHERE, writer.call(Function.GT, x, writer.constant(0.0)), above, below)


def _leaky_relu(writer: Writer, call: Call, operands: Sequence[Ref]) -> Ref:
    (x,) = operands
    return _above_zero(writer, x, x, writer.scaled(x, call.real("slope")))


def _elu(writer: Writer, call: Call, operands: Sequence[Ref]) -> Ref:
    (x,) = operands
    scale = call.real("scale")
    # e^x is read only below zero: above it could overflow.
    below = writer.call(Function.CLAMP, x, low=_MINUS_INFINITY, high=f32_bits(0.0))
    grown = writer.call(Function.EXPM1, writer.scaled(below, call.real("input_scale")))
    bent = writer.scaled(writer.scaled(grown, call.real("alpha")), scale)
    return _above_zero(writer, x, writer.scaled(x, scale), bent)


def _log_of_one_plus_exp(writer: Writer, x: Ref) -> Ref:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), which never overflows."""
    small = writer.call(Function.EXP, writer.call(Function.NEG, writer.call(Function.ABS, x)))
    return writer.call(Function.ADD, writer.call(Function.RELU, x), writer.call(Function.LOG1P, small))


def _softplus(writer: Writer, call: Call, operands: Sequence[Ref]) -> Ref:
    # Above the threshold the kernel gives x, from which this differs by less than e^-threshold.
    beta = call.real("beta")
    grown = _log_of_one_plus_exp(writer, writer.scaled(operands[0], beta))
    return grown if beta == 1.0 else writer.call(Function.DIV, grown, writer.constant(beta))


def _mish(writer: Writer, _: Call, operands: Sequence[Ref]) -> Ref:
    (x,) = operands
    return writer.call(Function.MUL, x, writer.call(Function.TANH, _log_of_one_plus_exp(writer, x)))


def _log_sigmoid(writer: Writer, _: Call, operands: Sequence[Ref]) -> Ref:
    return writer.call(Function.NEG, _log_of_one_plus_exp(writer, writer.call(Function.NEG, operands[0])))


RULES: Mapping[Function, Expand] = {
    Function.HARDSIGMOID: _hardsigmoid,
    Function.HARDSWISH: _hardswish,
    Function.LEAKY_RELU: _leaky_relu,
    Function.ELU: _elu,
    Function.SOFTPLUS: _softplus,
    Function.MISH: _mish,
    Function.LOG_SIGMOID: _log_sigmoid,
}
