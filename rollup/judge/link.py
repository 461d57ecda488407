"""The claimed output against the traced one: bands, not bits (PROTOCOL.md, 5, "Link").

An opening need not be *the* run, only *a* run: honest kernels differ by the output band. Bands are f32 bits, absolute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge.dtypes import FLOATS
from rollup.judge.finding import ACQUITTED, CERTAIN, Finding
from rollup.judge.real import Real
from rollup.types import Verdict


@dataclass(frozen=True)
class Bands:
    """Beyond `output` a claim is rejected, beyond `slash` refuted: f32 bits."""

    output: int
    slash: int

    def find(self, distance: Real) -> Finding:
        """Judges a difference of claimed and traced output; the excess is in slashing bands."""
        if _exceeds(distance, self.slash):
            return Finding(Verdict.BEYOND_SOUND, self._excess(distance))
        if _exceeds(distance, self.output):
            return Finding(Verdict.BEYOND_CALIBRATED, self._excess(distance))
        return ACQUITTED

    def _excess(self, distance: Real) -> Fraction:
        if not floats.significand(self.slash):
            return CERTAIN.excess
        return distance.fraction / Real.of_f32(self.slash).fraction


def _exceeds(distance: Real, band: int) -> bool:
    """A band that is no finite, non-negative f32 bounds nothing."""
    return band < floats.INFINITY and distance.exceeds(Real.of_f32(band))


def find_link(step: Step, claimed: int, traced: Sequence[int], bands: Bands) -> Finding:
    """Judges one claimed output element (bits) by the elements of `elements_linked` in the trace (bits)."""
    if step.op is Op.ARGMAX:
        dtype = step.operands[0].spec.dtype
        return find_label([floats.widen(bits, dtype) for bits in traced], bands)
    dtype = step.result.dtype
    if dtype not in FLOATS:
        return find_bits(claimed, traced[0])
    return find_f32(floats.widen(claimed, dtype), floats.widen(traced[0], dtype), bands)


def find_f32(claimed: int, traced: int, bands: Bands) -> Finding:
    """Judges one f32 output element (bits)."""
    if not floats.is_finite(traced):
        return ACQUITTED
    if not floats.is_finite(claimed):
        return CERTAIN
    return bands.find(abs(Real.of_f32(claimed) - Real.of_f32(traced)))


def find_label(logits: Sequence[int], bands: Bands) -> Finding:
    """Judges a claimed label by the traced logits (f32 bits) of it and of a larger one; none if outside its row."""
    if not logits:
        return CERTAIN
    own, larger = logits
    if not floats.is_finite(larger):
        return ACQUITTED
    if own == floats.INFINITY | 1 << 31:
        # Masked: below every finite logit by more than any band.
        return CERTAIN
    if not floats.is_finite(own):
        return ACQUITTED
    return bands.find(Real.of_f32(larger) - Real.of_f32(own))


def find_bits(claimed: int, traced: int) -> Finding:
    """Judges one output element that has no band."""
    return ACQUITTED if claimed == traced else CERTAIN
