"""Cases for both judges: rows of every floating dtype that are summed, with values at and beside the ends of bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

from rollup.errors import BadGraph
from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.approx import Enclosure, nearest
from rollup.judge.evaluate import open_element
from rollup.judge.operator import Case as Judged
from rollup.judge.rows import enclosure_of
from rollup.tensor import DType, Tensor, TensorSpec
from tests.parity.faults import INF, MINUS, NAN, Case, case_of, word, words
from tests.parity.toy import one_step, step_on, tensor_of_bits

_HALVES = {DType.F16: 0x7C00, DType.BF16: 0x7F80}


def sum_case(random: Random) -> Case:
    """A sum or a mean, of f32 arithmetic or derived."""
    row = row_of(random)
    extras = (random.choice([1, 1, len(row), 7, 2**62]), random.choice([0, 0, 0, 1]))
    return reduced(random, Op.SUM, [row], with_wrong(random, extras))


def spread_case(random: Random) -> Case:
    """A variance, deviation, norm or inverse of one; about a mean near the row's, or any other, or about zero."""
    row = row_of(random)
    rows = [row] if random.random() < 0.4 else [row, [random.choice([random.choice(row), *words(random, 1)])]]
    divisor, eps = random.choice([1, len(row), max(len(row) - 1, 1)]), random.choice([0, 0x3727C5AC, 0x3727C5AC, 1])
    extras = (divisor, eps, random.choice([0, 1, 2]), random.choice([0, 1]))
    return reduced(random, Op.SPREAD, rows, with_wrong(random, extras))


def expsum_case(random: Random) -> Case:
    """Below a greatest element; now and then masked, or above it."""
    row = row_of(random)
    if random.random() < 0.5:
        row = [INF | MINUS if random.random() < 0.2 else bits for bits in row]
    top = max(row, key=floats.ordinal) if random.random() < 0.8 else word(random, "natural")
    return reduced(random, Op.EXPSUM, [row, [top]], with_wrong(random, (1,)))


def with_wrong(random: Random, extras: tuple[int, ...]) -> tuple[int, ...]:
    """The attributes, now and then with one that none may have."""
    place = random.randrange(12 * len(extras))
    return tuple(random.choice([-1, 3, INF, 2**62]) if i == place else extra for i, extra in enumerate(extras))


def row_of(random: Random) -> list[int]:
    """Bits of a row of f32, mostly of like size; sometimes constant, as wide as two words of eight, or more."""
    count = random.choice([1, 2, 3, 7, 8, 9, 16, 17, 31])
    row = words(random, count) if random.random() < 0.5 else [word(random, "natural") for _ in range(count)]
    return [row[0]] * len(row) if random.random() < 0.1 else row


def reduced(random: Random, op: Op, rows: Sequence[list[int]], extras: tuple[int, ...]) -> Case:
    """The second of two equal rows; what it is reduced to lies at an end of its bounds, or beside, or anywhere."""
    dtypes = [random.choice([DType.F32, DType.F32, DType.F16, DType.BF16]) for _ in range(1 + len(rows))]
    operands = [operand_of(dtype, row) for dtype, row in zip(dtypes[1:], rows, strict=True)]
    step = step_on(op, TensorSpec(dtypes[0], (2,)), operands, 0, (len(rows[0]), *extras))
    factor = random.choice([0, 0, 1, 100, 256, 2000, 2**32 - 1])
    blank = one_step(step, operands, [0, 0], factor)
    try:
        opened = open_element(step, 1, partial(blank.values, 0))
    except BadGraph:
        return case_of(blank, 0, 1)
    hint = opened.hint + random.choice([0, 0, 0, 0, 0, 1, 20, 120, -1])
    value = value_of(random, Judged(step, opened.values, hint, factor))
    case = case_of(one_step(step, operands, [0, value], factor), 0, 1)
    return replace(case, proof=replace(case.proof, hint=hint))


def operand_of(dtype: DType, row: Sequence[int]) -> Tensor:
    return tensor_of_bits(dtype, (2, len(row)), [shrunk(bits, dtype) for bits in row] * 2)


def value_of(random: Random, judged: Judged) -> int:
    """Bits of a committed value in the result's dtype."""
    enclosure = enclosure_of(judged)
    edges = [0, 0x3F800000] if enclosure is None else ends_of(enclosure, judged)
    bits = shrunk(random.choice(edges), judged.dtype)
    top = 8 * judged.dtype.width - 1
    if random.random() < 0.1:
        return shrunk(random.choice([INF, NAN, INF | MINUS, 0, MINUS, bits ^ 1 << top]), judged.dtype)
    size = bits % (1 << top) + random.choice([-1, 0, 0, 1])
    return max(size, 0) | bits >> top << top


def ends_of(enclosure: Enclosure, judged: Judged) -> list[int]:
    """f32 bits of both ends under each bound that there is."""
    reaches = [enclosure.bound.reach(factor) for factor in (0, judged.factor)]
    signed = [reach for reach in reaches] + [-reach for reach in reaches]
    return [nearest(judged.dtype, enclosure.centre + reach) for reach in signed]


def shrunk(bits: int, dtype: DType) -> int:
    """Bits in a floating dtype, cut; what f16 cannot hold becomes infinite or zero."""
    if dtype is DType.F32:
        return bits
    if dtype is DType.BF16 or floats.is_nan(bits):
        return bits >> 16 if dtype is DType.BF16 else 0x7E00
    near = floats.narrow(bits, DType.F16)
    sign, size = near >> 31 << 15, floats.magnitude(near)
    if size >= INF:
        return sign | _HALVES[dtype]
    if size >= 0x38800000:
        return sign | size - 0x38000000 >> 13
    return sign | floats.significand(size) >> 126 - floats.scale(size) if size else sign


MAKERS = {"sum": (sum_case, 50), "spread": (spread_case, 60), "expsum": (expsum_case, 40)}
