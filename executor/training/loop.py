"""The loop of one process: epochs of batches, a curve, checkpoints, and an early stop.

Which items this process takes and how its gradients meet those of others is in `Seat`; the loop is the same for all
methods. Knows nothing of how processes are started (team.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite

import torch
from torch import Tensor, nn
from torch.nn import functional

from executor.training.checkpoint import Checkpoint, Point
from executor.training.dataset import Dataset, augment
from executor.training.network import Trainee
from executor.training.recipe import Loss, Recipe
from rollup.errors import BadInput

SCORE_BATCH = 1024
# A killed run loses at most this and one epoch.
KEEP_SECONDS = 1.0


def _nothing() -> None:
    """One process has nobody to wait for."""


@dataclass(frozen=True)
class Seat:
    """This process among those of its run. `module`: what is called forward (it may average gradients).

    `meet` returns when every process has come to it; `share` makes one number of all processes' numbers, their mean.
    """

    module: Callable[..., Tensor]
    rank: int = 0
    size: int = 1
    meet: Callable[[], None] = _nothing
    share: Callable[[float], float] = field(default=lambda value: value)

    @property
    def leads(self) -> bool:
        """Whether this process writes down how the run stands."""
        return self.rank == 0


@dataclass(frozen=True)
class Run:
    """A recipe with what it is applied to.

    The leading process calls `tell` after each epoch; `keep` at the end, and after an epoch if the last time is long
    enough ago, so that epochs of milliseconds are not spent on writing.
    """

    recipe: Recipe
    trainee: Trainee
    shown: Dataset
    check: Dataset | None
    tell: Callable[[Point], None]
    keep: Callable[[Checkpoint], None]


def train(run: Run, seat: Seat, start: Checkpoint | None) -> tuple[Point, ...]:
    """Goes on from `start`, whose weights the trainee has, to the end of the recipe; returns the curve.

    Raises BadInput if the loss stops being a number.
    """
    optimiser = _optimiser(run)
    if start is not None:
        _restore(optimiser, start.optimiser)
    curve = start.curve if start is not None else ()
    kept = time.monotonic()
    while not is_done(run.recipe, curve):
        curve = (*curve, _epoch(run, seat, optimiser, len(curve)))
        if seat.leads:
            run.tell(curve[-1])
            if is_done(run.recipe, curve) or time.monotonic() - kept >= KEEP_SECONDS:
                run.keep(Checkpoint(run.trainee.weights(), _state(optimiser), curve))
                kept = time.monotonic()
        seat.meet()
    return curve


def is_done(recipe: Recipe, curve: tuple[Point, ...]) -> bool:
    """Whether all epochs are done, or enough of them."""
    return len(curve) >= recipe.epochs or is_enough(recipe, curve)


def is_enough(recipe: Recipe, curve: tuple[Point, ...]) -> bool:
    """Whether the score was high enough for long enough."""
    if recipe.enough is None or len(curve) < recipe.enough.patience:
        return False
    last = curve[-recipe.enough.patience :]
    return all(point.score is not None and point.score >= recipe.enough.score for point in last)


def _epoch(run: Run, seat: Seat, optimiser: torch.optim.Optimizer, epoch: int) -> Point:
    began = time.monotonic()
    for group in optimiser.param_groups:
        group["lr"] = run.recipe.learning_rate_at(epoch)
    total, items = 0.0, 0
    for batch in _batches(run, seat, epoch):
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(run.recipe.loss, seat.module(*batch.inputs), batch.targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total, items = total + float(loss.detach()) * len(batch), items + len(batch)
    # Every process learns of one that diverged, so that none waits for it.
    mean = seat.share(total / max(1, items))
    if not isfinite(mean):
        raise BadInput(f"the loss is {mean} after epoch {epoch}: a lower learning rate than {_rate(optimiser)} may do")
    # Where weights are shared, nobody scores while another still writes, nor goes on while another still scores.
    seat.meet()
    score = score_of(run.recipe.loss, run.trainee, run.check) if run.check is not None else None
    return Point(epoch, mean, score, time.monotonic() - began)


def _rate(optimiser: torch.optim.Optimizer) -> float:
    return float(optimiser.param_groups[0]["lr"])


def _batches(run: Run, seat: Seat, epoch: int) -> Iterator[Dataset]:
    """This process's part of a permutation that all processes draw alike; every process has as many batches."""
    recipe = run.recipe
    drawn = torch.Generator().manual_seed((recipe.seed << 20) + epoch)
    order = torch.randperm(len(run.shown), generator=drawn)
    mine = order[seat.rank :: seat.size][: max(1, len(order) // seat.size)]
    changes = torch.Generator().manual_seed(((recipe.seed << 20) + epoch) * (seat.size + 1) + seat.rank + 1)
    for places in torch.split(mine, recipe.batch_size):
        yield augment(run.shown.take(places), recipe.augmentation, changes)


def loss_of(loss: Loss, output: Tensor, targets: Tensor) -> Tensor:
    """Mean over the batch, a scalar."""
    if loss is Loss.SQUARED_ERROR:
        return functional.mse_loss(output, targets)
    return functional.cross_entropy(output.reshape(-1, output.shape[-1]), targets.reshape(-1))


def score_of(loss: Loss, trainee: Trainee, data: Dataset) -> float:
    """Share of right classes, or minus the mean squared error."""
    total = 0.0
    with torch.inference_mode():
        for places in torch.split(torch.arange(len(data)), SCORE_BATCH):
            part = data.take(places)
            output = trainee.module(*part.inputs)
            if loss is Loss.CROSS_ENTROPY:
                total += float((output.argmax(-1) == part.targets).double().mean()) * len(part)
            else:
                total -= float(functional.mse_loss(output, part.targets)) * len(part)
    return total / len(data)


def _optimiser(run: Run) -> torch.optim.Optimizer:
    chosen = run.recipe.optimiser
    parameters: list[nn.Parameter] = list(run.trainee.parameters.values())
    if chosen.kind == "sgd":
        return torch.optim.SGD(
            parameters, lr=chosen.learning_rate, momentum=chosen.momentum, weight_decay=chosen.weight_decay
        )
    kind = torch.optim.Adam if chosen.kind == "adam" else torch.optim.AdamW
    return kind(parameters, lr=chosen.learning_rate, weight_decay=chosen.weight_decay)


def _state(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's tensors, by parameter and name."""
    return {
        f"{place}.{name}": value
        for place, held in optimiser.state_dict()["state"].items()
        for name, value in held.items()
        if isinstance(value, Tensor)
    }


def _restore(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        place, key = name.split(".", 1)
        state.setdefault(int(place), {})[key] = tensor
    known = optimiser.state_dict()
    optimiser.load_state_dict({"state": state, "param_groups": known["param_groups"]})
