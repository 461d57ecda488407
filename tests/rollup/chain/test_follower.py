"""A view that stays true through cuts, reorgs and whatever its owner does with it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from rollup.chain.client import Block, Client
from rollup.chain.events import EventStream
from rollup.chain.follower import Follower
from rollup.config import Deployment
from rollup.errors import Doubt, Overloaded, Unavailable
from rollup.view import View
from tests.chain_fixture import Anvil
from tests.rollup.chain.world import World
from tests.rollup.story import WINDOWS


class CutClient(Client):
    """Answers `cut` questions with silence."""

    cut = 0

    def head(self) -> Block:
        if self.cut:
            self.cut -= 1
            raise Unavailable("cable")
        return super().head()


@pytest.fixture
def world(anvil: Anvil, deployment: Deployment) -> World:
    return World(anvil, deployment)


def follower_of(world: World, client: Client | None = None) -> Follower:
    stream = EventStream(client or world.client, world.deployment)
    return Follower(View(world.deployment.domain), stream, poll_seconds=0.01)


def run(follower: Follower, step: Callable[[threading.Event], None]) -> None:
    """Runs the loop until `step` sets the event that it is given."""
    stop = threading.Event()
    guard = threading.Timer(20, stop.set)
    guard.start()
    follower.run(stop, lambda: step(stop))
    assert guard.is_alive(), "the step was never taken"
    guard.cancel()


def test_run__what_is_no_retry__ends_it(world: World) -> None:
    def step(stop: threading.Event) -> None:
        raise Doubt("two and two")

    with pytest.raises(Doubt, match="two and two"):
        follower_of(world).run(threading.Event(), lambda: step(threading.Event()))


def test_run__when_the_connection_is_cut__goes_on_when_it_is_back(world: World) -> None:
    request = world.requested()
    client = CutClient.connect(world.anvil.url, world.anvil.chain_id)
    assert isinstance(client, CutClient)
    client.cut = 3
    follower = follower_of(world, client)
    run(follower, lambda stop: stop.set())
    assert client.cut == 0
    assert follower.view.request(request.id) == request


def test_run__a_step_that_may_be_tried_again__is_tried_again_without_a_new_block(world: World) -> None:
    tries = []

    def step(stop: threading.Event) -> None:
        tries.append(world.client.head().number)
        if len(tries) < 3:
            raise Overloaded("busy", 1.0)
        stop.set()

    run(follower_of(world), step)
    assert len(tries) == 3
    assert len(set(tries)) == 1


def test_run__without_a_new_block__steps_once(world: World) -> None:
    stop, steps = threading.Event(), []
    threading.Timer(0.3, stop.set).start()
    follower_of(world).run(stop, lambda: steps.append(1))
    assert len(steps) == 1


def test_catch_up__after_a_reorg__is_the_view_of_the_new_chain(world: World) -> None:
    request = world.requested()
    follower = follower_of(world)
    claim = world.claimed(request)
    follower.catch_up()
    assert follower.view.claim(claim).request == request.id
    world.anvil.rpc("anvil_reorg", 1, [])
    follower.catch_up()
    assert claim not in follower.view.state.claims
    assert follower.view.open_requests(follower.view.now) == [request]
    world.anvil.warp(1)
    again = world.claimed(request)
    follower.catch_up()
    assert follower.view.request(request.id).claims == (again,)
    assert follower.view.claim(again).window_end == follower.view.claim(again).claimed_at + WINDOWS.challenge


def test_reading__holds_the_view_still(world: World) -> None:
    follower = follower_of(world)
    follower.catch_up()
    block = follower.view.block
    with follower.reading() as view:
        world.anvil.mine()
        thread = threading.Thread(target=follower.catch_up)
        thread.start()
        thread.join(0.3)
        assert view.block == block
        assert thread.is_alive()
    thread.join()
    assert follower.view.block == block + 1
