"""Which trainings are worth a try, and which weights a commitment. Pure: decides on what it is handed.

A commitment costs a fee that is burned if the sealed items are missed. What is known of them is the opened part: drawn
after the pool was fixed, so nobody chose it.
"""

from __future__ import annotations

import math
import os
import statistics
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from executor.training.recipe import Recipe
from rollup.call import f32_value
from rollup.errors import BadInput
from rollup.properties.aggregate import judge
from rollup.properties.types import Aggregate, Comparison, Property, TrainingTerms

_UPWARD = (Comparison.AT_LEAST, Comparison.ABOVE)


@dataclass(frozen=True)
class Policy:
    """What an operator asks for. Money in wei, times in seconds.

    caution: standard errors by which the opened part must clear the threshold. hurry_share: part of the time to commit
    that is kept for scoring and the transaction; training is stopped then, wherever it stands.
    """

    least_fee_wei: int = 1
    most_commit_fee_share: float = 0.5
    most_processes: int = os.cpu_count() or 1
    most_data_bytes: int = 2**34
    caution: float = 1.0
    hurry_share: float = 0.1
    least_hurry_seconds: float = 3.0

    def require_terms(self, terms: TrainingTerms) -> None:
        """Raises BadInput for terms that this operator does not train for."""
        if terms.fee_wei < self.least_fee_wei:
            raise BadInput(f"the fee is {terms.fee_wei} wei, at least {self.least_fee_wei} are asked for")
        most = int(terms.fee_wei * self.most_commit_fee_share)
        if terms.commit_fee_wei > most:
            raise BadInput(f"a commitment costs {terms.commit_fee_wei} wei, at most {most} are paid for such a fee")

    def require_recipe(self, recipe: Recipe) -> None:
        """Raises BadInput for a recipe that this machine is not lent for."""
        if recipe.processes > self.most_processes:
            raise BadInput(f"the recipe wants {recipe.processes} processes, at most {self.most_processes} are lent")

    def hurry_at(self, opened_at: int, commit_end: int) -> float:
        """When training is stopped, whatever it has reached (seconds of the chain)."""
        return commit_end - max(self.least_hurry_seconds, self.hurry_share * (commit_end - opened_at))

    def require_promising(self, wanted: Property, scores: bytes, sealed_count: int) -> None:
        """Raises BadInput unless the opened items' `scores` (f32, one after another) promise that the sealed ones pass.

        Of a mean or a sum that is a threshold cleared by `caution` standard errors of the difference between the opened
        mean and the sealed one; of each score by itself, that none of the opened ones misses it.
        """
        if wanted.aggregate not in (Aggregate.MEAN, Aggregate.SUM):
            if not judge(wanted, scores).holds:
                raise BadInput(f"{wanted.aggregate.name} of {len(scores) // 4} opened items misses the threshold")
            return
        values = [value for (value,) in struct.iter_unpack(">f", scores)]
        threshold = f32_value(wanted.threshold) / (sealed_count if wanted.aggregate is Aggregate.SUM else 1)
        sign = 1.0 if wanted.comparison in _UPWARD else -1.0
        mean, margin = statistics.fmean(values), self.caution * standard_error(values, sealed_count)
        if sign * (mean - threshold) < margin:
            raise BadInput(
                f"{len(values)} opened items have the mean score {mean:.4g}, {threshold:.4g} is wanted, and "
                f"{margin:.2g} besides for what so few say of {sealed_count}"
            )


def standard_error(values: Sequence[float], sealed_count: int) -> float:
    """Of the difference between the mean of `values` and that of `sealed_count` items like them.

    Items that all score alike may do so by luck: two more are counted, half the spread above and below the mean, where
    the spread of equal scores is taken for that of right and wrong.
    """
    spread = max(values) - min(values) or 1.0
    mean = statistics.fmean(values)
    counted = [*values, mean - spread / 2, mean + spread / 2]
    return statistics.pstdev(counted) * math.sqrt(1 / len(values) + 1 / sealed_count)
