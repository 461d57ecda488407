"""Logs become typed events, in order, without gaps, and what a reorg took back is told.

A cursor remembers the hashes of some blocks up to which all is known; after a reorg the newest of them that still
stands is where reading goes on. Folds nothing.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollup import events
from rollup.chain.abi import Entry, decode_values, record_of, signature_hash, types_of
from rollup.chain.artifacts import load
from rollup.chain.client import Block, Client, RawLog
from rollup.config import Deployment
from rollup.errors import Unavailable
from rollup.events import Event, Place, Update
from rollup.properties import events as properties
from rollup.types import Address

# Blocks asked for in one call; providers refuse wide ranges.
CHUNK_BLOCKS = 2_000
# Checkpoints kept. Reorgs deeper than the oldest mean reading all again.
MAX_CHECKPOINTS = 256


class Decoder:
    """Logs of a system's contracts, by their first topic, as records of rollup/events.py and those of properties."""

    def __init__(self, interfaces: Mapping[str, Sequence[Entry]]) -> None:
        classes = {cls.__name__: cls for cls in (*events.EVENTS, *properties.EVENTS)}
        declared = [(name, entry) for name, entries in interfaces.items() for entry in entries]
        self._known = {
            signature_hash(entry): (entry, properties.SAME_NAMES.get((name, entry["name"]), classes[entry["name"]]))
            for name, entry in declared
            if entry["type"] == "event" and entry["name"] in classes
        }

    @classmethod
    def of_contracts(cls) -> Decoder:
        return cls({name: contract.abi for name, contract in load().contracts.items() if name[0] == "I"})

    def decode(self, log: RawLog, timestamp: int) -> Event | None:
        """None for an event that no interface declares. Raises BadEncoding if the log contradicts its event."""
        if not log.topics or log.topics[0] not in self._known:
            return None
        entry, cls = self._known[log.topics[0]]
        place = Place(log.block, log.log_index, timestamp, log.block_hash, log.transaction, log.emitter)
        values = _values(entry, log)
        hints = typing.get_type_hints(cls)
        names = [field.name for field in dataclasses.fields(cls)][1:]
        fields = [record_of(hints[name], value) for name, value in zip(names, values, strict=True)]
        return cls(place, *fields)


def _values(entry: Entry, log: RawLog) -> list[Any]:
    """Arguments in the order of the declaration: indexed ones from topics, the rest from data."""
    inputs: Sequence[Mapping[str, Any]] = entry["inputs"]
    what = f"event {entry['name']}"
    topics = iter(log.topics[1:])
    rest = iter(decode_values(what, types_of([item for item in inputs if not item["indexed"]]), log.data))
    return [
        decode_values(what, types_of([item]), next(topics))[0] if item["indexed"] else next(rest) for item in inputs
    ]


@dataclass(frozen=True)
class Checkpoint:
    """A block up to which all events were given out."""

    number: int
    hash: bytes


class EventStream:
    """Events of one system from its first block on. `confirmations`: blocks that must lie on top of what is told."""

    def __init__(
        self,
        client: Client,
        deployment: Deployment,
        confirmations: int = 0,
        emitters: Sequence[Address] = (),
        chunk_blocks: int = CHUNK_BLOCKS,
    ) -> None:
        """`emitters`: whose events are wanted; all modules', so all but the Vault's, if none are named."""
        self._client, self._first = client, deployment.block
        self._confirmations, self._chunk = confirmations, chunk_blocks
        self._emitters = tuple(emitters) or deployment.modules
        self._decoder = Decoder.of_contracts()
        self._checkpoints: list[Checkpoint] = []

    def poll(self) -> Update | None:
        """What is new, at most one chunk of blocks; None if nothing is.

        Raises Unavailable if the chain does not answer or changes in the middle of the look (NotFound if it lost the
        very block); then nothing is lost and the next poll begins where this one did.
        """
        head = self._head()
        newest = self._checkpoints[-1] if self._checkpoints else None
        if newest is not None and newest.hash == head.hash:
            return None
        standing = self._standing(head.number)
        first = self._checkpoints[standing - 1].number + 1 if standing else self._first
        undone = standing < len(self._checkpoints)
        if head.number < first and not undone:
            return None
        # After a reorg to a shorter chain there may be nothing new to read: what is left is the news.
        last = max(min(head.number, first + self._chunk - 1), first - 1)
        end = head if last == head.number else self._client.block(last)
        found = self._read(first, end, self._checkpoints[:standing])
        self._checkpoints = [*self._checkpoints[:standing], Checkpoint(end.number, end.hash)][-MAX_CHECKPOINTS:]
        return Update(first - 1 if undone else None, found, end.number, end.hash, end.timestamp)

    def _head(self) -> Block:
        head = self._client.head()
        return self._client.block(max(head.number - self._confirmations, 0)) if self._confirmations else head

    def _standing(self, head: int) -> int:
        """How many of the checkpoints the chain still has; looked for from the newest."""
        for count in range(len(self._checkpoints), 0, -1):
            if self._checkpoints[count - 1].number <= head and self._stands(self._checkpoints[count - 1]):
                return count
        return 0

    def _stands(self, checkpoint: Checkpoint | Block) -> bool:
        return self._client.block(checkpoint.number).hash == checkpoint.hash

    def _read(self, first: int, end: Block, known: Sequence[Checkpoint]) -> tuple[Event, ...]:
        """Events of blocks `first..end`. Raises Unavailable unless they, and what is known, lie on one chain."""
        logs = self._client.logs(self._emitters, first, end.number) if first <= end.number else ()
        blocks = {number: self._client.block(number) for number in {log.block for log in logs}}
        is_one_chain = all(blocks[log.block].hash == log.block_hash for log in logs) and self._stands(end)
        if not is_one_chain or (known and not self._stands(known[-1])):
            raise Unavailable("the chain was reorganised while its events were read")
        decoded = (self._decoder.decode(log, blocks[log.block].timestamp) for log in logs)
        return tuple(event for event in decoded if event is not None)
