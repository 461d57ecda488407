"""One of each record with every field different from zero and from its neighbours: what ids are compared on."""

from __future__ import annotations

from rollup.codec import Domain
from rollup.graph import NUMERICS_HEADER_FP32
from rollup.merkle import keccak256
from rollup.properties.types import (
    Aggregate,
    Comparison,
    Generation,
    GenerationTerms,
    Property,
    Training,
    TrainingTerms,
)
from rollup.tensor import DType, TensorSpec
from rollup.types import (
    Address,
    BundleRoot,
    ClaimBatch,
    GraphRoot,
    InputSpec,
    Model,
    ModelId,
    NumericsRoot,
    Request,
    RequestBatch,
    RequestBatchId,
    Windows,
)


def _word(name: str) -> bytes:
    return keccak256(name.encode())


def _account(name: str) -> Address:
    return Address(_word(name)[12:])


DOMAIN = Domain(
    31337, *(_account(name) for name in ("inbox", "claim chain", "score claims", "trainings", "generations"))
)
REQUEST = Request(
    requester=_account("requester"),
    nonce=5,
    kind=1,
    model=ModelId(_word("model")),
    inputs_root=BundleRoot(_word("inputs")),
    property=_word("property"),
    parents=_word("parents"),
    fee_wei=10**16,
    tip_wei=10**14,
    min_bond_wei=10**18,
    deadline=1_900_000_000,
    callback=_account("consumer"),
    callback_gas=200_000,
)
REQUEST_BATCH = RequestBatch(
    lane=1,
    first=4096,
    count=500,
    root=_word("requests"),
    model=REQUEST.model,
    fee_wei=REQUEST.fee_wei,
    tip_wei=REQUEST.tip_wei,
    min_bond_wei=REQUEST.min_bond_wei,
    deadline=REQUEST.deadline,
    callback=True,
)
CLAIM_BATCH = ClaimBatch(
    requests=RequestBatchId(_word("request batch")),
    executor=_account("executor"),
    first=12,
    count=300,
    root=_word("claims"),
    bond_wei=2 * 10**18,
    claimed_at=1_800_000_000,
    eager=True,
    undefined=True,
)
MODEL = Model(
    graph_root=GraphRoot(_word("graph")),
    graph_header=bytes.fromhex("000000010000000700000009").ljust(32, b"\0"),
    weights_root=BundleRoot(_word("weights")),
    numerics_root=NumericsRoot(_word("numerics")),
    numerics_header=NUMERICS_HEADER_FP32,
    inputs=(
        InputSpec(TensorSpec(DType.F32, (1, 1, 8, 8)).header, 0, 0x41800000),
        InputSpec(TensorSpec(DType.I64, (3,)).header, -5, 10),
    ),
    output_header=TensorSpec(DType.F32, (1, 10)).header,
    output_band=0x38D1B717,
    slash_band=0x3A83126F,
    min_bond_gas=5_000_000,
    windows=Windows(3600, 600, 300, 900, 1200),
)
TRAINING = Training(
    requester=_account("requester"),
    nonce=6,
    requested_at=1_800_000_000,
    requested_block=22_000_000,
    terms=TrainingTerms(
        architecture=ModelId(_word("architecture")),
        scorer=ModelId(_word("scorer")),
        data_root=BundleRoot(_word("data")),
        recipe=_word("recipe"),
        pool_root=_word("pool"),
        pool_count=640,
        open_count=64,
        key_hash=_word("key hash"),
        property=Property(Aggregate.SUM, Comparison.BELOW, 0x3F4CCCCD, _account("predicate"), 90_000),
        fee_wei=10**17,
        bonus_wei=10**16,
        full_score=0x3F7D70A4,
        commit_fee_wei=10**13,
        min_bond_wei=10**18,
        unscored_share=2_500,
        open=3_600,
        commit=86_400,
        reveal=7_200,
        claim=14_400,
    ),
)
GENERATION = Generation(
    requester=_account("requester"),
    nonce=7,
    requested_at=1_800_000_001,
    terms=GenerationTerms(
        scorer=ModelId(_word("text scorer")),
        prompt=_word("prompt") + _word("prompt, second part")[:8],
        new_tokens=12,
        sampled=True,
        delta=0x3727C5AC,
        fee_wei=10**15,
        min_bond_wei=10**17,
        deadline=1_900_000_000,
        callback=_account("consumer"),
        callback_gas=150_000,
    ),
)
