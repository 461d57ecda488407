"""The opener with disputes in memory: neither one that cannot be answered nor their number keeps any from an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from executor.actor import Deeds
from executor.opener import OPENINGS_PER_CALL, Opener
from rollup.chain.sender import Intent
from rollup.clock import Phase
from rollup.errors import Doubt, NotFound, RollupError, Unavailable
from rollup.types import ZERO_ADDRESS, TraceOpening
from tests.executor.test_actor import ToySender, deeds

Move = Callable[[Any], Iterator[Intent]]


class Cornered(Opener):
    """Of these disputes all are to be supplied; `supplies` is what becomes of one."""

    def __init__(self, cases: list[Any], supplies: Move, doing: Deeds) -> None:
        self._deeds, self._given, self._move = doing, cases, supplies
        self._office: Any = SimpleNamespace(reading=Reading)

    def _cases(self, view: Any) -> Iterator[Any]:
        return iter(self._given)

    def _supplies(self, case: Any) -> Iterator[Intent]:
        return self._move(case)


class Reading:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def case(number: int) -> Any:
    return SimpleNamespace(number=number, phase=Phase.SUPPLYING, claim=SimpleNamespace(id=bytes([number])))


@pytest.mark.parametrize("error", [NotFound("gone"), Doubt("its own test fails"), Unavailable("away")])
def test_what_cannot_be_supplied__keeps_no_other_dispute_back(error: RollupError) -> None:
    """Silence is slashed: in each of these disputes by itself."""

    def supplies(asked: Any) -> Iterator[Intent]:
        yield Intent(f"{asked.number}", ZERO_ADDRESS, b"")
        if asked.number == 1:
            raise error

    sender = ToySender()
    doing, _ = deeds(sender)
    Cornered([case(number) for number in range(3)], supplies, doing).step()
    assert sender.submitted == ["0", "2"]


class Swamped(Opener):
    """Of these disputes all are to be opened; the trace of number 5 cannot be made. Notes what it does, in order."""

    def __init__(self, cases: list[Any], doing: Deeds, sender: ToySender) -> None:
        self._deeds, self._given, self._sender = doing, cases, sender
        self._office: Any = SimpleNamespace(reading=Reading, blobs=SimpleNamespace(put_tensors=lambda _: bytes(32)))
        self._disputes: Any = SimpleNamespace(open=self._open)
        self.sent_before: list[int] = []

    def _cases(self, view: Any) -> Iterator[Any]:
        return iter(self._given)

    def _trace(self, case: Any) -> Any:
        self.sent_before.append(len(self._sender.submitted))
        if case.claim.index == 5:
            raise Unavailable("away")
        return SimpleNamespace(tensors=())

    def _open(self, batch: str, openings: list[TraceOpening], lane: int) -> Intent:
        return Intent(f"{batch}: {openings[0].index} to {openings[-1].index}, {len(openings)}", ZERO_ADDRESS, b"")


def challenged(batch: str, index: int) -> Any:
    return SimpleNamespace(
        phase=Phase.OPENING,
        dispute=SimpleNamespace(challenged_at=index // 3),
        claim=SimpleNamespace(id=bytes(32), index=index),
        made=SimpleNamespace(id=batch, batch=batch),
        request=SimpleNamespace(lane=2),
    )


def test_more_challenges_than_a_call_opens__are_opened_in_several_the_oldest_first() -> None:
    """A transaction that cannot hold them all opens none, and silence is slashed."""
    many = [challenged("scores", index) for index in reversed(range(OPENINGS_PER_CALL + 2))]
    sender = ToySender()
    doing, _ = deeds(sender)
    opener = Swamped([*many, challenged("outputs", 400)], doing, sender)
    opener.step()
    last = OPENINGS_PER_CALL - 1
    assert [call.split(": ")[0] for call in sender.submitted] == ["scores", "scores", "outputs"]
    assert [call.split(", ")[1] for call in sender.submitted] == [f"{last}", "2", "1"]
    assert sender.submitted[0].startswith("scores: 2 to ")
    # The first call was on its way before the next one's traces were made.
    assert opener.sent_before == [0] * OPENINGS_PER_CALL + [1, 1, 2]
