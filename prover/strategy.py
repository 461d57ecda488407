"""What an honest watchtower does about one claim: a pure function of what the chain shows and what its checks say.

Knows no chain, no torch and no clock: `Position.now` is the block's time. What it returns is checked against the rules
(prover/rules.py) before anything is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import isnan

from prover.position import (
    Challenge,
    ClaimMove,
    Conclude,
    Demand,
    Opinion,
    PoolMove,
    PoolOpinion,
    PoolPosition,
    Position,
    Prove,
    Wait,
    Withdraw,
)
from rollup.clock import CONCLUDABLE, Phase, is_before
from rollup.types import Certainty, DisputeStatus

# What is beyond the reach of every run that stays inside its bounds.
REACH = 1.0
# Leaves named in one transaction, each with a step's record and path, some 1.4 KB: nodes pass on 128 KiB at most.
LEAVES_PER_DEMAND = 64
# A reward is pulled when it is at least this part of the reserve.
WORTHWHILE = 8
_WAITS = {
    Phase.OPENING: "the executor may still open",
    Phase.COLLECTING: "no fault is known, leaves may still be demanded",
    Phase.SUPPLYING: "demanded leaves may still be supplied",
    Phase.PROVING: "no fault is known",
}


def decide(position: Position, opinion: Opinion) -> ClaimMove | Wait:
    """The next move. The daemon makes it, reads the chain again, and asks again."""
    if position.me is None:
        return Wait(position.claim, "watching only, without a key")
    if position.certainty not in (Certainty.PROVISIONAL, Certainty.CHALLENGED):
        return Wait(position.claim, f"the claim is {position.certainty.name}")
    if position.me == position.executor:
        return Wait(position.claim, "the claim is my own")
    match position.dispute.status:
        case DisputeStatus.NONE:
            return _before_challenge(position, opinion)
        case DisputeStatus.CHALLENGED:
            return _unopened(position)
        case DisputeStatus.OPENED:
            return _opened(position, opinion)
        case _:
            return _prove_or_wait(position, opinion, "acquitted, and no fault is known")


def decide_pool(position: PoolPosition, opinion: PoolOpinion) -> PoolMove | Wait:
    """The next move about a pool, or about what a claim of scores made of it. It takes no bond."""
    name = position.claim or position.training
    if position.me is None:
        return Wait(name, "watching only, without a key")
    # Broken weights are a fault whatever becomes of the training, which a requester could else end by a spoiled pool.
    shown = opinion.broken or opinion.replaced
    if not position.is_revealed and opinion.broken is None:
        return Wait(name, "the training is not being scored")
    if opinion.spoiled is not None:
        return opinion.spoiled
    if position.claim is None or shown is None:
        return Wait(name, "keys and items are those of the pool")
    if position.certainty is not Certainty.PROVISIONAL:
        return Wait(name, f"the claim is {position.certainty.name}")
    if position.me == position.executor:
        return Wait(name, "the claim is my own")
    return shown


def next_item(suspects: Sequence[int], disputed: Collection[int], contested: Collection[int]) -> int | None:
    """Which item of a claim of scores to challenge, of those that two evaluations find beyond reach; worst first.

    One takes the whole bond: another follows only when nothing was proven in the first.
    """
    if any(item in disputed for item in suspects):
        return None
    return next((item for item in suspects if item not in contested), None)


def collect(balance_wei: int, reserve_wei: int) -> Withdraw | None:
    """Pulls what lies in the Vault above `reserve_wei`, which later bonds need; a trifle would go for gas."""
    spare_wei = balance_wei - reserve_wei
    return Withdraw(spare_wei) if spare_wei > 0 and spare_wei * WORTHWHILE >= reserve_wei else None


def is_beyond_reach(opinion: Opinion) -> bool:
    """Whether both evaluations say that no run inside its bounds makes this output. NaN is beyond."""
    return all(ratio is not None and not ratio <= REACH for ratio in (opinion.deviation, opinion.second))


def may_overflow(opinion: Opinion) -> bool:
    """Whether nothing can be said of a number: my own run makes none, and one inside its bounds may make any."""
    return opinion.deviation is not None and isnan(opinion.deviation) and not is_beyond_reach(opinion)


def _before_challenge(position: Position, opinion: Opinion) -> ClaimMove | Wait:
    if position.eager and opinion.fault is not None and opinion.fault.slashes:
        return Prove(position.claim, opinion.fault, eager=True)
    if not position.may_challenge:
        return Wait(position.claim, "the challenge window is over")
    if opinion.is_unserved and opinion.fault is None:
        return _unserved(position, opinion)
    if position.eager:
        # Its trace is known: a fault that slashes is proven without a bond; only what is not served, or a fault that
        # only rejects, takes a dispute.
        worthwhile = opinion.fault is not None or (opinion.missing and is_beyond_reach(opinion))
        return _challenge(position) if worthwhile else _later(position, "no fault is known in its trace")
    if opinion.deviation is None:
        return _later(position, "my own run is not done")
    if opinion.deviation <= REACH:
        return _later(position, "the output is within reach")
    if opinion.second is None:
        return _later(position, "beyond reach; a second evaluation is needed before a bond")
    if may_overflow(opinion):
        return _later(position, "in doubt: my own run overflows, and another's may be within reach")
    if not is_beyond_reach(opinion):
        return _later(position, "in doubt: a second evaluation finds the output within reach")
    return _challenge(position)


def _unserved(position: Position, opinion: Opinion) -> ClaimMove | Wait:
    # It cannot be checked, but an honest executor whose endpoint is down would earn the bond.
    if not position.challenges_unserved:
        return _later(position, f"nobody serves {opinion.withheld}, and I am not told to challenge for that")
    if is_before(position.now, position.unserved_from):
        return Wait(position.claim, f"nobody serves {opinion.withheld} yet", position.unserved_from)
    price_wei = opinion.stake.price_wei(position)
    if price_wei > position.balance_wei:
        # A bond is lost without the demand that it was for.
        reason = f"{opinion.withheld} would cost {price_wei} wei to be shown, the balance is {position.balance_wei} wei"
        return _later(position, reason)
    return _challenge(position)


def _challenge(position: Position) -> ClaimMove | Wait:
    bond_wei = position.challenge_bond_wei
    if bond_wei > position.balance_wei:
        return _later(position, f"a bond of {bond_wei} wei is above the balance of {position.balance_wei} wei")
    return Challenge(position.claim, bond_wei)


def _unopened(position: Position) -> ClaimMove | Wait:
    if position.phase in CONCLUDABLE:
        return Conclude(position.claim)
    return Wait(position.claim, _WAITS[position.phase], position.course.open_end)


def _opened(position: Position, opinion: Opinion) -> ClaimMove | Wait:
    if position.phase is Phase.STARVED:
        return Conclude(position.claim)
    is_due = position.phase is Phase.OVER and position.is_rejectable
    if opinion.fault is not None and (opinion.fault.slashes or is_due):
        return Prove(position.claim, opinion.fault, eager=False)
    demand = _demand(position, opinion)
    if demand is not None:
        # Also with a fault that only rejects: what is withheld may hide one that slashes, and silence slashes too.
        return demand
    if opinion.fault is not None:
        return Wait(position.claim, "a fault that only rejects is heard later", position.course.concludable_from)
    if position.phase is Phase.OVER:
        return _over(position)
    if opinion.missing and position.phase is Phase.COLLECTING:
        reason = "leaves are missing, and no more can be demanded or paid for, or the output is within reach or unseen"
        return Wait(position.claim, reason, position.course.collect_end)
    return Wait(position.claim, _WAITS[position.phase], position.course.concludable_from)


def _demand(position: Position, opinion: Opinion) -> Demand | None:
    # Within reach it may be honest, and the deposit would be its executor's.
    is_staked = is_beyond_reach(opinion) or (opinion.is_unserved and position.challenges_unserved)
    if position.phase is not Phase.COLLECTING or not opinion.missing or not is_staked:
        return None
    if position.dispute.challenger != position.me and opinion.stake.price_wei(position) > position.balance_wei:
        # Somebody else's dispute: what cannot be shown whole is not begun.
        return None
    affordable = (
        position.balance_wei // position.leaf_deposit_wei if position.leaf_deposit_wei else position.leaves_left
    )
    leaves = opinion.missing[: min(affordable, position.leaves_left, LEAVES_PER_DEMAND)]
    return Demand(position.claim, leaves, len(leaves) * position.leaf_deposit_wei) if leaves else None


def _over(position: Position) -> ClaimMove | Wait:
    # Whoever lost or won by it ends it; for others it is gas for nothing.
    if position.me == position.dispute.challenger:
        return Conclude(position.claim)
    return Wait(position.claim, "nothing was proven; its parties may end it")


def _prove_or_wait(position: Position, opinion: Opinion, reason: str) -> ClaimMove | Wait:
    if opinion.fault is None:
        return Wait(position.claim, reason)
    if not opinion.fault.slashes and not position.is_rejectable:
        return Wait(position.claim, "a fault that only rejects is heard when nothing else can be")
    return Prove(position.claim, opinion.fault, eager=False)


def _later(position: Position, reason: str) -> Wait:
    return Wait(position.claim, reason, position.challenge_end)
