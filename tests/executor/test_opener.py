"""The opener with disputes in memory: one that cannot be answered keeps no other from being answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from executor.actor import Deeds
from executor.opener import Opener
from rollup.chain.sender import Intent
from rollup.clock import Phase
from rollup.errors import Doubt, NotFound, RollupError, Unavailable
from rollup.types import ZERO_ADDRESS
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
