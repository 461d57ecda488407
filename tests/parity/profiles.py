"""Cases of contractions in other arithmetic than fp32: operands of 16 bits, TF32, tensor cores, blocked sums."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from rollup.graph import Op
from rollup.judge import contraction, floats
from rollup.judge.dtypes import FLOATS
from rollup.judge.evaluate import open_element
from rollup.judge.promise import cut, promise_of
from rollup.numerics import Arithmetic, Profile, Rounding
from rollup.tensor import DType, TensorSpec
from tests.parity.faults import Case, beside, case_of, ends_of, word, words
from tests.parity.toy import one_step, step_on, tensor_of_bits


def profile_of(random: Random) -> Profile:
    arithmetic = random.choice(list(Arithmetic))
    rounding = random.choice(list(Rounding)) if arithmetic is Arithmetic.TF32 else Rounding.NEAREST_EVEN
    return Profile(arithmetic, random.random() < 0.5, rounding, random.getrandbits(32), random.randbytes(24))


def row_of(random: Random, dtype: DType, count: int) -> list[int]:
    """Bits of floats of a dtype, of one kind mostly."""
    if dtype is DType.F32:
        # Fractions that lie halfway between two of TF32, too.
        return [bits & ~0x1FFF | 0x1000 if random.random() < 0.1 else bits for bits in words(random, count)]
    if random.random() < 0.1:
        return [random.getrandbits(16) for _ in range(count)]
    middle = 15 if dtype is DType.F16 else 127
    shift = 10 if dtype is DType.F16 else 7
    return [
        random.getrandbits(1) << 15 | random.randint(middle - 4, middle + 3) << shift | random.getrandbits(shift)
        for _ in range(count)
    ]


def narrow_bits(dtype: DType, bits: int) -> int:
    """Bits in a dtype of f32 bits that it holds."""
    if dtype is DType.F32:
        return bits
    return next(word for word in range(2**16) if floats.widen(word, dtype) == bits)


def profile_case(random: Random) -> Case:
    """A small linear layer of any dtypes under any profile; values at the ends of both bounds and beside them."""
    length = random.choice([1, 2, 7, 8, 9, 33, 70])
    dtypes = [random.choice([DType.F32, DType.F32, DType.F16, DType.BF16])] * 2
    if random.random() < 0.2:
        dtypes = [random.choice(sorted(FLOATS)), random.choice(sorted(FLOATS))]
    profile, result = profile_of(random), random.choice([dtypes[0], DType.F32])
    operands = [tensor_of_bits(dtype, (2, length), row_of(random, dtype, 2 * length)) for dtype in dtypes]
    if random.random() < 0.5:
        bias = random.choice(sorted(FLOATS))
        operands.append(tensor_of_bits(bias, (2,), row_of(random, bias, 2)))
    step = step_on(Op.CONTRACT, TensorSpec(result, (2, 2)), operands, 2, (length, 2, 2, 1, 0, 0, 1, 0, 1))
    element, factor = random.randrange(4), random.choice([0, 1, 100, 256, 2000])
    evidence = one_step(step, operands, [0] * 4, factor, profile)
    opened = open_element(step, element, lambda run: evidence.values(0, run), profile=profile)
    values = [[floats.widen(bits, dtype) for bits in row] for row, dtype in
              zip(opened.values[1:], (tensor.spec.dtype for tensor in operands), strict=True)]  # fmt: skip
    if profile.arithmetic is Arithmetic.TF32:
        for place in range(2):
            if dtypes[place] is DType.F32:
                values[place] = [cut(bits, profile.rounding) for bits in values[place]]
    promise = promise_of(profile, *dtypes)
    row_a, row_b, bias_row = (*values, []) if len(values) == 2 else values
    limits = contraction.bounds(row_a, row_b, bias_row, opened.hint, factor, promise)
    committed = [0] * 4
    committed[element] = _beside(random, result, limits)
    case = case_of(one_step(step, operands, committed, factor, profile), 0, element)
    return replace(case, proof=replace(case.proof, hint=opened.hint + random.choice([0, 0, 0, 0, 1, 9, -1])))


def _beside(random: Random, dtype: DType, limits: contraction.Bounds | None) -> int:
    """An end of the bounds, rounded to the dtype, or a neighbour; anything where there is none."""
    if limits is None:
        return word(random, "wild") % (1 << 8 * dtype.width)
    end = floats.narrow(beside(random, *ends_of(limits)), dtype)
    if dtype is DType.F32:
        return end
    if floats.is_nan(end):
        return 0x7FFF
    return (narrow_bits(dtype, end) + random.choice([-1, 0, 0, 0, 1])) % 2**16
