"""A trainer's hands: what it refuses to train on, to commit and to claim; and what a claim is made of."""

from __future__ import annotations

import stat
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from executor.scoring import values_of
from executor.tensors import to_canonical
from executor.trainer.craft import Strayed, Unsound
from executor.trainer.materials import Sources, hold_sealed
from executor.trainer.pledge import Pledge
from executor.trainer.policy import Policy
from rollup.blobs import FolderStore, open_blobs
from rollup.call import f32_bits
from rollup.codec import Domain
from rollup.errors import BadEncoding, BadInput, NotFound
from rollup.properties.ids import commitment_of
from rollup.properties.pool import Pool, item_key, mask_item, masked
from rollup.properties.scores import claim_of_scores, derived
from rollup.properties.stray import RevealedPool, is_stray
from rollup.properties.types import MAX_SCORED_ITEMS, Aggregate, Comparison, Property, Scoring
from rollup.tensor import DType, TensorSpec
from rollup.types import BundleRoot, ModelId
from tests.digits import DigitNet, digits, trained
from tests.executor.trainer.commission import EXECUTOR, OPEN, POOL, POOL_KEY, SHOWN, commission

DOMAIN = Domain(1, *[EXECUTOR] * 5)


def test_prepare__scorer_with_a_wrong_output__is_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    logits = replace(asked.given.scorer, output_header=TensorSpec(DType.F32, (1, 10)).header)
    with pytest.raises(BadInput, match="a scorer gives one f32"):
        asked.craft().prepare(replace(asked.given, scorer=logits), asked.desk)


def test_prepare__scorer_of_other_ranges__is_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    first, target = asked.given.scorer.inputs
    wider = replace(asked.given.scorer, inputs=(replace(first, hi=first.hi + 1), target))
    with pytest.raises(BadInput, match="does not take the architecture's"):
        asked.craft().prepare(replace(asked.given, scorer=wider), asked.desk)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (b'{"epochs": 10000000}', "less than or equal to 100000"),
        (b'{"code": "import os"}', "Extra inputs"),
        (b'{"method": "hogwild", "processes": 1024}', "at most 2 are lent"),
        (b"\xff\xfe", "cannot be used"),
    ],
)
def test_prepare__absurd_recipe__is_refused(tmp_path: Path, recipe: bytes, words: str) -> None:
    asked = commission(tmp_path)
    with pytest.raises(BadInput, match=words):
        asked.craft(Policy(most_processes=2), recipe).prepare(asked.given, asked.desk)
    assert not asked.desk.is_prepared


def test_prepare__no_recipe_at_all__is_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    with pytest.raises(BadInput, match="neither the requester nor the operator has a recipe"):
        asked.craft(recipe=None).prepare(asked.given, asked.desk)


def test_prepare__recipe_of_another_text__is_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path, recipe=b"\5" * 32)
    asked.blobs.put_named(b"\5" * 32, b"{}")
    with pytest.raises(BadEncoding, match="hashes to"):
        asked.craft(recipe=None).prepare(asked.given, asked.desk)


def test_prepare__data_of_other_shapes__are_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path, data=(torch.zeros(5, 1, 9, 8), torch.zeros(5, dtype=torch.int64)))
    with pytest.raises(BadInput, match="the data hold a"):
        asked.craft().prepare(asked.given, asked.desk)


def overwrite(folder: Path, name: bytes, data: bytes) -> None:
    FolderStore(folder / "blobs").write(name, data)


def test_prepare__data_that_do_not_match_their_root__are_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    first = asked.blobs.get_bundle(asked.given.terms.data_root).roots[0]
    data = bytearray(asked.blobs.read(first))
    data[40] ^= 1
    overwrite(tmp_path, first, bytes(data))
    with pytest.raises(BadEncoding, match="hashes to"):
        asked.craft().prepare(asked.given, asked.desk)


def test_prepare__pool_that_does_not_match_its_root__is_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    root = asked.given.terms.pool_root
    pool = asked.blobs.get_named(root, Pool.decode)
    overwrite(tmp_path, root, Pool(pool.entries[::-1]).encoded)
    with pytest.raises(BadEncoding, match="hashes to"):
        asked.craft().prepare(asked.given, asked.desk)


def test_prepare__pool_of_another_size__is_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    asked.blobs.put_pool(other := Pool(asked.blobs.get_pool(asked.given.terms.pool_root).entries[1:]))
    with pytest.raises(BadEncoding, match=f"has {POOL - 1} items, the request says {POOL}"):
        hold_sealed(Sources(asked.blobs), replace(asked.given.terms, pool_root=other.root), asked.given.scorer)


def test_prepare__an_item_that_nobody_has__waits(tmp_path: Path) -> None:
    """NotFound is tried again: nothing is committed while something of the pool is missing."""
    asked = commission(tmp_path)
    sealed = asked.given.training.draw.sealed[7]
    name = asked.blobs.get_named(asked.given.terms.pool_root, Pool.decode).entries[sealed].masked_root
    path = tmp_path / "blobs" / name.hex()[:2] / name.hex()
    path.unlink()
    with pytest.raises(NotFound, match=name.hex()):
        asked.craft().prepare(asked.given, asked.desk)
    assert not asked.desk.is_prepared


def test_prepare__opened_item_out_of_range__is_refused_with_its_number(tmp_path: Path) -> None:
    asked = commission(tmp_path, labels=torch.full((POOL,), 10))
    first = asked.given.training.draw.opened[0]
    with pytest.raises(BadInput, match=f"item {first} of the pool: input element 64 is 10, outside 0 to 9"):
        asked.craft().prepare(asked.given, asked.desk)


def test_prepare__from_another_place__is_kept_here(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    own = open_blobs(tmp_path / "own")
    with pytest.raises(NotFound, match="at 0 other places"):
        hold_sealed(Sources(own), asked.given.terms, asked.given.scorer)
    hold_sealed(Sources(own, [asked.blobs]), asked.given.terms, asked.given.scorer)
    assert len(hold_sealed(Sources(own), asked.given.terms, asked.given.scorer).pool.entries) == POOL


def test_prepare__what_is_given__is_laid_out_as_a_job(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    asked.craft().prepare(asked.given, asked.desk)
    run = asked.desk.job.prepare()
    data = digits()
    assert torch.equal(run.shown.targets, torch.from_numpy(data.shown_labels[:SHOWN]))
    assert run.check is not None
    assert len(run.check) == OPEN
    assert run.recipe.epochs == 2


@pytest.mark.parametrize("value", [float("-inf"), float("inf"), float("nan")])
def test_pledge__weights_that_ran_away__are_refused_however_they_score(tmp_path: Path, value: float) -> None:
    """Of ten classes one is never chosen: the rest may still pass, and the claim would be condemned."""
    lowest = Property(Aggregate.MEAN, Comparison.AT_LEAST, f32_bits(0.0))
    asked = commission(tmp_path, property=lowest)
    asked.craft().prepare(asked.given, asked.desk)
    net = deepcopy(trained())
    with torch.no_grad():
        list(net.parameters())[-1][0] = value
    asked.finish_job(net)
    with pytest.raises(BadInput, match=r"weight \d is not finite after training"):
        asked.craft(Policy(caution=0.0)).pledge(asked.given, asked.desk)
    assert asked.desk.pledge is None


def test_pledge__no_epoch_in_time__is_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    asked.craft().prepare(asked.given, asked.desk)
    with pytest.raises(BadInput, match="no epoch was finished"):
        asked.craft().pledge(asked.given, asked.desk)


def test_pledge__random_labels__find_no_trainer(tmp_path: Path) -> None:
    """The opened part shows what the pool is: nothing that learned to read digits clears the threshold on it."""
    labels = torch.randint(0, 10, (POOL,), generator=torch.Generator().manual_seed(1))
    asked = commission(tmp_path, labels)
    asked.craft().prepare(asked.given, asked.desk)
    asked.finish_job()
    with pytest.raises(BadInput, match="12 opened items have the mean score"):
        asked.craft().pledge(asked.given, asked.desk)
    assert asked.desk.pledge is None


def test_pledge__good_weights__are_durable_before_anything_is_said(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    asked.craft().prepare(asked.given, asked.desk)
    asked.finish_job()
    pledge = asked.craft().pledge(asked.given, asked.desk)
    assert asked.desk.pledge == pledge
    assert stat.S_IMODE((asked.desk.folder / "pledge.json").stat().st_mode) == 0o600
    assert pledge.salt.hex() not in repr(pledge)
    id_ = asked.given.training.id
    assert pledge.commitment(id_, EXECUTOR) == commitment_of(id_, EXECUTOR, pledge.weights_root, pledge.salt)
    # In the order of the architecture, whatever order the checkpoint has.
    shapes = [tensor.spec.shape for tensor in asked.blobs.get_tensors(pledge.weights_root)]
    assert shapes == [tuple(parameter.shape) for parameter in DigitNet().parameters()]


def test_pledge__file_that_is_none__is_refused_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "pledge.json").write_text('{"weights_root": "00", "salt": "secret"}')
    with pytest.raises(BadEncoding, match="is no pledge") as refused:
        Pledge.read(tmp_path / "pledge.json")
    assert "secret" not in str(refused.value)


def test_pledge__twice__keeps_its_salt_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "pledge.json"
    assert Pledge.read(path) is None
    first, second = Pledge.to(BundleRoot(b"\1" * 32)), Pledge.to(BundleRoot(b"\1" * 32))
    assert first.salt != second.salt
    first.write(path)
    assert Pledge.read(path) == first


def test_score__what_is_claimed__is_what_the_items_score(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    asked.craft().prepare(asked.given, asked.desk)
    asked.finish_job()
    pledge = asked.craft().pledge(asked.given, asked.desk)
    scored = asked.craft().score(asked.revealed, pledge)
    assert len(scored.items) == POOL - OPEN
    scores = [scored.scores[i : i + 4] for i in range(0, len(scored.scores), 4)]
    assert values_of(scores) == [1.0] * (POOL - OPEN)
    # Each item is what the pool hides, in order, and lies here to be opened.
    pool = asked.blobs.get_named(asked.given.terms.pool_root, Pool.decode)
    for index, root in zip(asked.given.training.draw.sealed, scored.items, strict=True):
        hidden = asked.blobs.get_tensors(pool.entries[index].masked_root)
        shown = masked(item_key(POOL_KEY, index), hidden)
        assert [tensor.data for tensor in asked.blobs.get_tensors(root)] == [tensor.data for tensor in shown]


def test_score__an_honest_miss__claims_nothing(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    asked.craft().prepare(asked.given, asked.desk)
    torch.manual_seed(9)
    weights = [parameter.detach() for parameter in DigitNet().parameters()]
    pledge = Pledge.to(asked.blobs.put_tensors([to_canonical(weight) for weight in weights]))
    with pytest.raises(BadInput, match="an honest miss"):
        asked.craft().score(asked.revealed, pledge)


def test_score__the_wrong_key__is_shown_to_spoil_the_pool(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    wrong = replace(asked.revealed.training, pool_key=bytes(32))
    with pytest.raises(Unsound, match="the key of item 0") as refused:
        asked.craft().score(replace(asked.revealed, training=wrong), Pledge.to(BundleRoot(b"\1" * 32)))
    assert refused.value.shown.index == 0


def test_score__sealed_item_out_of_range__is_shown_to_spoil_the_pool(tmp_path: Path) -> None:
    clean = commission(tmp_path / "clean")
    place = clean.given.training.draw.sealed[3]
    labels = torch.from_numpy(digits().held_out_labels[:POOL]).clone()
    labels[place] = 99
    asked = commission(tmp_path, labels)
    sealed = asked.given.training.draw.sealed
    assert place in sealed
    item = sealed.index(place)
    with pytest.raises(Strayed, match=f"sealed item {item} is out of range in tensor 1, element 0") as refused:
        asked.craft().score(asked.revealed, Pledge.to(BundleRoot(b"\1" * 32)))
    shown, training = refused.value.shown, asked.revealed.training
    assert (shown.item, shown.pooled.index) == (item, place)
    assert is_stray(RevealedPool(training.training.terms, training.draw, POOL_KEY, asked.given.scorer.inputs), shown)


def test_claim_of_scores__a_wrong_length__is_refused(tmp_path: Path) -> None:
    """What the trainer sends is what the chain would take: as many scores as items."""
    asked = commission(tmp_path)
    root = BundleRoot(b"\1" * 32)
    scoring = Scoring(b"\0" * 32, EXECUTOR, ModelId(b"\1" * 32), root, (root, root), bytes(4), 1)
    with pytest.raises(BadInput, match="2 items have 8 bytes of scores, got 4"):
        claim_of_scores(EXECUTOR, scoring, asked.given.scorer, DOMAIN, 0)
    many = replace(scoring, items=(root,) * (MAX_SCORED_ITEMS + 1))
    with pytest.raises(BadInput, match="items are outside"):
        claim_of_scores(EXECUTOR, many, asked.given.scorer, DOMAIN, 0)
    assert derived(asked.given.scorer, root).weights_root == root


def test_mask_item__another_key__gives_nonsense_that_is_refused(tmp_path: Path) -> None:
    asked = commission(tmp_path)
    sealed = hold_sealed(Sources(asked.blobs), asked.given.terms, asked.given.scorer)
    with pytest.raises(BadEncoding, match="the key is not that of item 4"):
        sealed.item(4, item_key(bytes(32), 4))
    hidden, root = mask_item(POOL_KEY, 4, sealed.item(4, item_key(POOL_KEY, 4)))
    assert root == sealed.pool.entries[4].masked_root
    assert len(hidden) == 2
