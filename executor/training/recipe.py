"""The recipe of a training run: declarative, checked, and small. It names no code, so a stranger's can be run.

Knows no torch.
"""

from __future__ import annotations

from enum import StrEnum
from math import cos, pi
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rollup.errors import BadInput

MAX_RECIPE_BYTES = 64 * 2**10
MAX_EPOCHS = 100_000
MAX_BATCH = 65_536
MAX_PROCESSES = 1024
MAX_SHIFT = 64

Rate = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Size = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class Method(StrEnum):
    """How the processes of one run work together."""

    # One process.
    SINGLE = "single"
    # Gradients are averaged over processes at every step (torch.distributed).
    DISTRIBUTED = "distributed"
    # Processes write into shared weights without a lock (Niu et al., Hogwild!, 2011): no two runs are alike.
    HOGWILD = "hogwild"


class Loss(StrEnum):
    """What is made small. Both are means over the batch."""

    # Logits [.., C] against classes or tokens i64 [..].
    CROSS_ENTROPY = "cross_entropy"
    # Outputs against targets of the same shape.
    SQUARED_ERROR = "squared_error"


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_enum_values=False)


class Optimiser(_Checked):
    """`momentum` is read by sgd only, `weight_decay` by all."""

    kind: Literal["sgd", "adam", "adamw"] = "adam"
    learning_rate: Rate = 1e-3
    momentum: Share = 0.0
    weight_decay: Size = 0.0


class Schedule(_Checked):
    """The learning rate over the epochs: constant, or falling to zero along a half cosine; after a linear warm-up."""

    kind: Literal["constant", "cosine"] = "constant"
    warmup_epochs: Annotated[int, Field(ge=0, le=MAX_EPOCHS)] = 0


class Augmentation(_Checked):
    """Changes of the inputs, drawn anew for every item. `shift` in pixels, `flip` mirrors the width: pictures only."""

    noise: Size = 0.0
    shift: Annotated[int, Field(ge=0, le=MAX_SHIFT)] = 0
    flip: bool = False


class Enough(_Checked):
    """Stop early once the score on the check items was at least `score` for `patience` epochs in a row.

    The score is the share of right classes, or minus the squared error. It should lie above the property's threshold
    by what sampling may cost: those who pay judge on items that nobody has seen.
    """

    score: Annotated[float, Field(allow_inf_nan=False)]
    patience: Annotated[int, Field(ge=1, le=MAX_EPOCHS)] = 1


class Recipe(_Checked):
    """A whole run. `initial`: "pushed" starts from the weights that came with the program, "drawn" from fresh ones.

    `batch_size` is that of one process. `frozen` names weights that stay as they are.
    """

    format: Literal["anh.recipe.v1"] = "anh.recipe.v1"
    method: Annotated[Method, Field(strict=False)] = Method.SINGLE
    processes: Annotated[int, Field(ge=1, le=MAX_PROCESSES)] = 1
    loss: Annotated[Loss, Field(strict=False)] = Loss.CROSS_ENTROPY
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    augmentation: Augmentation = Augmentation()
    epochs: Annotated[int, Field(ge=1, le=MAX_EPOCHS)] = 30
    batch_size: Annotated[int, Field(ge=1, le=MAX_BATCH)] = 64
    initial: Literal["pushed", "drawn"] = "drawn"
    frozen: tuple[str, ...] = Field(default=(), strict=False)
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    enough: Enough | None = None

    @model_validator(mode="after")
    def _processes_fit_method(self) -> Recipe:
        if (self.method is Method.SINGLE) != (self.processes == 1):
            raise ValueError(f"method {self.method} cannot have {self.processes} processes")
        return self

    @classmethod
    def from_json(cls, text: bytes) -> Recipe:
        """Raises BadInput that names every fault at once."""
        if len(text) > MAX_RECIPE_BYTES:
            raise BadInput(f"a recipe has at most {MAX_RECIPE_BYTES} bytes, got {len(text)}")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, item['loc'])) or 'recipe'}: {item['msg']}" for item in error.errors())
            raise BadInput(f"the recipe cannot be used: {'; '.join(faults)}") from error

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Raises BadInput for a file that is missing, too long or no recipe."""
        if not path.is_file():
            raise BadInput(f"{path} is no recipe: there is no such file")
        with path.open("rb") as file:
            return cls.from_json(file.read(MAX_RECIPE_BYTES + 1))

    def learning_rate_at(self, epoch: int) -> float:
        """The learning rate of epoch 0, 1, ..."""
        warmup, base = self.schedule.warmup_epochs, self.optimiser.learning_rate
        if epoch < warmup:
            return base * (epoch + 1) / (warmup + 1)
        if self.schedule.kind == "constant":
            return base
        done = (epoch - warmup) / max(1, self.epochs - warmup)
        return base * (1 + cos(pi * min(1.0, done))) / 2
