"""What the hardware of a profile promises of contractions: how it cuts operands, and how it sums (PROTOCOL.md, 5)."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.judge import floats
from rollup.numerics import Arithmetic, Profile, Rounding
from rollup.tensor import DType

# u is 2^-24 where sums are f32, 2^-22 in tensor cores, which cut what they add.
F32_DIGITS, CORE_DIGITS = 24, 22
# A blocked sum: 16 partial sums, and as many roundings on top as a tree or a chain of tiles needs.
BLOCK, BLOCK_ROUNDINGS = 16, 8
# TF32 has 10 bits of fraction of f32's 23.
_CUT_MASK, _CUT_HALF = 0x1FFF, 0x1000


@dataclass(frozen=True)
class Promise:
    """What hardware promises of one contraction.

    `digits` of its accumulator: errors of a sum are units of 2^-digits. A `blocked` sum passes no term through more
    than a sixteenth of the roundings, and eight.
    """

    digits: int = F32_DIGITS
    blocked: bool = False

    def count(self, terms: int) -> int:
        """Roundings that a term may pass through."""
        return min(terms, -(-terms // BLOCK) + BLOCK_ROUNDINGS) if self.blocked else terms


PLAIN = Promise()


def promise_of(profile: Profile, *dtypes: DType) -> Promise:
    """Of a contraction of rows of these dtypes: tensor cores add with fewer digits than f32 has."""
    cores = profile.arithmetic is Arithmetic.TF32 or (
        profile.arithmetic is Arithmetic.TENSOR_16 and DType.F32 not in dtypes
    )
    return Promise(CORE_DIGITS if cores else F32_DIGITS, profile.blocked)


def cut(bits: int, rounding: Rounding) -> int:
    """A f32 as TF32 multiplies it, with 10 bits of fraction. Subnormals stay: all of them is allowed for as flushed."""
    if not floats.LEAST_NORMAL <= floats.magnitude(bits) < floats.INFINITY:
        return bits
    kept, rest = bits & ~_CUT_MASK, bits & _CUT_MASK
    if rounding is Rounding.TOWARD_ZERO or rest < _CUT_HALF:
        return kept
    to_even = rounding is Rounding.NEAREST_EVEN and rest == _CUT_HALF and not kept & _CUT_MASK + 1
    return kept if to_even else kept + _CUT_MASK + 1
