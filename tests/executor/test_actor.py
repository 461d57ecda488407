"""Deeds and patience, with a sender and a follower in memory."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from executor.actor import Deeds, keep_doing
from rollup.chain.sender import Intent
from rollup.errors import BadInput, Doubt, Insolvent, NotYet, Reverted, Unavailable
from rollup.types import ZERO_ADDRESS

INTENTS = [Intent(str(number), ZERO_ADDRESS, b"") for number in range(3)]


class ToySender:
    """Answers as told: per intent key, what `submit` raises, and the blocks in which `wait` finds it (or errors)."""

    def __init__(self) -> None:
        self.refusals: dict[str, Exception] = {}
        self.answers: dict[str, list[int | Exception]] = {}
        self.submitted: list[str] = []

    def submit(self, intent: Intent) -> None:
        if intent.key in self.refusals:
            raise self.refusals[intent.key]
        self.submitted.append(intent.key)

    def wait(self, intent: Intent, timeout_seconds: float) -> SimpleNamespace:
        assert timeout_seconds <= 5, "an actor must see a stop in time"
        answer = self.answers.get(intent.key, [1]).pop(0)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(block=answer)


def deeds(sender: ToySender, block: int = 10) -> tuple[Deeds, Any]:
    view = SimpleNamespace(block=block)
    daemon: Any = SimpleNamespace(sender=sender, follower=SimpleNamespace(view=view))
    return Deeds(daemon), view


def test_what_is_refused_or_cannot_be_paid__keeps_nothing_else_back() -> None:
    sender = ToySender()
    sender.refusals = {"0": Reverted("LeaseHeld", {}), "1": Insolvent("no wei")}
    doing, _ = deeds(sender)
    doing.send(INTENTS)
    assert sender.submitted == ["2"]
    assert doing.are_seen()


def test_what_is_not_mined__is_not_seen_until_it_is() -> None:
    sender = ToySender()
    sender.answers["0"] = [NotYet("in flight"), NotYet("in flight"), 4]
    doing, _ = deeds(sender)
    doing.send(INTENTS[:1])
    assert not doing.are_seen()
    assert doing.are_seen()


def test_what_the_view_has_not_reached__is_not_seen() -> None:
    sender = ToySender()
    sender.answers["0"] = [12]
    doing, view = deeds(sender)
    doing.send(INTENTS[:1])
    assert not doing.are_seen()
    view.block = 12
    assert doing.are_seen()


def test_a_cut_while_waiting__forgets_nothing() -> None:
    sender = ToySender()
    sender.answers["0"] = [Unavailable("cable"), NotYet("in flight"), 4]
    doing, _ = deeds(sender)
    with pytest.raises(Unavailable):
        doing.send(INTENTS[:1])
    assert not doing.are_seen()
    assert doing.are_seen()


def test_a_transaction_that_reverts__is_over() -> None:
    sender = ToySender()
    sender.answers["0"] = [Reverted("NothingToClaim", {})]
    doing, _ = deeds(sender)
    doing.send(INTENTS[:1])
    assert doing.are_seen()


def test_an_actor__goes_on_after_retries_and_refusals_and_ends_on_doubt() -> None:
    errors = iter([Unavailable("cable"), BadInput("a stranger's"), None, Doubt("two answers")])
    steps = []

    def step() -> None:
        error = next(errors)
        steps.append(error)
        if error is not None:
            raise error

    with pytest.raises(Doubt, match="two answers"):
        keep_doing("test", step, threading.Event(), 0.001)
    assert len(steps) == 4


def test_an_actor__stops_when_told() -> None:
    stop = threading.Event()
    keep_doing("test", stop.set, stop, 60)
    assert stop.is_set()
