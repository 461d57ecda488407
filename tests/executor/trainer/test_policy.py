"""What an operator trains for, and which weights are worth a commitment."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from executor.trainer.policy import Policy, standard_error
from executor.training.recipe import Method, Recipe
from rollup.call import f32_bits
from rollup.errors import BadInput
from rollup.properties.types import Aggregate, Comparison, Property, TrainingTerms
from tests.executor.trainer.commission import commission

MEAN = Property(Aggregate.MEAN, Comparison.AT_LEAST, f32_bits(0.9))


@pytest.fixture(scope="module")
def terms(tmp_path_factory: pytest.TempPathFactory) -> TrainingTerms:
    return commission(Path(tmp_path_factory.mktemp("policy"))).given.terms


def shares(right: int, of: int) -> bytes:
    """Scores of a network that is right on so many."""
    return struct.pack(f">{of}f", *[1.0] * right, *[0.0] * (of - right))


def test_require_terms__fee_below_the_operators__is_refused(terms: TrainingTerms) -> None:
    with pytest.raises(BadInput, match="the fee is 1000000000000000000 wei, at least 1000000000000000001"):
        Policy(least_fee_wei=terms.fee_wei + 1).require_terms(terms)
    Policy(least_fee_wei=terms.fee_wei).require_terms(terms)


def test_require_terms__commit_fee_that_eats_the_fee__is_refused(terms: TrainingTerms) -> None:
    with pytest.raises(BadInput, match="a commitment costs"):
        Policy().require_terms(replace(terms, commit_fee_wei=terms.fee_wei // 2 + 1))


def test_require_recipe__more_processes_than_are_lent__is_refused() -> None:
    absurd = Recipe(method=Method.HOGWILD, processes=1024)
    with pytest.raises(BadInput, match="wants 1024 processes, at most 2"):
        Policy(most_processes=2).require_recipe(absurd)


def test_require_promising__random_labels__are_refused() -> None:
    with pytest.raises(BadInput, match=r"64 opened items have the mean score 0.1094, 0.9 is wanted"):
        Policy().require_promising(MEAN, shares(7, 64), 448)


def test_require_promising__a_threshold_just_reached__is_refused() -> None:
    """58 of 64 are 0.906: a coin's throw from missing 0.9 on the sealed items."""
    with pytest.raises(BadInput, match=r"and 0\.0\d+ besides"):
        Policy().require_promising(MEAN, shares(58, 64), 448)


@pytest.mark.parametrize("right", [62, 63, 64])
def test_require_promising__a_threshold_cleared__is_enough(right: int) -> None:
    Policy().require_promising(MEAN, shares(right, 64), 448)


def test_require_promising__few_items__must_clear_it_by_more() -> None:
    Policy().require_promising(MEAN, shares(61, 64), 448)
    with pytest.raises(BadInput, match="4 opened items"):
        Policy().require_promising(MEAN, shares(4, 4), 448)


def test_require_promising__at_most__looks_the_other_way() -> None:
    wanted = Property(Aggregate.MEAN, Comparison.AT_MOST, f32_bits(0.5))
    errors = struct.pack(">4f", 0.1, 0.11, 0.12, 0.1)
    Policy().require_promising(wanted, errors, 100)
    with pytest.raises(BadInput, match=r"the mean score 0\.1075, 0\.1 is wanted"):
        Policy().require_promising(replace(wanted, threshold=f32_bits(0.1)), errors, 100)


def test_require_promising__sum__is_a_mean_of_the_sealed_items() -> None:
    wanted = Property(Aggregate.SUM, Comparison.AT_LEAST, f32_bits(90.0))
    Policy().require_promising(wanted, shares(64, 64), 100)
    with pytest.raises(BadInput, match=r"1\.8 is wanted"):
        Policy().require_promising(wanted, shares(64, 64), 50)


def test_require_promising__all__is_not_reached_by_a_mean() -> None:
    wanted = Property(Aggregate.ALL, Comparison.AT_LEAST, f32_bits(0.5))
    Policy().require_promising(wanted, shares(64, 64), 448)
    with pytest.raises(BadInput, match="ALL of 64 opened items misses"):
        Policy().require_promising(wanted, shares(63, 64), 448)


def test_standard_error__shrinks_with_the_opened_part_and_the_sealed_one() -> None:
    half = [1.0, 0.0] * 8
    assert standard_error(half * 4, 1000) < standard_error(half, 1000)
    assert standard_error(half, 1000) < standard_error(half, 16)
    assert standard_error([1.0] * 20, 1000) > 0


def test_hurry_at__leaves_time_for_the_commitment() -> None:
    policy = Policy(hurry_share=0.2, least_hurry_seconds=3.0)
    assert policy.hurry_at(1000, 1100) == 1080
    assert policy.hurry_at(1000, 1005) == 1002
