"""The bounty of the stories: TrainingBounty on a chain, and the calls of those who pay for a network together."""

from __future__ import annotations

from enum import IntEnum

from rollup.chain.abi import Abi, decode_values, to_record, types_of
from rollup.chain.artifacts import load
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent, Sender
from rollup.config import Deployment
from rollup.properties.types import TrainingId, TrainingTerms
from rollup.types import ZERO_ADDRESS, Address, Certainty, ModelId, Wish
from tests.stories.office import create

# For contributions, from now on; far longer than any story.
FUND_SECONDS = 24 * 3600


class BountyStatus(IntEnum):
    FUNDING = 0
    RUNNING = 1
    CLOSED = 2


class Bounty(Contract):
    """Money in wei. See TrainingBounty.sol for what each call does and raises."""

    def __init__(self, address: Address) -> None:
        self.address, self._abi = address, Abi("ITrainingBounty", load()["TrainingBounty"].abi)

    def fund(self, amount_wei: int) -> Intent:
        return self._intent("fund", value_wei=amount_wei)

    def start(self) -> Intent:
        return self._intent("start")

    def close(self) -> Intent:
        return self._intent("close")

    def share(self, number: int) -> Intent:
        return self._intent("share", number)

    def training_id(self, at: Snapshot) -> TrainingId:
        return TrainingId(self._read(at, "trainingId")[0])

    def status(self, at: Snapshot) -> BountyStatus:
        return BountyStatus(self._read(at, "status")[0])

    def pot_wei(self, at: Snapshot) -> int:
        """What contributors share, once it is closed."""
        return int(self._read(at, "potWei")[0])

    def model(self, at: Snapshot) -> tuple[ModelId, Certainty]:
        model, certainty = self._read(at, "model")
        return ModelId(model), Certainty(certainty)

    def wish(self, at: Snapshot, inputs: bytes, fee_wei: int, deadline: int) -> Wish:
        """A wish for an answer without a callback. Raises Reverted, NotFinal, before the network is final."""
        return to_record(Wish, self._read(at, "wish", inputs, fee_wei, deadline, ZERO_ADDRESS, 0)[0])


def terms_from(encoded: bytes) -> TrainingTerms:
    """The terms that `anh training prepare` prints: the constructor's last argument."""
    last = Abi("ITrainingBounty", load()["TrainingBounty"].abi).constructor[-1:]
    return to_record(TrainingTerms, decode_values("the terms", types_of(last), encoded)[0])


def open_bounty(sender: Sender, deployment: Deployment, pool_keeper: Address, terms: TrainingTerms, now: int) -> Bounty:
    """Deploys a bounty, with the pledge of its pool's keeper. `now`: seconds of the chain."""
    pledge_wei = terms.fee_wei * terms.unscored_share // 10_000
    arguments = [deployment.trainings, deployment.vault, pool_keeper, now + FUND_SECONDS, terms]
    return Bounty(create(sender, "TrainingBounty", arguments, pledge_wei))
