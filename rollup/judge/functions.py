"""Rounded functions of one element: exp to log1p (PROTOCOL.md, 5, "Rounded operators").

An operand that is not finite, or lies outside the function's domain, acquits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rollup.graph import Op
from rollup.judge import floats
from rollup.judge import transcendental as real
from rollup.judge.approx import ONE, Approx, Enclosure
from rollup.judge.dtypes import FLOATING
from rollup.judge.finding import ACQUITTED, Finding
from rollup.judge.operator import Case, Family, Operator
from rollup.judge.reads import unary
from rollup.judge.rounded import ErrorModel, judged
from rollup.tensor import DType

# sin and cos are reduced with this many bits of argument.
_TURNS = Approx.make(1, 16)
_INVERSE_ROOT_2 = Approx(0x5A827999FCEF32422CBEC4D9BAA55F50, -127)
_ROOT_8_OVER_PI = Approx(0x662114CF50D942343F2CF1402EAE38C0, -126)


@dataclass(frozen=True)
class Function:
    """A function on its domain, its error model, and what docs/operators.md says of it."""

    exact: Callable[[Approx], Approx]
    model: ErrorModel
    formula: str
    bound: str
    source: str
    domain: Callable[[Approx], bool] = lambda x: True


def _relative(count: int) -> ErrorModel:
    return ErrorModel(count, lambda x, y: abs(y))


def _rsqrt(x: Approx) -> Approx:
    return ONE / real.sqrt(x)


def _gelu(x: Approx) -> Approx:
    return (x * (1 + real.erf(x * _INVERSE_ROOT_2))).scaled(-1)


def _gelu_tanh(x: Approx) -> Approx:
    """x / 2 · (1 + tanh z) is x · sigmoid(2 z)."""
    return x * real.sigmoid(_ROOT_8_OVER_PI * x * (1 + x * x * 44715 / 1_000_000))


def _silu(x: Approx) -> Approx:
    return x * real.sigmoid(x)


def _is_positive(x: Approx) -> bool:
    return x.mantissa > 0


def _turns_little(x: Approx) -> bool:
    return not abs(x) > _TURNS


def _below_zero(x: Approx) -> Approx:
    """|x| where x is negative, else 0."""
    return (abs(x) - x) / 2


_TABLES = "CUDA C++ Programming Guide, ulp of single precision; SLEEF u10, MKL VML HA: 1 ulp"
_EXP_APPROX = "PTX ISA: ex2.approx, 2 ulp, of a rounded `a·log₂e`; the tables of CUDA, SLEEF, MKL are inside"
_U8 = "`t = 8·u·abs(y*) + 2⁻¹²⁶`"
FUNCTIONS: dict[Op, Function] = {
    Op.EXP: Function(
        real.exp,
        ErrorModel(8, lambda x, y: abs(y) * (1 + abs(x) / 4)),
        "`e^a`",
        "`t = 8·u·abs(y*)·(1 + abs(a)/4) + 2⁻¹²⁶`",
        _EXP_APPROX,
    ),
    Op.LOG: Function(
        real.log,
        ErrorModel(8, lambda x, y: abs(y) + 1),
        "`ln a`, `a > 0`",
        "`t = 8·u·(abs(y*) + 1) + 2⁻¹²⁶`",
        "PTX ISA, lg2.approx: absolute 2⁻²² near 1; the tables of CUDA, SLEEF, MKL are inside",
        _is_positive,
    ),
    Op.TANH: Function(real.tanh, _relative(8), "`tanh a`", _U8, _TABLES),
    Op.SIGMOID: Function(
        real.sigmoid,
        ErrorModel(12, lambda x, y: abs(y) * (1 + (abs(x) - x) / 8)),
        "`1 / (1 + e^−a)`",
        "`t = 12·u·abs(y*)·(1 + max(−a, 0)/4) + 2⁻¹²⁶`",
        f"exp, one sum, one quotient of 2 ulp. {_EXP_APPROX}",
    ),
    Op.SQRT: Function(
        real.sqrt,
        # A subnormal operand may be taken for zero.
        ErrorModel(4, lambda x, y: abs(y)),
        "`√a`, `a ≥ 0`",
        "`t = 4·u·abs(y*) + 2⁻¹²⁶`; from 0 on where a is subnormal",
        "PTX ISA, sqrt.approx: 1 ulp; torch's eager vectors: 1.5 u",
        lambda x: x.mantissa >= 0,
    ),
    Op.RSQRT: Function(
        _rsqrt,
        _relative(8),
        "`1 / √a`, `a > 0`",
        f"{_U8}; to 16 bits also `2·v·y*`, `v` the dtype's own u",
        _TABLES,
        _is_positive,
    ),
    Op.ERF: Function(
        real.erf,
        ErrorModel(16, lambda x, y: abs(y) + 1),
        "`erf a`",
        "`t = 16·u·(abs(y*) + 1) + 2⁻¹²⁶`",
        "Abramowitz and Stegun 7.1.26: absolute 1.5·10⁻⁷; torch vectorises it so (measured: 8.5)",
    ),
    Op.GELU: Function(
        _gelu,
        ErrorModel(46, lambda x, y: abs(x)),
        "`a/2 · (1 + erf(a/√2))`",
        "`t = 46·u·abs(a) + 2⁻¹²⁶`",
        "erf's bound times `a/2`, and what was measured where `1 + erf` cancels",
    ),
    Op.GELU_TANH: Function(
        _gelu_tanh,
        ErrorModel(46, lambda x, y: abs(x)),
        "`a/2 · (1 + tanh(√(2/π)·(a + 0.044715·a³)))`",
        "`t = 46·u·abs(a) + 2⁻¹²⁶`",
        "tanh's bound and that of its argument times `a/2`",
    ),
    Op.SILU: Function(
        _silu,
        ErrorModel(12, lambda x, y: abs(y) * (1 + (abs(x) - x) / 8), lambda x, y: abs(x) + 1),
        "`a / (1 + e^−a)`",
        "`t = 12·u·abs(y*)·(1 + max(−a, 0)/4) + (abs(a) + 1)·2⁻¹²⁶`",
        "sigmoid's, and one product",
    ),
    Op.SIN: Function(
        real.sin,
        ErrorModel(8, lambda x, y: 1 + 0 * x),
        "`sin a`, `abs(a) ≤ 2¹⁶`",
        "`t = 8·u + 2⁻¹²⁶`",
        _TABLES,
        _turns_little,
    ),
    Op.COS: Function(
        real.cos,
        ErrorModel(8, lambda x, y: 1 + 0 * x),
        "`cos a`, `abs(a) ≤ 2¹⁶`",
        "`t = 8·u + 2⁻¹²⁶`",
        _TABLES,
        _turns_little,
    ),
    Op.EXPM1: Function(
        real.expm1,
        ErrorModel(8, lambda x, y: (1 + y) * (1 + abs(x) / 4) + abs(y)),
        "`e^a − 1`",
        "`t = 8·u·((1 + y*)·(1 + abs(a)/4) + abs(y*)) + 2⁻¹²⁶`",
        "exp's bound and a difference: inductor makes it so",
    ),
    Op.LOG1P: Function(real.log1p, _relative(8), "`ln(1 + a)`, `a > −1`", _U8, _TABLES, lambda x: x > -ONE),
}


def enclosure_of(op: Op, bits: int, dtype: DType) -> Enclosure | None:
    """The exact result on a finite f32 and its bound; None outside the function's domain.

    Torch rounds the root to 16 bits on the way to its reciprocal.
    """
    x = Approx.of_float(bits)
    function = FUNCTIONS[op]
    if not function.domain(x):
        return None
    y = function.exact(x)
    bound = function.model.bound(x, y)
    if op is Op.SQRT and floats.is_subnormal(bits):
        bound = replace(bound, rest=bound.rest + y)
    if op is Op.RSQRT and dtype is not DType.F32:
        bound = replace(bound, rest=bound.rest + y.scaled(1 - floats.FORMATS[dtype].digits))
    return Enclosure(y, bound)


def _find(case: Case) -> Finding:
    bits = case.operand_f32(1)
    enclosure = enclosure_of(case.step.op, bits, case.dtype) if floats.is_finite(bits) else None
    return ACQUITTED if enclosure is None else judged(case, enclosure, (bits,))


OPERATORS = tuple(
    Operator(
        op, Family.TRANSCENDENTAL, unary(), FLOATING, "a", function.formula, function.bound, function.source, _find
    )
    for op, function in FUNCTIONS.items()
)
