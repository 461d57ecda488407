"""What checking a property costs against making the result that has it.

`digits_ratio`, `transformer_ratio`: all of checking a training over the training. `.._over_formula`: the passes of the
network in it over what the protocol promises of them, holdout / (3 · epochs · train items) of the training.
`generation_ratio`: checking a text of 128 new tokens in one pass over generating it.
"""

from __future__ import annotations

from typing import Any

from bench._property import generation, training


def run(seconds: float = 60.0) -> dict[str, Any]:
    """Rounds for at most so many seconds a network."""
    return training.figures(seconds) | generation.figures(seconds)
