"""The trainer among requests of strangers: what would end the process is declined, for others wait for its answers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from executor.trainer.desk import Desk
from executor.trainer.duty import Duty
from executor.trainer.trainer import Case, Trainer
from rollup.properties.types import TrainingId


class Thrown(Trainer):
    """A trainer whose hands meet an error."""

    def __init__(self, error: Exception) -> None:
        def prepare(*_: object) -> None:
            raise error

        self._craft: Any = SimpleNamespace(prepare=prepare)


@pytest.mark.parametrize(
    "error",
    [IndexError("index out of range in self"), RuntimeError("index 50 is out of bounds"), MemoryError()],
)
def test_a_scorer_that_cannot_be_run__is_declined_and_ends_nobody(error: Exception, tmp_path: Path) -> None:
    id_ = TrainingId(b"t" * 32)
    given: Any = SimpleNamespace(training=SimpleNamespace(id=id_))
    standing: Any = None
    desk = Desk.of(tmp_path, id_)
    assert Thrown(error)._done(Case(given, standing, desk), Duty.PREPARE) == []
    assert desk.declined.startswith("what is to be trained cannot be run here")
