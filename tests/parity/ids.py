"""Ids of every record, as `(chain id, contract, record)` or the record alone, for the contracts to compute again."""

from __future__ import annotations

from random import Random

from eth_abi.abi import encode

from rollup import codec
from rollup.types import ClaimBatchId
from tests.parity.records import CLAIM_BATCH, DOMAIN, MODEL, REQUEST, REQUEST_BATCH
from tests.parity.trees import Vectors, hexed

REQUEST_ABI = f"({','.join(type_ for _, type_ in codec.REQUEST_FIELDS)})"
REQUEST_BATCH_ABI = "(uint8,uint64,uint32,bytes32,bytes32,uint96,uint96,uint96,uint40,bool)"
CLAIM_BATCH_ABI = "(bytes32,address,uint32,uint32,bytes32,uint96,uint40,bool,bool)"
MODEL_ABI = (
    "(bytes32,bytes32,bytes32,bytes32,bytes32,(bytes32,int64,int64)[],bytes32,uint32,uint32,uint64,"
    "(uint32,uint32,uint32,uint32,uint32))"
)
PLACE = ["uint256", "address"]


def id_vectors(random: Random) -> Vectors:
    """One record of each kind, and claim ids of a few indices."""
    inbox, claims = (DOMAIN.chain_id, DOMAIN.inbox), (DOMAIN.chain_id, DOMAIN.claim_chain)
    batch = ClaimBatchId(random.randbytes(32))
    indices = (0, 1, 511)
    return {
        "requests": [hexed(encode([*PLACE, REQUEST_ABI], [*inbox, codec.values_of(REQUEST)]))],
        "requestIds": [hexed(codec.request_id(REQUEST, DOMAIN))],
        "requestBatches": [hexed(encode([*PLACE, REQUEST_BATCH_ABI], [*inbox, codec.values_of(REQUEST_BATCH)]))],
        "requestBatchIds": [hexed(codec.request_batch_id(REQUEST_BATCH, DOMAIN))],
        "claimBatches": [hexed(encode([*PLACE, CLAIM_BATCH_ABI], [*claims, codec.values_of(CLAIM_BATCH)]))],
        "claimBatchIds": [hexed(codec.claim_batch_id(CLAIM_BATCH, DOMAIN))],
        "claims": [hexed(encode(["bytes32", "uint32"], [batch, index])) for index in indices],
        "claimIds": [hexed(codec.claim_id(batch, index)) for index in indices],
        "models": [hexed(encode([MODEL_ABI], [codec.values_of(MODEL)]))],
        "modelIds": [hexed(codec.model_id(MODEL))],
    }
