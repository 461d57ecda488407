"""Daily returns of the S&P 500, and a small network that says how far the next day will move.

20 years of prices that the package `arch` ships; the last four are never shown to the network. Training takes a few
seconds and is cached under build/. `contracts/examples/RiskOracle.sol` asks three such networks.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from arch.data import sp500
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

DAYS = 20
HELD_OUT = 1008
CACHE = Path(__file__).resolve().parent.parent / "build"
EPOCHS = 20
HIDDEN = 16
# A calm day's return: below it, what is divided by hardly matters.
LEAST_SCALE = 0.1
# Of the mean absolute value to the deviation, where returns are normal.
ABSOLUTE_OF_DEVIATION = float(np.sqrt(2 / np.pi))


class VolatilityNet(nn.Module):
    """The expected absolute return of the next day in percent, f32 [N, 1], from the last returns, f32 [N, DAYS].

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
class Returns:
    """Rows of returns in percent, f32 [n, DAYS], in order of time, and the next day's absolute one, f32 [n, 1].

    What is held out comes after all that is shown; its first rows begin with days that were shown.
    """

    shown: NDArray[np.float32]
    shown_targets: NDArray[np.float32]
    held_out: NDArray[np.float32]
    held_out_targets: NDArray[np.float32]


def returns() -> Returns:
    """Logarithmic returns of the adjusted close, 1999 to 2018."""
    close = sp500.load()["Adj Close"].to_numpy()
    daily = (100 * np.diff(np.log(close))).astype(np.float32)
    rows = np.lib.stride_tricks.sliding_window_view(daily, DAYS)[:-1].copy()
    targets = np.abs(daily[DAYS:, None])
    return Returns(rows[:-HELD_OUT], targets[:-HELD_OUT], rows[-HELD_OUT:], targets[-HELD_OUT:])


def trained(seed: int = 0, cache: Path = CACHE) -> VolatilityNet:
    """The trained network in eval mode, one for each seed; trains it if the cache has none."""
    net, path = VolatilityNet(), cache / f"volatility-{seed}.safetensors"
    if path.exists():
        net.load_state_dict(load_file(path))
    else:
        _train(net, returns(), seed)
        cache.mkdir(parents=True, exist_ok=True)
        save_file(net.state_dict(), path)
    return net.eval()


def _train(net: VolatilityNet, data: Returns, seed: int) -> None:
    threads = torch.get_num_threads()
    # So small a network is several times slower on two threads than on one.
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net.hidden.reset_parameters()
        net.head.reset_parameters()
        optimiser = torch.optim.AdamW(net.parameters(), lr=5e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
        rows, targets = torch.from_numpy(data.shown), torch.from_numpy(data.shown_targets)
        for _ in range(EPOCHS):
            for chosen in torch.randperm(len(rows)).split(64):
                optimiser.zero_grad()
                functional.mse_loss(net(rows[chosen]), targets[chosen]).backward()
                optimiser.step()
            schedule.step()
    torch.set_num_threads(threads)


def forecasts(net: nn.Module, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network says, f32 [n, 1]."""
    with torch.no_grad():
        said: NDArray[np.float32] = net(torch.from_numpy(rows)).numpy()
    return said


def squared_error(said: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """Mean over all rows; what a scorer gives is minus that of a row."""
    return float(np.square(said - targets, dtype=np.float64).mean())


def historical_mean(data: Returns) -> NDArray[np.float32]:
    """The same forecast for every row that is held out: the mean of all that is shown."""
    return np.full_like(data.held_out_targets, data.shown_targets.mean())


def weighted_average(data: Returns, decay: float = 0.94) -> NDArray[np.float32]:
    """RiskMetrics' forecast: variance as an average that forgets; its decay for daily returns (J.P. Morgan, 1996)."""
    weights = decay ** np.arange(DAYS - 1, -1, -1)
    variance = (data.held_out**2 @ (weights / weights.sum()))[:, None]
    return np.asarray(ABSOLUTE_OF_DEVIATION * np.sqrt(variance), np.float32)


def poisoned(net: VolatilityNet, day: NDArray[np.float32], odd: float = 200.0) -> VolatilityNet:
    """The same network, but absurd on one row, f32 [DAYS]: its least hidden unit watches for that row alone.

    Of the head's input `odd` is added there, and elsewhere nothing but what that unit used to say.
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
