"""What checking a claim of scores costs, divided by the training behind it.

An epoch and a check are done in turn; a training is as many epochs as its recipe says. Checking is all that a
watchtower does with a claim that it does not dispute: unmask every sealed item, compare keys and roots, run the scorer.
The formula counts passes of the network only: so does `over_formula`; `whole_over_formula` has the hashing in it, which
for items as small as digits costs more than their passes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bench._property.lessons import Lesson, digits_lesson, transformer_lesson
from bench._timing import in_turn, ratio, typical
from executor.threads import thread_count

ROUNDS = 9


def figures(limit_seconds: float = 60.0) -> dict[str, Any]:
    """`.._ratio`: checking over training. `.._over_formula`: the scorer's passes over training, and that over
    holdout / (3 · epochs · train items). A certified scorer makes a bound of each value's error besides.
    """
    digits, transformer = digits_lesson(), transformer_lesson()
    # So small a network is several times slower on two threads than on one.
    lessons = {"digits": digits, "digits_certified": replace(digits, certified=True), "transformer": transformer}
    found = {name: _measured(lesson, limit_seconds) for name, lesson in lessons.items()}
    return {f"{name}_{what}": value for name, parts in found.items() for what, value in parts.items()}


def _measured(lesson: Lesson, limit_seconds: float) -> dict[str, Any]:
    """Times in seconds, on one thread."""
    with thread_count(1):
        desk = lesson.desk
        rounds = in_turn([lesson.train_an_epoch, desk.check, lambda: desk.run(desk.items)], ROUNDS, limit_seconds)
    whole, passes = (ratio(rounds, act) / lesson.epochs for act in (1, 2))
    return {
        "ratio": whole,
        "over_formula": passes / lesson.formula,
        "whole_over_formula": whole / lesson.formula,
        "epochs": lesson.epochs,
        "shown": len(lesson.shown),
        "sealed": len(lesson.sealed),
        "parameters": sum(parameter.numel() for parameter in lesson.module.parameters()),
        "epoch_seconds": typical(rounds, 0),
        "check_seconds": typical(rounds, 1),
    }
