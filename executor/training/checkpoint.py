"""Where a run stands, kept so that it goes on after a kill: written whole or not at all, in safetensors.

Holds weights, the optimiser's tensors, and the curve so far.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from rollup.errors import BadEncoding


@dataclass(frozen=True)
class Point:
    """One epoch on the curve. `loss`: mean over the training items; `score`: on the check items, if there are any."""

    epoch: int
    loss: float
    score: float | None
    seconds: float


@dataclass(frozen=True)
class Checkpoint:
    """`curve` has one point for each finished epoch. Names of `weights` are the program's."""

    weights: Mapping[str, Tensor]
    optimiser: Mapping[str, Tensor]
    curve: tuple[Point, ...]

    @property
    def epochs(self) -> int:
        """Epochs that are done."""
        return len(self.curve)

    def write(self, path: Path) -> None:
        """Replaces the file at `path`; who reads it while this dies finds the old one."""
        tensors = {f"weight.{name}": tensor.detach().contiguous().clone() for name, tensor in self.weights.items()}
        tensors |= {f"optimiser.{name}": tensor.detach().contiguous() for name, tensor in self.optimiser.items()}
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        save_file(tensors, draft, {"curve": json.dumps([asdict(point) for point in self.curve])})
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)

    @classmethod
    def read(cls, path: Path) -> Checkpoint | None:
        """None if there is none. Raises BadEncoding for one that was not written by `write`."""
        if not path.exists():
            return None
        try:
            with safe_open(path, "pt") as file:
                curve = tuple(Point(**point) for point in json.loads(file.metadata()["curve"]))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise BadEncoding(f"{path.name} is no checkpoint: {error}") from error
        parts = {part: _within(tensors, f"{part}.") for part in ("weight", "optimiser")}
        return cls(parts["weight"], parts["optimiser"], curve)


def _within(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
