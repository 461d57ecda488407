"""Sum, spread and expsum: what honest hardware may make of the row of an element (PROTOCOL.md, 5, "Rows").

A step whose precision is 0 is f32 arithmetic, summed in any order; 1 is derived: float64, rounded once. Only f32 sums
have a calibrated bound.
"""

from __future__ import annotations

from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge.approx import ZERO, Approx, Bound, Enclosure, nearest
from rollup.judge.dtypes import FLOATING
from rollup.judge.finding import ACQUITTED, Finding
from rollup.judge.operator import Case, Family, Operator, Read
from rollup.judge.reads import Values, rows
from rollup.judge.spread import Spread, may_overflow
from rollup.judge.windows import exponentials_of, hint_of, squares_of, sum_of
from rollup.numerics import Profile
from rollup.tensor import DType

_F32, _DERIVED = 0, 1
# Bits of the unit roundoff: of f32, and of float64 with room for its functions.
_BITS = (24, 50)
_TINY, _FLUSHED_RESULT, _FLUSHED_TERM = Approx.make(1, -126), Approx.make(1, -125), -124
# Roundings of a division, an addition of eps, a root and its inverse, relative to the result.
_FINISHING, _FINISHING_DERIVED = Approx.make(8, -24), Approx.make(1, -48)
# Of a sum of exponentials: roundings of an exponential and its argument; what is cut of each term.
_EXPONENTIAL, _CUT_TERM = 64, -213


def find_row(case: Case) -> Finding:
    """Judges one element of a sum, a spread or an expsum."""
    enclosure = enclosure_of(case)
    if enclosure is None:
        return ACQUITTED
    is_calibrated = case.step.op is Op.SUM and case.step.attributes[2] == _F32
    return enclosure.find(case.dtype, case.value_f32, case.factor if is_calibrated else 0)


def enclosure_of(case: Case) -> Enclosure | None:
    """What an element may be; None where it cannot be said."""
    return _ENCLOSURES[case.step.op](case)


def _sum(case: Case) -> Enclosure | None:
    _, divisor, precision = case.step.attributes
    row = case.row(1)
    found = sum_of(row, case.hint)
    if found is None:
        return None
    is_derived = precision == _DERIVED
    if not is_derived and not floats.is_finite(case.value_f32) and not _is_finite(found.mass.scaled(1)):
        # Some order of summation may overflow.
        return None
    count = len(row) + 2
    centre = found.total / divisor
    scale = found.mass / (((1 << _BITS[precision]) - count) * divisor)
    flushed = _TINY if is_derived else Approx.make(len(row), _FLUSHED_TERM) / divisor + _FLUSHED_RESULT
    rest = found.cut / divisor + flushed + _rounded_twice(case, centre)
    return Enclosure(centre, Bound(scale, scale * count, rest))


def _spread(case: Case) -> Enclosure | None:
    _, divisor, eps, finish, precision = case.step.attributes
    spread = Spread(divisor, eps, finish, precision == _DERIVED)
    row = case.row(1)
    mean = case.operand_f32(2) if len(case.values) == 3 else None
    squares = squares_of(row, mean or 0, case.hint)
    if squares is None or (not spread.is_derived and may_overflow(squares[1], len(row), case.hint)):
        return None
    ends = spread.ends(squares, None if mean is None else Approx.of_float(mean), len(row))
    if ends is None:
        return None
    low, high = ends
    own = high * (_FINISHING_DERIVED if spread.is_derived else _FINISHING)
    sound = (high - low).scaled(-1) + own + _rounded_twice(case, high)
    return Enclosure((low + high).scaled(-1), Bound(ZERO, sound, _TINY))


def _expsum(case: Case) -> Enclosure | None:
    row = case.row(1)
    centre = exponentials_of(row, case.operand_f32(2))
    if centre is None:
        return None
    sound = centre * Approx.make(len(row) + _EXPONENTIAL, -_BITS[_DERIVED]) + Approx.make(len(row), _CUT_TERM)
    return Enclosure(centre, Bound(ZERO, sound + _rounded_twice(case, centre), _TINY))


_ENCLOSURES = {Op.SUM: _sum, Op.SPREAD: _spread, Op.EXPSUM: _expsum}


def _is_sum(_: Step, extras: tuple[int, ...]) -> bool:
    divisor, precision = extras
    return divisor >= 1 and precision in (_F32, _DERIVED)


def _is_spread(_: Step, extras: tuple[int, ...]) -> bool:
    divisor, eps, finish, precision = extras
    return Spread(divisor, eps, finish, precision == _DERIVED).is_known and precision in (_F32, _DERIVED)


def _is_finite(value: Approx) -> bool:
    return floats.is_finite(nearest(DType.F32, value))


def _rounded_twice(case: Case, value: Approx) -> Approx:
    """A result of 16 bits may be rounded to f32 first."""
    return ZERO if case.dtype is DType.F32 else abs(value).scaled(-24)


def _hint(step: Step, _element: int, values: Values, _read: Read, _profile: Profile) -> int:
    """The greatest exponent of the row, and of the mean that its deviations are from."""
    widened = [
        floats.widen(bits, operand.spec.dtype)
        for operand, run in zip(step.operands, values[1:], strict=True)
        for bits in run
    ]
    return hint_of(widened)


_HIGHAM = "Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., sections 1.9, 3.1 and 4.2"
OPERATORS = (
    Operator(
        Op.SUM,
        Family.ROW,
        rows(extras=2),
        FLOATING,
        "a",
        "`Σ a[e·K .. e·K + K) / D`",
        "`t = (n + 2)·S + tiny`, `S = u·Σ|a| / D / (1 − (n + 2)·u)`; derived: `u = 2⁻⁵⁰`",
        _HIGHAM,
        find_row,
        extras="D, precision",
        hint=_hint,
        means=_is_sum,
    ),
    Operator(
        Op.SPREAD,
        Family.ROW,
        rows(most=2, extras=4),
        FLOATING,
        "a, (mean)",
        "`f(Σ(a − mean[e])² / D + eps)` over the row, `f` by finish: 0 none, 1 `√`, 2 `1/√`",
        "`f((s ± w)² / D + eps)`, `s² = Σ(a − mean)²`, `w = (6n + 16)·u·(s + √n·|mean|)`, about zero `(n + 8)·u·s`; "
        "then `8u` of it; derived: `s²(1 ± (n + 8)·2⁻⁵⁰)`, then `2⁻⁴⁸` of it",
        _HIGHAM + "; Chan, Golub and LeVeque, *Algorithms for Computing the Sample Variance*, 1983",
        find_row,
        extras="D, eps, finish, precision",
        hint=_hint,
        means=_is_spread,
    ),
    Operator(
        Op.EXPSUM,
        Family.ROW,
        rows(least=2, most=2, extras=1),
        FLOATING,
        "a, m",
        "`Σ exp(a − m[e])` over the row; `exp(−Inf)` is 0",
        "derived: `(n + 64)·2⁻⁵⁰` of it",
        "float64, whose exp errs by less than 1 ulp",
        find_row,
        extras="precision",
        means=lambda _, extras: extras == (_DERIVED,),
    ),
)
