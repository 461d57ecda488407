"""Orders, writing to places, running products, volumes, whole division: all made of operators that the judge knows."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from executor.aten.ordering import MAX_PAIRS
from executor.capture import capture
from rollup.errors import BadGraph
from tests.executor.capture.forms import Form, normal, require_agreement, whole
from tests.executor.capture.forms import Function as Expression
from tests.executor.capture.judged import require_judged


def written(x: Tensor, place: object, value: float | Tensor) -> Tensor:
    y = x.clone()
    y[place] = value  # type: ignore[index]
    return y


def placed_below(x: Tensor) -> Tensor:
    return written(x, x < 0, 0.5)


ORDERS: dict[str, Expression] = {
    "sorted": lambda x: x.sort(-1).values + x.sort(1, descending=True).values,
    "equal ones in their order": lambda x: x.round().sort(dim=-1, stable=True).indices,
    "order": lambda x: x.argsort(-1) + x.argsort(-1).argsort(-1),
    "top": lambda x: x.topk(2).values + x.topk(2, largest=False).indices + x.topk(3, 1).values[:, :1, :2],
    "medians": lambda x: x.median(-1).values + x.median() + x.median(1).indices[:, :4],
    "k-th": lambda x: x.kthvalue(2, 1).values + x.quantile(0.3, 1),
    "places among edges": lambda x: torch.bucketize(x, torch.linspace(-1, 1, 9), right=True),
    "places among own edges": lambda x: torch.searchsorted(x[0, 0].sort().values, x),
    "kept above the second": lambda x: x.masked_fill(x < x.topk(2).values[..., -1:], -torch.inf).softmax(-1),
}
PRODUCTS: dict[str, Expression] = {
    "of all": lambda x: x.prod(-1) + x.prod(1, keepdim=True)[..., 0],
    "running": lambda x: (1 - x.sigmoid()).cumprod(-1) + x.cumprod(1),
    "running sums, of logarithms": lambda x: x.logcumsumexp(-1) + (x * 90).logcumsumexp(1),
    "running extremes": lambda x: x.cummax(-1).values + x.cummin(1).values,
}
WRITES: dict[str, Expression] = {
    "where a mask is": placed_below,
    "where a mask of rows is": lambda x: written(x, x[..., 0] < 0, 1.0),
    "at constants": lambda x: written(x, (slice(None), torch.tensor([0, 2])), 9.0).index_fill(2, torch.tensor([1]), 3),
    "added at constants": lambda x: x.index_add(1, torch.tensor([0, 0, 3]), x[:, :3] * 2),
    "folded": lambda x: functional.fold(functional.unfold(x[:, None], 3, padding=1), (4, 6), 3, padding=1),
    "over constants": lambda x: torch.zeros(1, 4, 9).index_copy(2, torch.tensor([1, 4, 0, 2, 8, 7]), x),
    "where the greatest stood": lambda x: functional.max_unpool2d(
        *functional.max_pool2d(x[:, None], 2, return_indices=True), [2, 2]
    ),
    "windows": lambda x: x.unfold(2, 3, 2).flatten(2) + x.unfold(2, 2, 2).mean(),
    "diagonals": lambda x: x.diagonal(dim1=1, dim2=2) + torch.diag_embed(x[:, 0], 1)[..., :4, 0],
    "beyond all": lambda x: torch.isinf(x).float() + x.masked_fill(x > 1, torch.inf).amin(-1, keepdim=True),
    "infinite edges": lambda x: (x < torch.inf).float() + torch.minimum(x, torch.tensor([torch.inf])) + x.nan_to_num(),
}
INDEXED: dict[str, Expression] = {
    "one of many": lambda x, i: torch.zeros(x.shape[0], 5, 4).scatter(1, i, 1.0) + x,
    "the last of them": lambda x, i: torch.zeros(x.shape[0], 7, 4).scatter(1, i.sort(1).values[:, :1], x[:, :1]),
    "added": lambda x, i: x.scatter_add(1, i, x * 2),
    "greatest": lambda x, i: x.scatter_reduce(1, i, x * 2, "amax") + x.scatter_reduce(1, i, x, "amin"),
    "means": lambda x, i: x.scatter_reduce(1, i, x * 2, "mean"),
    "entries alone": lambda x, i: torch.stack(
        [x.scatter_reduce(1, i, x * 2, how, include_self=False) for how in ("sum", "mean", "amax", "amin")], 1
    ),
    "added to nodes": lambda x, i: torch.zeros_like(x).index_add(1, i[0, :, 0], x),
    "written to nodes": lambda x, i: written(x, (slice(None), i[0, :1, 0]), 7.0),
    "experts": lambda x, i: torch.zeros_like(x).scatter(-1, x.topk(2).indices, x.topk(2).values.softmax(-1)),
}
WHOLE: dict[str, Expression] = {
    "divided": lambda i: i // 7 + (i * 31) // 1_000_003,
    "what is left": lambda i: i % 13 + torch.remainder(i, torch.tensor([5, 6, 7, 8, 9])),
    "bits": lambda i: (i & 15) + (i >> 3) + (i << 2),
}
VOLUMES: dict[str, Expression] = {
    "greatest": lambda x: functional.max_pool3d(x, 3, 2, 1) + functional.max_pool3d(x, 2, 2),
    "mean": lambda x: (
        functional.avg_pool3d(x, (2, 1, 2)).sum(3) + functional.avg_pool3d(x, 2, divisor_override=3)[:, 0, 0, 0, 0]
    ),
    "adaptive": lambda x: functional.adaptive_avg_pool3d(x, (2, 3, 1)) + functional.adaptive_max_pool3d(x, (2, 3, 1)),
    "response": lambda x: functional.local_response_norm(x[:, 0], 3),
}
CONVOLUTIONS = {
    "plain": nn.Conv3d(2, 4, 3, padding=1),
    "in groups, strided, dilated": nn.Conv3d(
        2, 4, (2, 3, 1), stride=(1, 2, 1), dilation=(2, 1, 1), groups=2, bias=False
    ),
    "of the same size": nn.Conv3d(2, 3, (3, 2, 3), padding="same"),
    "transposed": nn.ConvTranspose3d(2, 3, 2, stride=2),
    "transposed, in groups, dilated": nn.ConvTranspose3d(
        2, 4, (3, 2, 1), (2, 1, 3), padding=(1, 0, 0), output_padding=(1, 0, 2), groups=2, dilation=(2, 1, 1)
    ),
}


@pytest.mark.parametrize(
    "form", [*ORDERS.values(), *PRODUCTS.values(), *WRITES.values()], ids=[*ORDERS, *PRODUCTS, *WRITES]
)
def test_what_is_made_of_rows__is_captured_and_judged(form: Expression) -> None:
    x = normal(4, 6)
    require_judged(require_agreement(form, x), [x[0]])


@pytest.mark.parametrize("name", INDEXED)
def test_what_a_request_names_the_place_of__is_captured_and_judged(name: str) -> None:
    x, i = normal(5, 4), whole(5, 5, 4)
    require_judged(require_agreement(INDEXED[name], x, i), [x[0], i[0]])


@pytest.mark.parametrize("name", WHOLE)
def test_division_of_integers__is_exact(name: str) -> None:
    far = [(-1) ** place * number * 10 ** (3 * place + 2) + place for place, number in enumerate(whole(9000, 5))]
    require_judged(require_agreement(WHOLE[name], far), [far[0]])


@pytest.mark.parametrize("name", VOLUMES)
def test_pools_of_volumes__are_captured_and_judged(name: str) -> None:
    x = normal(2, 4, 4, 4)
    require_judged(require_agreement(VOLUMES[name], x), [x[0]])


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_of_volumes__are_captured_and_judged(name: str) -> None:
    x = normal(2, 5, 6, 4)
    layer = CONVOLUTIONS[name]
    captured = require_agreement(lambda layer, x: layer(x), x, layers=[layer])
    assert captured.program.batchable
    require_judged(captured, [x[0]])


def test_layers_of_pairs__are_captured_and_judged() -> None:
    x = normal(3, 6)
    form = partial(lambda layer, x: layer(x, x.flip(1)) + torch.cdist(x, x[:, :2]) + torch.cdist(x, x, p=1.0)[..., :2])
    require_judged(require_agreement(form, x, layers=[nn.Bilinear(6, 6, 2)]), [x[0]])


def test_sampling_of_a_picture__is_captured_and_judged() -> None:
    x, at = normal(2, 5, 5), [torch.tanh(tensor) for tensor in normal(3, 3, 2, seed=4)]
    form = partial(functional.grid_sample, align_corners=False)
    require_judged(require_agreement(lambda x, at: form(x, at), x, at), [x[0], at[0]])


def test_a_norm_under_autocast__is_captured_in_its_dtypes() -> None:
    def form(first: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            normed: Tensor = norm(first(x))
            return normed.float()

    module = Form(form, nn.Linear(6, 8), nn.LayerNorm(8)).eval().requires_grad_(False)
    x = normal(6)[0]
    require_judged(capture(module, [x]), [x])


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (lambda x: x.repeat(1, 1250).sort(-1).values, f"is not supported, at most {MAX_PAIRS:,}"),
        (lambda x: written(x, x > 0, x[0, :1].expand(3)), "several values through a mask"),
        (lambda x: x.long() // x.long(), "only by constants from 1 to 2\\^24 - 1"),
        (lambda x: x.long() | 1, "bitwise operators on torch.int64 are not supported"),
        (lambda x: x.long() >> 30, "a constant count from 0 to 23"),
        (lambda x: functional.avg_pool3d(x[..., None, None], 1, ceil_mode=True), "windows of several sizes"),
        (lambda x: x.scatter_reduce(1, x.long().abs().clamp(max=3), x, "prod"), "by 'prod' is not supported"),
    ],
)
def test_what_has_no_such_form__is_refused_by_name(form: Expression, said: str) -> None:
    with pytest.raises(BadGraph, match=said):
        capture(Form(form).eval(), [torch.rand(1, 4) + 1])
