"""The keeper: whatever the clock has made due is finalised, settled, announced, concluded. Anyone may run one.

`decide` is pure; the loop beside it sends. It earns tips, and needs no trust: the contracts check every move. It knows
nothing of what models answer. Moves of properties stand in settlement.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import structlog

from rollup import settlement
from rollup.chain.claims import Claims
from rollup.chain.daemon import Daemon
from rollup.chain.disputes import Disputes
from rollup.chain.inbox import Inbox
from rollup.chain.sender import Intent
from rollup.chain.transactions import TransactionStore
from rollup.config import Settings
from rollup.errors import Refused
from rollup.settlement import is_due
from rollup.types import ClaimBatchId, ClaimId, RequestId
from rollup.view import MadeClaim, View

# Gas of the callbacks fired in one call, and what each costs besides: two paths, a page's share of storage.
PAGE_GAS = 10_000_000
CALLBACK_OVERHEAD_GAS = 150_000
_log = structlog.get_logger()


@dataclass(frozen=True)
class Finalise:
    """All unchallenged claims of a batch become final."""

    batch: ClaimBatchId


@dataclass(frozen=True)
class FinaliseContested:
    """One acquitted claim becomes final."""

    claim: ClaimId


@dataclass(frozen=True)
class Settle:
    """Callbacks of final claims are fired; their batches become final on the way where they are not."""

    claims: tuple[ClaimId, ...]


@dataclass(frozen=True)
class Announce:
    """The callback of a refuted claim is fired."""

    claim: ClaimId


@dataclass(frozen=True)
class Retry:
    """A callback that failed is fired again. `delivery` counts the attempts."""

    claim: ClaimId
    delivery: int


@dataclass(frozen=True)
class Conclude:
    """A dispute whose clock has run out is ended."""

    claim: ClaimId


@dataclass(frozen=True)
class Refund:
    """Fee and tip of a request that nobody answered in time go back to its requester."""

    request: RequestId


Move = Finalise | FinaliseContested | Settle | Announce | Retry | Conclude | Refund | settlement.Move


def decide(view: View, now: int, refunds: bool = False) -> list[Move]:
    """What is due at `now` (seconds of the chain): disputes first, since finality waits for them.

    `refunds`: whether to make refunds too, which pay no tip.
    """
    moves: list[Move] = [Conclude(dispute.claim) for dispute in view.to_conclude(now)]
    moves += [FinaliseContested(claim.id) for claim in view.to_finalise_contested(now)]
    due = view.to_settle()
    for made in view.to_finalise(now):
        if view.state.request_batches[made.batch.requests].batch.callback:
            claims = (view.claim(id_) for id_ in made.claims if id_ is not None)
            due += [claim for claim in claims if not claim.contested]
        else:
            moves.append(Finalise(made.id))
    moves += [Settle(page) for page in _pages(view, due)]
    moves += [Announce(claim.id) for claim in view.to_announce()]
    moves += [Refund(request.id) for request in view.refundable(now) if refunds]
    moves += [Retry(claim.id, claim.deliveries) for claim in view.to_retry() if is_due(claim, now)]
    return moves + settlement.decide(view, now, refunds)


def _pages(view: View, due: Iterable[MadeClaim]) -> Iterator[tuple[ClaimId, ...]]:
    """Claims in order, as many to a page as its gas allows, at least one."""
    page: list[ClaimId] = []
    gas = 0
    for claim in due:
        cost = view.request(claim.request).request.callback_gas + CALLBACK_OVERHEAD_GAS
        if page and gas + cost > PAGE_GAS:
            yield tuple(page)
            page, gas = [], 0
        page.append(claim.id)
        gas += cost
    if page:
        yield tuple(page)


class Keeper:
    """Moves to intents, and intents to the chain."""

    def __init__(self, daemon: Daemon, refunds: bool = False) -> None:
        self._daemon, self._refunds = daemon, refunds
        self._inbox = Inbox(daemon.settings.deployment)
        self._claims = Claims(daemon.settings.deployment)
        self._disputes = Disputes(daemon.settings.deployment)
        self._settler = settlement.Settler(daemon.settings.deployment)

    def step(self) -> None:
        """Sends all that is due, then waits for it. A move that somebody else made first is progress, not a fault."""
        with self._daemon.follower.reading() as view:
            intents = [self._intent(view, move) for move in decide(view, view.now, self._refunds)]
        sent = [intent for intent in intents if self._is_taken(intent, self._daemon.sender.submit)]
        for intent in sent:
            self._is_taken(intent, self._daemon.sender.wait)

    def _is_taken(self, intent: Intent, act: Callable[[Intent], object]) -> bool:
        try:
            act(intent)
        except Refused as error:
            _log.info("keeper.refused", intent=intent.key, error=str(error))
            return False
        return True

    def _intent(self, view: View, move: Move) -> Intent:
        match move:
            case Finalise(batch):
                made = view.state.claim_batches[batch]
                return self._claims.finalise(view.state.request_batches[made.batch.requests].batch, made.batch)
            case FinaliseContested(claim):
                return self._claims.finalise_contested(view.witness(claim))
            case Settle(claims):
                return self._claims.settle([view.witness(claim) for claim in claims])
            case Announce(claim):
                return self._claims.announce(view.witness(claim))
            case Retry(claim, delivery):
                return self._claims.retry(view.witness(claim), turn=str(delivery))
            case Conclude(claim):
                return self._disputes.conclude(view.witness(claim))
            case Refund(request):
                ordered = view.request(request)
                order = view.batch_of(ordered)
                path = order.tree.path(ordered.index)
                return self._inbox.refund(order.batch, ordered.index, ordered.request, path)
            case _:
                return self._settler.intent(view, move)


def run_keeper(
    settings: Settings, stop: threading.Event, refunds: bool = False, store: TransactionStore | None = None
) -> None:
    """Runs until `stop`; with `refunds` it also pays the gas of refunds.

    Raises what a Daemon raises at its start, and Stop if going on would be unsafe.

    Every move can be made again from the chain alone, so by default signed transactions are kept in memory only.
    """
    with Daemon.start(settings, store) as daemon:
        keeper = Keeper(daemon, refunds)
        daemon.follower.run(stop, keeper.step)
