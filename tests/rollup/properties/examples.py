"""Requests of a training and of a text, and a claim of scores: small and whole."""

from __future__ import annotations

import struct
from dataclasses import replace
from random import Random

from rollup.codec import Domain, model_id
from rollup.numerics import FP32
from rollup.properties.scores import ScoreClaim, claim_of_scores
from rollup.properties.types import (
    Aggregate,
    Comparison,
    Generation,
    GenerationTerms,
    Property,
    Scoring,
    Training,
    TrainingTerms,
)
from rollup.tensor import DType, TensorSpec
from rollup.types import (
    ZERO_ADDRESS,
    Address,
    BundleRoot,
    GraphRoot,
    InputSpec,
    Model,
    NumericsRoot,
    Windows,
)

_RANDOM = Random("properties")
DOMAIN = Domain(31337, *(Address(bytes([place]) * 20) for place in b"icstg"))
REQUESTER, EXECUTOR = Address(b"r" * 20), Address(b"e" * 20)
WINDOWS = Windows(challenge=100, open=100, collect=50, supply=100, prove=100)


def word() -> bytes:
    return _RANDOM.randbytes(32)


def graph_header(inputs: int) -> bytes:
    """Of a graph with one weight and one step."""
    return (inputs.to_bytes(4, "big") + bytes.fromhex("0000000100000001")).ljust(32, b"\0")


def scorer_model(scores: int = 1) -> Model:
    """A scorer that takes eight numbers and a target."""
    shapes = (TensorSpec(DType.F32, (1, 8)), TensorSpec(DType.F32, (1, 1)))
    return Model(
        graph_root=GraphRoot(b"g" * 32),
        graph_header=graph_header(2),
        weights_root=BundleRoot(b"w" * 32),
        numerics_root=NumericsRoot(b"n" * 32),
        numerics_header=FP32.header,
        inputs=tuple(InputSpec(shape.header, 0xC1200000, 0x41200000) for shape in shapes),
        output_header=TensorSpec(DType.F32, (1, scores)).header,
        output_band=0x38D1B717,
        slash_band=0x3A83126F,
        min_bond_gas=1_000_000,
        windows=WINDOWS,
    )


def architecture_model() -> Model:
    """What the scorer scores: takes eight numbers, gives three logits."""
    model = scorer_model(3)
    return replace(model, graph_header=graph_header(1), inputs=model.inputs[:1])


def text_scorer_model() -> Model:
    """Takes two tokens of prompt and four new ones, with a uniform for each new one, and scores the new ones."""
    text, sampled = TensorSpec(DType.I64, (1, 6)), TensorSpec(DType.F32, (1, 4))
    inputs = (InputSpec(text.header, 0, 50_000), InputSpec(sampled.header, 0, 0x3F800000))
    return replace(scorer_model(4), inputs=inputs)


SCORER = scorer_model()
ACCURACY = Property(Aggregate.MEAN, Comparison.AT_LEAST, 0x3F000000)
TRAINING = Training(
    requester=REQUESTER,
    nonce=0,
    requested_at=1_000,
    requested_block=5,
    terms=TrainingTerms(
        architecture=model_id(architecture_model()),
        scorer=model_id(SCORER),
        data_root=BundleRoot(b"d" * 32),
        recipe=bytes(32),
        pool_root=b"p" * 32,
        pool_count=12,
        open_count=4,
        key_hash=b"k" * 32,
        property=ACCURACY,
        fee_wei=10**15,
        bonus_wei=10**16,
        full_score=0x3F800000,
        commit_fee_wei=10**13,
        min_bond_wei=10**16,
        unscored_share=2_000,
        open=200,
        commit=3_000,
        reveal=300,
        claim=400,
    ),
)
GENERATION = Generation(
    requester=REQUESTER,
    nonce=1,
    requested_at=1_000,
    terms=GenerationTerms(
        scorer=model_id(text_scorer_model()),
        prompt=bytes(16),
        new_tokens=4,
        sampled=True,
        delta=0x3727C5AC,
        fee_wei=10**15,
        min_bond_wei=10**16,
        deadline=9_000,
        callback=ZERO_ADDRESS,
        callback_gas=0,
    ),
)


def scoring(count: int = 8, bond_wei: int = 10**16) -> Scoring:
    """Scores of `count` items: 0.5, 1.0, 0.5, ..."""
    return Scoring(
        subject=word(),
        executor=EXECUTOR,
        scorer=model_id(SCORER),
        weights_root=BundleRoot(word()),
        items=tuple(BundleRoot(word()) for _ in range(count)),
        scores=struct.pack(f">{count}f", *(0.5 + 0.5 * (item % 2) for item in range(count))),
        bond_wei=bond_wei,
    )


def score_claim(count: int = 8, claimed_at: int = 2_000) -> ScoreClaim:
    return claim_of_scores(DOMAIN.trainings, scoring(count), SCORER, DOMAIN, claimed_at)
