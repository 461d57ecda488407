"""Cases of the rounded operators: functions, powers and the tails of rows, with values at both ends of both bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

from rollup.graph import Op
from rollup.judge import floats, functions, powers, tails
from rollup.judge.approx import Enclosure, nearest
from rollup.tensor import DType, TensorSpec
from tests.parity.faults import Case, beside, case_of, word
from tests.parity.toy import one_step, step_on, tensor_of_bits

FLOATS = (DType.F32, DType.F32, DType.F32, DType.F16, DType.BF16)
FACTORS = (0, 0, 1, 100, 256, 2000, 2**32 - 1)
KINDS = ("natural", "natural", "natural", "natural", "subnormal", "edge", "wild", "wild", "special")
_INTEGERS = (0x3F800000, 0x40000000, 0x40400000, 0xBF800000, 0xC0000000, 0x3F000000, 0xBF000000, 0x41F80000)
# From f32 bits of the operands and the dtype of the result.
Enclose = Callable[[Sequence[int], DType], Enclosure | None]


def narrowed(bits: int, dtype: DType) -> int:
    """Bits of a f32 as an element of `dtype`, cut; a NaN may become an infinity."""
    if dtype is DType.BF16:
        return bits >> 16
    if dtype is not DType.F16:
        return bits
    sign, field = bits >> 31 << 15, (bits >> 23 & 0xFF) - 112
    if field <= 0:
        return sign | (bits & 0x7FFFFF) >> 14
    return sign | (0x7C00 if field >= 31 else field << 10 | bits >> 13 & 0x3FF)


def element(random: Random, dtype: DType) -> int:
    return narrowed(word(random, random.choice(KINDS)), dtype)


def ends_of(enclosure: Enclosure, dtype: DType, factor: int) -> list[int]:
    """The centre and both ends of both bounds, as elements of `dtype`."""
    reaches = [enclosure.bound.reach(each) for each in (0, factor)]
    values = [enclosure.centre, *(enclosure.centre + reach for reach in reaches)]
    values += [enclosure.centre - reach for reach in reaches]
    return [narrowed(nearest(dtype, value), dtype) for value in values]


def committed(random: Random, enclosure: Enclosure | None, dtype: DType, factor: int) -> int:
    if enclosure is None:
        return element(random, dtype)
    ends = ends_of(enclosure, dtype, factor)
    if dtype is DType.F32:
        return beside(random, *ends)
    # Neighbours of 16-bit floats are neighbours as integers too, but for zero and infinity.
    return min(max(random.choice(ends) + random.choice((-1, 0, 0, 1)), 0), 0xFFFF)


def rounded_case(random: Random, op: Op, bits: Sequence[int], extras: tuple[int, ...], enclose: Enclose) -> Case:
    """One element of `op` over operands cut from f32 bits to one dtype."""
    dtype, factor = random.choice(FLOATS), random.choice(FACTORS)
    elements = [narrowed(each, dtype) for each in bits]
    operands = [tensor_of_bits(dtype, (1,), (each,)) for each in elements]
    layout = () if op in functions.FUNCTIONS else (1,) * (1 + len(bits))
    step = step_on(op, TensorSpec(dtype, (1,)), operands, min(1, len(layout)), (*layout, *extras))
    widened = [floats.widen(each, dtype) for each in elements]
    enclosure = enclose(widened, dtype) if all(map(floats.is_finite, widened)) else None
    return case_of(one_step(step, operands, [committed(random, enclosure, dtype, factor)], factor), 0, 0)


def function_case(random: Random, op: Op) -> Case:
    """A function of one element, mostly in its domain."""
    bits = word(random, random.choice(KINDS))
    if op in (Op.LOG, Op.SQRT, Op.RSQRT, Op.LOG1P) and random.random() < 0.8:
        bits &= 0x7FFFFFFF
    return rounded_case(random, op, [bits], (), lambda values, dtype: functions.enclosure_of(op, values[0], dtype))


def pow_case(random: Random) -> Case:
    base = word(random, random.choice(KINDS))
    exponent = random.choice(_INTEGERS) if random.random() < 0.5 else word(random, random.choice(KINDS))
    return rounded_case(
        random, Op.POW, [base, exponent], (), lambda values, dtype: powers.power_of(values[0], values[1], dtype)
    )


def softmax_case(random: Random, op: Op) -> Case:
    """Softmax, or log-softmax, of a masked or an ordinary element."""
    n = random.choice((1, 1, 7, 7, 4096, 50_257, 2**24 - 9, 2**24 - 8, 0))
    kind = random.choice(KINDS)
    x, m, s = (word(random, random.choice((kind, "natural", "natural"))) for _ in range(3))
    s &= 0x7FFFFFFF if random.random() < 0.9 else 0xFFFFFFFF
    if random.random() < 0.1:
        x = tails.MINUS_INFINITY
    make = tails.softmax_of if op is Op.SOFTMAX else tails.log_softmax_of
    return rounded_case(
        random, op, [x, m, s], (n,), lambda values, dtype: make(values[0], values[1], values[2], n, dtype)
    )


def norm_case(random: Random) -> Case:
    """A norm with any of its operands, some with a mask that names others."""
    mask, n = random.randrange(8), random.choice((1, 1, 64, 64, 1024, 2**24 - 9, 2**24 - 8, -1))
    kind = random.choice(KINDS)
    bits = [word(random, random.choice((kind, kind, "natural", "edge"))) for _ in range(2 + mask.bit_count())]
    named = mask if random.random() < 0.9 else random.choice((mask ^ 1, 8, -1))

    def enclose(values: Sequence[int], _: DType) -> Enclosure | None:
        normed = tails.normed_of(list(values), mask)
        return normed.enclosure(n) if normed is not None and 0 < n <= tails.MAX_TERMS else None

    return rounded_case(random, Op.NORM, bits, (named, n), enclose)


MAKERS: Mapping[str, Callable[[Random], Case]] = {
    **{op.name.lower(): partial(function_case, op=op) for op in functions.FUNCTIONS},
    "pow": pow_case,
    "softmax": partial(softmax_case, op=Op.SOFTMAX),
    "log_softmax": partial(softmax_case, op=Op.LOG_SOFTMAX),
    "norm": norm_case,
}
