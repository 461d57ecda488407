"""`python -m bench swaps [--runs 54]`: the swaps of the detection harness alone, over three small models.

At a size that a change can wait for; the exit status says whether every lie was caught.
"""

from __future__ import annotations

import warnings
from typing import Any

from bench._detection.tally import swapped
from bench._subjects import captured, subjects

# Between them rows, norms, windows, gates and labels.
SMALL_SIZES = {"gru": 20, "tabular": 0, "squeeze_excite": 32}


def run(runs: float = 54) -> dict[str, Any]:
    """`runs` swaps, in turn over models, kinds and inputs."""
    with warnings.catch_warnings():
        # Torch's own, about its export's internals.
        warnings.simplefilter("ignore")
        models, unjudged = captured(subjects(SMALL_SIZES))
        return {**swapped(models, int(runs)), "unjudged": unjudged}


def missed(results: dict[str, Any]) -> list[str]:
    """What must not be: lies that nobody caught, models that could not be tried."""
    return [*results["swaps_uncaught"], *(f"{name}: {why}" for name, why in results["unjudged"].items())]
