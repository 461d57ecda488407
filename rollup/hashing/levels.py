"""The lowest levels of a tree over hashed leaves; and, run as a program, a process that makes nothing else (beside.py).

Python's hash functions hold the interpreter's lock for inputs as short as a leaf, so threads would wait for each other.
The other process reads leaves from memory that both share; it needs the standard library only, and starts in no time.
"""

from __future__ import annotations

import mmap
import sys
from hashlib import sha256
from itertools import cycle
from typing import BinaryIO

LEAF_BYTES = 1024
WORD_BYTES = 32
# Of the subtrees that are hashed as a whole: 16 leaves.
HEIGHT = 4
SUBTREE_BYTES = LEAF_BYTES << HEIGHT
# Of one order, and of its slot in the memory that both share: leaves, then the levels over them.
MAX_ORDER_BYTES = 2**18
SLOT_BYTES = MAX_ORDER_BYTES + 2 * WORD_BYTES * (MAX_ORDER_BYTES // LEAF_BYTES)
# Orders take them in turn, so that one can be given while another is carried out.
SLOTS = 2
# An order is the length of the leaves; what answers it, and what is said at the start, is a byte.
LENGTH_BYTES = 4
DONE = b"\1"

# Nodes of each level, joined; from the leaves' hashes up.
Levels = list[bytes]


def _leaf_hashes(leaves: memoryview, tag: bytes) -> list[bytes]:
    """SHA-256 of `tag` and each leaf; a copied state is cheaper than a new one over tag and leaf joined."""
    tagged, hashes = sha256(tag).copy, []
    for start in range(0, len(leaves), LEAF_BYTES):
        state = tagged()
        state.update(leaves[start : start + LEAF_BYTES])
        hashes.append(state.digest())
    return hashes


def lowest_levels(leaves: memoryview, tag: bytes) -> Levels:
    """Levels `0..HEIGHT` over the leaves of subtrees, of which only the last need not be full."""
    nodes, missing, levels = _leaf_hashes(leaves, tag), bytes(WORD_BYTES), []
    for _ in range(HEIGHT):
        levels.append(b"".join(nodes))
        if len(nodes) % 2:
            nodes.append(missing)
        left = iter(nodes)
        nodes = [sha256(a + b).digest() for a, b in zip(left, left, strict=True)]
        missing = sha256(missing + missing).digest()
    return [*levels, b"".join(nodes)]


def level_sizes(length: int) -> list[int]:
    """Bytes of each level that `lowest_levels` makes of so many bytes of leaves."""
    counts = [-(-length // LEAF_BYTES)]
    for _ in range(HEIGHT):
        counts.append(-(-counts[-1] // 2))
    return [WORD_BYTES * count for count in counts]


def serve(file: int, tag: bytes) -> None:
    """Carries out orders until whoever gives them has gone."""
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    slots = cycle(slots_of(memoryview(mmap.mmap(file, SLOTS * SLOT_BYTES))))
    _answer(answers)
    while order := orders.read(LENGTH_BYTES):
        slot = next(slots)
        levels = b"".join(lowest_levels(slot[: int.from_bytes(order, "big")], tag))
        slot[MAX_ORDER_BYTES : MAX_ORDER_BYTES + len(levels)] = levels
        _answer(answers)


def slots_of(area: memoryview) -> list[memoryview]:
    """The slots of what both share."""
    return [area[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES] for slot in range(SLOTS)]


def _answer(answers: BinaryIO) -> None:
    answers.write(DONE)
    answers.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]), bytes.fromhex(sys.argv[2]))
