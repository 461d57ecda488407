"""A claim of scores as the dispute game sees it: every item a claim of its own (PROTOCOL.md, 7; IScoreClaims.sol).

Hashes 2,048 items five times over, so ids and trees are made when they are first asked for. Knows nothing of what
became of a claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rollup.codec import (
    Domain,
    claim_batch_id,
    claim_id,
    claim_tree,
    model_id,
    output_part_length,
    request_batch_id,
    request_tree,
)
from rollup.errors import BadInput, Doubt, NotFound
from rollup.merkle import Tree, keccak256
from rollup.properties.types import KIND_SCORE, LANE_SCORES, MAX_SCORED_ITEMS, Scoring
from rollup.tensor import TensorSpec
from rollup.types import (
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    BundleRoot,
    ClaimBatch,
    ClaimBatchId,
    ClaimId,
    ClaimWitness,
    Model,
    ModelId,
    Request,
    RequestBatch,
    RequestId,
)

SCORED_TAG = keccak256(b"anh.v1.scored")


def scored_id(source: Address, subject: bytes, index: int, inputs_root: BundleRoot) -> RequestId:
    """Id of the request that item `index` of a claim of scores stands for."""
    return RequestId(keccak256(SCORED_TAG + bytes(12) + source + subject + index.to_bytes(32, "big") + inputs_root))


def derived(scorer: Model, weights_root: BundleRoot) -> Model:
    """The model that is judged: the scorer, or an architecture, with other weights."""
    return replace(scorer, weights_root=weights_root)


@dataclass(frozen=True)
class ScoreClaim:
    """One claim of scores. `model`: the scorer with the claimed weights. `source`: Trainings or Generations."""

    id: ClaimBatchId
    source: Address
    scoring: Scoring
    requests: RequestBatch
    claims: ClaimBatch
    model: Model

    def require_true(self, domain: Domain) -> None:
        """Raises Doubt unless model, ids and counts follow from each other. Roots are looked at with the trees."""
        of_scores, count = domain.of_scores, len(self.scoring.items)
        _require_same("model of the scores", model_id(self.model), self.requests.model)
        _require_same("request batch", request_batch_id(self.requests, of_scores), self.claims.requests)
        _require_same("claim batch", claim_batch_id(self.claims, of_scores), self.id)
        if not count == self.requests.count == self.claims.count or len(self.scoring.scores) != count * self._width:
            raise Doubt(f"claim of scores 0x{self.id.hex()} has {count} items and other counts on chain")

    @property
    def count(self) -> int:
        return self.claims.count

    @property
    def _width(self) -> int:
        return output_part_length(TensorSpec.from_header(self.model.output_header).byte_length)

    def entry(self, index: int) -> bytes:
        """The claimed output of one item: its score's canonical bytes, or a tensor root."""
        return self.scoring.scores[index * self._width : (index + 1) * self._width]

    @property
    def entries(self) -> tuple[bytes, ...]:
        return tuple(self.entry(index) for index in range(self.count))

    def item(self, index: int) -> Request:
        """The request that an item stands for."""
        self._require_item(index)
        return Request(
            requester=self.source, nonce=index, kind=KIND_SCORE, model=self.requests.model,
            inputs_root=self.scoring.items[index], property=self.scoring.subject, parents=ZERO_WORD, fee_wei=0,
            tip_wei=0, min_bond_wei=0, deadline=0, callback=ZERO_ADDRESS, callback_gas=0,
        )  # fmt: skip

    def item_id(self, index: int) -> RequestId:
        self._require_item(index)
        return scored_id(self.source, self.scoring.subject, index, self.scoring.items[index])

    def claim_id(self, index: int) -> ClaimId:
        self._require_item(index)
        return claim_id(self.id, index)

    def _require_item(self, index: int) -> None:
        if not 0 <= index < self.count:
            raise NotFound(f"item {index} is outside 0..{self.count - 1} of claim of scores 0x{self.id.hex()}")

    @cached_property
    def item_ids(self) -> tuple[RequestId, ...]:
        return tuple(self.item_id(index) for index in range(self.count))

    @cached_property
    def claim_ids(self) -> tuple[ClaimId, ...]:
        return tuple(self.claim_id(index) for index in range(self.count))

    @cached_property
    def indices(self) -> dict[bytes, int]:
        """Index of an item by its own id and by that of its claim."""
        by_claim: dict[bytes, int] = {id_: index for index, id_ in enumerate(self.claim_ids)}
        return by_claim | {id_: index for index, id_ in enumerate(self.item_ids)}

    @cached_property
    def item_tree(self) -> Tree:
        """Raises Doubt if its top is not the root on chain."""
        tree = request_tree(self.item_ids)
        _require_same("root of items", tree.top, self.requests.root)
        return tree

    @cached_property
    def score_tree(self) -> Tree:
        """Raises Doubt if its top is not the root on chain."""
        tree = claim_tree(self.entries)
        _require_same("root of scores", tree.top, self.claims.root)
        return tree

    def witness(self, index: int) -> ClaimWitness:
        """All that the dispute game wants to see of one item."""
        request = self.item(index)
        return ClaimWitness(
            requests=self.requests,
            claims=self.claims,
            index=index,
            entry=self.entry(index),
            entry_path=self.score_tree.path(index),
            request=request,
            request_path=self.item_tree.path(index),
        )


def _require_same(what: str, computed: bytes, received: bytes) -> None:
    if computed != received:
        raise Doubt(f"the {what} is 0x{received.hex()} on chain and 0x{computed.hex()} by its contents")


def claim_of_scores(source: Address, scoring: Scoring, scorer: Model, domain: Domain, claimed_at: int) -> ScoreClaim:
    """The claim that ScoreClaims makes of `scoring` at `claimed_at` (seconds). Raises BadInput if it would not."""
    model = derived(scorer, scoring.weights_root)
    count = len(scoring.items)
    width = output_part_length(TensorSpec.from_header(model.output_header).byte_length)
    if not 1 <= count <= MAX_SCORED_ITEMS:
        raise BadInput(f"{count} items are outside 1..{MAX_SCORED_ITEMS}")
    if len(scoring.scores) != count * width:
        raise BadInput(f"{count} items have {count * width} bytes of scores, got {len(scoring.scores)}")
    requests = _requests(source, scoring, model_id(model))
    claims = ClaimBatch(
        requests=request_batch_id(requests, domain.of_scores), executor=scoring.executor, first=0, count=count,
        root=claim_tree(_cut(scoring.scores, width)).top, bond_wei=scoring.bond_wei, claimed_at=claimed_at, eager=False,
    )  # fmt: skip
    return ScoreClaim(claim_batch_id(claims, domain.of_scores), source, scoring, requests, claims, model)


def _requests(source: Address, scoring: Scoring, model: ModelId) -> RequestBatch:
    ids = [scored_id(source, scoring.subject, index, root) for index, root in enumerate(scoring.items)]
    return RequestBatch(
        lane=LANE_SCORES, first=0, count=len(ids), root=request_tree(ids).top, model=model, fee_wei=0, tip_wei=0,
        min_bond_wei=0, deadline=0, callback=False,
    )  # fmt: skip


def _cut(data: bytes, width: int) -> Sequence[bytes]:
    return [data[i : i + width] for i in range(0, len(data), width)]
