"""Whether a signed request may be accepted: pure, decided on what the caller has read at one moment.

Every rule is one that Inbox holds too, so that what is accepted here is taken there; the first broken one is named.
Knows nothing of journals, keys or HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from rollup.codec import REQUEST_FIELDS
from rollup.errors import BadInput, BadSignature, Conflict
from rollup.inputs import inputs_root, split_inputs
from rollup.types import MAX_CALLBACK_GAS, ZERO_ADDRESS, ZERO_WORD, Address, Model, Request

# Inbox.MAX_LIFE.
MAX_LIFE_SECONDS = 30 * 24 * 3600
# Inbox takes no request whose deadline is nearer than the model's challenge window; posting takes time before that.
POST_MARGIN_SECONDS = 10


@dataclass(frozen=True)
class Account:
    """A requester as one block shows it. `balance_wei`: in the Vault."""

    nonce: int
    balance_wei: int


@dataclass(frozen=True)
class Circumstances:
    """What one block says about a request. `now`: the block's timestamp, seconds; wei for the fee."""

    model: Model
    account: Account
    min_fee_wei: int
    now: int


@dataclass(frozen=True)
class Due:
    """An open request of the same account: its nonce, and the fee and tip that it will escrow, wei."""

    nonce: int
    wei: int


def require_well_formed(request: Request) -> None:
    """Every field fits its Solidity type, and the kinds that do not exist yet are not asked for. Raises BadInput."""
    for field, (_, type_) in zip(fields(request), REQUEST_FIELDS, strict=True):
        value = getattr(request, field.name)
        if type_.startswith("uint") and not 0 <= value < 2 ** int(type_[4:]):
            raise BadInput(f"{field.name} {value} is outside 0..2^{type_[4:]}-1")
    if request.kind != 0 or request.property != ZERO_WORD or request.parents != ZERO_WORD:
        raise BadInput("only requests of kind 0 without property and parents are taken")


def require_signer(signer: Address, request: Request) -> None:
    """Raises BadSignature. A signature for another chain or Inbox recovers to some other account."""
    if signer != request.requester:
        raise BadSignature(
            f"signed by 0x{signer.hex()}, not by the requester 0x{request.requester.hex()}; "
            "or signed for another chain or another Inbox"
        )


def require_terms(request: Request, model: Model, min_fee_wei: int, now: int) -> None:
    """Fee, deadline and callback are ones that Inbox takes. Raises BadInput."""
    if request.fee_wei < min_fee_wei:
        raise BadInput(f"fee {request.fee_wei} wei is below the minimum of {min_fee_wei} wei")
    earliest = now + model.windows.challenge + POST_MARGIN_SECONDS
    if not earliest <= request.deadline <= now + MAX_LIFE_SECONDS:
        raise BadInput(f"deadline {request.deadline} is outside {earliest}..{now + MAX_LIFE_SECONDS}")
    least, most = (0, 0) if request.callback == ZERO_ADDRESS else (1, MAX_CALLBACK_GAS)
    if not least <= request.callback_gas <= most:
        raise BadInput(f"callback gas {request.callback_gas} is outside {least}..{most}")


def require_inputs(request: Request, inputs: bytes, model: Model) -> None:
    """The inputs are what the request commits to, and in range. Raises BadInput."""
    received = inputs_root(split_inputs(model.inputs, inputs))
    if received != request.inputs_root:
        raise BadInput(f"the inputs' root is 0x{received.hex()}, the request names 0x{request.inputs_root.hex()}")


def require_in_turn(request: Request, account: Account, open_dues: Sequence[Due]) -> None:
    """Its nonce is the next one, and the Vault covers it beside what is already accepted. Raises Conflict, BadInput."""
    waiting = [due for due in open_dues if due.nonce >= account.nonce]
    expected = max([account.nonce, *(due.nonce + 1 for due in waiting)])
    if request.nonce != expected:
        raise Conflict(f"nonce {request.nonce} is not the next of 0x{request.requester.hex()}, which is {expected}")
    available = account.balance_wei - sum(due.wei for due in waiting)
    if available < request.fee_wei + request.tip_wei:
        raise BadInput(
            f"0x{request.requester.hex()} has {available} wei free in the Vault, "
            f"fee and tip are {request.fee_wei + request.tip_wei} wei: deposit first"
        )
