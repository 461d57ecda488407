"""The claimed output against the traced one: bands, not bits (PROTOCOL.md, 5, "Link").

An opening need not be *the* run, only *a* run: honest kernels differ by the output band. Bands are f32 bits, absolute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge.finding import ACQUITTED, CERTAIN, Finding
from rollup.judge.order import signed_64
from rollup.judge.real import Real
from rollup.tensor import DType
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


def find_link(step: Step, claimed: int, traced: Sequence[int], hint: int, bands: Bands) -> Finding:
    """Judges one claimed output element (bits) by the values of `elements_linked` in the last step's trace."""
    if step.op is Op.ARGMAX:
        return find_label(claimed, traced, hint, bands)
    return find_f32(claimed, traced[0], bands) if step.result.dtype is DType.F32 else find_bits(claimed, traced[0])


def hint_of_label(logits: Sequence[int]) -> int:
    """The hint of a link fault on labels: a largest logit, NaN aside."""
    return max(range(len(logits)), key=lambda i: (not floats.is_nan(logits[i]), floats.ordinal(logits[i])))


def find_f32(claimed: int, traced: int, bands: Bands) -> Finding:
    """Judges one f32 output element (bits)."""
    if not floats.is_finite(traced):
        return ACQUITTED
    if not floats.is_finite(claimed):
        return CERTAIN
    return bands.find(abs(Real.of_f32(claimed) - Real.of_f32(traced)))


def find_label(claimed: int, logits: Sequence[int], hint: int, bands: Bands) -> Finding:
    """Judges one claimed label (i64 bits) by the traced logits (f32 bits); `hint` names a larger one."""
    label = signed_64(claimed)
    if not 0 <= label < len(logits):
        return CERTAIN
    if not 0 <= hint < len(logits) or not floats.is_finite(logits[hint]):
        return ACQUITTED
    if logits[label] == floats.INFINITY | 1 << 31:
        # Masked: below every finite logit by more than any band.
        return CERTAIN
    if not floats.is_finite(logits[label]):
        return ACQUITTED
    return bands.find(Real.of_f32(logits[hint]) - Real.of_f32(logits[label]))


def find_bits(claimed: int, traced: int) -> Finding:
    """Judges one output element that has no band."""
    return ACQUITTED if claimed == traced else CERTAIN
