"""Models that can never be judged: found from the records of their graphs, and struck where the bond pays for it.

Nothing can be proven of a claim on such a model, so it is not the claim that falls: whoever registered it loses the
bond (PROTOCOL.md, 4, "Strikes"). The decision is pure, and never against a graph that can be judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from executor.strangers import unrunnable
from prover.position import Wait
from rollup.blobs import BlobReader
from rollup.errors import BadEncoding, Doubt, RollupError
from rollup.graph import GRAPH_TAG, STEP_TAG, Graph, tree_of_records
from rollup.judge.strikes import find_unjudgeable, is_unjudgeable, reason
from rollup.merkle import sha256, top_of_run
from rollup.package import find_records
from rollup.types import Address, Model, ModelId, StepPlace

# Gas of a strike, above what was ever measured: of the call, and of each byte of the record.
STRIKE_GAS, BYTE_GAS = 300_000, 100
# The base fee may rise before the transaction is mined.
RISING = 2
_log = structlog.get_logger()


@dataclass(frozen=True)
class StrikePosition:
    """A model, a place of its graph where nothing can be judged, and what one block shows of it.

    `bond_wei`: what its registrant has at stake, half of which is for who strikes. `me` is None without a key.
    """

    model: ModelId
    record: Model
    place: StepPlace
    bond_wei: int
    base_fee_wei: int
    me: Address | None

    @property
    def cost_wei(self) -> int:
        """What a strike may cost."""
        return (STRIKE_GAS + BYTE_GAS * len(self.place.record)) * self.base_fee_wei * RISING


@dataclass(frozen=True)
class Strike:
    """Shows a place of a model's graph that can never be judged."""

    model: ModelId
    place: StepPlace


def decide_strike(position: StrikePosition) -> Strike | Wait:
    """Whether to strike now. The bond is read again in the next block."""
    if position.me is None:
        return Wait(position.model, "watching only, without a key")
    if position.bond_wei == 0:
        return Wait(position.model, "nothing is at stake: it was struck, or its bond was returned, or it never had one")
    paid = position.bond_wei // 2
    if paid <= position.cost_wei:
        return Wait(position.model, f"a strike pays {paid} wei and may cost {position.cost_wei}")
    return Strike(position.model, position.place)


def require_honest_strike(move: Strike, position: StrikePosition) -> None:
    """Raises Doubt for a strike that no honest party makes: where the graph has no such step, or it can be judged."""
    if move.model != position.model or position.me is None:
        raise Doubt(f"a strike of model 0x{move.model.hex()} is not mine to make")
    header, place = position.record.graph_header, move.place
    if not _is_shown(position.record, place):
        raise Doubt(f"the record shown is not step {place.step} of the model 0x{move.model.hex()}")
    if not is_unjudgeable(place.record, place.step, header, place.element):
        raise Doubt(f"element {place.element} of step {place.step} of 0x{move.model.hex()} can be judged")


def _is_shown(record: Model, place: StepPlace) -> bool:
    """Whether the graph of a model has these bytes for that step."""
    steps = int.from_bytes(record.graph_header[8:12], "big")
    try:
        top = top_of_run([sha256(STEP_TAG + place.record)], place.step, steps, place.path)
    except BadEncoding:
        return False
    return sha256(GRAPH_TAG + record.graph_header + top) == record.graph_root


class Malformed:
    """What was found of the models that claims name; each graph is looked through once."""

    def __init__(self, blobs: BlobReader) -> None:
        self._blobs = blobs
        # Of which nothing is to be shown, or nothing more.
        self._done: set[ModelId] = set()
        self.places: dict[ModelId, StepPlace] = {}

    def look_at(self, id_: ModelId, record: Model, graph: Graph) -> None:
        """At a model that could be loaded."""
        if id_ not in self._done and id_ not in self.places:
            self._look_through(id_, record, [step.record for step in graph.steps])

    def look_for(self, id_: ModelId, record: Model) -> None:
        """At one that could not: somebody may serve its program, or its records."""
        if id_ in self._done or id_ in self.places:
            return
        try:
            records = self._records(record)
        except RollupError:
            # Asked for again when the model is.
            return
        self._look_through(id_, record, records)

    @unrunnable("the program")
    def _records(self, record: Model) -> Sequence[bytes]:
        return find_records(self._blobs, record.graph_root, record.graph_header)

    def close(self, id_: ModelId) -> None:
        """Nothing is at stake any more."""
        self._done.add(id_)
        self.places.pop(id_, None)

    def _look_through(self, id_: ModelId, record: Model, records: Sequence[bytes]) -> None:
        found = find_unjudgeable(records, record.graph_header)
        if found is None:
            self._done.add(id_)
            return
        number, element = found
        why = reason(records[number], number, record.graph_header, element)
        _log.warning("watchtower.malformed_model", model=id_.hex(), step=number, element=element, reason=why)
        self.places[id_] = StepPlace(number, element, records[number], tree_of_records(records).path(number))
