"""A contract asks, a worker answers, the answer becomes final and is delivered: with nobody lying, and with liars."""

from __future__ import annotations

import pytest

from rollup.devnet import Account
from rollup.events import Leased
from tests.actors import FabricatedTrace, NoData, SkippedLayer
from tests.stories.acts import Grief, HonestLoan, Hundred, Liars, Outcome
from tests.stories.books import Books
from tests.stories.schooling import HOGWILD_TRAINER, SGD_TRAINER, Schooling
from tests.stories.stage import Stage

# Real windows in real time, on a machine that runs other tests too.
pytestmark = pytest.mark.timeout(600)


def quiet(_: str) -> None:
    """Tests need no narrator."""


@pytest.fixture(scope="module")
def outcomes(stage: Stage) -> dict[str, Outcome]:
    """All acts at once, as on a busy chain; each test looks at one."""
    books = Books(stage.net.client, stage.net.deployment)
    schooling = Schooling(stage.net, quiet)
    loan, hundred = HonestLoan(stage), Hundred(stage)
    liars = Liars(stage, (SkippedLayer, FabricatedTrace, NoData))
    grief = Grief(stage)
    played = [*liars.finish(quiet, books), loan.finish(quiet), hundred.finish(quiet), grief.finish(quiet)]
    played.append(schooling.finish())
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


def test_a_bounty__buys_a_network_that_is_nobodys_before_it_is_final(outcomes: dict[str, Outcome]) -> None:
    bought = outcomes["training bounty"]
    assert bought.ended_well
    assert bought.figures["weights_that_differ"] > 0.99 * bought.figures["weights"]


def test_executors_that_only_train__lease_nothing(stage: Stage, outcomes: dict[str, Outcome]) -> None:
    assert outcomes["training bounty"].ended_well
    books = Books(stage.net.client, stage.net.deployment)
    books.read()
    lessees = {event.lessee for event in books.said(Leased)}
    assert stage.net.address(Account.EXECUTOR) in lessees
    assert lessees.isdisjoint({stage.net.address(SGD_TRAINER), stage.net.address(HOGWILD_TRAINER)})


def test_the_books__of_every_act__are_balanced(stage: Stage, outcomes: dict[str, Outcome]) -> None:
    books = Books(stage.net.client, stage.net.deployment)
    books.read()
    entries = books.entries([outcome.names for outcome in outcomes.values()])
    assert [act for act, entry in zip(outcomes, entries, strict=True) if not entry.is_balanced] == []


def test_value__is_conserved_over_all_of_it(stage: Stage, outcomes: dict[str, Outcome]) -> None:
    deployment = stage.net.deployment
    books = Books(stage.net.client, deployment)
    books.read()
    assert books.unaccounted_wei(deployment.modules) == 0
