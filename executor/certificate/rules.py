"""The error of each function's result, made of its operands' errors and of what its own steps may round by.

Bounds are those of PROTOCOL.md, section 5, with what is simplest above them; slopes the steepest of each function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from executor.certificate.errors import DOUBLED, FLOOR, UNIT_ROUNDOFF, Errors, count_of, terms_of
from executor.certificate.norms import batch_norm
from rollup.call import Call, Function, Ref, f32_bits
from rollup.errors import BadInput
from rollup.tensor import DType

Rule = Callable[[Errors, Call, Ref], Ref]


def _moved(errors: Errors, call: Call, _: Ref) -> Ref:
    """Movement, and what moves a result by no more than the greatest error of its operands: relu, clamp, max pool."""
    x, *rest = call.operands
    return errors.like(call, errors.of(x), *rest)


def _looked_up(errors: Errors, call: Call, _: Ref) -> Ref:
    """Rows of a table that is not exact, at indices, which are."""
    index, table = call.operands
    return errors.like(call, index, errors.of(table))


def _kept(errors: Errors, call: Call, _: Ref) -> Ref:
    """Of functions of one element that are exact, and no steeper than 1."""
    return errors.of(call.operands[0])


def _cat(errors: Errors, call: Call, _: Ref) -> Ref:
    writer = errors.writer
    parts = []
    for x in call.operands:
        zeros = writer.call(Function.FULL, dtype=DType.F32, shape=writer.shape(x), fill=f32_bits(FLOOR))
        parts.append(errors.of(x) if errors.has(x) else zeros)
    return errors.like(call, *parts)


def _pad(errors: Errors, call: Call, _: Ref) -> Ref:
    low, high = call.option("low"), call.option("high")
    return errors.writer.call(Function.PAD, errors.of(call.operands[0]), fill=f32_bits(FLOOR), low=low, high=high)


def _sum(errors: Errors, call: Call, _: Ref) -> Ref:
    """Sums, means and average pools: all terms have one sign, and pads are zero."""
    x = call.operands[0]
    if len(call.operands) > 1:
        raise BadInput("over counts has no certified error: pads must count")
    return errors.whole(errors.like(call, errors.shaken(x, terms_of(errors.writer, call))))


def _layer(errors: Errors, call: Call, _: Ref) -> Ref:
    """Linear and convolution: |w| (e + n u |x|) + n u |bias|; weights are exact."""
    x, weight, *bias = call.operands
    if errors.has(weight) or any(errors.has(ref) for ref in bias):
        raise BadInput("by weights that are not exact has no certified error")
    terms = terms_of(errors.writer, call)
    rest = [errors.part(ref, count_of(terms)) for ref in bias]
    return errors.whole(errors.like(call, errors.shaken(x, terms), errors.lifted(weight), *rest))


def _matmul(errors: Errors, call: Call, _: Ref) -> Ref:
    """|a| (e_b + n u |b|) + e_a (|b| + 2 e_b): of the last product both factors may be too small."""
    a, b = call.operands
    first = errors.like(call, errors.lifted(a), errors.shaken(b, terms_of(errors.writer, call)))
    if not errors.has(a):
        return errors.whole(first)
    second = errors.add(errors.lifted(b), errors.writer.scaled(errors.of(b), DOUBLED))
    return errors.whole(first, errors.like(call, errors.of(a), second))


def _sum_of_two(errors: Errors, call: Call, result: Ref) -> Ref:
    a, b = call.operands
    return errors.whole(errors.of(a), errors.of(b), errors.part(result, 2))


def _product(errors: Errors, call: Call, result: Ref) -> Ref:
    a, b = call.operands
    ends = errors.add(errors.size(b), errors.writer.scaled(errors.of(b), DOUBLED))
    crossed = errors.add(errors.multiply(errors.size(a), errors.of(b)), errors.multiply(errors.of(a), ends))
    return errors.whole(crossed, errors.part(result, 2))


def _greater(errors: Errors, call: Call, result: Ref) -> Ref:
    # The part of the result gives the sum its shape.
    return errors.add(errors.part(result, 1), *(errors.of(operand) for operand in call.operands))


def _chosen(errors: Errors, call: Call, result: Ref) -> Ref:
    """A condition that is exact chooses the same element in every run."""
    condition, a, b = call.operands
    error = errors.writer.call(Function.WHERE, condition, errors.of(a), errors.of(b))
    return errors.add(errors.part(result, 1), error)


def _quotient(errors: Errors, call: Call, result: Ref) -> Ref:
    """2 e / |b| + 8 u |a / b|, by what is exact; below 2^-100, where the judge may have no verdict, this overflows."""
    a, b = call.operands
    if errors.has(b):
        raise BadInput("by what is not exact has no certified error")
    writer = errors.writer
    near_zero = writer.call(Function.SUB, writer.constant(FLOOR), errors.size(b))
    beyond = writer.scaled(writer.call(Function.RELU, near_zero), 2.0**127)
    for _ in range(3):
        beyond = errors.multiply(beyond, beyond)
    error = writer.call(Function.DIV, writer.scaled(errors.of(a), DOUBLED), errors.size(b))
    return errors.whole(error, errors.part(result, 8), beyond)


def _widened(errors: Errors, call: Call, result: Ref) -> Ref:
    """From integers and bools, which are exact, or from a float as it is."""
    return errors.whole(errors.of(call.operands[0]), errors.part(result, 2))


def _bounded(slope: float, units: float) -> Rule:
    """Of a function of one element: slope e + units u."""

    def rule(errors: Errors, call: Call, _: Ref) -> Ref:
        error = errors.writer.scaled(errors.of(call.operands[0]), slope)
        return errors.add(error, errors.writer.constant(units * UNIT_ROUNDOFF))

    return rule


def _bent(slope: float, units: float) -> Rule:
    """Of a function of one element: slope e + units u |x|."""

    def rule(errors: Errors, call: Call, _: Ref) -> Ref:
        (x,) = call.operands
        return errors.whole(errors.writer.scaled(errors.of(x), slope), errors.part(x, units))

    return rule


def _leaky(errors: Errors, call: Call, result: Ref) -> Ref:
    steepest = max(1.0, abs(call.real("slope")))
    return _bent(steepest, 4 * steepest)(errors, call, result)


_MOVEMENT = (
    *(Function.VIEW, Function.PERMUTE, Function.EXPAND, Function.SLICE, Function.FLIP),
    *(Function.INDEX_SELECT, Function.GATHER, Function.UPSAMPLE_NEAREST2D),
)
RULES: Mapping[Function, Rule] = {
    **dict.fromkeys((*_MOVEMENT, Function.AMAX, Function.MAX_POOL2D), _moved),
    **dict.fromkeys((Function.RELU, Function.CLAMP, Function.ABS, Function.NEG), _kept),
    **dict.fromkeys((Function.SUM, Function.MEAN, Function.AVG_POOL2D), _sum),
    **dict.fromkeys((Function.LINEAR, Function.CONV2D), _layer),
    **dict.fromkeys((Function.ADD, Function.SUB), _sum_of_two),
    **dict.fromkeys((Function.MAXIMUM, Function.MINIMUM), _greater),
    Function.MATMUL: _matmul,
    Function.MUL: _product,
    Function.DIV: _quotient,
    Function.WHERE: _chosen,
    Function.EMBEDDING: _looked_up,
    Function.TO: _widened,
    Function.CAT: _cat,
    Function.PAD: _pad,
    Function.BATCH_NORM: batch_norm,
    # Slopes are at most 1, 1/4, 1.13, 1.13, 1.1, 1/6 and 1.5; units those of docs/operators.md at their greatest.
    Function.TANH: _bounded(1.0, 16),
    Function.SIGMOID: _bounded(0.25, 16),
    Function.ERF: _bounded(1.25, 48),
    Function.GELU: _bent(1.25, 64),
    Function.SILU: _bent(1.25, 32),
    Function.HARDSIGMOID: _bounded(0.25, 16),
    Function.HARDSWISH: _bent(2.0, 32),
    Function.LEAKY_RELU: _leaky,
}
# What is exact of exact operands, in every run.
EXACT_ALONE = frozenset(
    (
        *(*_MOVEMENT, Function.EMBEDDING, Function.FULL, Function.CAT, Function.PAD, Function.WHERE),
        *(Function.RELU, Function.CLAMP, Function.ABS, Function.NEG),
        *(Function.MAXIMUM, Function.MINIMUM, Function.AMAX, Function.MAX_POOL2D),
    )
)
