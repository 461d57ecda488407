"""What was found about one committed value: the verdict, and how far outside it is.

The chain only keeps the verdict. The excess is for the prover, who wants the element that no other evaluation could
still acquit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rollup.judge import floats
from rollup.tensor import DType
from rollup.types import Verdict


@dataclass(frozen=True)
class Finding:
    """A verdict; `excess` is the distance from the enclosure of the exact result, in units of the sound bound.

    Honest values have at most 1 (and what rounding adds). Where the bound is exact the unit is the distance of
    neighbouring numbers of the result's dtype.
    """

    verdict: Verdict
    excess: Fraction


ACQUITTED = Finding(Verdict.NO_FAULT, Fraction(0))
# Past what can be judged, but no more than honest hardware may do.
REJECTED = Finding(Verdict.BEYOND_CALIBRATED, Fraction(2**300))
# Beyond any bound: other bits where bits must be equal, a non-finite value where none can arise.
CERTAIN = Finding(Verdict.BEYOND_SOUND, Fraction(2**300))


def between(value: int, low: int, high: int, dtype: DType = DType.F32) -> Finding:
    """Whether a float of `dtype` lies in `low .. high` by value, once an end that may be flushed has widened that to 0.

    All are f32 bits. A non-finite value is a fault iff both ends are finite.
    """
    if not floats.is_finite(value):
        return CERTAIN if floats.is_finite(low) and floats.is_finite(high) else ACQUITTED
    form = floats.FORMATS[dtype]
    least, place, greatest = floats.ordinal(low), floats.ordinal(value), floats.ordinal(high)
    if min(abs(least), abs(greatest)) < form.least_normal:
        least, greatest = min(least, 0), max(greatest, 0)
    beyond = max(least - place, place - greatest)
    return Finding(Verdict.BEYOND_SOUND, Fraction(beyond, form.neighbours)) if beyond > 0 else ACQUITTED


def equal(value: int, *allowed: int) -> Finding:
    """Whether bits are among those that there may be."""
    return ACQUITTED if value in allowed else CERTAIN
