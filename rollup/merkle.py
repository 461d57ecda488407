"""Positional trees and run proofs (PROTOCOL.md, 2.1): the Python twin of MerkleLib.

A tree over n leaf hashes has depth ceil(log2 n); missing leaves are zero words. Neither a proof's length nor its index
is the prover's to choose. Knows nothing of what the leaves mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256 as _sha256

from eth_utils.crypto import keccak as keccak256

from rollup.errors import BadEncoding
from rollup.hashing.levels import WORD_BYTES
from rollup.types import ZERO_WORD

# Of the two hashes that a node is the hash of.
NODE_BYTES = 2 * WORD_BYTES

Hash = Callable[[bytes], bytes]


def sha256(data: bytes) -> bytes:
    return _sha256(data).digest()


@lru_cache(maxsize=256)
def zero_subtree(level: int, hash_: Hash) -> bytes:
    """Top of a subtree of depth `level` with no real leaf."""
    if level == 0:
        return ZERO_WORD
    below = zero_subtree(level - 1, hash_)
    return hash_(below + below)


def depth_of(count: int) -> int:
    """Depth of the tree over `count` leaves. Raises BadEncoding for an empty tree."""
    if count < 1:
        raise BadEncoding(f"a tree needs at least 1 leaf, got {count}")
    return (count - 1).bit_length()


class Tree:
    """All levels of one positional tree over 32-byte leaf hashes, bottom up; each level's nodes joined."""

    def __init__(self, leaves: Sequence[bytes], hash_: Hash = sha256) -> None:
        self._levels = _grown([b"".join(leaves)], hash_)

    @classmethod
    def over(cls, lowest: Sequence[bytes]) -> Tree:
        """The SHA-256 tree whose lowest levels are made already, each level's nodes joined; those above the top fall
        away."""
        tree = cls.__new__(cls)
        tree._levels = _grown(list(lowest), sha256)
        return tree

    @property
    def top(self) -> bytes:
        return self._levels[-1]

    def path(self, index: int) -> tuple[bytes, ...]:
        """Siblings of one leaf, bottom up, without those that are zero subtrees."""
        return self.run_path(index, index)

    def run_path(self, first: int, last: int) -> tuple[bytes, ...]:
        """Siblings of the run of leaves `first..last`, inclusive, bottom up. Raises BadEncoding if outside."""
        count = len(self._levels[0]) // WORD_BYTES
        if not 0 <= first <= last < count:
            raise BadEncoding(f"run {first}..{last} is outside a tree of {count} leaves")
        siblings = []
        for level in self._levels[:-1]:
            for position in _needed(first, last, len(level) // WORD_BYTES):
                siblings.append(level[WORD_BYTES * position : WORD_BYTES * (position + 1)])
            first, last = first >> 1, last >> 1
        return tuple(siblings)


def _grown(levels: list[bytes], hash_: Hash) -> list[bytes]:
    depth = depth_of(len(levels[0]) // WORD_BYTES)
    for level in range(len(levels) - 1, depth):
        levels.append(_parents(levels[-1], zero_subtree(level, hash_), hash_))
    return levels[: depth + 1]


def _parents(nodes: bytes, missing: bytes, hash_: Hash) -> bytes:
    if len(nodes) % NODE_BYTES:
        nodes += missing
    return b"".join([hash_(nodes[start : start + NODE_BYTES]) for start in range(0, len(nodes), NODE_BYTES)])


def _needed(first: int, last: int, width: int) -> Iterator[int]:
    if first & 1:
        yield first - 1
    if not last & 1 and last + 1 < width:
        yield last + 1


def top_of_run(
    leaves: Sequence[bytes], first: int, count: int, siblings: Sequence[bytes], hash_: Hash = sha256
) -> bytes:
    """Top of a tree of `count` leaves from the run that starts at `first` and its siblings.

    Raises BadEncoding if the run lies outside the tree or the number of siblings is not the one that follows from it.
    """
    last = first + len(leaves) - 1
    if not 0 <= first <= last < count:
        raise BadEncoding(f"run {first}..{last} is outside a tree of {count} leaves")
    nodes, rest, width = list(leaves), list(siblings), count
    for level in range(depth_of(count)):
        if first & 1:
            nodes.insert(0, _take(rest))
        if not last & 1:
            nodes.append(_take(rest) if last + 1 < width else zero_subtree(level, hash_))
        nodes = [hash_(nodes[i] + nodes[i + 1]) for i in range(0, len(nodes), 2)]
        first, last, width = first >> 1, last >> 1, (width + 1) >> 1
    if rest:
        raise BadEncoding(f"{len(rest)} siblings too many")
    return nodes[0]


def _take(siblings: list[bytes]) -> bytes:
    if not siblings:
        raise BadEncoding("a sibling is missing")
    return siblings.pop(0)


__all__ = ["Tree", "depth_of", "keccak256", "sha256", "top_of_run", "zero_subtree"]
