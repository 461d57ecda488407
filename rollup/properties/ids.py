"""Ids and commitments of trainings and generations (PROTOCOL.md, 7), as their contracts hash them."""

from __future__ import annotations

from eth_abi.abi import encode

from rollup.codec import Domain, values_of
from rollup.merkle import keccak256
from rollup.properties.types import Generation, Training, TrainingId
from rollup.types import Address, BundleRoot, RequestId

TRAINING_TAG = keccak256(b"anh.v1.training")
GENERATION_TAG = keccak256(b"anh.v1.generation")
WEIGHTS_TAG = keccak256(b"anh.v1.weights")
WEIGHTS_SUBJECT_TAG = keccak256(b"anh.v1.weights-subject")
TEXT_SUBJECT_TAG = keccak256(b"anh.v1.text-subject")

_PROPERTY_ABI = "(uint8,uint8,uint32,address,uint32)"
_TRAINING_TERMS_ABI = (
    "(bytes32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,bytes32,"
    f"{_PROPERTY_ABI},uint96,uint96,uint32,uint96,uint96,uint16,uint32,uint32,uint32,uint32)"
)
TRAINING_ABI = f"(address,uint64,uint40,uint64,{_TRAINING_TERMS_ABI})"
_GENERATION_TERMS_ABI = "(bytes32,bytes,uint32,bool,uint32,uint96,uint96,uint40,address,uint32)"
GENERATION_ABI = f"(address,uint64,uint40,{_GENERATION_TERMS_ABI})"


def training_id(training: Training, domain: Domain) -> TrainingId:
    """Binds chain and contract, so that no training has two ids."""
    record = (TRAINING_TAG, domain.chain_id, domain.trainings, values_of(training))
    return TrainingId(keccak256(encode(["bytes32", "uint256", "address", TRAINING_ABI], record)))


def generation_id(generation: Generation, domain: Domain) -> RequestId:
    record = (GENERATION_TAG, domain.chain_id, domain.generations, values_of(generation))
    return RequestId(keccak256(encode(["bytes32", "uint256", "address", GENERATION_ABI], record)))


def commitment_of(training: TrainingId, executor: Address, weights_root: BundleRoot, salt: bytes) -> bytes:
    """Names its executor, so a copied one is worth nothing. `salt`: 32 bytes that nobody can guess."""
    record = (WEIGHTS_TAG, training, executor, weights_root, salt)
    return keccak256(encode(["bytes32", "bytes32", "address", "bytes32", "bytes32"], record))


def training_subject(training: TrainingId, number: int, executor: Address, weights_root: BundleRoot) -> bytes:
    """What the scores of commitment `number` are about."""
    record = (WEIGHTS_SUBJECT_TAG, training, number, executor, weights_root)
    return keccak256(encode(["bytes32", "bytes32", "uint32", "address", "bytes32"], record))


def generation_subject(generation: RequestId, attempts: int, executor: Address, tokens: bytes) -> bytes:
    """What the scores of a text are about. `attempts`: claims on the request that fell before this one."""
    record = (TEXT_SUBJECT_TAG, generation, attempts, executor, keccak256(tokens))
    return keccak256(encode(["bytes32", "bytes32", "uint32", "address", "bytes32"], record))
