"""What a requester does when: nothing early, nothing twice, nothing without the key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollup.errors import BadEncoding
from rollup.properties.draw import BEACON_BLOCKS, Draw
from rollup.properties.pool import Pool, item_key, key_hash
from rollup.properties.types import Aggregate, Comparison, Property, Training, TrainingId, TrainingStatus, TrainingTerms
from rollup.requester.daemon import opened_items
from rollup.requester.duty import Open, Reveal, Settle, decide
from rollup.requester.keys import PoolKey
from rollup.types import ZERO_WORD, Address, BundleRoot, ModelId
from rollup.view import MadeCommit, OrderedTraining

ME, OTHER = Address(b"\1" * 20), Address(b"\2" * 20)
KEY = PoolKey(bytes(range(32)))
BLOCK, START, PERIOD = 50, 1000, 100
TERMS = TrainingTerms(
    ModelId(ZERO_WORD), ModelId(ZERO_WORD), BundleRoot(ZERO_WORD), ZERO_WORD, ZERO_WORD, 8, 2, KEY.hash,
    Property(Aggregate.MEAN, Comparison.AT_LEAST, 0), 1, 0, 0, 0, 0, 0, PERIOD, PERIOD, PERIOD, PERIOD,
)  # fmt: skip
ASKED = OrderedTraining(TrainingId(b"\3" * 32), Training(ME, 0, START, BLOCK, TERMS))
OPENED = replace(
    ASKED,
    status=TrainingStatus.COMMITTING,
    opened_at=START,
    commits=(MadeCommit(0, OTHER, b"\4" * 32, START),),
)


class ToyView:
    """One training at one time."""

    def __init__(self, training: OrderedTraining, now: int, block: int = BLOCK + 2) -> None:
        self._training, self.now, self.block = training, now, block

    def trainings(self) -> list[OrderedTraining]:
        return [self._training]

    def to_settle_trainings(self, now: int) -> list[OrderedTraining]:
        return [self._training] if now >= self._training.course.endable_from else []


def moves(training: OrderedTraining, now: int, block: int = BLOCK + 2, **changes: Any) -> list[Any]:
    view: Any = ToyView(training, now, block)
    has_key: Callable[[bytes], bool] = changes.get("has_key", lambda hash_: hash_ == KEY.hash)
    return decide(view, changes.get("requesters", [ME]), has_key)


def test_decide__no_key_here__leaves_it_alone() -> None:
    assert moves(ASKED, START + 1, has_key=lambda _: False) == []


def test_decide__a_strangers_copy_of_the_request__is_left_alone_although_its_key_is_here() -> None:
    """Its commitments may close sooner: revealed there, the key would show the pool to those who still train here."""
    copied = replace(OPENED, training=replace(OPENED.training, requester=OTHER))
    for now in (START + 1, START + PERIOD, START + 2 * PERIOD):
        assert moves(copied, now) == []


def test_decide__a_contract_that_asks__is_served_as_its_keepers_own_is() -> None:
    assert moves(ASKED, START + 1, requesters=[OTHER, ME]) == [Open(ASKED)]
    assert moves(OPENED, START + PERIOD, requesters=[OTHER, ME]) == [Reveal(OPENED)]
    assert moves(OPENED, START + 2 * PERIOD, requesters=[OTHER, ME]) == [Settle(OPENED)]


@pytest.mark.parametrize("block", [BLOCK, BLOCK + 1, BLOCK + 2 + BEACON_BLOCKS])
def test_decide__a_beacon_that_is_not_there__opens_nothing(block: int) -> None:
    assert moves(ASKED, START + 1, block) == []


def test_decide__the_block_after_the_requests__opens() -> None:
    assert moves(ASKED, START + 1) == [Open(ASKED)]


def test_decide__commitments_are_not_closed__reveals_nothing() -> None:
    assert moves(OPENED, START + PERIOD - 1) == []


def test_decide__commitments_are_closed__reveals_until_it_is_too_late() -> None:
    assert moves(OPENED, START + PERIOD) == [Reveal(OPENED)]
    assert moves(OPENED, START + 2 * PERIOD - 1) == [Reveal(OPENED)]
    assert moves(OPENED, START + 2 * PERIOD) == [Settle(OPENED)]


def test_decide__nobody_committed__settles() -> None:
    alone = replace(OPENED, commits=())
    assert moves(alone, START + PERIOD) == [Settle(alone)]


def test_opened_items__another_pools_key__is_refused() -> None:
    pool = Pool.of(KEY.secret, [BundleRoot(bytes([index]) * 32) for index in range(8)])
    with pytest.raises(BadEncoding, match="the key is not that of item"):
        opened_items(pool, Draw(b"\6" * 32, 8, 2), PoolKey(bytes(32)))


def test_opened_items__what_is_drawn__with_their_keys_only() -> None:
    pool, draw = Pool.of(KEY.secret, [BundleRoot(bytes([index]) * 32) for index in range(8)]), Draw(b"\6" * 32, 8, 2)
    items = opened_items(pool, draw, KEY)
    assert [item.key for item in items] == [item_key(KEY.secret, index) for index in draw.opened]
    assert key_hash(KEY.secret) == TERMS.key_hash
