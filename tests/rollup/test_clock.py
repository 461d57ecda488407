"""Every instant lies in one phase; moves and timeouts never overlap."""

from __future__ import annotations

import pytest

from rollup.clock import CONCLUDABLE, Course, Phase, challenge_end, is_before
from rollup.types import Windows

WINDOWS = Windows(challenge=10, open=8, collect=6, supply=4, prove=12)
CHALLENGED, OPENED = 1_000, 1_005
SILENT = Course(WINDOWS, CHALLENGED)
OPEN = Course(WINDOWS, CHALLENGED, OPENED)
DEMANDED = Course(WINDOWS, CHALLENGED, OPENED, demanded=True)
MISSING = Course(WINDOWS, CHALLENGED, OPENED, demanded=True, missing=True)


def test_is_before__the_deadline_itself__is_too_late() -> None:
    assert [is_before(now, 10) for now in (9, 10, 11)] == [True, False, False]
    assert challenge_end(990, WINDOWS) == 1_000


@pytest.mark.parametrize(
    ("course", "end", "before", "after"),
    [
        (SILENT, 1_008, Phase.OPENING, Phase.UNOPENED),
        (OPEN, 1_011, Phase.COLLECTING, Phase.PROVING),
        (OPEN, 1_023, Phase.PROVING, Phase.OVER),
        (DEMANDED, 1_011, Phase.COLLECTING, Phase.SUPPLYING),
        (DEMANDED, 1_015, Phase.SUPPLYING, Phase.PROVING),
        (DEMANDED, 1_027, Phase.PROVING, Phase.OVER),
        (MISSING, 1_011, Phase.COLLECTING, Phase.SUPPLYING),
        (MISSING, 1_015, Phase.SUPPLYING, Phase.STARVED),
        (MISSING, 1_027, Phase.STARVED, Phase.STARVED),
    ],
)
def test_phase__changes_exactly_at_the_end_of_its_period(course: Course, end: int, before: Phase, after: Phase) -> None:
    assert course.phase(end - 1) is before
    assert course.phase(end) is after


@pytest.mark.parametrize("course", [SILENT, OPEN, DEMANDED, MISSING])
def test_concludable_from__is_the_first_instant_that_can_be_concluded(course: Course) -> None:
    concludable = [now for now in range(CHALLENGED, CHALLENGED + 100) if course.phase(now) in CONCLUDABLE]
    assert concludable[0] == course.concludable_from
    assert concludable == list(range(concludable[0], CHALLENGED + 100))


def test_final_from__counts_from_the_end_of_supply() -> None:
    assert (OPEN.final_from, DEMANDED.final_from) == (1_035, 1_039)
