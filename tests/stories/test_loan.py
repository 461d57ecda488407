"""A contract asks, a worker answers, the answer becomes final and is delivered: with nobody lying, and with liars."""

from __future__ import annotations

import pytest

from tests.actors import FabricatedTrace, NoData, SkippedLayer
from tests.stories.acts import Grief, HonestLoan, Hundred, Liars, Outcome
from tests.stories.books import Books
from tests.stories.stage import Stage

# Real windows in real time, on a machine that runs other tests too.
pytestmark = pytest.mark.timeout(600)


def quiet(_: str) -> None:
    """Tests need no narrator."""


@pytest.fixture(scope="module")
def outcomes(stage: Stage) -> dict[str, Outcome]:
    """All acts at once, as on a busy chain; each test looks at one."""
    books = Books(stage.net.client, stage.net.deployment)
    loan, hundred = HonestLoan(stage), Hundred(stage)
    liars = Liars(stage, (SkippedLayer, FabricatedTrace, NoData))
    grief = Grief(stage)
    played = [*liars.finish(quiet, books), loan.finish(quiet), hundred.finish(quiet), grief.finish(quiet)]
    return {outcome.act: outcome for outcome in played}


def test_a_loan__is_paid_by_the_callback_of_a_final_answer(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["honest loan"].ended_well


def test_a_hundred_signed_requests__are_answered_as_the_network_answers(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["100 REST requests"].ended_well


@pytest.mark.parametrize("lie", [SkippedLayer.name, FabricatedTrace.name, NoData.name])
def test_a_liar__is_slashed_and_the_request_answered_again(outcomes: dict[str, Outcome], lie: str) -> None:
    assert outcomes[lie].ended_well


def test_a_griefer__delays_an_honest_claim_and_pays(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["griefer"].ended_well


def test_value__is_conserved_over_all_of_it(stage: Stage, outcomes: dict[str, Outcome]) -> None:
    deployment = stage.net.deployment
    books = Books(stage.net.client, deployment)
    books.read()
    assert books.unaccounted_wei(deployment.modules) == 0
