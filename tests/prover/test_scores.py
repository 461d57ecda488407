"""Claims of scores: an honest one costs one pass and makes no case; of a false one the worst item does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from structlog.testing import capture_logs

from executor.models import LoadedModel, load_model
from executor.tensors import from_canonical, to_canonical
from prover import score_watch, scores
from prover.checker import Checker
from prover.pool_rules import require_honest_pool
from prover.position import Condemn
from prover.strategy import decide_pool, is_beyond_reach
from prover.weight_proof import is_broken
from rollup import events as base
from rollup.blobs import Blobs
from rollup.errors import Doubt, NotFound
from rollup.properties import events
from rollup.properties.scores import derived
from rollup.properties.types import TrainingStatus
from rollup.types import BundleRoot, Certainty
from rollup.view.property_records import NO_MODEL
from tests.executor.nets import ConvNet
from tests.prover.desk import Shelf
from tests.prover.school import ME, SEALED, Item, School, pictures
from tests.prover.scorers import Accuracy, TiedNet, scorer
from tests.rollup.properties.examples import EXECUTOR

EXAMPLES = (torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.long))


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(scope="module")
def accuracy(shelf: Shelf) -> LoadedModel:
    """The scorer that is registered, of a network that is to be trained."""
    torch.manual_seed(1)
    return scorer(Blobs(shelf), Accuracy(ConvNet()), *EXAMPLES)


@pytest.fixture(scope="module")
def trained(shelf: Shelf, accuracy: LoadedModel) -> LoadedModel:
    """The same with the weights of another network."""
    generator = torch.Generator().manual_seed(2)
    weights = [weight + 0.3 * torch.randn(weight.shape, generator=generator) for weight in accuracy.network.weights]
    root = Blobs(shelf).put_tensors([to_canonical(weight) for weight in weights])
    return load_model(Blobs(shelf), derived(accuracy.record, root), 2**30)


@pytest.fixture(scope="module")
def items(trained: LoadedModel) -> list[Item]:
    """Of which the trained network is right about four in five."""
    return pictures(trained)


@pytest.fixture
def school(accuracy: LoadedModel, shelf: Shelf, items: list[Item]) -> School:
    copy = Shelf()
    copy.blobs = dict(shelf.blobs)
    return School(accuracy, copy, items)


def test_an_honest_claim__is_passed_once_and_makes_no_case(
    school: School, trained: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = school.scored(school.honest(trained))
    runs: list[int] = []
    first = Checker.deviations

    def counted(checker: Checker, requests: Sequence[Sequence[bytes]], claimed: Sequence[bytes]) -> list[float]:
        runs.append(len(requests))
        return first(checker, requests, claimed)

    monkeypatch.setattr(Checker, "deviations", counted)
    monkeypatch.setattr(Checker, "second_deviation", lambda *_: pytest.fail("an honest item was looked at twice"))
    watch = school.watch()
    assert [school.picked(watch) for _ in range(3)] == [[], [], []]
    assert sum(runs) == SEALED
    assert not watch.items(school.view)
    assert made.id in watch._quiet


def test_scores_of_a_better_network_than_the_committed_one__are_found(
    school: School, trained: LoadedModel, accuracy: LoadedModel
) -> None:
    paper = school.honest(trained)
    paper.weights = accuracy.record.weights_root
    school.scored(paper)
    (item,) = school.picked(school.watch())
    truth = school.honest(accuracy).scores
    assert truth[item] != paper.scores[item]


def test_every_missed_item_claimed_as_met__gives_one_case_and_not_as_many(school: School, trained: LoadedModel) -> None:
    paper = school.honest(trained)
    missed = [item for item, score in enumerate(paper.scores) if score == 0.0]
    assert len(missed) > 1
    paper.scores = [1.0] * SEALED
    school.scored(paper)
    watch = school.watch()
    (item,) = school.picked(watch)
    assert item in missed
    (case,) = watch.picked.values()
    assert is_beyond_reach(case.opinion)
    (case_,) = watch._cases.values()
    assert sorted(case_.beyond) == missed


@pytest.mark.parametrize("edited", [0, 7, SEALED - 1])
def test_one_edited_score_of_a_clear_item__is_found(school: School, trained: LoadedModel, edited: int) -> None:
    paper = school.honest(trained)
    paper.scores[edited] = 1.0 - paper.scores[edited]
    school.scored(paper)
    assert school.picked(school.watch()) == [edited]


def test_an_item_in_dispute__is_enough_and_another_follows_an_acquittal(school: School, trained: LoadedModel) -> None:
    paper = school.honest(trained)
    paper.scores[3], paper.scores[5] = 1.0 - paper.scores[3], 1.0 - paper.scores[5]
    made = school.scored(paper)
    watch = school.watch()
    (first,) = school.picked(watch)
    claim = school.contested(made, first)
    assert school.picked(watch) == []
    school.tell(base.Cleared, claim, school.now + 1)
    school.tell(events.ScoreAcquitted, claim, made.id, school.now + 1)
    (second,) = school.picked(watch)
    assert {first, second} == {3, 5}
    assert school.picked(school.watch()) == [second]


def spoilt(school: School, accuracy: LoadedModel, factor: float) -> BundleRoot:
    """Weights of which no machine can say what they score."""
    weights = [to_canonical(weight * factor) for weight in accuracy.network.weights]
    return school.blobs.put_tensors(weights)


def test_weights_that_overflow__blind_nobody(school: School, accuracy: LoadedModel) -> None:
    paper = school.honest()
    paper.weights = spoilt(school, accuracy, 1e20)
    with pytest.raises(Doubt, match="leaves its calibrated bounds"):
        load_model(school.blobs, derived(accuracy.record, paper.weights), 2**30)
    school.scored(replace(paper, scores=[1.0] * SEALED))
    assert len(school.picked(school.watch())) == 1


def test_weights_that_are_not_finite__are_condemned_without_a_bond(school: School, accuracy: LoadedModel) -> None:
    paper = school.honest()
    paper.weights = spoilt(school, accuracy, float("nan"))
    school.scored(replace(paper, scores=[1.0] * SEALED))
    watch = school.watch()
    assert school.picked(watch) == []
    ((position, opinion),) = [seen for seen in watch.pools(school.view, ME) if seen[1].broken is not None]
    move = decide_pool(position, opinion)
    assert isinstance(move, Condemn)
    assert is_broken(move.trained, move.shown)
    require_honest_pool(move, position)
    sound = replace(move.shown, claimed=move.shown.own)
    for dishonest in (replace(move, shown=sound), replace(move, shown=replace(move.shown, element=10**6))):
        with pytest.raises(Doubt, match="finds sound"):
            require_honest_pool(dishonest, position)
    with pytest.raises(Doubt, match="final or fallen"):
        require_honest_pool(move, replace(position, certainty=Certainty.FINAL))


def test_weights_that_are_not_finite__are_condemned_after_a_training_that_was_never_scored_too(
    school: School, accuracy: LoadedModel
) -> None:
    """Its requester has spoiled a pool of its own: that spares no liar."""
    paper = school.honest()
    paper.weights = spoilt(school, accuracy, float("nan"))
    school.scored(replace(paper, scores=[1.0] * SEALED))
    school.tell(events.PoolSpoiled, school.id, 0)
    school.tell(events.TrainingEnded, school.id, TrainingStatus.UNSCORED, 0, NO_MODEL, 1, 2, 3)
    watch = school.watch()
    school.look(watch)
    ((position, opinion),) = watch.pools(school.view, ME)
    move = decide_pool(position, opinion)
    assert isinstance(move, Condemn)
    require_honest_pool(move, position)


def test_a_pool__whose_training_has_ended__is_fetched_once(school: School, trained: LoadedModel) -> None:
    """As long as there are scores to be looked at: nobody is asked for it again with every block."""
    made = school.scored(school.honest(trained))
    school.tell(events.PoolSpoiled, school.id, 0)
    school.tell(events.TrainingEnded, school.id, TrainingStatus.UNSCORED, 0, NO_MODEL, 1, 2, 3)
    del (
        school.shelf.blobs[made.claim.scoring.items[3]],
        school.shelf.blobs[school.pool.entries[school.draw.sealed_index(3)].masked_root],
    )
    watch = school.watch()
    for _ in range(3):
        school.look(watch)
        school.view.now += 64
    assert school.shelf.asked.count(school.pool.root) == 1


def test_weights_that_are_not_finite_and_nobody_knows_what_they_were__are_doubted_without_a_bond(
    school: School, accuracy: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unserved(*_: object) -> None:
        raise NotFound("nobody serves the scorer's own weights")

    monkeypatch.setattr(score_watch, "prove_broken", unserved)
    paper = school.honest()
    paper.weights = spoilt(school, accuracy, float("nan"))
    school.scored(replace(paper, scores=[1.0] * SEALED))
    with capture_logs() as logs:
        assert school.picked(school.watch()) == []
    assert [entry["reason"] for entry in logs] == [
        "not watchable: weights are not finite, and nobody serves what they were before they were trained"
    ]


def test_my_own_claim__is_not_looked_at(school: School, trained: LoadedModel) -> None:
    paper = school.honest(trained)
    paper.scores = [1.0] * SEALED
    school.scored(paper)
    watch = school.watch()
    watch.look(school.view, EXECUTOR)
    assert not watch.picked


def test_a_large_claim__is_passed_over_several_looks(
    school: School, trained: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "LOOK_ITEMS", 5)
    monkeypatch.setattr(scores, "BATCH", 4)
    paper = school.honest(trained)
    paper.scores[SEALED - 1] = 1.0 - paper.scores[SEALED - 1]
    school.scored(paper)
    watch = school.watch()
    assert [school.picked(watch) for _ in range(4)] == [[], [], [], [SEALED - 1]]


# Near-ties.


@pytest.fixture(scope="module")
def tied(shelf: Shelf) -> LoadedModel:
    torch.manual_seed(1)
    return scorer(Blobs(shelf), Accuracy(TiedNet()), *EXAMPLES)


def aimed(item: Item, target: int) -> Item:
    return [item[0], to_canonical(torch.tensor([target]))]


@pytest.mark.parametrize(("target", "is_found"), [(0, False), (1, False), (2, True)])
def test_a_score_that_a_tie_explains__is_left_alone_and_a_clear_one_beside_it_is_not(
    shelf: Shelf, tied: LoadedModel, items: list[Item], target: int, is_found: bool
) -> None:
    school = School(tied, shelf, [aimed(item, target) for item in items])
    paper = school.honest()
    paper.scores = [1.0 - score for score in paper.scores]
    school.scored(paper)
    watch = school.watch()
    looks = [school.picked(watch) for _ in range(1 + SEALED // scores.SECOND_LOOKS)]
    assert any(looks) is is_found
    if not is_found:
        (case,) = watch._cases.values()
        assert len(case.excused) == SEALED
        assert case.is_clean


def test_one_clear_lie_among_many_ties__is_found(shelf: Shelf, tied: LoadedModel, items: list[Item]) -> None:
    # Of two items of one stratum one is sealed at least.
    school = School(tied, shelf, [aimed(item, 5 if place < 2 else 1) for place, item in enumerate(items)])
    clear = [number for number, item in enumerate(school.sealed) if int(from_canonical(item[1])) == 5]
    paper = school.honest()
    paper.scores = [1.0] * SEALED
    school.scored(paper)
    watch = school.watch()
    found: list[int] = []
    for _ in range(1 + SEALED // scores.SECOND_LOOKS):
        found = found or school.picked(watch)
    assert found == clear[:1]
