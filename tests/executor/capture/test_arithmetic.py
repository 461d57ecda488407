"""What is computed element by element: arithmetic, comparisons, choices, functions and activations."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from executor.capture import capture
from rollup.call import Function
from rollup.errors import BadGraph
from tests.executor.capture.forms import Form, normal, require_agreement, whole
from tests.executor.capture.judged import require_judged

BETWEEN = {
    "add of scaled": lambda a, b: torch.add(a, b, alpha=2),
    "sub of scaled": lambda a, b: torch.sub(a, b, alpha=0.5),
    "rsub": lambda a, b: 3 - a + b,
    "mul": lambda a, b: a * b * 2,
    "in place": lambda a, b: a.clone().mul_(b).add_(1),
    "div": lambda a, b: a / b + 1 / b + a / 3,
    "div that rounds": lambda a, b: torch.div(a, b, rounding_mode="floor") + torch.div(a, 0.3, rounding_mode="trunc"),
    "remainder": lambda a, b: a % 0.7,
    "pow": lambda a, b: a.abs() ** b + a.abs() ** 1.7 + 1.3**b,
    "powers": lambda a, b: a**2 + a**3 + a**-1 + a**-2 + a.abs() ** 0.5 + a.abs() ** -0.5 + a**1,
    "maximum": lambda a, b: torch.maximum(a, b) - torch.minimum(a, b) + torch.fmax(a, b),
    "lerp": lambda a, b: torch.lerp(a, b, 0.3) + torch.lerp(a, b, b),
    "addcmul": lambda a, b: torch.addcmul(a, a, b, value=0.5) + torch.addcdiv(a, a, b.abs() + 1, value=2),
    "comparisons": lambda a, b: torch.where((a > b) | (a <= 0) & ~(b == 0), a, b) + (a >= 0.1) * (b < 2) + (a != b),
    "logical": lambda a, b: torch.logical_xor(a > 0, b > 0) ^ torch.logical_and(a, b) | torch.logical_not(a > b),
    "where of numbers": lambda a, b: torch.where(a > b, 1.0, b) + torch.where(a > b, a, -1.0),
    "masked": lambda a, b: a.masked_fill(b > 0, float("-inf")).masked_fill(b > 1, 2).exp(),
    "clamp": lambda a, b: a.clamp(-0.5, 0.5) + a.clamp(min=0) + a.clamp_max(0.1) + a.clamp(b, b + 1),
    "integers": lambda a, b: (a * 10).long() * 3 - (b * 4).int() + (a > 0),
    "integers, promoted": lambda a, b: (a * 10).long() / 4 + (b > 0).float().mean(-1, keepdim=True) * (a * 9).int(),
    "nan_to_num": lambda a, b: torch.nan_to_num(torch.sqrt(a) / (b > 0), 0.5, 7.0, -7.0),
    "no numbers": lambda a, b: torch.isnan(torch.sqrt(a)) | torch.isinf(1 / (b > 0)),
    "broadcast": lambda a, b: a.unsqueeze(2) + b.unsqueeze(1) + torch.arange(4).float() + torch.ones(3, 1, 4),
    "broadcast over more dimensions": lambda a, b: a * torch.linspace(0, 1, 24).view(2, 3, 4) + b[:, :1],
    "scalars": lambda a, b: a.sum() * a + b.mean(),
    "zeros like": lambda a, b: a + torch.zeros_like(a) + a.new_ones(4) + torch.full_like(b, 2.5),
}  # fmt: skip
OF_ONE = {
    **{name: getattr(torch, name) for name in (
        "abs", "neg", "floor", "ceil", "round", "trunc", "sign", "exp", "exp2", "expm1", "tanh", "sigmoid", "erf",
        "erfc", "sin", "cos", "tan", "sinh", "cosh", "square", "reciprocal", "relu", "sgn",
    )},
    **{name: getattr(functional, name) for name in (
        "silu", "gelu", "mish", "hardswish", "hardsigmoid", "hardtanh", "relu6", "leaky_relu", "elu", "selu", "celu",
        "softplus", "softsign", "softshrink", "hardshrink", "tanhshrink", "logsigmoid", "glu",
    )},
    "logarithms": lambda x: torch.log(x.abs()) + torch.log1p(x.abs()) + torch.log2(x.abs()) + torch.log10(x.abs()),
    "roots": lambda x: torch.sqrt(x.abs()) + torch.rsqrt(x.abs()),
    "logit": lambda x: torch.logit(torch.sigmoid(x), eps=0.01),
    "gelu by tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "round to places": lambda x: torch.round(x, decimals=2) + torch.round(x * 300, decimals=-1),
    "celu of two": lambda x: functional.celu(x, 2.0),
    "threshold": lambda x: functional.threshold(x, 0.1, -2.0),
    "softplus of two": lambda x: functional.softplus(x, beta=2, threshold=1),
    "copies": lambda x: functional.dropout(x, 0.5, training=False).clone().contiguous().detach() + x.positive(),
    "casts": lambda x: x.half().float() + x.to(torch.bfloat16).float() + x.to(torch.int32) + (x > 0).to(torch.uint8),
}  # fmt: skip
ARCS = {
    "of any number": lambda x: torch.atan(10 * x) + torch.asinh(10 * x),
    "of less than one": lambda x: torch.asin(0.9 * x.tanh()) + torch.acos(0.9 * x.tanh()) + torch.atanh(0.9 * x.tanh()),
    "ends": lambda x: torch.asin(x.sign()) + torch.acos(x.sign()) + torch.atan(x * 1e20) + torch.asinh(x * 1e20),
    "of more than one": lambda x: torch.acosh(x.abs() + 1.01) + torch.acosh(x.abs() * 1e20 + 1),
    "angles": lambda x: torch.atan2(x, x.flip(1)) + torch.atan2(x - x, x) + torch.atan2(x, x - x),
    "sides": lambda x: torch.hypot(x, x.flip(1)) + torch.hypot(x * 1e25, x * 1e25) * 1e-25,
    "signs": lambda x: torch.copysign(x, x.flip(1)) * 2,
    "of halves": lambda x: (x.bfloat16().atan() * 0.5).float(),
}  # fmt: skip


@pytest.mark.parametrize("name", BETWEEN)
def test_operators_of_two__are_captured(name: str) -> None:
    require_agreement(BETWEEN[name], normal(3, 4), normal(3, 4, seed=5))


@pytest.mark.parametrize("name", OF_ONE)
def test_functions__are_captured(name: str) -> None:
    require_agreement(OF_ONE[name], normal(3, 4))


@pytest.mark.parametrize("name", ARCS)
def test_arcs_and_sides__are_captured_and_judged(name: str) -> None:
    x = normal(3, 4)
    require_judged(require_agreement(ARCS[name], x), [x[0]])


def test_prelu__has_a_slope_for_each_channel() -> None:
    require_agreement(lambda layer, x: layer(x), normal(3, 5), layers=[torch.nn.PReLU(3)])


def test_whole_numbers__stay_whole() -> None:
    require_agreement(lambda a: (a * 3 - 5).clamp(0, 9).abs() + torch.maximum(a, a.flip(1)), whole(9, 4))


def test_halves__are_captured_as_halves() -> None:
    captured = require_agreement(lambda x: (x.bfloat16() * 2).float(), normal(4))
    assert [call.function for call in captured.program.calls] == [Function.TO, Function.MUL, Function.TO]


def test_ends_of_halves_are_halves__whatever_was_written() -> None:
    require_agreement(lambda x: x.bfloat16().clamp(min=1e-9, max=0.1).float(), normal(4))


def power(a: Tensor) -> Tensor:
    return a**2


def test_a_square__is_a_product() -> None:
    (call,) = require_agreement(power, normal(4)).program.calls
    assert call.function is Function.MUL


def test_a_power_of_halves__takes_exponents_that_halves_hold() -> None:
    captured = require_agreement(lambda x: (x.abs().bfloat16() ** 1.75).float(), normal(4))
    (exponent,) = captured.weights.values()
    assert exponent.dtype is torch.bfloat16
    assert float(exponent) == 1.75


@pytest.mark.parametrize(
    ("dtype", "exponent", "held"), [(torch.float16, 1.7, 1.7001953125), (torch.bfloat16, 0.1, 0.10009765625)]
)
def test_a_power_of_halves__with_another_exponent_than_they_hold__is_refused(
    dtype: torch.dtype, exponent: float, held: float
) -> None:
    with pytest.raises(BadGraph) as refusal:
        capture(Form(lambda x: x.to(dtype) ** exponent).eval(), [torch.ones(1, 4)])
    sentence = f"a power of {dtype} with the exponent {exponent} is not supported: {dtype} holds {held}"
    assert str(refusal.value).startswith("forward (File ")
    assert str(refusal.value).endswith(sentence)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x.double() * 2, "torch.float64 is none of"),
        (lambda x: x.long() & 5, "bitwise operators on torch.int64 are not supported"),
        (lambda x: torch.div(x.long(), 2, rounding_mode="trunc"), "division of torch.int64 that rounds by 'trunc'"),
        (lambda x: torch.lgamma(x), "aten.lgamma.default is not supported"),
        (lambda x: functional.dropout(x, 0.5, training=True), "dropout in training mode"),
    ],
)
def test_what_cannot_be_judged__is_refused(function: object, sentence: str) -> None:
    with pytest.raises(BadGraph) as refusal:
        capture(Form(function).eval(), [torch.ones(1, 4)])  # type: ignore[arg-type]
    assert sentence in str(refusal.value)
