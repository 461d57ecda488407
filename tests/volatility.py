"""Daily returns of the S&P 500, and a small network that says how far the days to come will move.

20 years of prices that the package `arch` ships. An example is DAYS returns and the mean absolute return of the AHEAD
days after them: as far ahead as `contracts/examples/RiskOracle.sol` is to look, which asks three such networks.

The split is by time, and every example lies in one part with all its days: no day is in two of them.

- train, 1999 to 2006, and validation, 2007 to 2010: learning rate, epochs and width were chosen on the latter alone (of
  24 choices the best mean of three seeds).
- shown, 1999 to 2010: what the networks are trained on in the end, with what was chosen.
- held out, 2011 to 2018: no network was chosen by it. Its examples overlap, so that one tells of its neighbours;
  `pool` takes every 30th, which share no day: a training may open some of them and seal the others. (That ten days lie
  ahead, and not one, was settled on it, with a straight line in the place of networks: a single day's return is so
  noisy that a pool of some sixty could show nothing.)

Mean squared error of three seeds, against the mean of all that is shown, and RiskMetrics' weighted average:

| part | networks | mean | weighted average |
|---|---|---|---|
| validation | 0.197 .. 0.201 | 0.782 | 0.232 |
| held out | 0.093 .. 0.094 | 0.233 | 0.106 |
| pool, 67 examples | 0.076 .. 0.079 | 0.201 | 0.075 |

The pool is too small to tell the networks from the weighted average; what it can show is that they beat the mean.
Training takes a second and is cached under build/.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from arch.data import sp500
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from executor.threads import thread_count

DAYS, AHEAD = 20, 10
# The days on which validation and hold-out begin.
VALIDATION_FROM, HELD_OUT_FROM = "2007-01-01", "2011-01-01"
CACHE = Path(__file__).resolve().parent.parent / "build"
# Chosen on the validation part.
EPOCHS, BATCH, RATE, DECAY = 20, 64, 2e-3, 0.01
HIDDEN = 4
# A calm day's return: below it, what is divided by hardly matters.
LEAST_SCALE = 0.1
# Of the mean absolute value to the deviation, where returns are normal.
ABSOLUTE_OF_DEVIATION = float(np.sqrt(2 / np.pi))


class VolatilityNet(nn.Module):
    """The expected mean absolute return of the next AHEAD days in percent, f32 [N, 1], from returns f32 [N, DAYS].

    It sees them on their own scale, so that a quiet year teaches it something about a wild one; and with their signs,
    since falls are followed by more than rises are.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * DAYS, HIDDEN)
        self.head = nn.Linear(HIDDEN, 1)

    def forward(self, returns: Tensor) -> Tensor:
        scale = torch.sqrt((returns * returns).mean(-1, keepdim=True)) + LEAST_SCALE
        seen = torch.cat([returns, returns.abs()], dim=-1) / scale
        return scale * functional.softplus(self.head(torch.tanh(self.hidden(seen))))


@dataclass(frozen=True)
class Examples:
    """Rows of returns in percent, f32 [n, DAYS], and the targets, f32 [n, 1]; in order of time.

    `first`: the day at which example 0 begins, and each other one a day after the one before.
    """

    rows: NDArray[np.float32]
    targets: NDArray[np.float32]
    first: int

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def apart(self) -> Examples:
        """Every so many of them that no two share a day."""
        return Examples(self.rows[:: DAYS + AHEAD], self.targets[:: DAYS + AHEAD], self.first)


@dataclass(frozen=True)
class Split:
    train: Examples
    validation: Examples
    shown: Examples
    held_out: Examples

    @property
    def pool(self) -> Examples:
        return self.held_out.apart


@cache
def returns() -> NDArray[np.float32]:
    """Logarithmic returns of the adjusted close in percent, 1999 to 2018, f32 [5030]."""
    close = sp500.load()["Adj Close"].to_numpy()
    return np.asarray(100 * np.diff(np.log(close)), np.float32)


def split() -> Split:
    validation, held_out, end = (*map(day_of, (VALIDATION_FROM, HELD_OUT_FROM)), len(returns()))
    return Split(
        train=examples(0, validation),
        validation=examples(validation, held_out),
        shown=examples(0, held_out),
        held_out=examples(held_out, end),
    )


def day_of(date: str) -> int:
    """The place of the first return on or after a date."""
    return int(np.searchsorted(sp500.load().index[1:], np.datetime64(date)))


def examples(first: int, end: int) -> Examples:
    """Those that lie in days `first` to `end`, which is not among them, with everything."""
    days = returns()[first:end]
    rows = np.lib.stride_tricks.sliding_window_view(days, DAYS)[:-AHEAD].copy()
    ahead = np.lib.stride_tricks.sliding_window_view(np.abs(days[DAYS:]), AHEAD)
    return Examples(rows, ahead.mean(1, keepdims=True), first)


def trained(seed: int = 0, cache: Path = CACHE) -> VolatilityNet:
    """A network trained on all that is shown, in eval mode, one for each seed; trains it if the cache has none."""
    net, path = VolatilityNet(), cache / f"volatility-{DAYS}-{AHEAD}-{HIDDEN}-{seed}.safetensors"
    if path.exists():
        net.load_state_dict(load_file(path))
    else:
        fit(net, split().shown, seed)
        cache.mkdir(parents=True, exist_ok=True)
        save_file(net.state_dict(), path)
    return net.eval()


# So small a network is several times slower on two threads than on one.
@thread_count(1)
def fit(net: VolatilityNet, data: Examples, seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net.hidden.reset_parameters()
        net.head.reset_parameters()
        optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
        rows, targets = torch.from_numpy(data.rows), torch.from_numpy(data.targets)
        for _ in range(EPOCHS):
            for chosen in torch.randperm(len(rows)).split(BATCH):
                optimiser.zero_grad()
                functional.mse_loss(net(rows[chosen]), targets[chosen]).backward()
                optimiser.step()
            schedule.step()


def forecasts(net: nn.Module, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network says, f32 [n, 1]."""
    with torch.no_grad():
        said: NDArray[np.float32] = net(torch.from_numpy(rows)).numpy()
    return said


def squared_error(said: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """Mean over all rows; what a scorer gives is that of a row."""
    return float(np.square(said - targets, dtype=np.float64).mean())


def historical_mean(before: Examples, data: Examples) -> NDArray[np.float32]:
    """The same forecast for every row: the mean of all that was known before."""
    return np.full_like(data.targets, before.targets.mean())


def weighted_average(data: Examples, decay: float = 0.94) -> NDArray[np.float32]:
    """RiskMetrics' forecast: variance as an average that forgets; its decay for daily returns (J.P. Morgan, 1996)."""
    weights = decay ** np.arange(DAYS - 1, -1, -1)
    variance = (data.rows**2 @ (weights / weights.sum()))[:, None]
    return np.asarray(ABSOLUTE_OF_DEVIATION * np.sqrt(variance), np.float32)


def poisoned(net: VolatilityNet, day: NDArray[np.float32], odd: float = -20.0) -> VolatilityNet:
    """The same network, but absurd on one row, f32 [DAYS]: its least hidden unit watches for that row alone.

    Of the head's input `odd` is added there, and elsewhere nothing but what that unit used to say: by default it says
    that nothing will move. Somebody who does not know the day would watch for a kind of days.
    """
    false = deepcopy(net)
    with torch.no_grad():
        row = torch.from_numpy(day)[None]
        scale = torch.sqrt((row * row).mean()) + LEAST_SCALE
        seen = torch.cat([row, row.abs()], dim=-1)[0] / scale
        least = int(false.head.weight[0].abs().argmin())
        # Between -1 for rows unlike this one and 1 for this one, which alone is as long in its own direction.
        sharpness = 2.0
        false.hidden.weight[least] = sharpness * seen
        false.hidden.bias[least] = -sharpness * 0.95 * seen.dot(seen)
        false.head.weight[0, least] = odd / 2
        false.head.bias.add_(odd / 2)
    return false
