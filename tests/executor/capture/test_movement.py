"""What only moves or looks up: shapes, orders, parts, borders, tables and indices."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from executor.capture import capture
from rollup.call import Function
from rollup.errors import BadGraph
from tests.executor.capture.forms import Form, normal, require_agreement, whole
from tests.executor.capture.judged import require_judged


def halves(x: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    left, _, right = torch.split(x, [2, 3, 1], dim=-1)
    return torch.cat([second, first, left, right], -1)


def assigned(x: Tensor) -> Tensor:
    y = x.clone()
    y[:, 1:3] = x[:, :2] * 2
    y[:, 0, ::2] = 7.0
    y[..., -1] += 1
    return y


OF_SHAPE = {
    "views": lambda x: x.view(1, 12, 2).unsqueeze(1).squeeze(1).flatten(1).unflatten(1, (4, 6)).reshape(1, 24) + 1,
    "orders": lambda x: x.permute(0, 2, 1).transpose(1, 2).mT.movedim(1, -1).swapaxes(1, 2) * 2,
    "requests moved and back": lambda x: x.transpose(0, 1).reshape(4, 6).relu().view(4, 1, 6).transpose(0, 1),
    "parts": lambda x: x[:, 1:3, ::2].relu() + x[:, 0:1, 1::2] + x[:, -1, :3].unsqueeze(1),
    "one part": lambda x: x.select(1, 2)[:, None, 3:] * 2,
    "halves": halves,
    "unbound": lambda x: torch.stack([part * place for place, part in enumerate(x.unbind(1))], dim=-1),
    "narrowed": lambda x: x.narrow(2, 1, 3) + 1,
    "repeated": lambda x: x.repeat(1, 2, 3) + x.tile(3)[..., :1].repeat(1, 2, 18),
    "repeated one by one": lambda x: x.repeat_interleave(2, 1) + 1,
    "expanded": lambda x: x[:, :1].expand(-1, 5, -1) + x[:, 1:2].expand(1, 5, 6) + x[:, :1, :1].broadcast_to(1, 5, 6),
    "turned": lambda x: x.flip(1, 2) + x.roll(2, 1) + x.roll((1, -2), (1, 2)) + x.roll(5),
    "triangles": lambda x: torch.tril(x) + torch.triu(x, 1) * 2,
    "assigned": assigned,
    "joined with constants": lambda x: torch.cat([torch.ones(1, 1, 6), x, torch.zeros(1, 2, 6)], 1) * 2,
    "meshes": lambda x: x + torch.arange(4).view(4, 1) * torch.tril(torch.ones(4, 6)) + torch.eye(4, 6),
    "padded": lambda x: functional.pad(x, (1, 2, 0, 3), value=-1.0) + functional.pad(x, (2, 1, 1, 2)),
    "cropped": lambda x: functional.pad(x, (-1, -2)) + 1,
    "reflected": lambda x: functional.pad(x, (2, 3), mode="reflect") + functional.pad(x, (2, 3), mode="replicate"),
    "circular": lambda x: functional.pad(x, (2, 3), mode="circular") * 2,
    "shuffled": lambda x: functional.pixel_shuffle(x.view(1, 4, 2, 3), 2) + 1,
    "unshuffled": lambda x: functional.pixel_unshuffle(x.view(1, 1, 4, 6), 2) + 1,
    "channels shuffled": lambda x: nn.ChannelShuffle(2)(x.unsqueeze(-1)) + 1,
}  # fmt: skip
BY_INDEX = {
    "embedding": lambda x, i: functional.embedding(i, torch.linspace(0, 1, 24).view(4, 6)) + x[:, :2],
    "index_select": lambda x, i: x.index_select(1, torch.tensor([3, 0, 3])) + 1,
    "gather": lambda x, i: torch.gather(x, 1, i.unsqueeze(-1).expand(-1, -1, 6)) + x.gather(2, i.view(1, 1, 2)).sum(),
    "taken along": lambda x, i: torch.take_along_dim(x, i.unsqueeze(-1), 1),
    "by a list": lambda x, i: x[:, [2, 0, -1]] * 2,
    "by two lists": lambda x, i: x[:, [0, 1, 2], [5, 0, -3]] * 2,
    "by lists apart": lambda x, i: x[[0, 0], :, [1, 2]] * 2,
    "by a grid": lambda x, i: x[:, torch.tensor([[0], [2]]), torch.tensor([1, 3, 5])] * 2,
    "by a neighbourhood": lambda x, i: x[:, torch.arange(1, 4)] * 2,
    "by what was asked": lambda x, i: x[torch.arange(1), i[:, 0] - 2] + 1,
    "by the request and what was asked": lambda x, i: x[torch.arange(x.shape[0]), i[:, 0]] + x[torch.arange(1), 3],
    "by the request, further": lambda x, i: x[torch.arange(1)[:, None], i - 1] + x[[0], :, i[:, 1]][:, :2, None],
    "by two that were asked": lambda x, i: x[:, i, i.flip(1)].sum(1),
    "one_hot": lambda x, i: functional.one_hot(i, 4).float() @ x,
    "bag": lambda x, i: functional.embedding_bag(i, torch.linspace(0, 1, 24).view(4, 6), mode="mean") + x[:, 0],
}  # fmt: skip


@pytest.mark.parametrize("name", OF_SHAPE)
def test_shapes_and_orders__are_captured(name: str) -> None:
    require_agreement(OF_SHAPE[name], normal(4, 6))


@pytest.mark.parametrize("name", BY_INDEX)
def test_lookups__are_captured(name: str) -> None:
    require_agreement(BY_INDEX[name], normal(4, 6), whole(4, 2))


BAGS = {
    "padded": lambda i: (i[0], torch.tensor([0, 2, 4])),
    "of several sizes, one empty": lambda i: (i[0], torch.tensor([0, 3, 3, 4])),
}


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("name", BAGS)
def test_bags__are_captured_and_judged(name: str, mode: str) -> None:
    """Of words from 0 to 2: one of them, in some a whole bag, counts for nothing."""

    def form(i: Tensor) -> Tensor:
        index, offsets = BAGS[name](i)
        table = torch.linspace(-1, 1, 18).view(3, 6)
        bags = functional.embedding_bag(index, table, offsets, mode=mode, padding_idx=1)
        return bags + functional.embedding_bag(i, table, mode=mode, padding_idx=1).sum()

    words = [torch.tensor([row]) for row in ([1, 1, 0, 1, 2, 2], [0, 1, 2, 0, 1, 2], [2, 2, 1, 1, 1, 1])]
    require_judged(require_agreement(form, words), [words[0]])


@pytest.mark.parametrize("width", [None, 3])
def test_a_place_that_each_request_names__keeps_requests_apart(width: int | None) -> None:
    def last(x: Tensor, i: Tensor) -> Tensor:
        places = torch.arange(x.shape[0])
        return x[places, i.sum(1) - 1] if width is None else x[places, :, i[:, 0]][:, :width]

    captured = require_agreement(last, normal(4, 6), whole(2, 4))
    assert captured.program.batchable
    require_judged(captured, [normal(4, 6)[0], torch.ones(1, 4, dtype=torch.long)])


def test_an_embedding__is_one_call_over_its_own_table() -> None:
    captured = require_agreement(lambda table, i: table(i), whole(9, 5), layers=[nn.Embedding(9, 3)])
    assert [call.function for call in captured.program.calls] == [Function.EMBEDDING]
    assert list(captured.weights) == ["layers.0.weight"]


def test_what_depends_on_no_request__is_no_call() -> None:
    def positions(x: Tensor) -> Tensor:
        places = torch.arange(6, device=x.device)[None] + 2
        mask = (places[:, :, None] >= places[:, None, :]).unsqueeze(1).expand(1, 2, 6, 6)
        return x * places.float().cos() + mask.float().sum((1, 2))

    captured = require_agreement(positions, normal(6))
    assert [call.function for call in captured.program.calls] == [Function.MUL, Function.ADD]
    assert all(name.startswith("constant.") for name in captured.weights)


def test_a_program__holds_no_call_that_its_output_does_not_need() -> None:
    captured = require_agreement(lambda x: x.max(1).values, normal(6))
    assert [call.function for call in captured.program.calls] == [Function.AMAX]


def test_requests_that_meet__are_run_one_by_one() -> None:
    captured = require_agreement(lambda x: torch.cat([x, x], dim=0), normal(3))
    assert not captured.program.batchable


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x[x > 0], "is not supported"),
        (lambda x: x.masked_scatter(x > 0, x), "aten.masked_scatter.default is not supported"),
        (lambda x: x.sum() * torch.randn(4), "aten.randn.default is random"),
    ],
)
def test_what_cannot_be_judged__is_refused(function: object, sentence: str) -> None:
    with pytest.raises(BadGraph) as refusal:
        capture(Form(function).eval(), [torch.ones(1, 4)])  # type: ignore[arg-type]
    assert sentence in str(refusal.value)
