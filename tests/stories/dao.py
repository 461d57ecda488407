"""A DAO that has a network trained: its members pay together, and the keeper of its pool runs a daemon that opens and
reveals in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollup.chain.sender import Intent, Sender
from rollup.chain.transactions import MemoryStore
from rollup.devnet import Devnet
from rollup.properties.types import TrainingId
from rollup.types import Address
from rollup.view import OrderedTraining
from tests.stories.academy import ETHER, Academy, shuffled
from tests.stories.bounty import Bounty, open_bounty, terms_from

# Accounts of the development chain; those from FIRST_MEMBER on pay for the network.
FIRST_MEMBER, POOL_KEEPER = 30, 33
# What each member pays: together fee and bonus.
PAID_WEI = (ETHER * 3 // 10, ETHER // 4, ETHER // 5)


@dataclass(frozen=True)
class Project:
    """A bounty that is running, and the training that it asked for."""

    academy: Academy
    bounty: Bounty
    id: TrainingId

    @property
    def training(self) -> OrderedTraining:
        return self.academy.training(self.id)


class Dao:
    """What each of its people may call is TrainingBounty's."""

    def __init__(self, net: Devnet) -> None:
        self._net = net
        self.members = [self._sender(FIRST_MEMBER + number) for number in range(len(PAID_WEI))]
        self._keeper = self._sender(POOL_KEEPER)

    def _sender(self, account: int) -> Sender:
        return Sender(self._net.client, self._net.key(account), MemoryStore())

    def start(self, academy: Academy, trainers: Sequence[Address], changes: Mapping[str, Any]) -> Project:
        """The keeper prepares pool and terms, the bounty is deployed, and paid for by all; once trainers are there, it
        asks.

        `changes`: in place of the academy's terms.
        """
        terms = terms_from(academy.prepare(academy.describe(*shuffled(), **changes)))
        bounty = open_bounty(self._keeper, self._net.deployment, self._keeper.address, terms, academy.look().now)
        academy.serve_for(bounty.address, POOL_KEEPER)
        together([(member, bounty.fund(wei)) for member, wei in zip(self.members, PAID_WEI, strict=True)])
        academy.wait_for_hired(trainers)
        self._keeper.send(bounty.start())
        return Project(academy, bounty, bounty.training_id(academy.snapshot()))

    def share(self, project: Project) -> None:
        """What was not paid for the network goes back to the members, each of whom asks for its own."""
        self.members[0].send(project.bounty.close())
        together([(member, project.bounty.share(number)) for number, member in enumerate(self.members)])


def together(calls: Sequence[tuple[Sender, Intent]]) -> None:
    """Sends all, then waits for all."""
    for sender, intent in calls:
        sender.submit(intent)
    for sender, intent in calls:
        sender.wait(intent)
