"""Proofs about pools: the twin convicts what is replaced or spoiled, and refuses and acquits as the chain would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from prover.known import Held
from prover.pool_proof import Pooled, is_replaced, is_spoiled, prove_replaced, unmasking
from prover.pool_rules import broken_pool_rules, require_honest_pool
from prover.position import PoolMove, PoolOpinion, PoolPosition, Spoil, SpoilByRange, Unmask, Wait
from prover.strategy import decide_pool, next_item
from rollup.errors import Doubt, Refused
from rollup.properties.draw import Draw
from rollup.properties.pool import Pool, PoolEntry, mask_item
from rollup.properties.scores import claim_of_scores
from rollup.properties.types import PoolItem, TrainingId, Unmasking
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import Address, Certainty, InputSpec
from tests.rollup.properties.examples import DOMAIN, EXECUTOR, SCORER, TRAINING, scoring
from tests.rollup.properties.strays import stray_element

POOL_KEY, ME = bytes(range(32)), Address(b"m" * 20)
# Two leaves, the second of them short.
WIDE, TARGET = TensorSpec(DType.F32, (1, 300)), TensorSpec(DType.F32, (1, 1))
MODEL = replace(SCORER, inputs=(InputSpec(WIDE.header, 0, 1), InputSpec(TARGET.header, 0, 1)))
GIVEN = scoring()
DRAW = Draw(b"seed" * 8, 12, 4)
ITEM = 5


def item(number: int) -> list[Tensor]:
    return [Tensor(spec, bytes([number + 1]) * spec.byte_length) for spec in (WIDE, TARGET)]


ITEMS = [item(number) for number in range(12)]
MASKED = [mask_item(POOL_KEY, index, tensors) for index, tensors in enumerate(ITEMS)]
POOL = Pool.of(POOL_KEY, [root for _, root in MASKED])
SEALED = [ITEMS[index] for index in DRAW.sealed]
HIDDEN = Held(MASKED[DRAW.sealed_index(ITEM)][0])


def pooled(replaced: list[Tensor] | None = None) -> Pooled:
    """A claim of scores of the sealed items, of which one is `replaced`."""
    items = [replaced if number == ITEM and replaced else tensors for number, tensors in enumerate(SEALED)]
    given = replace(GIVEN, items=tuple(Held(tensors).bundle.root for tensors in items))
    terms = replace(TRAINING.terms, pool_root=POOL.root)
    return Pooled(claim_of_scores(DOMAIN.trainings, given, MODEL, DOMAIN, 1_000), terms, DRAW, POOL_KEY)


def changed(tensor: int, place: int) -> list[Tensor]:
    tensors = list(SEALED[ITEM])
    data = bytearray(tensors[tensor].data)
    data[place] ^= 1
    tensors[tensor] = Tensor(tensors[tensor].spec, bytes(data))
    return tensors


def shown(replaced: list[Tensor]) -> tuple[Pooled, Unmasking]:
    known = pooled(replaced)
    proof = prove_replaced(known, POOL, ITEM, HIDDEN, Held(replaced))
    assert proof is not None
    return known, proof


# Refusals.


def other_pooled(proof: Unmasking, **changes: object) -> Unmasking:
    return replace(proof, pooled=replace(proof.pooled, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda proof: replace(proof, item=ITEM + 1),
        lambda proof: replace(proof, item=8),
        lambda proof: replace(proof, inputs_root=b"x" * 32),
        lambda proof: replace(proof, item_path=proof.item_path[1:]),
        lambda proof: replace(proof, tensor=2),
        lambda proof: replace(proof, leaf=1),
        lambda proof: replace(proof, masked=proof.claimed),
        lambda proof: replace(proof, claimed=proof.masked),
        lambda proof: other_pooled(proof, index=proof.pooled.index ^ 1),
        lambda proof: other_pooled(proof, key_hash=b"k" * 32),
        lambda proof: other_pooled(proof, path=proof.pooled.path[:-1]),
    ],
)
def test_unmasking__of_something_else__is_refused(spoilt: Callable[[Unmasking], Unmasking]) -> None:
    known, proof = shown(changed(0, 3))
    with pytest.raises(Refused):
        is_replaced(known, spoilt(proof))


def test_unmasking__of_a_spoiled_item__is_refused() -> None:
    known, proof = shown(changed(0, 3))
    entries = list(POOL.entries)
    index = DRAW.sealed_index(ITEM)
    entries[index] = PoolEntry(b"k" * 32, entries[index].masked_root)
    spoiled = Pool(tuple(entries))
    known = replace(known, terms=replace(known.terms, pool_root=spoiled.root))
    with pytest.raises(Refused, match=f"the key of item {index} does not follow"):
        is_replaced(known, replace(proof, pooled=spoiled.shown(index)))


def test_spoiling__an_item_that_is_not_in_the_pool__is_refused() -> None:
    with pytest.raises(Refused, match="item 3 is not in the pool"):
        is_spoiled(pooled().terms, POOL_KEY, replace(POOL.shown(3), key_hash=b"k" * 32))


# What is shown.


def test_prove__the_pools_own_item__shows_nothing() -> None:
    known = pooled()
    assert prove_replaced(known, POOL, ITEM, HIDDEN, Held(SEALED[ITEM])) is None
    own = Held(SEALED[ITEM])
    openings = (HIDDEN.tensor(0).open_leaves(1, 1, HIDDEN.path(0)), own.tensor(0).open_leaves(1, 1, own.path(0)))
    assert not is_replaced(known, unmasking(known, POOL, ITEM, (0, 1), openings))


@pytest.mark.parametrize(("tensor", "place", "leaf"), [(0, 0, 0), (0, 1023, 0), (0, 1024, 1), (0, 1199, 1), (1, 3, 0)])
def test_prove__one_changed_bit__is_shown_by_its_leaf(tensor: int, place: int, leaf: int) -> None:
    known, proof = shown(changed(tensor, place))
    assert (proof.tensor, proof.leaf) == (tensor, leaf)
    assert is_replaced(known, proof)


@pytest.mark.parametrize("key", [POOL_KEY, b"k" * 32])
def test_spoiled__is_a_key_that_does_not_follow(key: bytes) -> None:
    assert is_spoiled(pooled().terms, key, POOL.shown(4)) is (key != POOL_KEY)


# Strategy and rules.


def position(**changes: object) -> PoolPosition:
    claim = pooled(changed(0, 3)).claim.id
    known = PoolPosition(TrainingId(b"p" * 32), True, claim, EXECUTOR, Certainty.PROVISIONAL, ME)
    return replace(known, **changes)  # type: ignore[arg-type]


def unmask() -> Unmask:
    known, proof = shown(changed(0, 3))
    return Unmask(known.claim.id, 0, known, proof)


def stray(**changes: object) -> SpoilByRange:
    """The last element of sealed item 5's first tensor is a NaN."""
    revealed, shown = stray_element()
    return SpoilByRange(position().training, revealed, replace(shown, **changes))  # type: ignore[arg-type]


def spoil(item: PoolItem | None = None, key: bytes = b"k" * 32) -> Spoil:
    return Spoil(position().training, pooled().terms, key, item or POOL.shown(4))


@pytest.mark.parametrize(
    ("changes", "opinion"),
    [
        ({"me": None}, PoolOpinion(replaced=unmask())),
        ({"is_revealed": False}, PoolOpinion(replaced=unmask())),
        ({"certainty": Certainty.REFUTED}, PoolOpinion(replaced=unmask())),
        ({"me": EXECUTOR}, PoolOpinion(replaced=unmask())),
        ({}, PoolOpinion()),
        ({"claim": None}, PoolOpinion()),
    ],
)
def test_decide_pool__without_good_reason__waits(changes: dict[str, object], opinion: PoolOpinion) -> None:
    assert isinstance(decide_pool(position(**changes), opinion), Wait)


def test_decide_pool__what_is_shown__is_sent_the_spoiled_key_first() -> None:
    assert decide_pool(position(), PoolOpinion(replaced=unmask())) == unmask()
    assert decide_pool(position(), PoolOpinion(spoil(), unmask())) == spoil()


@pytest.mark.parametrize(
    ("never", "move", "changes"),
    [
        ("move without a key", unmask(), {"me": None}),
        ("speak of a pool before its key is revealed or after the end", unmask(), {"is_revealed": False}),
        ("move on another training or claim than was looked at", unmask(), {"claim": b"c" * 32}),
        ("move on another training or claim than was looked at", spoil(), {"training": b"t" * 32}),
        ("move on another training or claim than was looked at", stray(), {"training": b"t" * 32}),
        ("touch a claim that is final or fallen", unmask(), {"certainty": Certainty.FINAL}),
        ("fight one's own claim", unmask(), {"me": EXECUTOR}),
        ("show what the Python twin finds sound", spoil(key=POOL_KEY), {}),
        ("show what the Python twin finds sound", stray(element=298), {}),
        ("show what the Python twin finds sound", replace(unmask(), pooled=pooled()), {"claim": pooled().claim.id}),
    ],
)
def test_pool_rules__each_is_broken_by_one_move(never: str, move: PoolMove, changes: dict[str, object]) -> None:
    where = position(**changes)
    if isinstance(move, Unmask) and move.pooled.claim.id != move.claim:
        move = replace(move, claim=move.pooled.claim.id)
    assert [rule.never for rule in broken_pool_rules(move, where)] == [never]
    with pytest.raises(Doubt, match=never):
        require_honest_pool(move, where)


@pytest.mark.parametrize("move", [unmask(), spoil(), stray()])
def test_pool_rules__an_honest_move__breaks_none(move: PoolMove) -> None:
    require_honest_pool(move, position())


def test_pool_rules__of_ones_own_claim__a_stray_item_may_still_be_shown() -> None:
    require_honest_pool(stray(), position(me=EXECUTOR, claim=None, certainty=Certainty.FINAL))


@pytest.mark.parametrize(
    ("suspects", "disputed", "contested", "expected"),
    [
        ([], [], [], None),
        ([4, 2], [], [], 4),
        ([4, 2], [7], [7], 4),
        ([4, 2], [2], [2], None),
        ([4, 2], [], [4], 2),
        ([4, 2], [], [4, 2], None),
    ],
)
def test_next_item__is_the_worst_that_was_not_tried_and_one_at_a_time(
    suspects: list[int], disputed: list[int], contested: list[int], expected: int | None
) -> None:
    assert next_item(suspects, disputed, contested) == expected
