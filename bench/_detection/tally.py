"""Swaps told in turn over models, kinds and inputs: how many there were, how many were caught, and which were not.

A swap whose trace has the root of the registered model's own run, so every bit of it, is no lie: nobody could tell, and
nobody is told anything false. It is named without effect, and counted neither as run nor as caught.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench._detection.desk import Desk
from bench._detection.swaps import SWAPS
from bench._subjects import Subject
from executor.trace import Results, Trace, recompute
from rollup.types import Verdict

# Of a model of so many elements, or fewer, as many runs as of any; of a larger one so many times fewer.
SMALL = 2e5


@dataclass
class Tally:
    """Swaps by their kind, and those that were not caught by their model, kind and input."""

    ran: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    uncaught: list[str] = field(default_factory=list)
    without_effect: list[str] = field(default_factory=list)

    def tell(self, model: Subject, desk: Desk, kind: str, number: int) -> None:
        """One swap, of input `number`, before a watchtower's desk."""
        inputs, place = model.draw(number), f"{model.name}, {kind}, input {number}"
        lie = SWAPS[kind](model.network, inputs, number)
        verdict = desk.verdict(inputs, lie)
        if verdict is not Verdict.BEYOND_SOUND and _is_honest(model, inputs, lie):
            self.without_effect.append(place)
            return
        self.ran[kind] += 1
        self.caught[kind] += verdict is Verdict.BEYOND_SOUND
        if verdict is not Verdict.BEYOND_SOUND:
            self.uncaught.append(f"{place}: {verdict.name}")

    @property
    def figures(self) -> dict[str, Any]:
        """As they are published. A thousand is said to be one only where a thousand lies were told."""
        ran, caught = self.ran.total(), self.caught.total()
        return {
            "swaps_run": ran,
            "swaps_caught": caught,
            "swaps_uncaught": self.uncaught,
            "swaps_without_effect": self.without_effect,
            **({"swaps_caught_of_1000": caught} if ran == 1000 else {}),
            "swaps": {kind: f"{self.caught[kind]} of {self.ran[kind]}" for kind in self.ran},
        }


def swapped(models: Sequence[Subject], runs: int, until: float = float("inf")) -> dict[str, Any]:
    """The figures of `runs` swaps over all models; none is begun after the moment `until` of the monotonic clock."""
    tally = Tally()
    for model, share in zip(models, shares(models, runs), strict=True):
        desk = Desk.of(model)
        for number in range(share):
            if time.monotonic() > until:
                break
            tally.tell(model, desk, list(SWAPS)[number % len(SWAPS)], number)
    return tally.figures


def shares(models: Sequence[Subject], runs: int) -> list[int]:
    """Runs of each model, `runs` in all."""
    sizes = [sum(step.result.elements for step in model.network.graph.steps) for model in models]
    parts = [1 / max(1.0, size / SMALL) for size in sizes]
    ends = [round(runs * sum(parts[: place + 1]) / sum(parts)) for place in range(len(parts))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _is_honest(model: Subject, inputs: Sequence[Any], results: Results) -> bool:
    """Whether a run is, bit by bit, what the registered model makes of these inputs."""
    return Trace.of(results).root == Trace.of(recompute(model.network, inputs)).root
