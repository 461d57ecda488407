"""ABI types of the judge's records, as forge decodes them."""

from __future__ import annotations

from eth_abi.abi import encode

from rollup.codec import values_of
from rollup.types import Committed, FaultProof

COMMITTED = "(bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,bool,bytes)"
OPENING = "(bytes,bytes32[],bytes32[])"
FAULT_PROOF = f"(uint8,uint32,uint32,bytes,bytes32[],{OPENING}[],int32,uint32,bytes32[])"


def encode_case(committed: Committed, proof: FaultProof) -> bytes:
    """abi.encode(Committed, FaultProof)."""
    return encode([COMMITTED, FAULT_PROOF], [values_of(committed), values_of(proof)])
