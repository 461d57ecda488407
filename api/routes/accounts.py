"""Accounts: next nonce, wei in the Vault, and how to deposit."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import AnAddress, TheWindow
from api.errors import documented
from api.schemas import AccountJson, DepositJson, to_hex
from rollup.merkle import keccak256

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])
_DEPOSIT = keccak256(b"deposit(address)")[:4]


@router.get("/{address}", responses=documented(422, 429, 503))
def read(address: AnAddress, window: TheWindow) -> AccountJson:
    """An account as the chain's head and the line of accepted requests show it."""
    account = window.chain.account(address)
    waiting = [due for due in window.requests.dues_of(address) if due.nonce >= account.nonce]
    return AccountJson(
        address=to_hex(address),
        next_nonce=max([account.nonce, *(due.nonce + 1 for due in waiting)]),
        balance_wei=str(account.balance_wei),
        reserved_wei=str(sum(due.wei for due in waiting)),
        deposit=DepositJson(to=to_hex(window.deployment.vault), data=to_hex(_DEPOSIT + address.rjust(32, b"\0"))),
    )
