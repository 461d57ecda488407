"""Spread: variances, deviations, norms and their inverses, by any stable algorithm (PROTOCOL.md, 5, "Rows").

With `s² = Σ(a - mean)²`, honest f32 arithmetic computes `(s ± w)²`, `w = count · u · (s + √n·|mean|)`: two passes,
Welford's updates and Chan's merges in any order; about zero, sums of squares in any order. Knows no case.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollup.judge import floats
from rollup.judge.approx import ZERO, Approx, nearest
from rollup.judge.transcendental import sqrt
from rollup.tensor import DType

NONE, ROOT, INVERSE_ROOT = 0, 1, 2
_FINISHES = (NONE, ROOT, INVERSE_ROOT)
# What hardware may flush: of each deviation and its mean, of each square and the result.
_FLUSHED_MEAN = Approx.make(1, -100)
_FLUSHED_SQUARE, _FLUSHED_RESULT = -124, Approx.make(1, -125)
# A float with exponent `E` is below 2^(E - 126): as many as there are add up to less than 2^127.
_SAFE_EXPONENT = 252


@dataclass(frozen=True)
class Spread:
    """The attributes of a spread: `finish(Σ(a - mean)² / divisor + eps)`; `eps` is f32 bits."""

    divisor: int
    eps: int
    finish: int
    is_derived: bool

    @property
    def is_known(self) -> bool:
        return self.divisor >= 1 and 0 <= self.eps < floats.INFINITY and self.finish in _FINISHES

    def ends(self, squares: tuple[Approx, Approx], mean: Approx | None, count: int) -> tuple[Approx, Approx] | None:
        """Least and greatest honest result before the roundings of eps, root and inverse; None for an infinite one.

        `squares` encloses the sum over `count` elements; `mean` is None for a sum about zero.
        """
        low, high = _derived(squares, count) if self.is_derived else _moved(squares, mean, count)
        low, high = low / self.divisor, high / self.divisor
        if not self.is_derived:
            flushed = Approx.make(count, _FLUSHED_SQUARE) / self.divisor + _FLUSHED_RESULT
            low, high = _less(low, flushed), high + flushed
        eps = Approx.of_float(self.eps)
        low, high = low + eps, high + eps
        if self.finish == NONE:
            return low, high
        low, high = sqrt(low), sqrt(high)
        if self.finish == ROOT:
            return low, high
        return (1 / high, 1 / low) if low else None


def may_overflow(squares: Approx, count: int, hint: int) -> bool:
    """Whether some order of f32 arithmetic may overflow: in the sum of the elements, or in that of their squares."""
    if hint + count.bit_length() > _SAFE_EXPONENT:
        return True
    return not floats.is_finite(nearest(DType.F32, squares * (2 * count)))


def _moved(squares: tuple[Approx, Approx], mean: Approx | None, count: int) -> tuple[Approx, Approx]:
    """`(s ± w)²`. Two roundings a term are enough about zero; about a mean its own error counts as well."""
    low, high = sqrt(squares[0]), sqrt(squares[1])
    roundings = count + 8 if mean is None else 6 * count + 16
    about = _FLUSHED_MEAN if mean is None else abs(mean) + _FLUSHED_MEAN
    moved = (high + sqrt(Approx.make(count, 0)) * about) * Approx.make(roundings, -24)
    low, high = _less(low, moved), high + moved
    return low * low, high * high


def _derived(squares: tuple[Approx, Approx], count: int) -> tuple[Approx, Approx]:
    """In float64, about the committed mean: nothing cancels."""
    moved = squares[1] * Approx.make(count + 8, -50)
    return _less(squares[0], moved), squares[1] + moved


def _less(a: Approx, b: Approx) -> Approx:
    """a - b, not below zero."""
    return ZERO if a < b else a - b
