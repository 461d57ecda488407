"""What sums: products of matrices, convolutions, pools, norms, reductions, attention and recurrent layers."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from executor.capture import capture
from rollup.call import Function
from rollup.errors import BadGraph
from tests.executor.capture.forms import Form, normal, require_agreement
from tests.executor.capture.forms import Function as Expression

SDPA = functional.scaled_dot_product_attention
W = torch.linspace(-1, 1, 30).view(6, 5)
PRODUCTS = {
    "matrices": lambda x: x @ W + torch.matmul(W[:4, :4], x) @ W,
    "of both": lambda x: x @ x.mT + torch.bmm(x, x.transpose(1, 2)),
    "of requests alone": lambda x: x[0] @ x[0].T,
    "vectors": lambda x: x @ W[:, 0] + x[0, 0] @ W[:, :4] + torch.mv(x[0], W[:, 1]) + torch.dot(x[0, 0], W[:, 2]),
    "outer": lambda x: torch.outer(x[0, 0], x[0, 1]),
    "sums of products": lambda x: torch.addmm(W[:4], x[0], W, beta=0.5, alpha=2),
    "sums of stacks": lambda x: torch.baddbmm(x[..., :5], x, W[None]),
    "linear without": lambda x: functional.linear(x, W.T) + functional.linear(x[0], x[0, :, :6])[..., :1],
    "einsum": lambda x: torch.einsum("btk,bsk->bts", x, x) + torch.einsum("bij,jk->bi", x, W)[..., None],
    "einsum of three": lambda x: torch.einsum("...ij,jk,kl->...il", x, W, W.T) + torch.einsum("bij->bji", x).mT,
    "heads": lambda x: torch.einsum("bthd,bshd->bhts", *(x.view(1, 4, 2, 3),) * 2),
}  # fmt: skip
REDUCTIONS = {
    "sums": lambda x: x.sum(-1) + x.sum((1, 2), keepdim=True)[..., 0] + x.sum() + x.sum(1)[:, :4],
    "means": lambda x: x.mean(1)[:, :4] + x.mean(-1) + x.mean((1, 2))[:, None] + x.mean(dim=(0, 1))[None, :4],
    "counts": lambda x: (x > 0).sum(-1) + (x * 3).long().sum(1)[:, :4],
    "spreads": lambda x: x.var(-1) + x.std(1)[:, :4] + x.var((1, 2), correction=0)[:, None] + x.std(-1, unbiased=False),
    "spread and mean": lambda x: torch.cat(torch.var_mean(x, -1), 0) + torch.std_mean(x, (1, 2))[1][0],
    "norms": lambda x: x.norm(dim=-1) + torch.linalg.vector_norm(x, 1, dim=-1) + x.norm(3, -1) + x.norm(torch.inf, -1),
    "norm of all": lambda x: x / x.norm() + functional.normalize(x, dim=1) + functional.normalize(x, p=1.0),
    "greatest": lambda x: x.amax(-1) + x.max(1).values[:, :4] + x.max() + x.amin((1, 2))[:, None] + x.min(2).values,
    "of whole numbers": lambda x: (x * 9).long().argmax(-1) + (x * 9).long().amax(1)[:, :4] + (x * 9).int().min(),
    "where": lambda x: x.argmax(-1) + x.argmin(1)[:, :4] + x.max(2).indices + x.argmax(),
    "logsumexp": lambda x: torch.logsumexp(x, -1) + x.logsumexp((1, 2))[:, None],
    "running": lambda x: x.cumsum(-1) + x.cumsum(1),
    "whether": lambda x: (x > 1).any(-1) | (x > -1).all(-1) | (x > 9).any(),
    "softmax": lambda x: x.softmax(-1) + x.softmax(1) + functional.softmin(x, -1) + x.log_softmax(1) + x.softmax(0),
    "cosine": lambda x: functional.cosine_similarity(x, x.flip(1), dim=-1),
    "distance": lambda x: functional.pairwise_distance(x[:, 0], x[:, 1]),
}  # fmt: skip
PICTURES: dict[str, Expression] = {
    "pools": lambda x: functional.max_pool2d(x, 3, 2, 1) + functional.max_pool2d(x, 2, 2, ceil_mode=True),
    "mean pools": lambda x: functional.avg_pool2d(x, 2) + functional.avg_pool2d(x, 3, 2, 1),
    "mean pools, border left out": lambda x: functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "mean pools, further": lambda x: functional.avg_pool2d(x, 3, 2, ceil_mode=True, divisor_override=5),
    "adaptive": lambda x: functional.adaptive_avg_pool2d(x, 1) + functional.adaptive_avg_pool2d(x, (2, 3)).mean(),
    "adaptive to no divisor": lambda x: functional.adaptive_avg_pool2d(x, (5, 4)),
    "adaptive greatest": lambda x: functional.adaptive_max_pool2d(x, (4, 2)),
    "adaptive greatest, of several sizes": lambda x: functional.adaptive_max_pool2d(x, (5, 4)),
    "where the greatest are": lambda x: functional.max_pool2d(x, 3, 2, 1, return_indices=True)[1]
    + functional.max_pool2d(x, 2, 2, dilation=2, ceil_mode=True, return_indices=True)[1][..., :1],
    "signals": lambda x: functional.max_pool1d(x[:, 0], 2) + functional.avg_pool1d(x[:, 0], 2, padding=0),
    "adaptive signals": lambda x: functional.adaptive_avg_pool1d(x[:, 0], 3),
    "adaptive signals, greatest": lambda x: functional.adaptive_max_pool1d(x[:, 0], 3),
    **{f"{mode}, larger": partial(functional.interpolate, scale_factor=2, mode=mode) for mode in (
        "nearest", "nearest-exact", "bilinear", "bicubic",
    )},
    "to a size": lambda x: functional.interpolate(x, (5, 11), mode="bilinear", align_corners=True),
    "by a crooked factor": lambda x: functional.interpolate(x, scale_factor=1.3, mode="bilinear"),
    "nearest by a crooked factor": lambda x: functional.interpolate(x, scale_factor=1.4),
    "smaller, smoothed": lambda x: functional.interpolate(x, (4, 3), mode="bilinear", antialias=True),
    "signals, longer": lambda x: functional.interpolate(x[:, 0], scale_factor=2, mode="linear"),
    "unfolded": lambda x: functional.unfold(x, 3, padding=1, stride=2),
}  # fmt: skip
CONVOLUTIONS = {
    "strided": nn.Conv2d(4, 6, 3, stride=2, padding=1),
    "depthwise": nn.Conv2d(4, 4, 3, groups=4, padding="same", dilation=2),
    "same of even": nn.Conv2d(4, 4, 2, padding="same"),
    "reflected": nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect", bias=False),
    "circular": nn.Conv2d(4, 2, 3, padding=1, padding_mode="circular"),
    "transposed": nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
    "dilated and transposed": nn.ConvTranspose2d(4, 3, (2, 3), stride=(1, 2), dilation=2, bias=False),
}
NORMS = {
    "batch": nn.BatchNorm2d(4),
    "batch, plain": nn.BatchNorm2d(4, affine=False),
    "group": nn.GroupNorm(2, 4),
    "instance": nn.InstanceNorm2d(4),
    "instance, kept": nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
    "layer": nn.LayerNorm((4, 8, 6)),
    "layer, last": nn.LayerNorm(6, elementwise_affine=False),
    "layer, without bias": nn.LayerNorm(6, bias=False),
    "rms": nn.RMSNorm(6),
}
RECURRENT = {
    "lstm": nn.LSTM(4, 5, 2, batch_first=True),
    "lstm, both ways, sequence first": nn.LSTM(4, 5, bidirectional=True),
    "lstm, projected": nn.LSTM(4, 6, 2, proj_size=3, bidirectional=True, batch_first=True),
    "lstm, projected, without biases, sequence first": nn.LSTM(4, 5, proj_size=2, bias=False),
    "gru without biases": nn.GRU(4, 5, bias=False, batch_first=True),
    "gru, both ways": nn.GRU(4, 3, 2, bidirectional=True),
    "rnn": nn.RNN(4, 5, batch_first=True),
    "rnn by relu": nn.RNN(4, 5, nonlinearity="relu"),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products__are_captured(name: str) -> None:
    require_agreement(PRODUCTS[name], normal(4, 6))


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions__are_captured(name: str) -> None:
    require_agreement(REDUCTIONS[name], normal(4, 6))


@pytest.mark.parametrize("name", PICTURES)
def test_pools_and_resampling__are_captured(name: str) -> None:
    require_agreement(PICTURES[name], normal(4, 8, 6))


@pytest.mark.parametrize("name", [*CONVOLUTIONS, *NORMS])
def test_layers_of_pictures__are_captured(name: str) -> None:
    layer = (CONVOLUTIONS | NORMS)[name]
    require_agreement(lambda layer, x: layer(x) + 1, normal(4, 8, 6), layers=[layer])


@pytest.mark.parametrize("layer", [nn.Conv1d(4, 3, 3, padding=1), nn.ConvTranspose1d(4, 3, 2, stride=2)])
def test_layers_of_signals__are_captured(layer: nn.Module) -> None:
    require_agreement(lambda layer, x: layer(x), normal(4, 7), layers=[layer])


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("part", [0, 1])
def test_recurrent_layers__give_outputs_and_last_states(name: str, part: int) -> None:
    def form(layer: nn.Module, x: Tensor) -> Tensor:
        first = getattr(layer, "batch_first")  # noqa: B009
        found = layer(x if first else x.transpose(0, 1))[part]
        state: Tensor = found[1] if isinstance(found, tuple) else found
        return state.transpose(0, 1) if part or not first else state

    captured = require_agreement(form, normal(7, 4), layers=[RECURRENT[name]])
    assert captured.program.batchable


@pytest.mark.parametrize(
    "function",
    [
        lambda q, k: SDPA(q, k, k),
        lambda q, k: SDPA(q, k, k, is_causal=True, scale=0.3),
        lambda q, k: SDPA(q, k, k, attn_mask=k[:, :1, :, 0].unsqueeze(1) > -0.5),
        lambda q, k: SDPA(q, k, k, attn_mask=torch.linspace(0, 1, 25).view(5, 5).log()),
        lambda q, k: SDPA(q, k[:, :2], k[:, :2], enable_gqa=True),
        lambda q, k: SDPA(q[0], k[0], k[0]),
    ],
    ids=["plain", "causal", "masked", "biased", "grouped", "without requests"],
)
def test_attention__is_one_call(function: object) -> None:
    captured = require_agreement(function, normal(4, 5, 8), normal(4, 5, 8, seed=3))  # type: ignore[arg-type]
    assert [call.function for call in captured.program.calls].count(Function.SDPA) == 1


def test_attention_as_a_layer__keeps_requests_apart() -> None:
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    captured = require_agreement(lambda attend, x: attend(x, x, x)[0], normal(5, 8), layers=[layer])
    assert captured.program.batchable


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: functional.batch_norm(x, None, None, training=True), "statistics of the batch"),
        (lambda x: SDPA(x, x, x, dropout_p=0.5), "attention with dropout 0.5"),
        (
            lambda x: functional.conv_transpose3d(x[:, None], x[:, None]),
            "a 3-D convolution by weights that depend on the request",
        ),
        (lambda x: torch.special.i0(x), "aten.i0.default is not supported"),
    ],
)
def test_what_cannot_be_judged__is_refused(function: object, sentence: str) -> None:
    with pytest.raises(BadGraph) as refusal:
        capture(Form(function).eval(), [torch.ones(1, 4, 4, 4)])  # type: ignore[arg-type]
    assert sentence in str(refusal.value)
