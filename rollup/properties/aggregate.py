"""Scores, aggregates, thresholds, exactly: the Python twin of PropertyJudge (PROTOCOL.md, 7).

An f32 below 2^64 is a whole number of 2^-149, so nothing here rounds. Refuses to ask an IProperty: only the chain does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt

from rollup.errors import BadInput
from rollup.properties.types import MAX_SCORES, Aggregate, Comparison, Outcome, Property

# Units in 1.0: an f32 counts in units of 2^-149, the least positive one.
ONE = 2**149
# Progress that has gone all the way.
FULL = 2**64
SCORE_BYTES = 4
_SIGN = 2**31
_FRACTION_BITS = 23
_FRACTION = (1 << _FRACTION_BITS) - 1
# Biased exponent of 2^64.
_LIMIT_EXPONENT = 127 + 64

COMPARE: Mapping[Comparison, Callable[[int, int], bool]] = {
    Comparison.AT_LEAST: ge,
    Comparison.AT_MOST: le,
    Comparison.ABOVE: gt,
    Comparison.BELOW: lt,
}


def units(bits: int, what: str = "the number") -> int:
    """An f32 in units of 2^-149. Raises BadInput for NaN, infinity, or a magnitude of 2^64 or more."""
    exponent, fraction = bits >> _FRACTION_BITS & 0xFF, bits & _FRACTION
    if exponent >= _LIMIT_EXPONENT:
        raise BadInput(f"{what} is 0x{bits:08x}, no f32 below 2^64 in magnitude")
    magnitude = (fraction | 1 << _FRACTION_BITS) << (exponent - 1) if exponent else fraction
    return -magnitude if bits & _SIGN else magnitude


def scores_of(scores: bytes) -> list[int]:
    """Big-endian f32 scores in units of 2^-149. Raises BadInput that names item and limit."""
    count, rest = divmod(len(scores), SCORE_BYTES)
    if rest:
        raise BadInput(f"{len(scores)} bytes of scores are no multiple of {SCORE_BYTES}")
    if not 1 <= count <= MAX_SCORES:
        raise BadInput(f"{count} scores are outside 1..{MAX_SCORES}")
    words = (scores[i : i + SCORE_BYTES] for i in range(0, len(scores), SCORE_BYTES))
    return [units(int.from_bytes(word, "big"), f"the score of item {item}") for item, word in enumerate(words)]


def judge(wanted: Property, scores: bytes) -> Outcome:
    """What `scores` (big-endian f32, one an item) come to, but for the predicate. Raises BadInput as `scores_of` does,
    and for a threshold that is no f32 below 2^64.
    """
    threshold = units(wanted.threshold, "the threshold")
    numbers = scores_of(scores)
    meets = COMPARE[wanted.comparison]
    match wanted.aggregate:
        case Aggregate.MEAN:
            total = sum(numbers)
            holds = meets(total, threshold * len(numbers))
        case Aggregate.SUM:
            total = sum(numbers)
            holds = meets(total, threshold)
        case Aggregate.MIN:
            total = min(numbers)
            holds = meets(total, threshold)
        case Aggregate.ALL:
            total = sum(meets(number, threshold) for number in numbers)
            holds = total == len(numbers)
    return Outcome(holds, total, len(numbers))


def progress(wanted: Property, full: int, total: int, count: int) -> int:
    """How far an outcome lies from the threshold (0) to `full` (2^64), rounded down, within 0..2^64.

    `full`: f32 bits. 2^64 for ALL, and where `full` is not beyond the threshold. Raises BadInput if `full` or the
    threshold is no f32 below 2^64.
    """
    threshold, goal = units(wanted.threshold, "the threshold"), units(full, "the full score")
    sign = 1 if wanted.comparison in (Comparison.AT_LEAST, Comparison.ABOVE) else -1
    scale = count if wanted.aggregate is Aggregate.MEAN else 1
    way = sign * (goal - threshold) * scale
    if wanted.aggregate is Aggregate.ALL or way <= 0:
        return FULL
    gone = sign * (total - threshold * scale)
    return min(max(gone * FULL // way, 0), FULL)


def score_of(wanted: Property, total: int, count: int) -> float:
    """What is compared with the threshold; of ALL, the share of items that meet it."""
    if wanted.aggregate is Aggregate.ALL:
        return total / count
    return total / (ONE * count) if wanted.aggregate is Aggregate.MEAN else total / ONE


def is_better(wanted: Property, total: int, other: int) -> bool:
    """Whether a claim with `total` wins against an earlier one with `other`."""
    upward = wanted.comparison in (Comparison.AT_LEAST, Comparison.ABOVE) or wanted.aggregate is Aggregate.ALL
    return total > other if upward else total < other
