"""What the sequencer promises when it accepts a request: its place in line, signed.

EIP-712 `Receipt(bytes32 request,uint64 n,uint40 issuedAt)` under Inbox's domain. A lane that orders requests otherwise
than their receipts say convicts its sequencer. Knows nothing of keys.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode

from rollup.codec import Domain
from rollup.merkle import keccak256
from rollup.types import RequestId

_RECEIPT_TYPEHASH = keccak256(b"Receipt(bytes32 request,uint64 n,uint40 issuedAt)")


@dataclass(frozen=True)
class Receipt:
    """`n`: place in line; requests of smaller n come before it in lane 1. `issued_at`: seconds since the epoch."""

    request: RequestId
    n: int
    issued_at: int


@dataclass(frozen=True)
class SignedReceipt:
    """`signature`: 65 bytes, r | s | v, by the account that Inbox names as sequencer."""

    receipt: Receipt
    signature: bytes


def receipt_digest(receipt: Receipt, domain: Domain) -> bytes:
    """The 32 bytes that are signed."""
    values = (_RECEIPT_TYPEHASH, receipt.request, receipt.n, receipt.issued_at)
    struct = keccak256(encode(["bytes32", "bytes32", "uint64", "uint40"], values))
    return keccak256(b"\x19\x01" + domain.separator + struct)
