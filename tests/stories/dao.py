"""A DAO that has a network trained: its members pay together, and the keeper of its pool opens and reveals in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollup.chain.sender import Intent, Sender
from rollup.chain.transactions import MemoryStore
from rollup.devnet import Devnet
from rollup.properties.draw import Draw, draw_seed, is_beacon_ready
from rollup.properties.types import TrainingId
from rollup.requester.daemon import opened_items
from rollup.requester.description import Description, terms_of
from rollup.requester.keys import PoolKey, PoolKeys
from rollup.types import Address
from rollup.view import OrderedTraining
from tests.stories.academy import ETHER, Academy, shuffled
from tests.stories.bounty import Bounty, open_bounty

# Accounts of the development chain; those from FIRST_MEMBER on pay for the network.
FIRST_MEMBER, POOL_KEEPER = 30, 33
# What each member pays: together fee and bonus.
PAID_WEI = (ETHER * 3 // 10, ETHER // 4, ETHER // 5)
# For what the chain alone is waited for, on a busy machine.
PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Project:
    """A bounty that is running, the training that it asked for, and the key of its pool."""

    academy: Academy
    bounty: Bounty
    id: TrainingId
    key: PoolKey

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
        """Pool and data are stored, the bounty is deployed, and paid for by all; once trainers are there, it asks.

        `changes`: in place of the academy's terms.
        """
        description = Description.load(academy.describe(*shuffled(), **changes))
        key = PoolKeys(academy.folder / "keys").draw()
        terms = terms_of(description, academy.look().model(academy.scorer), key, academy.blobs)
        bounty = open_bounty(self._keeper, self._net.deployment, self._keeper.address, terms, academy.look().now)
        together([(member, bounty.fund(wei)) for member, wei in zip(self.members, PAID_WEI, strict=True)])
        academy.wait_for_hired(trainers)
        self._keeper.send(bounty.start())
        return Project(academy, bounty, bounty.training_id(academy.snapshot()), key)

    def open(self, project: Project) -> None:
        """The items that the block after the request's draws, once it is there."""
        training = project.training.training
        anchor, terms = training.requested_block, training.terms
        project.academy.wait("the beacon", lambda view: is_beacon_ready(anchor, view.block), PATIENCE_SECONDS)
        seed = draw_seed(project.id, self._net.client.block(anchor + 1).hash)
        draw = Draw(seed, terms.pool_count, terms.open_count)
        pool = project.academy.blobs.get_pool(terms.pool_root)
        self._keeper.send(project.bounty.open(opened_items(pool, draw, project.key)))

    def reveal(self, project: Project) -> None:
        """Nobody can commit any more: now the sealed items may be seen."""
        end = project.training.course.commit_end
        seconds = project.training.training.terms.commit + PATIENCE_SECONDS
        project.academy.wait("the end of the commitments", lambda view: view.now >= end, seconds)
        self._keeper.send(project.bounty.reveal(project.key.secret))

    def share(self, project: Project) -> None:
        """What was not paid for the network goes back to the members."""
        self._keeper.send(project.bounty.close())
        together([(self._keeper, project.bounty.share(number)) for number in range(len(PAID_WEI))])


def together(calls: Sequence[tuple[Sender, Intent]]) -> None:
    """Sends all, then waits for all."""
    for sender, intent in calls:
        sender.submit(intent)
    for sender, intent in calls:
        sender.wait(intent)
