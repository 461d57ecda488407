"""Every operator's float64 evaluation and bound against the exact judge: the filter is never laxer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from _pytest.mark.structures import ParameterSet
from torch import Tensor
from torch.nn import functional

from executor.bounds import bound_of, inside, is_approximate
from executor.operators import evaluate, evaluate_rounded
from executor.operators.movement import MOVES
from executor.operators.rounding import cut, rounded
from executor.tensors import to_canonical
from rollup.graph import Op
from rollup.judge.evaluate import evaluate as judge
from rollup.judge.evaluate import open_tensors
from rollup.numerics import Arithmetic, Profile, Rounding
from rollup.tensor import DType
from rollup.types import Verdict
from tests.executor.steps import Specimen, contraction, specimens

SPECIMENS = specimens()

LEAST_FACTOR = 256


def acquitted(specimen: Specimen, result: Tensor, factor: int) -> list[bool]:
    """Whether the exact judge finds no fault, element by element."""
    tensors = [to_canonical(tensor) for tensor in (result, *specimen.operands)]
    found = []
    for element in range(specimen.step.result.elements):
        opened = open_tensors(specimen.step, element, tensors)
        found.append(judge(specimen.step, opened.values, opened.hint, factor).verdict is Verdict.NO_FAULT)
    return found


APPROXIMATE = [specimen for specimen in SPECIMENS if is_approximate(specimen.step)]


def named(specimens: list[Specimen]) -> list[ParameterSet]:
    return [pytest.param(specimen, id=specimen.name) for specimen in specimens]


def test_specimens__are_of_every_operator() -> None:
    assert {specimen.step.op for specimen in SPECIMENS} == set(Op)


@pytest.mark.parametrize("specimen", named(SPECIMENS))
def test_what_is_evaluated_and_rounded__is_inside_for_judge_and_filter(specimen: Specimen) -> None:
    factor = LEAST_FACTOR if is_approximate(specimen.step) else 0
    result = evaluate_rounded(specimen.step, specimen.operands)
    assert to_canonical(result).spec == specimen.step.result
    assert inside(specimen.step, specimen.operands, result, factor).all()
    assert all(acquitted(specimen, result, factor))


@pytest.mark.parametrize("specimen", named(SPECIMENS))
@pytest.mark.parametrize("part", [0.5, 0.99, 1.01, 3.0])
def test_the_filter__is_never_laxer_than_the_judge(specimen: Specimen, part: float) -> None:
    for factor in (0, 3 * 256) if is_approximate(specimen.step) else (0,):
        wrong = moved(specimen, part, factor)
        kept = inside(specimen.step, specimen.operands, wrong, factor).reshape(-1).tolist()
        judged = acquitted(specimen, wrong, factor)
        assert not [element for element, (mine, its) in enumerate(zip(kept, judged, strict=True)) if mine and not its]


@pytest.mark.parametrize("specimen", named(SPECIMENS))
def test_the_filter__is_no_laxer_about_what_is_flushed_or_not_finite(specimen: Specimen) -> None:
    honest = evaluate_rounded(specimen.step, specimen.operands)
    if not honest.is_floating_point():
        return
    wrongs = [torch.full_like(honest, value) for value in (0.0, torch.inf, -torch.inf, torch.nan)]
    for wrong in (honest.where(honest.abs() > 1e-30, 0.0), *wrongs):
        kept = inside(specimen.step, specimen.operands, wrong, 0).reshape(-1).tolist()
        judged = acquitted(specimen, wrong, 0)
        assert not [element for element, (mine, its) in enumerate(zip(kept, judged, strict=True)) if mine and not its]


@pytest.mark.parametrize("specimen", named(APPROXIMATE))
def test_the_filter__takes_what_is_half_its_bound_away(specimen: Specimen) -> None:
    assert inside(specimen.step, specimen.operands, moved(specimen, 0.5, 0), 0).all()


def moved(specimen: Specimen, part: float, factor: int) -> Tensor:
    """Results that are `part` of their bound away from the exact ones, and the next value where that is nothing."""
    step, operands = specimen.step, specimen.operands
    result = evaluate_rounded(step, operands)
    if result.dtype is torch.bool:
        return ~result if part > 1 else result
    if not result.is_floating_point():
        return result + int(part)
    if step.op in MOVES or step.op is Op.WHERE:
        return result if part < 1 else -result
    signs = torch.where(torch.arange(result.numel()) % 2 == 0, 1.0, -1.0).reshape(result.shape)
    exact, bound = evaluate(step, operands).double(), bound_of(step, operands, factor)
    shifted = torch.where(exact.isfinite() & bound.isfinite(), exact + signs * part * bound, exact)
    away = rounded(shifted, step.result.dtype)
    if is_approximate(step) or part < 1:
        return away
    return rounded((result.double() + signs * part * 2.0**-20 * result.double().abs()), step.result.dtype)


def test_a_pair_of_roundings__is_never_made() -> None:
    # Just above a tie of bf16 and of f16, by less than f32 can hold.
    for dtype, place in ((DType.BF16, 2.0**-8), (DType.F16, 2.0**-11)):
        exact = torch.tensor([1.0, 1 + 2 * place, 1.0, 1 + 2 * place, 0.0, torch.inf], dtype=torch.float64)
        x = torch.tensor(
            [1 + place, 1 + place + 2.0**-40, 1 + place - 2.0**-40, 1 + 3 * place - 2.0**-40, 0.0, torch.inf],
            dtype=torch.float64,
        )
        assert rounded(x, dtype).double().tolist() == exact.tolist()
        assert rounded(-x, dtype).double().tolist() == (-exact).tolist()


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        (Rounding.NEAREST_EVEN, [1.0, 1 + 2.0**-9, 1 + 2.0**-10, torch.inf]),
        (Rounding.NEAREST_AWAY, [1 + 2.0**-10, 1 + 2.0**-9, 1 + 2.0**-10, torch.inf]),
        (Rounding.TOWARD_ZERO, [1.0, 1 + 2.0**-10, 1.0, torch.inf]),
    ],
)
def test_tf32__cuts_operands_to_ten_fraction_bits(rounding: Rounding, expected: list[float]) -> None:
    x = torch.tensor([1 + 2.0**-11, 1 + 3 * 2.0**-11, 1 + 2.0**-11 + 2.0**-20, torch.inf])
    assert cut(x, rounding).tolist() == expected
    assert cut(-x, rounding).tolist() == [-value for value in expected]


def spaced(x: Tensor) -> Tensor:
    """Windows of 2 by 2 over a picture with zeros between its rows and columns, and around it."""
    wide = torch.zeros(2, 4, 11, 13)
    wide[:, :, 1:10:2, 1:12:2] = x
    return functional.unfold(wide, 2).transpose(1, 2).reshape(2, 1, 120, 16)


MOVED: dict[str, Callable[..., Tensor]] = {
    "strided backwards": lambda x: x.reshape(-1, 6)[:2].flip(1).T,
    "cat": lambda x, y: torch.cat([x, y], 1),
    "patches of a spaced picture": spaced,
    "pad": lambda x: functional.pad(x, (-1, -2, 2, 1), value=1.5),
    "gather": functional.embedding,
}


@pytest.mark.parametrize("name", MOVED)
def test_movement__is_what_torch_makes_of_it(name: str) -> None:
    specimen = next(specimen for specimen in SPECIMENS if specimen.name == name)
    assert torch.equal(evaluate_rounded(specimen.step, specimen.operands), MOVED[name](*specimen.operands))


PROFILES = [
    Profile(blocked=True),
    Profile(Arithmetic.TF32),
    Profile(Arithmetic.TF32, rounding=Rounding.NEAREST_AWAY),
    Profile(Arithmetic.TF32, rounding=Rounding.TOWARD_ZERO),
    Profile(Arithmetic.TENSOR_16),
]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.header[:2].hex())
@pytest.mark.parametrize("dtype", [DType.F32, DType.BF16])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.99, 1.01, 3.0])
def test_a_promised_arithmetic__bounds_contractions_as_the_judge_has_it(
    profile: Profile, dtype: DType, part: float
) -> None:
    specimen = contraction(dtype, terms=200)
    step, operands = specimen.step, specimen.operands
    signs = torch.where(torch.arange(step.result.elements) % 2 == 0, 1.0, -1.0).reshape(step.result.shape)
    shifted = evaluate(step, operands, profile) + signs * part * bound_of(step, operands, 0, profile)
    result = rounded(shifted, dtype)
    kept = inside(step, operands, result, 0, profile).reshape(-1)
    tensors = [to_canonical(tensor) for tensor in (result, *operands)]
    judged = []
    for element in range(step.result.elements):
        opened = open_tensors(step, element, tensors)
        judged.append(judge(step, opened.values, opened.hint, 0, profile).verdict is Verdict.NO_FAULT)
    assert not bool((kept & ~torch.tensor(judged)).any())
    if part < 0.9:
        assert bool(kept.all())
    if part > 2 and dtype is DType.F32:
        assert not any(judged)
