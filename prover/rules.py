"""Moves that an honest party never makes, each with its reason: checked in every test and before every send.

Written from the protocol and not from the strategy, so that a fault in one shows in the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prover.position import Challenge, ClaimMove, Conclude, Demand, Opinion, Position, Prove
from rollup.clock import CONCLUDABLE, Phase, is_before
from rollup.errors import BadEncoding, Doubt
from rollup.judge.judge import judge
from rollup.types import MAX_DEMAND_LEAVES, Certainty, DisputeStatus, Verdict

Check = Callable[[ClaimMove, Position, Opinion], bool]


@dataclass(frozen=True)
class Rule:
    """One thing never done. `is_broken` says whether a move does it."""

    never: str
    because: str
    is_broken: Check


def broken_rules(move: ClaimMove, position: Position, opinion: Opinion) -> list[Rule]:
    return [rule for rule in RULES if rule.is_broken(move, position, opinion)]


def require_honest(move: ClaimMove, position: Position, opinion: Opinion) -> None:
    """Raises Doubt, with every rule that the move breaks."""
    broken = broken_rules(move, position, opinion)
    if broken:
        reasons = "; ".join(f"never {rule.never}, because {rule.because}" for rule in broken)
        raise Doubt(f"{type(move).__name__} on claim {position.claim.hex()} is not an honest move: {reasons}")


def _moves_without_key(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    return position.me is None


def _touches_what_ended(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    return position.certainty not in (Certainty.PROVISIONAL, Certainty.CHALLENGED)


def _fights_itself(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    return isinstance(move, Challenge | Prove | Demand) and position.me == position.executor


def _speaks_of_another(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    return move.claim != position.claim


def _is_within_reach(opinion: Opinion) -> bool:
    # NaN compares false with everything, and is beyond every reach.
    return any(ratio is None or ratio <= 1 for ratio in (opinion.deviation, opinion.second))


def _challenges_within_reach(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Challenge) or (position.eager and opinion.fault is not None):
        return False
    return not opinion.is_unserved and _is_within_reach(opinion)


def _demands_within_reach(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    return isinstance(move, Demand) and not opinion.is_unserved and _is_within_reach(opinion)


def _stakes_on_unserved_untold(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if isinstance(move, Challenge) and position.eager and opinion.fault is not None:
        return False
    return isinstance(move, Challenge | Demand) and opinion.is_unserved and not position.challenges_unserved


def _challenges_unserved_early(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Challenge) or not opinion.is_unserved or opinion.fault is not None:
        return False
    return is_before(position.now, position.claimed_at + position.windows.challenge // 2)


def _begins_what_it_cannot_end(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Challenge) or not opinion.is_unserved or opinion.fault is not None:
        return False
    cost_wei = opinion.stake.challenges * move.bond_wei + opinion.stake.leaves * position.leaf_deposit_wei
    return cost_wei > position.balance_wei


def _challenges_what_it_could_prove(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Challenge) or not position.eager:
        return False
    return opinion.fault.slashes if opinion.fault is not None else not opinion.missing


def _challenges_twice(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    return isinstance(move, Challenge) and position.dispute.status is not DisputeStatus.NONE


def _challenges_late(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    return isinstance(move, Challenge) and not is_before(position.now, _last_challenge(position))


def _last_challenge(position: Position) -> int:
    return max(position.claimed_at + position.windows.challenge, position.kept_open_until)


def _bonds_too_much(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    match move:
        case Challenge():
            return move.bond_wei > position.balance_wei
        case Demand():
            return move.deposit_wei > position.balance_wei
        case _:
            return False


def _proves_unopened(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Prove):
        return False
    if move.eager:
        return not position.eager or position.dispute.status is not DisputeStatus.NONE
    return position.dispute.status not in (DisputeStatus.OPENED, DisputeStatus.ACQUITTED)


def _rejects_early(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Prove) or move.fault.slashes:
        return False
    return move.eager or (position.dispute.status is DisputeStatus.OPENED and position.phase is not Phase.OVER)


def _rejects_beside_others(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Prove) or move.fault.slashes or not position.is_scored:
        return False
    return position.siblings > 0 or is_before(position.now, _last_challenge(position))


def _proves_what_the_twin_acquits(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Prove):
        return False
    try:
        verdict = judge(move.fault.committed, move.fault.proof)
    except BadEncoding:
        return True
    return verdict is Verdict.NO_FAULT or verdict is not move.fault.verdict


def _proves_another_trace(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Prove) or move.eager:
        return False
    return move.fault.committed.trace_root != position.dispute.trace_root


def _demands_out_of_turn(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Demand):
        return False
    return position.dispute.status is not DisputeStatus.OPENED or position.phase is not Phase.COLLECTING


def _demands_too_many(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    return isinstance(move, Demand) and position.dispute.demanded + len(move.leaves) > MAX_DEMAND_LEAVES


def _demands_what_it_has(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Demand):
        return False
    leaves = set(move.leaves)
    return not leaves or len(leaves) < len(move.leaves) or not leaves <= set(opinion.missing)


def _concludes_early(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    if not isinstance(move, Conclude):
        return False
    running = position.dispute.status in (DisputeStatus.CHALLENGED, DisputeStatus.OPENED)
    return not running or position.phase not in CONCLUDABLE


def _acquits_a_liar(move: ClaimMove, position: Position, opinion: Opinion) -> bool:
    return isinstance(move, Conclude) and position.phase is Phase.OVER and opinion.fault is not None


RULES = (
    Rule("move without a key", "a watch-only party has nothing to sign with", _moves_without_key),
    Rule("touch what is final or fallen", "the chain refuses it and the gas is lost", _touches_what_ended),
    Rule("fight one's own claim", "half of a lost bond is burned, so nobody gains by it", _fights_itself),
    Rule("move on another claim than the one looked at", "its evidence says nothing of it", _speaks_of_another),
    Rule(
        "challenge unless two evaluations find the output beyond reach",
        "a smaller difference can come from a trace in which nothing can be proven, and the bond is lost",
        _challenges_within_reach,
    ),
    Rule(
        "stake money on what nobody serves, unless told to",
        "an honest executor's endpoint may be down, and would earn it",
        _stakes_on_unserved_untold,
    ),
    Rule(
        "challenge for what is not served in the first half of the window",
        "until then its executor may serve it",
        _challenges_unserved_early,
    ),
    Rule(
        "challenge for what is not served without the money to have all of it shown",
        "the bond is lost if the demand does not follow",
        _begins_what_it_cannot_end,
    ),
    Rule(
        "challenge an eager claim whose trace is served, but for a fault that only rejects",
        "a fault that slashes is proven without a bond, and there is no other",
        _challenges_what_it_could_prove,
    ),
    Rule("challenge a second time", "a claim is challenged at most once", _challenges_twice),
    Rule("challenge after the window", "in time means before the deadline", _challenges_late),
    Rule("bond more than the balance", "the transaction would revert at the worst moment", _bonds_too_much),
    Rule("prove a fault in a trace that is not open", "there is nothing to judge it against", _proves_unopened),
    Rule(
        "prove what only rejects before the prove window is over",
        "it would spare a liar whom another proof slashes, and the chain refuses it",
        _rejects_early,
    ),
    Rule(
        "prove what only rejects a claim of scores while another of its items may be challenged or is disputed",
        "it would spare a liar whom that item's fault slashes, and the chain refuses it",
        _rejects_beside_others,
    ),
    Rule(
        "send a proof that the Python judge acquits",
        "two independent evaluations disagree, and the contract sides with its twin",
        _proves_what_the_twin_acquits,
    ),
    Rule("prove against another trace than the opened one", "the roots would not match", _proves_another_trace),
    Rule(
        "demand leaves of a claim that may be within reach",
        "the deposit goes to its executor if it stands",
        _demands_within_reach,
    ),
    Rule("demand outside the collect period", "the chain refuses it", _demands_out_of_turn),
    Rule(f"demand more than {MAX_DEMAND_LEAVES} leaves of a claim", "the chain refuses it", _demands_too_many),
    Rule(
        "demand leaves twice, none, or such as are served",
        "the deposit is lost if the claim stands",
        _demands_what_it_has,
    ),
    Rule("conclude before the clock has run out", "what may happen after may not happen before", _concludes_early),
    Rule("acquit a claim whose fault is known", "the proof is still taken, and it pays", _acquits_a_liar),
)
