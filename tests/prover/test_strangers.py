"""What strangers register, serve and claim to end or blind a watchtower: it goes on, sees the rest, and says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from structlog.testing import capture_logs
from torch import Tensor, nn

from executor.capture import capture
from executor.models import LoadedModel, load_model
from executor.registration import prepare
from executor.tensors import canonical_bytes, to_canonical
from prover.known import KnownModels
from prover.sources import Sources
from prover.watcher import Watchtower
from rollup.blobs import Blobs
from rollup.errors import BadInput
from rollup.package import Package
from rollup.properties.pool import Pool, mask_item
from tests.executor.nets import ConvNet
from tests.prover.arena import ETHER, TERMS
from tests.prover.desk import Shelf
from tests.prover.school import ME, POOL, POOL_KEY, SEALED, Item, School
from tests.prover.scorers import Accuracy, item_of, picture_of, scorer
from tests.prover.test_texts import Library, Watching

EXAMPLES = (torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.long))
# In the registered range, and in no table.
OUTSIDE = 50


class Likelihood(nn.Module):
    """f32 [N]: log-probability of the target i64 [N] of a picture f32 [N, 1, 8, 8]; it is looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.net = ConvNet()

    def forward(self, picture: Tensor, target: Tensor) -> Tensor:
        score: Tensor = torch.log_softmax(self.net(picture), 1).gather(1, target[:, None]).sum(1)
        return score


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(scope="module")
def looked_up(shelf: Shelf) -> LoadedModel:
    """A scorer that was registered with a wider range than its table has."""
    torch.manual_seed(1)
    captured = capture(Likelihood().eval(), list(EXAMPLES))
    terms = replace(TERMS, ranges=((0.0, 1.0), (0, 9)))
    record = prepare(Blobs(shelf), Package(captured.program, captured.committed), terms).record
    picture, target = record.inputs
    wide = replace(record, inputs=(picture, replace(target, hi=OUTSIDE)))
    return load_model(Blobs(shelf), wide, 2**30, is_tested=False)


@pytest.fixture(scope="module")
def accuracy(shelf: Shelf) -> LoadedModel:
    torch.manual_seed(1)
    return scorer(Blobs(shelf), Accuracy(ConvNet()), *EXAMPLES)


def items(targets: list[int]) -> list[Item]:
    return [[to_canonical(picture_of(at)), to_canonical(torch.tensor([target]))] for at, target in enumerate(targets)]


def copied(shelf: Shelf) -> Shelf:
    copy = Shelf()
    copy.blobs = dict(shelf.blobs)
    return copy


# Programs that end whoever runs them.


def test_a_program_that_cannot_be_run__is_refused_and_ends_nobody(looked_up: LoadedModel, shelf: Shelf) -> None:
    checker = KnownModels(Blobs(shelf)).know(looked_up.record, is_tested=False).checker
    item = item_of(picture_of(1), torch.tensor([OUTSIDE]))
    with pytest.raises(BadInput, match="the model cannot be run here: index 50 is out of bounds"):
        checker.deviations([item], [bytes(4)])


def test_a_model_that_cannot_be_tested__is_refused_and_ends_nobody(looked_up: LoadedModel, shelf: Shelf) -> None:
    """Inputs that are drawn over its ranges are outside its table."""
    picture, target = looked_up.record.inputs
    outside = replace(looked_up.record, inputs=(picture, replace(target, lo=OUTSIDE)))
    with pytest.raises(BadInput, match="the model cannot be run here"):
        KnownModels(Blobs(shelf)).know(outside)


def test_an_item_that_cannot_be_scored__hides_no_lie_beside_it(looked_up: LoadedModel, shelf: Shelf) -> None:
    school = School(looked_up, copied(shelf), items([0] * 20))
    paper = school.honest()
    # Its requester has put one of these into the pool, and whoever is paid for it lies about the next.
    paper.scores[9] += 1.0
    crashing = school.sealed[8]
    crashing[1] = to_canonical(torch.tensor([OUTSIDE]))
    paper.items[8] = school.blobs.put_tensors(crashing)
    del school.shelf.blobs[school.pool.root]
    school.scored(paper)
    watch = school.watch()
    with capture_logs() as logs:
        assert school.picked(watch) == [9]
    (case,) = watch._cases.values()
    assert case.unrunnable == [8]
    assert "watchtower.items_unrunnable" in [entry["event"] for entry in logs]


class Reading(nn.Module):
    """f32 [N, 2]: what the two last tokens of a text i64 [N, 4] are worth by a table of ten."""

    def __init__(self) -> None:
        super().__init__()
        self.worth = nn.Embedding(10, 1)

    def forward(self, text: Tensor) -> Tensor:
        worth: Tensor = self.worth(text)[:, 2:, 0]
        return worth


def test_a_text_that_cannot_be_run__hides_no_lie_beside_it(shelf: Shelf) -> None:
    """Claims on one model are run side by side: a stranger's own text must not spare all others."""
    torch.manual_seed(1)
    captured = capture(Reading().eval(), [torch.zeros(1, 4, dtype=torch.long)])
    record = prepare(Blobs(shelf), Package(captured.program, captured.committed), replace(TERMS, lo=0, hi=9)).record
    record = replace(record, inputs=(replace(record.inputs[0], hi=OUTSIDE),))
    library = Library(load_model(Blobs(shelf), record, 2**30, is_tested=False), torch.arange(2), 2)
    library.generated(canonical_bytes(torch.tensor([OUTSIDE, 1])), bytes(8))
    library.ask(2)
    lie = library.generated(canonical_bytes(torch.tensor([3, 4])), bytes(8))
    sources = Sources(shelf, lambda: [])
    tower = Watchtower(sources, Watching(), ETHER)
    with capture_logs() as logs:
        tower.step(library.view)
    beyond = [entry["claim"] for entry in logs if entry["event"] == "watchtower.beyond_reach"]
    assert beyond == [library.view.scores(lie).claim.claim_id(0).hex()]
    assert any("cannot be run here" in entry.get("reason", "") for entry in logs)


# Names under which something else is served.


def test_an_item_that_is_served_as_none__is_asked_for_and_ends_nobody(accuracy: LoadedModel, shelf: Shelf) -> None:
    """Under its claimed root lies a bundle of three tensors: no item, and no proof of anything."""
    school = School(accuracy, copied(shelf), items([0] * 20))
    paper = school.honest()
    one = school.sealed[4]
    paper.items[4] = school.blobs.put_tensors([*one, one[0]])
    made = school.scored(paper)
    watch = school.watch()
    school.look(watch)
    (opinion,) = (opinion for position, opinion in watch.pools(school.view, ME) if position.claim == made.id)
    assert opinion.replaced is None
    assert [school.view.claim(id_).index for id_ in watch.withheld] == [4]


def test_an_item_that_is_served_as_none__hides_no_lie_beside_it(accuracy: LoadedModel, shelf: Shelf) -> None:
    """Nor where nobody serves the pool, and items are compared as they are claimed."""
    school = School(accuracy, copied(shelf), items([0] * 20))
    paper = school.honest()
    one = school.sealed[4]
    paper.items[4] = school.blobs.put_tensors([*one, one[0]])
    paper.scores[3] = 1.0 - paper.scores[3]
    del school.shelf.blobs[school.pool.root]
    school.scored(paper)
    watch = school.watch()
    assert school.picked(watch) == [3]


def test_an_item_of_the_pool_that_is_none__hides_no_lie_beside_it(accuracy: LoadedModel, shelf: Shelf) -> None:
    """Its requester has masked three tensors."""
    made = items([0] * POOL)
    roots = [mask_item(POOL_KEY, at, item)[1] for at, item in enumerate(made)]
    for place in range(POOL):
        strange = copied(shelf)
        roots_here = [*roots]
        roots_here[place] = Blobs(strange).put_tensors(mask_item(POOL_KEY, place, [*made[place], made[place][0]])[0])
        school = School(accuracy, strange, made, Pool.of(POOL_KEY, roots_here))
        if place in school.draw.sealed:
            break
    paper = school.honest()
    lie = (school.draw.sealed.index(place) + 1) % SEALED
    paper.scores[lie] = 1.0 - paper.scores[lie]
    school.scored(paper)
    assert school.picked(school.watch()) == [lie]


# More than can be held.


def test_a_network_that_is_too_large__hides_no_other_claim(accuracy: LoadedModel, shelf: Shelf) -> None:
    school = School(accuracy, copied(shelf), items([0] * 20))
    school.scored(replace(school.honest(), scores=[1.0] * SEALED))
    watch = school.watch()
    watch._models = KnownModels(watch._sources.all, max_bytes=1)
    with capture_logs() as logs:
        assert school.picked(watch) == []
    assert "at most 1 are held here" in logs[0]["reason"]
