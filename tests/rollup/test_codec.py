"""Ids bind every field, the chain and the contract; eth_account signs what the codec hashes."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from rollup import codec
from rollup.errors import BadEncoding
from rollup.merkle import keccak256
from rollup.types import ZERO_WORD, ClaimBatch, ClaimBatchId, RequestId
from tests.parity.records import CLAIM_BATCH, DOMAIN, MODEL, REQUEST, REQUEST_BATCH


def changed(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, tuple):
        return value[:-1]
    if isinstance(value, int):
        return value + 1
    return replace(value, challenge=value.challenge + 1)


@pytest.mark.parametrize(
    ("record", "identify"),
    [
        (REQUEST, lambda record: codec.request_id(record, DOMAIN)),
        (REQUEST_BATCH, lambda record: codec.request_batch_id(record, DOMAIN)),
        (CLAIM_BATCH, lambda record: codec.claim_batch_id(record, DOMAIN)),
        (MODEL, codec.model_id),
    ],
    ids=["request", "request batch", "claim batch", "model"],
)
def test_id__any_field_changed__is_another(record: Any, identify: Any) -> None:
    ids = {identify(replace(record, **{field.name: changed(getattr(record, field.name))})) for field in fields(record)}
    assert len(ids | {identify(record)}) == len(fields(record)) + 1


def test_id__another_chain_or_contract__is_another() -> None:
    elsewhere = [replace(DOMAIN, chain_id=1), replace(DOMAIN, inbox=changed(DOMAIN.inbox))]
    assert len({codec.request_id(REQUEST, domain) for domain in (DOMAIN, *elsewhere)}) == 3
    assert len({codec.request_batch_id(REQUEST_BATCH, domain) for domain in (DOMAIN, *elsewhere)}) == 3
    claims = [replace(DOMAIN, chain_id=1), replace(DOMAIN, claim_chain=changed(DOMAIN.claim_chain))]
    assert len({codec.claim_batch_id(CLAIM_BATCH, domain) for domain in (DOMAIN, *claims)}) == 3


def test_request_id__is_the_digest_that_wallets_sign() -> None:
    names = [name for name, _ in codec.REQUEST_FIELDS]
    message = dict(zip(names, codec.values_of(REQUEST), strict=True))
    domain = {"name": "ANH", "version": "1", "chainId": DOMAIN.chain_id, "verifyingContract": "0x" + DOMAIN.inbox.hex()}
    types = {"Request": [{"name": name, "type": kind} for name, kind in codec.REQUEST_FIELDS]}
    signable = encode_typed_data(domain, types, message)
    assert codec.request_id(REQUEST, DOMAIN) == keccak(b"\x19" + signable.version + signable.header + signable.body)


def test_claim_id__is_bound_to_batch_and_index() -> None:
    batch = ClaimBatchId(bytes(range(32)))
    expected = keccak256(encode(["bytes32", "bytes32", "uint32"], (keccak256(b"anh.v1.claim"), batch, 3)))
    assert codec.claim_id(batch, 3) == expected
    assert codec.claim_id(batch, 4) != expected


def test_trees__missing_requests_and_claims__are_zero_leaves() -> None:
    id_ = RequestId(b"\1" * 32)
    assert codec.request_tree([None, id_]).top == keccak256(ZERO_WORD + id_)
    entry = keccak256(keccak256(b"anh.v1.claim-leaf") + b"output")
    assert codec.claim_tree([b"output", None]).top == keccak256(entry + ZERO_WORD)


@pytest.mark.parametrize(
    ("output_bytes", "eager", "length"),
    [(1, False, 1), (64, False, 64), (65, False, 32), (40, True, 72), (4096, True, 64)],
)
def test_entry_length__output__is_inline_up_to_64_bytes(output_bytes: int, eager: bool, length: int) -> None:
    assert codec.entry_length(output_bytes, _batch(eager)) == length


def test_entry_length__undefined__is_a_place_and_a_trace() -> None:
    assert codec.entry_length(4096, replace(CLAIM_BATCH, eager=True, undefined=True)) == 40


def test_place__of_another_length__is_refused() -> None:
    with pytest.raises(BadEncoding, match="an overflow has 8 bytes, got 7"):
        codec.Overflow.decode(bytes(7))


def test_place__comes_back() -> None:
    assert codec.Overflow(1, 2).encoded == bytes.fromhex("0000000100000002")
    assert codec.Overflow.decode(codec.Overflow(7, 2**32 - 1).encoded) == codec.Overflow(7, 2**32 - 1)


def test_split_entries__no_multiple__is_refused() -> None:
    with pytest.raises(BadEncoding, match="81 bytes of claims are no multiple of 40"):
        codec.split_entries(bytes(81), 40, _batch())


def test_split_entries__multiple__is_cut_in_order() -> None:
    assert codec.split_entries(b"aabbcc", 2, _batch()) == [b"aa", b"bb", b"cc"]


def _batch(eager: bool = False) -> ClaimBatch:
    return replace(CLAIM_BATCH, eager=eager, undefined=False)
