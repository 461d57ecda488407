"""Blocks that people build networks of, each of many operators: captured whole, run side by side, and judged."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.executor.capture.forms import normal, require_agreement
from tests.executor.capture.judged import require_judged


class Selective(nn.Module):
    """f32 [N, T, 4]: a state space whose step, entry and exit the input chooses (Gu and Dao, 2023)."""

    def __init__(self, width: int = 4, states: int = 3) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.short = nn.Conv1d(width, width, 3, groups=width, padding=2)
        self.choose = nn.Linear(width, width + 2 * states)
        self.decay = nn.Parameter(torch.log(torch.arange(1.0, states + 1).repeat(width, 1)))
        self.sizes = (width, states, states)

    def forward(self, x: Tensor) -> Tensor:
        signal, gate = self.enter(x).chunk(2, -1)
        signal = functional.silu(self.short(signal.mT)[..., : x.shape[1]].mT)
        step, entry, exit_ = self.choose(signal).split(self.sizes, -1)
        step = functional.softplus(step)
        kept = torch.exp(torch.einsum("bld,dn->bldn", step, -self.decay.exp()))
        taken = torch.einsum("bld,bln,bld->bldn", step, entry, signal)
        state, shown = torch.zeros(x.shape[0], *self.decay.shape), []
        for time in range(x.shape[1]):
            state = kept[:, time] * state + taken[:, time]
            shown.append(torch.einsum("bdn,bn->bd", state, exit_[:, time]))
        result: Tensor = self.leave((torch.stack(shown, 1) + signal) * functional.silu(gate))
        return result


class Splines(nn.Module):
    """f32 [N, T, 2]: a learnt spline on every edge (Liu et al., 2024), by de Boor's recursion."""

    def __init__(self, inner: int = 4, outer: int = 2, cells: int = 4, order: int = 2) -> None:
        super().__init__()
        knots = (torch.arange(-order, cells + order + 1) * 2 / cells - 1).repeat(inner, 1)
        self.register_buffer("knots", knots)
        self.weights = nn.Parameter(torch.randn(outer, inner * (cells + order)))
        self.plain = nn.Linear(inner, outer)
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        x = x.tanh() * 0.9
        at, knots = x.unsqueeze(-1), self.get_buffer("knots")
        bases = ((at >= knots[:, :-1]) & (at < knots[:, 1:])).to(x.dtype)
        for k in range(1, self.order + 1):
            rising = (at - knots[:, : -(k + 1)]) / (knots[:, k:-1] - knots[:, : -(k + 1)])
            falling = (knots[:, k + 1 :] - at) / (knots[:, k + 1 :] - knots[:, 1:-k])
            bases = rising * bases[..., :-1] + falling * bases[..., 1:]
        result: Tensor = self.plain(functional.silu(x)) + functional.linear(bases.flatten(2), self.weights)
        return result


class Neighbours(nn.Module):
    """f32 [N, T, 4]: attention over the edges of a graph (Velickovic et al., 2018), where both ends point up."""

    def __init__(self) -> None:
        super().__init__()
        self.project, self.score = nn.Linear(4, 4), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        nodes, count = self.project(x), x.shape[1]
        pairs = [nodes.unsqueeze(2).expand(-1, -1, count, -1), nodes.unsqueeze(1).expand(-1, count, -1, -1)]
        scores = functional.leaky_relu(self.score(torch.cat(pairs, -1)).squeeze(-1), 0.2)
        edges = (x[..., :1] + x[..., :1].mT) > 0
        weights = scores.masked_fill(~edges, -9e15).softmax(-1)
        return functional.elu(weights @ nodes)


class Turned(nn.Module):
    """f32 [N, T, 4]: attention of halves turned by their place, with a bias that falls with distance, and a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.wide, self.narrow = nn.Linear(4, 12), nn.Linear(4, 16), nn.Linear(8, 4)
        self.norm = nn.RMSNorm(4)

    @staticmethod
    def _turn(x: Tensor) -> Tensor:
        half = torch.outer(torch.arange(x.shape[1]).float(), torch.tensor([1.0, 0.01]))
        angles = torch.cat([half, half], -1)
        first, second = x.chunk(2, -1)
        return x * angles.cos() + torch.cat([-second, first], -1) * angles.sin()

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.enter(self.norm(x)).chunk(3, -1)
        places = torch.arange(x.shape[1])
        bias = -(places[None] - places[:, None]).abs() * 0.5
        scores = self._turn(query) @ self._turn(key).mT / 2 + bias
        x = x + scores.masked_fill(torch.ones_like(scores).triu(1) > 0, -torch.inf).softmax(-1) @ value
        gate, values = self.wide(self.norm(x)).chunk(2, -1)
        result: Tensor = x + self.narrow(functional.gelu(gate) * values)
        return result


@pytest.mark.parametrize("kind", [Selective, Splines, Neighbours, Turned])
def test_a_block__is_captured_for_any_batch_and_judged(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    x = normal(5, 4)
    captured = require_agreement(lambda block, x: block(x), x, layers=[kind()])
    assert captured.program.batchable
    require_judged(captured, [x[0]])
