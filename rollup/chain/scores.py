"""ScoreClaims and PropertyJudge: what scores are claimed, and what they come to. See IScoreClaims, IPropertyJudge."""

from __future__ import annotations

from rollup.chain.abi import to_record
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.properties.types import BrokenWeight, Outcome, Property, Standing
from rollup.types import Address, ClaimBatch, ClaimBatchId, Model, ModelId, RequestBatch


class Scores(Contract):
    """Claims of scores are made by way of Trainings and Generations only, and disputed by way of Disputes."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("IScoreClaims", deployment.score_claims)

    def finalise(self, claims: ClaimBatch) -> Intent:
        return self._intent("finalise", claims)

    def condemn(self, requests: RequestBatch, claims: ClaimBatch, shown: BrokenWeight) -> Intent:
        return self._intent("condemn", requests, claims, shown)

    def standing_of(self, at: Snapshot, id_: ClaimBatchId) -> Standing:
        return to_record(Standing, self._read(at, "standingOf", id_)[0])

    def minimum_bond(self, at: Snapshot, scorer: ModelId, payer: Address) -> int:
        """Least bond of a claim at the snapshot's base fee, wei. `payer`: any account with some wei."""
        return int(self._read(at, "minimumBond", scorer, payer=payer)[0])

    def model(self, at: Snapshot, id_: ModelId) -> Model:
        """A registered model, or a scorer with weights that were claimed."""
        return to_record(Model, self._read(at, "model", id_)[0])


class PropertyJudge(Contract):
    """Aggregates, exactly; asks a property's predicate."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("IPropertyJudge", deployment.property_judge)

    def judge(self, at: Snapshot, wanted: Property, subject: bytes, scores: bytes) -> Outcome:
        return to_record(Outcome, self._read(at, "judge", wanted, subject, scores)[0])

    def progress(self, at: Snapshot, wanted: Property, full: int, outcome: Outcome) -> int:
        return int(self._read(at, "progress", wanted, full, outcome.total, outcome.count)[0])
