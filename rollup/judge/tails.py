"""The last steps of softmax, log-softmax and the norms, from the sums of a row (PROTOCOL.md, 5, "Rounded operators").

The sums are steps of their own. A fused kernel had its own, not those that are committed: its errors in them, `n` terms
each, are in the bounds here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge import transcendental as real
from rollup.judge.approx import ONE, ZERO, Approx, Bound, Enclosure
from rollup.judge.dtypes import FLOATING
from rollup.judge.finding import ACQUITTED, Finding
from rollup.judge.operator import Case, Family, Operator
from rollup.judge.reads import nary
from rollup.judge.rounded import judged
from rollup.tensor import DType

MINUS_INFINITY = floats.INFINITY | 1 << 31
# Terms times 2^-24 stay below 1.
MAX_TERMS = 2**24 - 9
NORM_COUNT = 16
# Roundings of a mean and a variance beside those of their n terms.
_MOMENT_TERMS = 8
# A variance whose relative error may reach this says nothing: no bound.
_LOST = Approx.make(1, -3)
_UNBOUNDED = Approx.make(1, 200)
# Bits of the norm's mask: which of its operands are there beside x and r.
_MEAN, _WEIGHT, _BIAS = 1, 2, 4


def softmax_of(x: int, m: int, s: int, n: int, dtype: DType) -> Enclosure | None:
    """`e^(x − m) / s` of f32 bits, x finite or −Inf; None unless m is finite and s finite and positive.

    Torch keeps the exponentials of 16-bit rows in 16 bits where a row is not contiguous.
    """
    top, total = _finite(m), _finite(s)
    if top is None or total is None or total.mantissa <= 0:
        return None
    rest = 1 + ONE / total
    value = _finite(x)
    if value is None:
        return Enclosure(ZERO, Bound.counted(ZERO, 0, rest)) if x == MINUS_INFINITY else None
    y = real.exp(value - top) / total
    bound = Bound.counted(y * (8 + abs(value) + abs(top)), _count(n), rest)
    if dtype is not DType.F32:
        form = floats.FORMATS[dtype]
        bound = replace(bound, rest=bound.rest + y.scaled(1 - form.digits) + (ONE / total).scaled(form.least))
    return Enclosure(y, bound)


def log_softmax_of(x: int, m: int, s: int, n: int, dtype: DType) -> Enclosure | None:
    """`(x − m) − ln s` of f32 bits; None unless all are finite and s is positive.

    Torch rounds sum and logarithm of 16-bit rows to 16 bits.
    """
    value, top, total = _finite(x), _finite(m), _finite(s)
    if value is None or top is None or total is None or total.mantissa <= 0:
        return None
    log = real.log(total)
    bound = Bound.counted(8 + abs(value) + abs(top) + abs(log), _count(n), ONE)
    if dtype is not DType.F32:
        bound = replace(bound, rest=bound.rest + (1 + abs(log)).scaled(1 - floats.FORMATS[dtype].digits))
    return Enclosure(value - top - log, bound)


@dataclass(frozen=True)
class Normed:
    """Operands of a norm: `(x − mean) · r · weight + bias`, over a row of n."""

    x: Approx
    r: Approx
    mean: Approx = ZERO
    weight: Approx = ONE
    bias: Approx = ZERO

    def enclosure(self, n: int) -> Enclosure:
        r, gain, mean = abs(self.r), abs(self.weight), abs(self.mean)
        z = (self.x - self.mean) * self.r
        y = z * self.weight
        size = abs(self.x) + mean
        scale = (gain * r * size + abs(y) + abs(self.bias)).scaled(-24)
        sound = scale * NORM_COUNT + gain * _lost(r * mean, abs(z), n)
        rest = (1 + size) * (1 + gain) * (1 + r)
        return Enclosure(y + self.bias, Bound(scale, sound, rest.scaled(-124)))


def _lost(shift: Approx, z: Approx, n: int) -> Approx:
    """What a kernel's own mean and variance may move z by; `shift` is r · |mean|."""
    terms = n + _MOMENT_TERMS if n > 1 else n
    share = Approx.make(terms, 0) / (2**24 - terms)
    spread = share * (1 + shift * shift)
    return share * (1 + shift) + (z * spread).scaled(-1) if spread < _LOST else _UNBOUNDED


def normed_of(operands: list[int], mask: int) -> Normed | None:
    """From f32 bits: x, the mean if bit 0 is set, r, weight if bit 1, bias if bit 2; None unless all are finite."""
    values = [_finite(bits) for bits in operands]
    found = [value for value in values if value is not None]
    if len(found) < len(values):
        return None
    rest = iter(found)
    x = next(rest)
    mean = next(rest) if mask & _MEAN else ZERO
    r = next(rest)
    weight = next(rest) if mask & _WEIGHT else ONE
    return Normed(x, r, mean, weight, next(rest) if mask & _BIAS else ZERO)


def _finite(bits: int) -> Approx | None:
    return Approx.of_float(bits) if floats.is_finite(bits) else None


def _count(n: int) -> Approx:
    """16 + n / 4."""
    return Approx.make(64 + n, -2)


def _operands(case: Case) -> list[int]:
    return [case.operand_f32(run) for run in range(1, len(case.values))]


def _has_terms(_: Step, extras: tuple[int, ...]) -> bool:
    return 1 <= extras[-1] <= MAX_TERMS


def _is_norm(step: Step, extras: tuple[int, ...]) -> bool:
    mask = extras[0]
    return _has_terms(step, extras) and 0 <= mask < 8 and len(step.operands) == 2 + mask.bit_count()


def _find_softmax(case: Case) -> Finding:
    n = case.step.attributes[-1]
    x, m, s = operands = _operands(case)
    enclosure = (softmax_of if case.step.op is Op.SOFTMAX else log_softmax_of)(x, m, s, n, case.dtype)
    return ACQUITTED if enclosure is None else judged(case, enclosure, operands)


def _find_norm(case: Case) -> Finding:
    mask, n = case.step.attributes[-2:]
    operands = _operands(case)
    normed = normed_of(operands, mask)
    return ACQUITTED if normed is None else judged(case, normed.enclosure(n), operands)


OPERATORS = (
    Operator(
        Op.SOFTMAX,
        Family.TRANSCENDENTAL,
        nary(3, extras=1),
        FLOATING,
        "x, m, s",
        "`e^(x − m) / s`; 0 where x is −Inf",
        "`t = (16 + n/4)·S + (1 + 1/s)·2⁻¹²⁶`, `S = u·y*·(8 + abs(x) + abs(m))`; to 16 bits also `2·v·y* + w/s`, "
        "`v` the dtype's own u, `w` its least subnormal",
        "Higham, section 3.1, for the kernel's own sum; exp's bound at `x·log₂e − m·log₂e` (flash kernels)",
        _find_softmax,
        "n",
        means=_has_terms,
    ),
    Operator(
        Op.LOG_SOFTMAX,
        Family.TRANSCENDENTAL,
        nary(3, extras=1),
        FLOATING,
        "x, m, s",
        "`(x − m) − ln s`",
        "`t = (16 + n/4)·S + 2⁻¹²⁶`, `S = u·(8 + abs(x) + abs(m) + abs(ln s))`; to 16 bits also "
        "`2·v·(1 + abs(ln s))`, `v` the dtype's own u",
        "as softmax, absolute",
        _find_softmax,
        "n",
        means=_has_terms,
    ),
    Operator(
        Op.NORM,
        Family.TRANSCENDENTAL,
        nary(2, extras=2, most=5),
        FLOATING,
        "x, (μ), r, (g), (b)",
        "`z·g + b`, `z = (x − μ)·r`",
        "`t = 16·S + γ·abs(g)·(r·abs(μ) + 1 + abs(z)·(μ²r² + 1)/2) + 4·(1 + abs(x) + abs(μ))·(1 + abs(g))·"
        "(1 + r)·2⁻¹²⁶`, `S = u·(abs(g)·r·(abs(x) + abs(μ)) + abs(g·z) + abs(b))`, `γ = k·u/(1 − k·u)`, `k = n + 8` "
        "(1 if `n = 1`); no sound bound where `γ·(μ²r² + 1) ≥ 1/8`",
        "Higham, 3.1, for the kernel's own mean and variance: `mean abs(x) ≤ abs(μ) + 1/r`, `mean x² ≤ μ² + 1/r²`",
        _find_norm,
        "mask, n",
        means=_is_norm,
    ),
)
