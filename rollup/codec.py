"""Canonical bytes and ids of requests, claims and models (PROTOCOL.md, 2.5): the Python twin of the contracts' hashing.

Every id binds what it is for: chain, contract, batch, index. Knows nothing of transport.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from eth_abi.abi import encode

from rollup.errors import BadEncoding
from rollup.merkle import Tree, keccak256
from rollup.types import (
    INLINE_OUTPUT_BYTES,
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    ClaimBatch,
    ClaimBatchId,
    ClaimId,
    Model,
    ModelId,
    Request,
    RequestBatch,
    RequestBatchId,
    RequestId,
)

MODEL_TAG = keccak256(b"anh.v1.model")
FAMILY_TAG = keccak256(b"anh.v1.family")
REQUEST_BATCH_TAG = keccak256(b"anh.v1.request-batch")
CLAIM_BATCH_TAG = keccak256(b"anh.v1.claim-batch")
CLAIM_LEAF_TAG = keccak256(b"anh.v1.claim-leaf")
CLAIM_TAG = keccak256(b"anh.v1.claim")
# `step:u32 | element:u32`.
OVERFLOW_BYTES = 8

REQUEST_FIELDS = (
    ("requester", "address"),
    ("nonce", "uint64"),
    ("kind", "uint8"),
    ("model", "bytes32"),
    ("inputsRoot", "bytes32"),
    ("property", "bytes32"),
    ("parents", "bytes32"),
    ("feeWei", "uint96"),
    ("tipWei", "uint96"),
    ("minBondWei", "uint96"),
    ("deadline", "uint40"),
    ("callback", "address"),
    ("callbackGas", "uint32"),
)
_REQUEST_TYPE = f"Request({','.join(f'{type_} {name}' for name, type_ in REQUEST_FIELDS)})"
_REQUEST_ABI = [type_ for _, type_ in REQUEST_FIELDS]
_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_REQUEST_BATCH_ABI = "(uint8,uint64,uint32,bytes32,bytes32,uint96,uint96,uint96,uint40,bool)"
_CLAIM_BATCH_ABI = "(bytes32,address,uint32,uint32,bytes32,uint96,uint40,bool,bool)"
_INPUT_ABI = "(bytes32,int64,int64)"
_WINDOWS_ABI = "(uint32,uint32,uint32,uint32,uint32)"
_MODEL_ABI = f"(bytes32,bytes32,bytes32,bytes32,bytes32,{_INPUT_ABI}[],bytes32,uint32,uint32,uint64,{_WINDOWS_ABI})"


@dataclass(frozen=True)
class Domain:
    """Where requests and claims are made: binds every id to one chain and its contracts."""

    chain_id: int
    inbox: Address
    claim_chain: Address
    score_claims: Address = ZERO_ADDRESS
    trainings: Address = ZERO_ADDRESS
    generations: Address = ZERO_ADDRESS

    @property
    def separator(self) -> bytes:
        """EIP-712 domain separator of Inbox."""
        parts = (keccak256(_DOMAIN_TYPE.encode()), keccak256(b"ANH"), keccak256(b"1"), self.chain_id, self.inbox)
        return keccak256(encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], parts))

    @property
    def of_scores(self) -> Domain:
        """Where the batches of claims of scores are made: one contract gives out the ids of both kinds."""
        return replace(self, inbox=self.score_claims, claim_chain=self.score_claims)


def values_of(record: Any) -> Any:
    """A frozen record as the nested tuple that ABI encoders take, fields in order."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return tuple(values_of(getattr(record, field.name)) for field in dataclasses.fields(record))
    if isinstance(record, tuple | list):
        return [values_of(item) for item in record]
    return int(record) if isinstance(record, IntEnum) else record


def model_id(model: Model) -> ModelId:
    return ModelId(keccak256(encode(["bytes32", _MODEL_ABI], (MODEL_TAG, values_of(model)))))


def family_id(buckets: Sequence[ModelId]) -> ModelId:
    """Id that stands for models over the same weights, one for each length of inputs."""
    return ModelId(keccak256(encode(["bytes32", "bytes32[]"], (FAMILY_TAG, list(buckets)))))


def request_id(request: Request, domain: Domain) -> RequestId:
    """EIP-712 digest of the request under Inbox's domain."""
    struct = keccak256(encode(["bytes32", *_REQUEST_ABI], (keccak256(_REQUEST_TYPE.encode()), *values_of(request))))
    return RequestId(keccak256(b"\x19\x01" + domain.separator + struct))


def request_batch_id(batch: RequestBatch, domain: Domain) -> RequestBatchId:
    record = encode(
        ["bytes32", "uint256", "address", _REQUEST_BATCH_ABI],
        (REQUEST_BATCH_TAG, domain.chain_id, domain.inbox, values_of(batch)),
    )
    return RequestBatchId(keccak256(record))


def claim_batch_id(claims: ClaimBatch, domain: Domain) -> ClaimBatchId:
    record = encode(
        ["bytes32", "uint256", "address", _CLAIM_BATCH_ABI],
        (CLAIM_BATCH_TAG, domain.chain_id, domain.claim_chain, values_of(claims)),
    )
    return ClaimBatchId(keccak256(record))


def claim_id(batch: ClaimBatchId, index: int) -> ClaimId:
    return ClaimId(keccak256(encode(["bytes32", "bytes32", "uint32"], (CLAIM_TAG, batch, index))))


def request_tree(ids: Sequence[RequestId | None]) -> Tree:
    """Keccak tree of a request batch; None is a request that was logged empty."""
    return Tree([id_ if id_ is not None else ZERO_WORD for id_ in ids], keccak256)


def entry_leaf(entry: bytes | None) -> bytes:
    """Leaf of a claim batch; None is an index that was not claimed."""
    return ZERO_WORD if entry is None else keccak256(CLAIM_LEAF_TAG + entry)


def claim_tree(entries: Sequence[bytes | None]) -> Tree:
    """Keccak tree of a claim batch."""
    return Tree([entry_leaf(entry) for entry in entries], keccak256)


def output_part_length(output_bytes: int) -> int:
    """Bytes of the output in an entry: whole up to 64, else its 32-byte tensor root."""
    return output_bytes if output_bytes <= INLINE_OUTPUT_BYTES else 32


@dataclass(frozen=True)
class Overflow:
    """Where a run overflows: an element of a step's result, by flat row-major index."""

    step: int
    element: int

    @property
    def encoded(self) -> bytes:
        """`step:u32 | element:u32`, as an undefined claim names it."""
        return self.step.to_bytes(4, "big") + self.element.to_bytes(4, "big")

    @classmethod
    def decode(cls, data: bytes) -> Overflow:
        """Raises BadEncoding for another length than eight bytes."""
        if len(data) != OVERFLOW_BYTES:
            raise BadEncoding(f"an overflow has {OVERFLOW_BYTES} bytes, got {len(data)}")
        return cls(int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big"))


def entry_length(output_bytes: int, batch: ClaimBatch) -> int:
    """Bytes of each entry of a claim batch; `output_bytes` is the model's."""
    said = OVERFLOW_BYTES if batch.undefined else output_part_length(output_bytes)
    return said + (32 if batch.eager else 0)


def split_entries(data: bytes, output_bytes: int, batch: ClaimBatch) -> list[bytes]:
    """Cuts a claim call's data into entries. Raises BadEncoding if they do not fit."""
    length = entry_length(output_bytes, batch)
    if len(data) % length:
        raise BadEncoding(f"{len(data)} bytes of claims are no multiple of {length}")
    return [data[i : i + length] for i in range(0, len(data), length)]
