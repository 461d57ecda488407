"""What nobody serves of a claim of scores: asked for at one item, by name, and everybody's once it is supplied."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
import torch

from executor.models import LoadedModel, load_model
from executor.tensors import to_canonical
from prover import withheld
from prover.known import Held
from prover.pool_rules import require_honest_pool
from prover.position import Spoil, SpoilByRange, Stake
from prover.strategy import decide_pool
from prover.withheld import Withheld, bundle_of, leaves_of, supplied_tensors
from rollup import events as base
from rollup.blobs import Blobs
from rollup.errors import BadEncoding
from rollup.graph import Source
from rollup.properties.pool import Pool, PoolEntry
from rollup.properties.scores import derived
from rollup.types import MAX_DEMAND_LEAVES, BundleRoot, LeafRef
from rollup.view import MadeScores, Page
from tests.executor.nets import ConvNet
from tests.prover.desk import Shelf
from tests.prover.school import ME, POOL, POOL_KEY, SEALED, Item, School, pictures
from tests.prover.scorers import Accuracy, scorer
from tests.rollup.properties.examples import EXECUTOR


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(scope="module")
def accuracy(shelf: Shelf) -> LoadedModel:
    torch.manual_seed(1)
    examples = (torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.long))
    return scorer(Blobs(shelf), Accuracy(ConvNet()), *examples)


@pytest.fixture(scope="module")
def hidden(accuracy: LoadedModel) -> LoadedModel:
    """The same scorer with weights that lie on no shelf but its executor's own."""
    own = Shelf()
    own.blobs = dict(accuracy.blobs._source.blobs)  # type: ignore[union-attr]
    weights = [to_canonical(weight + 0.25) for weight in accuracy.network.weights]
    root = Blobs(own).put_tensors(weights)
    return load_model(Blobs(own), derived(accuracy.record, root), 2**30)


@pytest.fixture(scope="module")
def items(accuracy: LoadedModel) -> list[Item]:
    return pictures(accuracy)


@pytest.fixture
def school(accuracy: LoadedModel, shelf: Shelf, items: list[Item]) -> School:
    copy = Shelf()
    copy.blobs = dict(shelf.blobs)
    return School(accuracy, copy, items)


def held(model: LoadedModel) -> Held:
    return Held([to_canonical(weight) for weight in model.network.weights])


def page_of(model: LoadedModel, refs: tuple[LeafRef, ...], bundle: Held, left_out: int | None = None) -> Page:
    """A demand of a bundle's leaves, and what was supplied of them."""
    supplied = []
    for position, ref in enumerate(refs):
        index = model.network.graph.steps[ref.step].operands[ref.slot - 1].index
        if position != left_out:
            supplied.append((position, bundle.tensor(index).open_leaves(ref.leaf, ref.leaf, bundle.path(index))))
    return Page(0, ME, 1, refs, tuple(supplied))


# Names of leaves.


def test_leaves__of_all_weights__are_named_once_each_as_a_step_reads_them(accuracy: LoadedModel) -> None:
    graph = accuracy.network.graph
    refs = leaves_of(graph, Source.WEIGHT, range(len(graph.weights)))
    read = [graph.steps[ref.step].operands[ref.slot - 1] for ref in refs]
    assert {operand.source for operand in read} == {Source.WEIGHT}
    named = [(operand.index, ref.leaf) for operand, ref in zip(read, refs, strict=True)]
    assert sorted(named) == [(at, leaf) for at, spec in enumerate(graph.weights) for leaf in range(spec.leaf_count)]


def test_leaves__that_are_too_many__end_with_one_of_the_first_tensor_that_does_not_fit(
    accuracy: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = accuracy.network.graph
    everything = leaves_of(graph, Source.WEIGHT, range(len(graph.weights)))
    monkeypatch.setattr(withheld, "MAX_DEMAND_LEAVES", len(everything) - 1)
    some = leaves_of(graph, Source.WEIGHT, range(len(graph.weights)))
    assert len(some) < len(everything) <= MAX_DEMAND_LEAVES
    assert set(some) < set(everything)


def test_opinion__what_was_asked_for__is_not_missing_any_more(accuracy: LoadedModel) -> None:
    refs = (LeafRef(1, 2, 0), LeafRef(2, 2, 0))
    missed = Withheld(accuracy.network.graph, "the weights", refs, Stake(1, 2))
    assert missed.opinion(()).missing == refs
    assert missed.opinion((Page(0, ME, 1, refs[:1]),)).missing == refs[1:]


# What was supplied.


def test_supplied__all_leaves__give_the_bundle(hidden: LoadedModel) -> None:
    graph, bundle = hidden.network.graph, held(hidden)
    refs = leaves_of(graph, Source.WEIGHT, range(len(graph.weights)))
    pages = [page_of(hidden, refs[:3], bundle), page_of(hidden, refs[3:], bundle)]
    found = supplied_tensors(graph, Source.WEIGHT, hidden.record.weights_root, len(graph.weights), pages)
    whole = bundle_of(found, len(graph.weights), hidden.record.weights_root)
    assert whole is not None
    assert whole.root == bundle.bundle.root


def test_supplied__without_one_leaf__lacks_its_tensor_and_the_bundle(hidden: LoadedModel) -> None:
    graph, bundle = hidden.network.graph, held(hidden)
    refs = leaves_of(graph, Source.WEIGHT, range(len(graph.weights)))
    pages = [page_of(hidden, refs, bundle, left_out=0)]
    found = supplied_tensors(graph, Source.WEIGHT, hidden.record.weights_root, len(graph.weights), pages)
    assert len(found) == len(graph.weights) - 1
    assert bundle_of(found, len(graph.weights), hidden.record.weights_root) is None


def test_supplied__under_another_root__is_not_taken(hidden: LoadedModel, accuracy: LoadedModel) -> None:
    graph = hidden.network.graph
    refs = leaves_of(graph, Source.WEIGHT, range(len(graph.weights)))
    pages = [page_of(hidden, refs, held(hidden))]
    assert not supplied_tensors(graph, Source.WEIGHT, accuracy.record.weights_root, len(graph.weights), pages)


# What the watchtower asks for.


def claimed_hidden(school: School, hidden: LoadedModel) -> MadeScores:
    return school.scored(replace(school.honest(), weights=hidden.record.weights_root))


def test_weights_that_nobody_serves__are_missing_at_one_item(school: School, hidden: LoadedModel) -> None:
    made = claimed_hidden(school, hidden)
    watch = school.watch()
    chosen = set()
    for _ in range(3):
        school.look(watch)
        ((id_, missed),) = watch.withheld.items()
        chosen.add(school.view.claim(id_).index)
        assert missed.what == "the weights"
        school.now += 2
        school.view.now = school.now
    assert len(chosen) == 1
    # In a dispute of any item they are asked for there.
    school.contested(made, 3)
    school.look(watch)
    assert list(watch.withheld) == [made.claim.claim_id(3)]


def test_weights_supplied_in_a_dispute__are_looked_at_like_any(school: School, hidden: LoadedModel) -> None:
    made = claimed_hidden(school, hidden)
    claim = school.contested(made, 3)
    watch = school.watch()
    school.look(watch)
    (missed,) = watch.withheld.values()
    page = page_of(hidden, missed.leaves, held(hidden))
    school.tell(base.TraceOpened, claim, BundleRoot(b"t" * 32))
    school.tell(base.Demanded, claim, 0, ME, page.refs, 1)
    for position, opening in page.supplied:
        school.tell(base.Supplied, claim, 0, position, page.refs[position], opening)
    school.look(watch)
    assert not watch.withheld
    truth = school.honest(hidden).scores
    (case,) = watch._cases.values()
    assert sorted(case.beyond) == [item for item, score in enumerate(school.honest().scores) if score != truth[item]]


def test_a_replaced_item__is_unmasked_where_it_is_served_and_asked_for_where_it_is_not(school: School) -> None:
    paper = school.honest()
    paper.items[4] = school.blobs.put_tensors([school.sealed[4][0], school.sealed[5][1]])
    bundle = school.shelf.blobs[paper.items[4]]
    assert len(paper.items) == SEALED
    made = school.scored(paper)
    watch = school.watch()
    school.look(watch)
    ((_, opinion), *_) = [pair for pair in watch.pools(school.view, ME) if pair[0].claim == made.id]
    assert opinion.replaced is not None
    assert opinion.replaced.shown.item == 4
    assert not watch.withheld
    del school.shelf.blobs[paper.items[4]]
    watch = school.watch()
    school.look(watch)
    ((id_, missed),) = watch.withheld.items()
    assert (school.view.claim(id_).index, missed.what) == (4, "the inputs of item 4")
    assert bundle
    school.contested(made, 4, EXECUTOR)
    school.look(watch)
    assert list(watch.withheld) == [id_]


def test_masked_items_that_nobody_serves__are_compared_as_they_are_claimed(school: School) -> None:
    paper = school.honest()
    paper.scores[2] = 1.0 - paper.scores[2]
    school.scored(paper)
    del school.shelf.blobs[school.pool.root]
    assert school.picked(school.watch()) == [2]


def test_items_out_of_range__are_said_of_the_training(accuracy: LoadedModel, shelf: Shelf, items: list[Item]) -> None:
    strange = [[item[0], to_canonical(torch.tensor([2**40]))] for item in items]
    school = School(accuracy, shelf, strange)
    paper = school.honest()
    paper.scores = [1.0] * SEALED
    school.scored(paper)
    watch = school.watch()
    assert school.picked(watch) == []
    assert not watch.withheld
    ((position, opinion),) = [found for found in watch.pools(school.view, ME) if found[1].spoiled is not None]
    assert (position.training, position.claim) == (school.id, None)
    assert isinstance(opinion.spoiled, SpoilByRange)
    assert (opinion.spoiled.shown.item, opinion.spoiled.shown.tensor) == (0, 1)
    move = decide_pool(position, opinion)
    assert isinstance(move, SpoilByRange)
    require_honest_pool(move, position)


def test_items_out_of_range_that_the_pool_does_not_hold__say_nothing_of_it(school: School) -> None:
    paper = school.honest()
    strange = [school.sealed[4][0], to_canonical(torch.tensor([2**40]))]
    paper.items[4] = school.blobs.put_tensors(strange)
    school.scored(paper)
    watch = school.watch()
    school.look(watch)
    assert all(opinion.spoiled is None for _, opinion in watch.pools(school.view, ME))


def spoiled_at(school: School, place: int) -> Pool:
    """The pool of a school, with a key of its own for one item."""
    entries = list(school.pool.entries)
    entries[place] = PoolEntry(b"k" * 32, entries[place].masked_root)
    return Pool(tuple(entries))


def test_a_spoiled_pool__is_said_of_the_training(
    accuracy: LoadedModel, shelf: Shelf, items: list[Item], school: School
) -> None:
    spoiled: School | None = None
    for place in range(POOL):
        # Which items are drawn depends on the pool: one whose key is spoiled cannot be opened.
        with suppress(BadEncoding):
            spoiled = School(accuracy, shelf, items, spoiled_at(school, place))
            break
    assert spoiled is not None
    watch = spoiled.watch()
    spoiled.look(watch)
    ((position, opinion),) = watch.pools(spoiled.view, ME)
    assert (position.training, position.claim) == (spoiled.id, None)
    assert isinstance(opinion.spoiled, Spoil)
    assert (opinion.spoiled.item.index, opinion.spoiled.pool_key) == (place, POOL_KEY)
