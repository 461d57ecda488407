"""A lending market asks three networks how much it may lend; one is poisoned, one answer a lie, and both move nothing.

The networks are trained to order on prices of the S&P 500 before 2011, by three executors, and have to beat the mean of
all that was known before on days that nobody could see. The evenings are those of 29 February and 1 March 2016.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rollup.devnet import Account, Devnet, Part
from rollup.properties.aggregate import ONE
from rollup.properties.types import TrainingId, TrainingStatus
from rollup.types import Certainty, DisputeStatus, RequestId
from rollup.view import Delivery, View
from tests.actors import Liar
from tests.one_thread import on_one_thread
from tests.stories.academy import Academy, hire
from tests.stories.acts import held_back
from tests.stories.market import (
    OPEN,
    POOL,
    RECIPE,
    SEATS,
    THRESHOLD,
    Calm,
    Market,
    Poisoner,
    ask_for_training,
    open_market,
)
from tests.volatility import day_of

FIRST_EVENING = day_of("2016-02-29")
# There is no sequencer here.
RIVAL = Account.SEQUENCER
POISONER, LIAR, FEEDER = (Account.FIRST_USER + place for place in range(1, 4))
GREATEST_FACTOR = 9_400


@dataclass(frozen=True)
class Evening:
    """What the oracle said of a day. `early`: while claims were provisional; `late`: when all three were final.

    `alone`: what each network's final answer would come to by itself. Factors in 1/10,000.
    """

    asked: list[RequestId]
    low: int
    high: int
    early: tuple[int, bool]
    late: tuple[int, bool]
    alone: list[int]


@dataclass(frozen=True)
class Ending:
    """`poisoned`, `lied_about`: which of the three networks."""

    training: TrainingId
    february: Evening
    march: Evening
    poisoned: int
    lied_about: int
    liar: Liar
    view: View


@pytest.fixture(scope="module")
def ending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ending]:
    """The whole story, told once."""
    folder = tmp_path_factory.mktemp("risk")
    with pytest.MonkeyPatch.context() as patch, on_one_thread(), Devnet(folder) as net:
        patch.setenv("OMP_NUM_THREADS", "1")
        academy = open_market(net)
        poisoner = Poisoner(academy, net.key(POISONER), FIRST_EVENING)
        training = train(academy, poisoner)
        market = Market.open(academy, net.key(FEEDER), training, FIRST_EVENING - 1)
        seats = [commit.executor for commit in academy.training(training).commits[:SEATS]]
        poisoned, lied_about = seats.index(poisoner.address), seats.index(net.address(Account.EXECUTOR))
        liar = Liar(Calm(), net.key(LIAR), market.place_of(lied_about), net.folder / "liar")
        february = evening(market, FIRST_EVENING, liar, lied_about)
        march = evening(market, FIRST_EVENING + 1)
        yield Ending(training, february, march, poisoned, lied_about, liar, academy.look())
        liar.close()


def train(academy: Academy, poisoner: Poisoner) -> TrainingId:
    """From the request to three networks with final scores; time passes while nobody has anything to do."""
    net = academy.net
    hire(net, "executor", Account.EXECUTOR, {**RECIPE, "seed": 0}, only_train=False)
    hire(net, "rival", RIVAL, {**RECIPE, "seed": 1}, only_train=False)
    id_ = ask_for_training(academy)
    academy.wait("the drawn items are open", lambda view: view.training(id_).status is TrainingStatus.COMMITTING, 60)
    poisoner.commit(id_)
    for part in (Part("worker"), Part("watch", Account.WATCHTOWER), Part("keeper", Account.KEEPER)):
        net.start_part(part)
    academy.wait("all three have committed", lambda view: len(view.training(id_).commits) == SEATS, 80)
    academy.net.pass_until(academy.training(id_).course.commit_end)
    academy.wait("the key is revealed", lambda view: view.training(id_).status is TrainingStatus.REVEALED, 60)
    poisoner.claim(id_)
    view = academy.wait("all three have claimed", lambda view: all(c.claim for c in view.training(id_).commits), 60)
    last = max(view.scores(commit.claim).final_from for commit in view.training(id_).commits if commit.claim)
    academy.net.pass_until(max(last, view.training(id_).course.claim_end))
    poisoner.finalise(id_)
    academy.wait("it is trained", lambda view: view.training(id_).status is TrainingStatus.TRAINED, 60)
    # It has no workers to answer with.
    net.processes.end("rival")
    return id_


def evening(market: Market, day: int, liar: Liar | None = None, lied_about: int = 0) -> Evening:
    """A day's return comes in; the three networks are asked, and answered when `Evening` is returned."""
    academy = market.academy
    with held_back(academy.net, "executor"):
        asked = market.add_day(day)
        if liar is not None:
            liar.claim(academy.look(), asked[lied_about])

    def stand(view: View) -> bool:
        claims = [view.live_claim(view.request(id_)) for id_ in asked]
        if liar is not None and view.request(asked[lied_about]).claims:
            first = view.request(asked[lied_about]).claims[0]
            if view.claim(first).certainty is Certainty.CHALLENGED:
                liar.answer(view, first)
            if view.claim(first).certainty is not Certainty.REFUTED:
                return False
        return all(claim is not None and claim.certainty is Certainty.PROVISIONAL for claim in claims)

    view = academy.wait("an honest claim on every question", stand, 120)
    early = market.factor()
    academy.net.pass_until(max(view.claim(view.request(id_).claims[-1]).final_from for id_ in asked))
    view = academy.wait("all callbacks", lambda view: all(is_heard(view, id_) for id_ in asked), 60)
    outputs = [view.claim(view.request(id_).claims[-1]).output for id_ in asked]
    band = market.band()
    return Evening(asked, *band, early, market.factor(), [market.factor_of(output) for output in outputs])


def is_heard(view: View, id_: RequestId) -> bool:
    return view.claim(view.request(id_).claims[-1]).delivery is Delivery.SENT


def test_training__three_networks__have_final_scores_that_beat_the_mean(ending: Ending) -> None:
    known = ending.view.training(ending.training)
    assert len(known.commits) == SEATS
    for commit in known.commits:
        assert ending.view.certainty_of(commit) is Certainty.FINAL
        assert commit.total <= THRESHOLD * (POOL - OPEN) * ONE


def test_factor__while_answers_are_provisional__is_the_lower_end(ending: Ending) -> None:
    for evening in (ending.february, ending.march):
        assert evening.early == (evening.low, False)
        assert evening.low < evening.late[0]


def test_factor__one_network_poisoned__is_what_an_honest_one_says(ending: Ending) -> None:
    february = ending.february
    assert february.alone[ending.poisoned] == GREATEST_FACTOR
    honest = [factor for place, factor in enumerate(february.alone) if place != ending.poisoned]
    assert february.late == (max(honest), True)
    assert february.low < february.late[0] < february.high < GREATEST_FACTOR
    # Nobody could be slashed for it: its network has the property, and was run as it is.
    answer = ending.view.request(february.asked[ending.poisoned])
    assert [ending.view.claim(claim).certainty for claim in answer.claims] == [Certainty.FINAL]


def test_factor__networks_calmer_than_the_month_behind__is_the_upper_end(ending: Ending) -> None:
    march = ending.march
    assert statistics.median(march.alone) > march.high
    assert march.late == (march.high, True)


def test_liar__says_that_nothing_will_move__is_refuted_and_the_question_answered_again(ending: Ending) -> None:
    lie, truth = ending.view.request(ending.february.asked[ending.lied_about]).claims
    assert ending.view.claim(lie).executor == ending.liar.address
    assert ending.view.claim(lie).certainty is Certainty.REFUTED
    assert ending.view.dispute(lie).status is DisputeStatus.REFUTED
    assert ending.view.claim(truth).certainty is Certainty.FINAL
    assert ending.february.alone[ending.lied_about] < GREATEST_FACTOR
