"""Aggregates: exact, whatever the scores' size; against fractions."""

from __future__ import annotations

import struct
from fractions import Fraction
from random import Random

import pytest

from rollup.errors import BadInput
from rollup.properties.aggregate import COMPARE, FULL, ONE, is_better, judge, progress, score_of, scores_of, units
from rollup.properties.types import MAX_SCORES, Aggregate, Comparison, Property

RANDOM = Random("aggregate")
NAN, INFINITY, LIMIT = 0x7FC00000, 0x7F800000, 0x5F800000


def bits(value: float) -> int:
    return int.from_bytes(struct.pack(">f", value), "big")


def f32(*values: float) -> bytes:
    return struct.pack(f">{len(values)}f", *values)


def wanted(aggregate: Aggregate, comparison: Comparison, threshold: float) -> Property:
    return Property(aggregate, comparison, bits(threshold))


def random_scores() -> list[float]:
    """Scores of every size below 2^64, zeros of both signs and subnormal ones among them."""
    scale = RANDOM.choice([-149, -126, -20, 0, 0, 0, 30, 63])
    spread = [RANDOM.choice([-1, 1]) * RANDOM.random() * 2.0 ** (scale - RANDOM.randrange(3)) for _ in range(20)]
    return list(struct.unpack(">22f", f32(*spread, 0.0, -0.0)))[: RANDOM.randrange(1, 23)]


@pytest.mark.parametrize("word", [NAN, INFINITY, INFINITY | 2**31, LIMIT, LIMIT | 2**31, 0x7F7FFFFF])
def test_units__of_what_is_not_below_2_64__is_refused(word: int) -> None:
    with pytest.raises(BadInput, match=f"0x{word:08x}, no f32 below 2"):
        units(word)


@pytest.mark.parametrize("word", [0, 1, 0x80000001, 0x007FFFFF, 0x00800000, 0x3F800000, 0xBF800001, LIMIT - 1])
def test_units__are_exact(word: int) -> None:
    value = struct.unpack(">f", word.to_bytes(4, "big"))[0]
    assert Fraction(units(word), ONE) == Fraction(value)


def test_scores_of__no_scores_or_too_many_or_a_part__is_refused() -> None:
    with pytest.raises(BadInput, match="0 scores are outside"):
        scores_of(b"")
    with pytest.raises(BadInput, match=f"{MAX_SCORES + 1} scores are outside"):
        scores_of(bytes(4 * (MAX_SCORES + 1)))
    with pytest.raises(BadInput, match="7 bytes of scores"):
        scores_of(bytes(7))


def test_scores_of__one_that_is_not_finite__names_its_item() -> None:
    with pytest.raises(BadInput, match="score of item 2 is 0x7fc00000"):
        scores_of(f32(1, 2) + NAN.to_bytes(4, "big"))


def test_judge__threshold_that_is_not_finite__is_refused() -> None:
    with pytest.raises(BadInput, match="the threshold is 0x7f800000"):
        judge(Property(Aggregate.MEAN, Comparison.AT_LEAST, INFINITY), f32(1))


@pytest.mark.parametrize("aggregate", Aggregate)
@pytest.mark.parametrize("comparison", Comparison)
def test_judge__random_scores__agrees_with_fractions(aggregate: Aggregate, comparison: Comparison) -> None:
    for _ in range(100):
        scores = random_scores()
        threshold = RANDOM.choice([*scores, 0.0, struct.unpack(">f", f32(RANDOM.gauss(0, 1)))[0]])
        numbers, limit = [Fraction(score) for score in scores], Fraction(threshold)
        meets = [COMPARE[comparison]((number - limit).numerator, 0) for number in numbers]
        value: Fraction = {
            Aggregate.MEAN: sum(numbers, Fraction()) / len(numbers),
            Aggregate.SUM: sum(numbers, Fraction()),
            Aggregate.MIN: min(numbers),
            Aggregate.ALL: Fraction(0),
        }[aggregate]
        outcome = judge(wanted(aggregate, comparison, threshold), f32(*scores))
        assert outcome.count == len(scores)
        if aggregate is Aggregate.ALL:
            assert (outcome.holds, outcome.total) == (all(meets), sum(meets))
        else:
            assert outcome.holds is COMPARE[comparison]((value - limit).numerator, 0)
            assert Fraction(outcome.total, ONE) == value * (len(scores) if aggregate is Aggregate.MEAN else 1)


def test_judge__sum_that_floats_would_lose__is_exact() -> None:
    huge, tiny = 2.0**63, 2.0**-149
    outcome = judge(wanted(Aggregate.SUM, Comparison.ABOVE, 0.0), f32(huge, tiny, -huge))
    assert (outcome.holds, outcome.total) == (True, 1)


def test_judge__order_of_the_scores__does_not_matter() -> None:
    scores = random_scores()
    shuffled = RANDOM.sample(scores, len(scores))
    for aggregate in Aggregate:
        asked = wanted(aggregate, Comparison.AT_LEAST, 0.5)
        assert judge(asked, f32(*scores)) == judge(asked, f32(*shuffled))


def test_progress__full_score_that_is_not_finite__is_refused() -> None:
    with pytest.raises(BadInput, match="the full score is 0x7fc00000"):
        progress(wanted(Aggregate.MEAN, Comparison.AT_LEAST, 0.5), NAN, 0, 1)


@pytest.mark.parametrize(
    ("comparison", "threshold", "full"), [(Comparison.AT_LEAST, 0.5, 1.0), (Comparison.BELOW, 1.0, 0.5)]
)
def test_progress__between_threshold_and_full__is_the_part_of_the_way(
    comparison: Comparison, threshold: float, full: float
) -> None:
    asked = wanted(Aggregate.MEAN, comparison, threshold)

    def at(mean: float) -> int:
        return progress(asked, bits(full), round(mean * 4 * ONE), 4)

    assert (at(threshold), at(0.75), at(full)) == (0, FULL // 2, FULL)
    assert at(threshold + full - 0.75 + (full - threshold)) == FULL
    assert at(threshold - (full - threshold)) == 0


def test_progress__is_rounded_down() -> None:
    asked = wanted(Aggregate.SUM, Comparison.AT_LEAST, 0.0)
    assert progress(asked, bits(3.0), ONE, 7) == FULL // 3


def test_progress__of_all__or_without_a_way_to_go__is_full() -> None:
    assert progress(wanted(Aggregate.ALL, Comparison.AT_LEAST, 0.0), bits(1.0), 3, 3) == FULL
    for comparison in Comparison:
        assert progress(wanted(Aggregate.MEAN, comparison, 0.5), bits(0.5), 0, 3) == FULL
    assert progress(wanted(Aggregate.MEAN, Comparison.ABOVE, 0.5), bits(0.25), ONE, 3) == FULL
    assert progress(wanted(Aggregate.MEAN, Comparison.BELOW, 0.5), bits(0.75), 0, 3) == FULL


@pytest.mark.parametrize(
    ("aggregate", "total", "score"),
    [
        (Aggregate.MEAN, 3 * ONE, 0.75),
        (Aggregate.SUM, 3 * ONE, 3.0),
        (Aggregate.MIN, ONE // 4, 0.25),
        (Aggregate.ALL, 3, 0.75),
    ],
)
def test_score_of__is_what_is_compared_with_the_threshold(aggregate: Aggregate, total: int, score: float) -> None:
    assert score_of(wanted(aggregate, Comparison.AT_LEAST, 0.5), total, 4) == score


def test_is_better__goes_the_way_of_the_comparison_and_never_for_equals() -> None:
    up, down = (wanted(Aggregate.MEAN, comparison, 0.5) for comparison in (Comparison.ABOVE, Comparison.AT_MOST))
    pairs = [(2, 1), (1, 2), (1, 1)]
    assert [is_better(up, *pair) for pair in pairs] == [True, False, False]
    assert [is_better(down, *pair) for pair in pairs] == [False, True, False]
    assert is_better(wanted(Aggregate.ALL, Comparison.BELOW, 0.5), 2, 1)
