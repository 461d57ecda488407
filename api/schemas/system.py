"""The system and its accounts."""

from __future__ import annotations

from api.schemas.values import AddressText, Hex, Json, Wei


class AccountJson(Json):
    """An account: the nonce of its next request, its wei in the Vault, and the call that deposits more.

    `reserved_wei`: fees and tips of accepted requests that are not on chain yet.
    """

    address: AddressText
    next_nonce: int
    balance_wei: Wei
    reserved_wei: Wei
    deposit: DepositJson


class DepositJson(Json):
    """Send any amount of wei with this calldata to the Vault; it is credited to the account."""

    to: AddressText
    data: Hex


class SystemJson(Json):
    """What a requester signs for, and with whom it deals."""

    chain_id: int
    contracts: dict[str, AddressText]
    sequencer: AddressText
    min_fee_wei: Wei


class HealthJson(Json):
    """`ok` or what is wrong, for each thing that is needed."""

    status: str
    chain: str
    journal: str
    redis: str
