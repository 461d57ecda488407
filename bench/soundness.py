"""`python -m bench soundness [--elements 1e9]`: could an honest executor ever be slashed? Tried a billion times.

Honest runs of every model over eager, exported and compiled kernels, float64 that is rounded and sums in random
orders, on 1 and 2 threads, in batches of 1 to 32, on natural inputs and on such as hardware finds hard; whole models,
and each of their calls by itself. `false_faults` are elements that the judge would slash: there must be none.
`rejected_honest` are claims that no trace of theirs could defend. A runner that could compute with less than f32 must
refuse (`refusals`).
"""

from __future__ import annotations

import time
import warnings
from dataclasses import asdict
from typing import Any

from bench._soundness.campaign import Budget, Campaign, Tables
from bench._soundness.engines import compiler
from bench._soundness.refusals import refusals
from bench._soundness.tally import Tally
from bench._subjects import FEW_SIZES, SIZES, captured, subjects

# A model whose part is less than this is compiled only if it is small: compiling would take longer than judging.
ELEMENTS_TO_COMPILE = 2e7
FEW_CALLS, MANY_CALLS = 40, 600
# From here on all models take part.
MANY_ELEMENTS = 2e8


def run(elements: float = 2e7, seconds: float = 100.0) -> dict[str, Any]:
    """Judges `elements` computed elements, in at most about `seconds` besides the time that calibration takes.

    Every model gets its part of what is left of both.
    """
    tables: dict[str, Tables] = {}
    began, spent = time.monotonic(), 0.0
    with warnings.catch_warnings():
        # Torch's own, about its export and compiler internals.
        warnings.simplefilter("ignore")
        models, unjudged = captured(subjects(SIZES if elements >= MANY_ELEMENTS else FEW_SIZES))
        # The smallest first: what they cannot judge in their time is left to the larger ones.
        models.sort(key=lambda model: sum(step.result.elements for step in model.network.graph.steps))
        for number, subject in enumerate(models):
            left = len(models) - number
            share = (elements - sum(table.total.judged_elements for table in tables.values())) / left
            campaign = Campaign(subject, number)
            start = time.monotonic()
            until = start + max(0.0, seconds - spent) / left
            campaign.play(Budget(share, until, MANY_CALLS if share >= ELEMENTS_TO_COMPILE else FEW_CALLS))
            spent += time.monotonic() - start
            tables[subject.name] = campaign.tables
    total = Tally()
    for table in tables.values():
        total.add(table.total)
    return {
        **asdict(total),
        "models": len(tables),
        "unjudged": unjudged,
        "seconds": round(time.monotonic() - began, 1),
        "compiler": compiler() or "none: nothing was compiled",
        "refusals": refusals(),
        "by_model": {name: asdict(table.total) for name, table in tables.items()},
        "by_condition": {name: asdict(tally) for name, tally in sorted(_by_condition(tables).items())},
    }


def _by_condition(tables: dict[str, Tables]) -> dict[str, Tally]:
    """Each condition over all models."""
    found: dict[str, Tally] = {}
    for table in tables.values():
        for name, tally in table.by_condition.items():
            found.setdefault(name, Tally()).add(tally)
    return found


def missed(results: dict[str, Any]) -> list[str]:
    """Honest elements that the judge would slash."""
    return [f"{results['false_faults']} honest elements were judged faults"] if results["false_faults"] else []
