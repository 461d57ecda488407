"""Curves of trainings that are still going on: told by executors epoch by epoch, shown by the API.

Kept in Redis for those who look later; where it was away points are missing, and nothing depends on them. A curve is an
executor's own word: what its weights are worth is claimed on chain.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Protocol

from rollup.properties.types import TrainingId
from rollup.types import Address

STATUS = "training"
# After the last point; a training's own periods are at most 30 days each.
KEPT_SECONDS = 30 * 24 * 3600
# Of one executor: a longer curve keeps its newest points, each in the place of an older one.
MAX_POINTS = 1000


class Told(Protocol):
    """What is needed of rollup/live.py."""

    def publish(self, topic: str, status: str) -> bool: ...
    def keep(self, key: str, field: str, text: str, seconds: int) -> bool: ...
    def kept(self, key: str) -> dict[str, str]: ...


@dataclass(frozen=True)
class CurvePoint:
    """One finished epoch. `loss`: mean over the training items; `score`: on the opened items, if there are any."""

    epoch: int
    loss: float
    score: float | None


class Curves:
    """Never raises for an absent Redis."""

    def __init__(self, live: Told) -> None:
        self._live = live

    def tell(self, training: TrainingId, executor: Address, point: CurvePoint) -> bool:
        """Adds a point, or tells it again, and wakes whoever follows the training; whether Redis was there."""
        topic, field = _text(training), f"{_text(executor)}:{point.epoch % MAX_POINTS}"
        kept = self._live.keep(topic, field, json.dumps(asdict(point)), KEPT_SECONDS)
        return self._live.publish(topic, STATUS) and kept

    def of(self, training: TrainingId) -> dict[Address, list[CurvePoint]]:
        """Every executor's points, by epoch."""
        curves: dict[Address, list[CurvePoint]] = {}
        for field, text in self._live.kept(_text(training)).items():
            executor = Address(bytes.fromhex(field.split(":")[0].removeprefix("0x")))
            curves.setdefault(executor, []).append(CurvePoint(**json.loads(text)))
        return {executor: sorted(points, key=lambda point: point.epoch) for executor, points in curves.items()}


def _text(data: bytes) -> str:
    return "0x" + data.hex()
