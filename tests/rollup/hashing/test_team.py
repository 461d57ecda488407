"""Hashing on every core: the same levels as on one, whatever becomes of the other processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from random import Random
from threading import Thread, Timer

import pytest

from rollup.errors import Unavailable
from rollup.hashing.beside import Hasher
from rollup.hashing.levels import HEIGHT, LEAF_BYTES, MAX_ORDER_BYTES, SUBTREE_BYTES, level_sizes, lowest_levels
from rollup.hashing.team import MIN_SHARED_BYTES, Team
from rollup.merkle import Tree

TAG = sha256(b"a tag").digest()
# Around the sizes at which leaves and subtrees are full, work is shared, and orders are split.
LENGTHS = sorted(
    size + more
    for size in (
        LEAF_BYTES,
        SUBTREE_BYTES,
        MIN_SHARED_BYTES,
        3 * MIN_SHARED_BYTES,
        MAX_ORDER_BYTES,
        2 * MAX_ORDER_BYTES,
    )
    for more in (-1, 0, 1, LEAF_BYTES, SUBTREE_BYTES + 1)
)


def leaves_of(length: int) -> memoryview:
    return memoryview(Random(length).randbytes(length))


def plain_top(leaves: memoryview) -> bytes:
    """By the definition, one leaf and one node at a time."""
    cuts = range(0, len(leaves), LEAF_BYTES)
    return Tree([sha256(TAG + leaves[cut : cut + LEAF_BYTES]).digest() for cut in cuts]).top


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_ready(hasher: Hasher) -> None:
    limit = time.monotonic() + 20
    while not hasher.is_ready:
        assert time.monotonic() < limit, "the other process does not start"
        time.sleep(0.01)


@pytest.fixture
def team() -> Iterator[Team]:
    """Two other processes, ready."""
    team = Team(TAG, hashers=2, min_total_bytes=0)
    team.lowest_levels(leaves_of(MIN_SHARED_BYTES))
    for hasher in team.hashers:
        wait_until_ready(hasher)
    yield team
    team.end()


@pytest.mark.parametrize("length", LENGTHS)
def test_levels__made_by_many__are_those_made_by_one(team: Team, length: int) -> None:
    leaves = leaves_of(length)
    found = team.lowest_levels(leaves)
    assert found == lowest_levels(leaves, TAG)
    assert [len(level) for level in found] == level_sizes(length)
    assert Tree.over(found).top == plain_top(leaves)
    assert len(team.hashers) == 2


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of all orders to other processes, in bytes."""
    lengths: list[int] = []
    order = Hasher.order

    def counted(self: Hasher, leaves: memoryview) -> None:
        lengths.append(len(leaves))
        order(self, leaves)

    monkeypatch.setattr(Hasher, "order", counted)
    return lengths


def test_levels__of_many_trees__are_those_of_each(team: Team) -> None:
    trees = [leaves_of(length) for length in (5, *LENGTHS, 7, LEAF_BYTES)]
    assert team.levels_of(trees) == [lowest_levels(leaves, TAG) for leaves in trees]
    assert team.levels_of([]) == []
    assert len(team.hashers) == 2


def test_many_trees__are_shared_out__the_largest_to_others(team: Team, given: list[int]) -> None:
    team.levels_of([leaves_of(SUBTREE_BYTES - 1)] * 64 + [leaves_of(2**17)] * 8)
    # One order each is certain, and no part is worth one that is no whole subtree.
    assert len(given) >= 2
    assert set(given) == {2**17}


def test_a_process_that_is_killed__amid_many_trees__changes_nothing(team: Team) -> None:
    trees = [leaves_of(2**18 + place) for place in range(24)]
    expected = [lowest_levels(leaves, TAG) for leaves in trees]
    first, second = team.hashers
    os.kill(first.pid, signal.SIGSTOP)
    killer = Timer(0.2, os.kill, (first.pid, signal.SIGKILL))
    killer.start()
    assert team.levels_of(trees) == expected
    killer.join()
    assert team.hashers == [second]
    assert team.levels_of(trees) == expected


def test_other_processes__are_asked__where_there_is_enough_to_share(team: Team, given: list[int]) -> None:
    team.lowest_levels(leaves_of(MIN_SHARED_BYTES - 1))
    assert given == []
    team.lowest_levels(leaves_of(9 * SUBTREE_BYTES + 5))
    assert given == [4 * SUBTREE_BYTES] * 2


def test_a_process_that_is_killed__before_or_after_its_order__changes_nothing(team: Team) -> None:
    leaves, expected = leaves_of(2**20), lowest_levels(leaves_of(2**20), TAG)
    first, second = team.hashers
    os.kill(first.pid, signal.SIGKILL)
    assert team.lowest_levels(leaves) == expected
    assert team.hashers == [second]
    os.kill(second.pid, signal.SIGSTOP)
    killer = Timer(0.2, os.kill, (second.pid, signal.SIGKILL))
    killer.start()
    assert team.lowest_levels(leaves) == expected
    killer.join()
    assert team.hashers == []
    assert team.lowest_levels(leaves) == expected


def test_an_interrupted_call__leaves_no_answer_for_the_next(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(leaves: memoryview, tag: bytes) -> list[bytes]:
        raise KeyboardInterrupt

    pids = [hasher.pid for hasher in team.hashers]
    with monkeypatch.context() as patched:
        patched.setattr("rollup.hashing.team.lowest_levels", interrupted)
        with pytest.raises(KeyboardInterrupt):
            team.lowest_levels(leaves_of(2**20))
    assert not any(map(is_alive, pids))
    assert team.lowest_levels(leaves_of(2**19)) == lowest_levels(leaves_of(2**19), TAG)


def test_threads__that_come_at_once__all_get_their_own_levels(team: Team) -> None:
    found: dict[int, list[bytes]] = {}

    def hash_(place: int) -> None:
        found[place] = team.lowest_levels(leaves_of(2**20 + place))

    threads = [Thread(target=hash_, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {place: lowest_levels(leaves_of(2**20 + place), TAG) for place in range(4)}


def test_a_fork__hashes_alone__and_leaves_the_others_to_its_parent(team: Team) -> None:
    leaves = leaves_of(2**20)
    expected = lowest_levels(leaves, TAG)
    child = os.fork()
    if child == 0:
        same = all(team.lowest_levels(leaves) == expected for _ in range(3))
        os._exit(0 if same else 1)
    assert all(team.lowest_levels(leaves) == expected for _ in range(3))
    assert os.waitpid(child, 0)[1] == 0
    assert len(team.hashers) == 2


def test_little__starts_no_process() -> None:
    team = Team(TAG, hashers=1, min_total_bytes=2**20)
    for _ in range(3):
        team.lowest_levels(leaves_of(2**18))
    assert team.hashers == []
    team.lowest_levels(leaves_of(2**18))
    assert len(team.hashers) == 1
    team.end()


def test_where_no_process_can_start__this_one_hashes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Unavailable, match="no process can hash beside this one"):
        Hasher(TAG)
    team = Team(TAG, hashers=2, min_total_bytes=0)
    assert team.lowest_levels(leaves_of(2**20)) == lowest_levels(leaves_of(2**20), TAG)
    assert team.hashers == []


def test_a_process__ends_with_whoever_gives_it_orders() -> None:
    hasher = Hasher(TAG)
    wait_until_ready(hasher)
    hasher.end()
    assert not is_alive(hasher.pid)


def test_lowest_levels__of_a_single_leaf__are_its_hash_beside_nothing() -> None:
    levels = lowest_levels(memoryview(b"x"), TAG)
    assert levels[0] == sha256(TAG + b"x").digest()
    assert levels[1] == sha256(levels[0] + bytes(32)).digest()
    assert len(levels) == HEIGHT + 1
    assert Tree.over(levels).top == levels[0]
