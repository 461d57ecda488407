"""What was found about one committed value: the verdict, and how far outside it is.

The chain only keeps the verdict. The excess is for the prover, who wants the element that no other evaluation could
still acquit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rollup.judge import floats
from rollup.types import Verdict


@dataclass(frozen=True)
class Finding:
    """A verdict; `excess` is the distance from the enclosure of the exact result, in units of the sound bound.

    Honest values have at most 1 (and what rounding to f32 adds). Where the bound is exact the unit is the distance of
    neighbouring f32.
    """

    verdict: Verdict
    excess: Fraction


ACQUITTED = Finding(Verdict.NO_FAULT, Fraction(0))
# Past what can be judged, but no more than honest hardware may do.
REJECTED = Finding(Verdict.BEYOND_CALIBRATED, Fraction(2**300))
# Beyond any bound: other bits where bits must be equal, a non-finite value where none can arise.
CERTAIN = Finding(Verdict.BEYOND_SOUND, Fraction(2**300))


def between(value: int, low: int, high: int) -> Finding:
    """Whether an f32 lies in `low .. high` by value (all are bits).

    A non-finite one is a fault iff both ends are finite.
    """
    if not floats.is_finite(value):
        return CERTAIN if floats.is_finite(low) and floats.is_finite(high) else ACQUITTED
    place = floats.ordinal(value)
    steps = max(floats.ordinal(low) - place, place - floats.ordinal(high))
    return Finding(Verdict.BEYOND_SOUND, Fraction(steps)) if steps > 0 else ACQUITTED
