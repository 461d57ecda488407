"""PyTorch's own kernels for rows against the bounds of sum and spread: none may lie outside (PROTOCOL.md, 5, "Rows").

All rows are judged in float64, with a margin far below any bound; the exact judge decides on the worst of each kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import Tensor

from executor.bounds import inside
from rollup.graph import Op
from rollup.judge.evaluate import evaluate, open_element
from rollup.tensor import DType, TensorSpec
from rollup.types import Verdict
from tests.parity.toy import one_step, step_on, tensor_of

U = 2.0**-24
ROWS = 400


@dataclass(frozen=True)
class Kernel:
    """A kernel over rows; `about_mean` and the attributes say which step it computes, for rows of `n`."""

    op: Op
    run: Callable[[Tensor], Tensor]
    extras: Callable[[int], tuple[int, ...]]
    about_mean: bool = False


def _two_passes(rows: Tensor) -> Tensor:
    apart = rows - rows.mean(-1, keepdim=True)
    return (apart * apart).sum(-1) / rows.shape[-1]


def _welford(rows: Tensor) -> Tensor:
    mean, squares = torch.zeros(len(rows)), torch.zeros(len(rows))
    for number, column in enumerate(rows.unbind(-1), 1):
        apart = column - mean
        mean = mean + apart / number
        squares = squares + apart * (column - mean)
    return squares / rows.shape[-1]


KERNELS = {
    "sum": Kernel(Op.SUM, lambda rows: rows.sum(-1), lambda _: (1, 0)),
    "mean": Kernel(Op.SUM, lambda rows: rows.mean(-1), lambda n: (n, 0)),
    "cumsum": Kernel(Op.SUM, lambda rows: rows.cumsum(-1)[:, -1].contiguous(), lambda _: (1, 0)),
    "norm": Kernel(Op.SPREAD, partial(torch.linalg.vector_norm, dim=-1), lambda _: (1, 0, 1, 0)),
    "var": Kernel(Op.SPREAD, partial(torch.var, dim=-1), lambda n: (n - 1, 0, 0, 0), True),
    "std": Kernel(Op.SPREAD, partial(torch.std, dim=-1), lambda n: (n - 1, 0, 1, 0), True),
    "var_mean": Kernel(Op.SPREAD, lambda rows: torch.var_mean(rows, -1)[0], lambda n: (n - 1, 0, 0, 0), True),
    "two_passes": Kernel(Op.SPREAD, _two_passes, lambda n: (n, 0, 0, 0), True),
    "welford": Kernel(Op.SPREAD, _welford, lambda n: (n, 0, 0, 0), True),
}


def drawn(kind: str, n: int) -> Tensor:
    rows = torch.randn(ROWS, n, generator=torch.manual_seed(n))
    match kind:
        case "mean of 1000":
            return rows + 1000
        case "constant":
            return rows[:, :1].expand(-1, n).contiguous() * 1000
        case "denormal":
            return rows * 1e-39
        case "large":
            return rows * 1e14
        case "sorted":
            return (rows + 30).sort(-1).values
        case "one large":
            return torch.cat([torch.full((ROWS, 1), 1e5), rows[:, 1:]], dim=1)
    return rows


def errors_in_bounds(kernel: Kernel, rows: Tensor, result: Tensor) -> Tensor:
    """How much of its bound each result takes, in float64."""
    exact, n = rows.double(), rows.shape[-1]
    if kernel.op is Op.SUM:
        divisor = kernel.extras(n)[0]
        bound = (n + 2) * U * exact.abs().sum(-1) / divisor + n * 2.0**-124
        return (result.double() - exact.sum(-1) / divisor).abs() / bound
    divisor, _, finish, _ = kernel.extras(n)
    mean = exact.mean(-1, keepdim=True).float().double() if kernel.about_mean else torch.zeros(1, 1).double()
    size = (exact - mean).square().sum(-1).sqrt()
    count = 6 * n + 16 if kernel.about_mean else n + 8
    moved = count * U * (size + n**0.5 * (mean[:, 0].abs() + 2.0**-100)) + 2.0**-60 * n**0.5
    root = result.double() if finish else result.double().clamp(min=0).sqrt()
    taken: Tensor = (root * divisor**0.5 - size).abs() / (moved + 8 * U * size)
    return taken


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", ["natural", "mean of 1000", "constant", "denormal", "large", "sorted", "one large"])
@pytest.mark.parametrize("name", KERNELS)
def test_kernel__every_row__lies_inside_its_bound(name: str, kind: str, threads: int) -> None:
    kernel = KERNELS[name]
    torch.set_num_threads(threads)
    for n in (2, 33, 384):
        rows = drawn(kind, n)
        result = kernel.run(rows)
        shares = errors_in_bounds(kernel, rows, result)
        assert float(shares.max()) <= 1
        assert judged(kernel, rows, result, int(shares.argmax())) is Verdict.NO_FAULT


def test_inside__masked_row_with_a_wrong_sum__is_not_taken_for_unjudgeable() -> None:
    row, top = torch.tensor([[0.0, -torch.inf, 0.0]]), torch.tensor([0.0])
    operands = [tensor_of(row.numpy()), tensor_of(top.numpy())]
    step = step_on(Op.EXPSUM, TensorSpec(DType.F32, (1,)), operands, 0, (3, 1))
    for value, expected in ((2.0, True), (2.001, False)):
        assert bool(inside(step, [row, top], torch.tensor([value]), 0)) is expected


def judged(kernel: Kernel, rows: Tensor, result: Tensor, row: int) -> Verdict:
    """The exact judge's verdict on one row."""
    operands = [tensor_of(rows[row : row + 1].numpy())]
    if kernel.about_mean:
        operands.append(tensor_of(rows[row : row + 1].double().mean(-1).float().numpy()))
    extras = (rows.shape[-1], *kernel.extras(rows.shape[-1]))
    step = step_on(kernel.op, TensorSpec(DType.F32, (1,)), operands, 0, extras)
    value = int(result[row : row + 1].view(torch.int32)) % 2**32
    opened = open_element(step, 0, partial(one_step(step, operands, [value]).values, 0))
    return evaluate(step, opened.values, opened.hint).verdict
