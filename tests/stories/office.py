"""The loan office of the stories: PixelNft and NftLoan on a chain, and the calls that its people make."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from rollup.chain.abi import Abi, encode_values, record_of
from rollup.chain.artifacts import load
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent, Sender
from rollup.config import Deployment
from rollup.types import Address, ModelId, RequestId

FEE_WEI = 10**15
TIP_WEI = 10**14
BOND_WEI = 10**16
ETHER = 10**18
# What a picture of each digit is worth: zeros nothing, nines nine ether.
PRICES_WEI = tuple(digit * ETHER for digit in range(10))


class LoanStatus(IntEnum):
    NONE = 0
    ASKED = 1
    LENT = 2
    REFUSED = 3
    REFUNDED = 4
    REPAID = 5
    LIQUIDATED = 6


@dataclass(frozen=True)
class Loan:
    """As NftLoan keeps it."""

    status: LoanStatus
    borrower: Address
    sequence: int
    amount_wei: int
    until: int
    token_id: int


class Nft(Contract):
    def __init__(self, address: Address) -> None:
        self.address, self._abi = address, Abi("IPixelNft", load()["PixelNft"].abi)

    def mint(self, owner: Address, picture: bytes) -> Intent:
        return self._intent("mint", owner, picture, turn=owner.hex())

    def approve(self, office: Address, token_id: int) -> Intent:
        return self._intent("approve", office, token_id)

    def minted(self, at: Snapshot) -> int:
        return int(self._read(at, "minted")[0])

    def owner_of(self, at: Snapshot, token_id: int) -> Address:
        return Address(bytes.fromhex(self._read(at, "ownerOf", token_id)[0][2:]))


class Office(Contract):
    def __init__(self, address: Address) -> None:
        self.address, self._abi = address, Abi("INftLoan", load()["NftLoan"].abi)

    def request_loan(self, token_id: int, amount_wei: int) -> Intent:
        return self._intent("requestLoan", token_id, amount_wei, value_wei=FEE_WEI + TIP_WEI)

    def join_pool(self, amount_wei: int) -> Intent:
        return self._intent("joinPool", value_wei=amount_wei)

    def loan_of(self, at: Snapshot, request: RequestId) -> Loan:
        loan: Loan = record_of(Loan, self._read(at, "loanOf", request)[0])
        return loan


def open_office(sender: Sender, deployment: Deployment, model: ModelId, margin: float) -> tuple[Nft, Office]:
    """Deploys both contracts. `margin`: by which the best logit must lead before money is lent on it."""
    nft = Nft(create(sender, "PixelNft", []))
    system = (
        deployment.inbox,
        deployment.claim_chain,
        deployment.vault,
        deployment.model_registry,
        nft.address,
    )
    terms = (
        model,
        FEE_WEI,
        TIP_WEI,
        BOND_WEI,
        600,  # answer within, seconds
        150_000,  # callback gas
        30 * 24 * 3600,  # term, seconds
        500,  # interest, 1/10,000
        int.from_bytes(struct.pack(">f", margin), "big"),
        list(PRICES_WEI),
    )
    return nft, Office(create(sender, "NftLoan", [system, terms]))


def create(sender: Sender, name: str, arguments: list[Any], value_wei: int = 0) -> Address:
    """Deploys a contract of contracts/examples; returns where it is."""
    artifact = load()[name]
    encoded = encode_values(name, Abi(name, artifact.abi).constructor, arguments)
    receipt = sender.send(Intent(f"create:{name}", None, artifact.bytecode + encoded, value_wei))
    assert receipt.contract is not None
    return receipt.contract
