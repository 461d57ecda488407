"""Trainings, texts and claims of scores as a chain would tell of them, in a few sentences."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from rollup import events as base
from rollup.codec import model_id
from rollup.properties import events
from rollup.properties.aggregate import judge
from rollup.properties.draw import Draw, draw_seed, text_seed
from rollup.properties.ids import (
    commitment_of,
    generation_id,
    generation_subject,
    training_id,
    training_subject,
)
from rollup.properties.pool import Pool, item_key, key_hash, mask_item
from rollup.properties.scores import ScoreClaim, claim_of_scores, derived
from rollup.properties.text import text_inputs, text_root
from rollup.properties.types import Generation, Scoring, Training, TrainingId, TrainingStatus
from rollup.tensor import Tensor, TensorSpec
from rollup.types import Address, BundleRoot, Certainty, ClaimBatchId, ClaimId, Model, RequestId, Verdict
from rollup.view import View
from tests.rollup.properties.examples import (
    DOMAIN,
    EXECUTOR,
    GENERATION,
    REQUESTER,
    SCORER,
    TRAINING,
    architecture_model,
    scoring,
    text_scorer_model,
)
from tests.rollup.story import Story

POOL_KEY = bytes(range(32))
RIVAL = Address(b"v" * 20)
ARCHITECTURE, TEXT_SCORER = architecture_model(), text_scorer_model()
_RANDOM = Random("property story")


class PropertyStory(Story):
    """A story under whose system properties are claimed."""

    def __init__(self) -> None:
        super().__init__()
        self.view = View(DOMAIN)
        for model in (SCORER, ARCHITECTURE, TEXT_SCORER):
            self.tell(base.Registered, model_id(model), REQUESTER, model)
        specs = [TensorSpec.from_header(item.header) for item in SCORER.inputs]
        self.items = [[Tensor(spec, _RANDOM.randbytes(spec.byte_length)) for spec in specs] for _ in range(12)]
        self.pool = Pool.of(POOL_KEY, [mask_item(POOL_KEY, i, item)[1] for i, item in enumerate(self.items)])

    # Claims of scores.

    def scored(self, given: Scoring | None = None, source: Address = DOMAIN.trainings) -> ClaimBatchId:
        given = given or scoring()
        scorer = self.view.model(given.scorer)
        claim = claim_of_scores(source, given, scorer, DOMAIN, self.now)
        self.tell_scores(claim)
        return claim.id

    def tell_scores(self, claim: ScoreClaim) -> None:
        fields = (claim.id, claim.scoring.subject, claim.source, claim.claims, claim.requests, claim.scoring)
        self.tell(events.ScoresClaimed, *fields)

    def contested(self, id_: ClaimBatchId, index: int) -> ClaimId:
        item = self.view.scores(id_).claim.claim_id(index)
        self.tell(events.ScoresContested, item, id_, index)
        self.tell(base.ChallengeMade, item, RIVAL, EXECUTOR, 10**15)
        return item

    def cleared(self, item: ClaimId, final_at: int) -> None:
        self.tell(base.Cleared, item, final_at)
        self.tell(events.ScoreAcquitted, item, self.view.claim(item).batch, final_at)

    def proven(self, item: ClaimId, verdict: Verdict = Verdict.BEYOND_SOUND) -> None:
        """The first fault of a claim: the whole falls."""
        self.tell(base.FaultProven, item, RIVAL, verdict, 0, 0, 0)
        certainty = Certainty.REFUTED if verdict is Verdict.BEYOND_SOUND else Certainty.REJECTED
        self.tell(events.ScoresFell, self.view.claim(item).batch, item, certainty)

    def made_final(self, id_: ClaimBatchId) -> None:
        self.tell(events.ScoresFinal, id_, self.view.scores(id_).executor)

    # Trainings.

    def training(self) -> TrainingId:
        terms = replace(TRAINING.terms, pool_root=self.pool.root, key_hash=key_hash(POOL_KEY))
        training = replace(
            TRAINING, nonce=self.block, requested_at=self.now, requested_block=self.block + 1, terms=terms
        )
        return self.training_requested(training)

    def training_requested(self, training: Training) -> TrainingId:
        id_ = training_id(training, DOMAIN)
        self.tell(events.TrainingRequested, id_, training.requester, training)
        return id_

    def opened_pool(self, id_: TrainingId) -> None:
        seed = draw_seed(id_, b"b" * 32)
        draw = Draw(seed, 12, 4)
        items = tuple(self.pool.opened(index, item_key(POOL_KEY, index)) for index in draw.opened)
        self.tell(events.PoolOpened, id_, seed, items)

    def committed(self, id_: TrainingId, executor: Address = EXECUTOR) -> int:
        number = len(self.view.training(id_).commits)
        commitment = commitment_of(id_, executor, self.weights(number), b"s" * 32)
        self.tell(events.WeightsCommitted, id_, number, executor, commitment)
        return number

    def weights(self, number: int) -> BundleRoot:
        return BundleRoot(bytes([number + 1]) * 32)

    def revealed(self, id_: TrainingId) -> None:
        self.tell(events.PoolRevealed, id_, POOL_KEY)

    def scoring_of(self, id_: TrainingId, number: int, scores: Sequence[float]) -> Scoring:
        executor = self.view.training(id_).commits[number].executor
        subject = training_subject(id_, number, executor, self.weights(number))
        packed = struct.pack(f">{len(scores)}f", *scores)
        return replace(
            scoring(len(scores)),
            subject=subject,
            executor=executor,
            weights_root=self.weights(number),
            scores=packed,
        )

    def score(self, id_: TrainingId, number: int, scores: Sequence[float]) -> ClaimBatchId:
        given = self.scoring_of(id_, number, scores)
        claim = self.scored(given)
        total = judge(TRAINING.terms.property, given.scores).total
        self.tell(events.ScoresMade, id_, number, given.executor, claim, given.weights_root, total)
        return claim

    def ended(self, id_: TrainingId, status: TrainingStatus, winner: int = 0) -> None:
        trained = status is TrainingStatus.TRAINED
        model = model_id(derived(ARCHITECTURE, self.weights(winner))) if trained else bytes(32)
        self.tell(events.TrainingEnded, id_, status, winner, model, 1, 2, 3)

    # Texts.

    def generation(self, generation: Generation | None = None) -> RequestId:
        given = generation or GENERATION
        given = replace(given, nonce=self.block, requested_at=self.now)
        id_ = generation_id(given, DOMAIN)
        self.tell(events.GenerationRequested, id_, given.requester, given)
        return id_

    def drawn(self, id_: RequestId) -> None:
        self.tell(events.Drawn, id_, text_seed(id_, b"b" * 32), self.view.generation(id_).anchor)

    def taken(self, id_: RequestId, executor: Address = EXECUTOR, term: int = 20) -> None:
        self.tell(events.Taken, id_, executor, self.now + term, 10**12)

    def text_scoring(self, id_: RequestId, tokens: bytes, executor: Address = EXECUTOR) -> Scoring:
        known = self.view.generation(id_)
        root = text_root(text_inputs(known.generation.terms, TEXT_SCORER, tokens, known.seed))
        subject = generation_subject(id_, known.attempts, executor, tokens)
        model: Model = TEXT_SCORER
        return Scoring(subject, executor, model_id(model), model.weights_root, (root,), bytes(16), 10**16)

    def generated(self, id_: RequestId, tokens: bytes = bytes(32), executor: Address = EXECUTOR) -> ClaimBatchId:
        claim = self.scored(self.text_scoring(id_, tokens, executor), DOMAIN.generations)
        self.tell(events.Generated, id_, executor, claim, tokens, bytes(16))
        return claim
