"""One training's folder: the job, what was committed, and why nothing more is done. Survives every kill.

`job/` is written whole or not at all. `pledge.json` is there before the commitment is on chain. `declined.txt` says why
the training is left alone from then on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from executor.tensors import to_canonical
from executor.trainer.materials import Materials
from executor.trainer.pledge import Pledge
from executor.training.dataset import TARGETS
from executor.training.job import CHECK_FILE, RECIPE_FILE, SHOWN_FILE, Job
from rollup.errors import BadInput
from rollup.package import read_folder, write_folder
from rollup.program import Weight
from rollup.properties.types import TrainingId
from rollup.tensor import Tensor, TensorSpec
from rollup.weights import write_weights

PLEDGE_FILE = "pledge.json"
DECLINED_FILE = "declined.txt"
JOB_FOLDER = "job"


@dataclass(frozen=True)
class Desk:
    """`folder` is this training's own; it need not exist yet."""

    folder: Path

    @classmethod
    def of(cls, trainings: Path, id_: TrainingId) -> Desk:
        return cls(trainings / id_.hex())

    @property
    def job(self) -> Job:
        return Job(self.folder / JOB_FOLDER)

    @property
    def is_prepared(self) -> bool:
        return self.job.folder.is_dir()

    def prepare(self, materials: Materials, recipe: bytes) -> None:
        """Lays out the job. Killed in the middle, it leaves nothing that counts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f"{JOB_FOLDER}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        write_folder(draft, materials.architecture.program, materials.architecture.weights)
        (draft / RECIPE_FILE).write_bytes(recipe)
        write_items(draft / SHOWN_FILE, materials.data)
        write_items(draft / CHECK_FILE, stacked(materials.opened))
        draft.replace(self.job.folder)

    def trained(self) -> list[Tensor]:
        """The weights where the job stands, in the order of their bundle. Raises BadInput before the first epoch."""
        checkpoint = self.job.checkpoint
        if checkpoint is None:
            raise BadInput("no epoch was finished in time")
        return [
            to_canonical(checkpoint.weights[weight.name]) for weight in read_folder(self.job.folder).program.weights
        ]

    @property
    def pledge(self) -> Pledge | None:
        return Pledge.read(self.folder / PLEDGE_FILE)

    def keep(self, pledge: Pledge) -> None:
        pledge.write(self.folder / PLEDGE_FILE)

    @property
    def declined(self) -> str:
        """Why the training is left alone; empty while it is not."""
        with suppress(FileNotFoundError):
            return (self.folder / DECLINED_FILE).read_text(encoding="utf-8") or "no reason was kept"
        return ""

    def decline(self, reason: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f"{DECLINED_FILE}.new"
        draft.write_text(reason, encoding="utf-8")
        draft.replace(self.folder / DECLINED_FILE)


def stacked(items: Sequence[Sequence[Tensor]]) -> tuple[Tensor, ...]:
    """Tensors [1, ...] of items side by side, as [n, ...]."""
    return tuple(
        Tensor(
            TensorSpec(parts[0].spec.dtype, (len(parts), *parts[0].spec.shape[1:])),
            b"".join(part.data for part in parts),
        )
        for parts in zip(*items, strict=True)
    )


def write_items(path: Path, tensors: Sequence[Tensor]) -> None:
    """Writes stacked inputs and targets as a job reads them."""
    names = [*(f"input_{place}" for place in range(len(tensors) - 1)), TARGETS]
    write_weights(path, [Weight(name, tensor.spec) for name, tensor in zip(names, tensors, strict=True)], tensors)
