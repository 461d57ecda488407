"""The generator in its own process on a real chain: killed between any two of its deeds, it claims a text once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from executor.generation.desk import name_of
from rollup.devnet import Account, Devnet, Part
from rollup.errors import NotFound
from rollup.properties.types import GenerationStatus
from rollup.types import Certainty, RequestId
from rollup.view import Delivery, View
from tests.stories.texts import NEW_TOKENS, KeeperStage, TextStage, set_keeper_stage

EXECUTOR = Part("executor", Account.EXECUTOR)
# Importing torch takes the process a while on a busy machine.
START_SECONDS = 90.0


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeeperStage]:
    with Devnet(tmp_path) as net:
        yield set_keeper_stage(net, monkeypatch.setenv, sampled=True)


def is_kept(stage: TextStage, id_: RequestId) -> bool:
    """Whether a text was made and kept for a generation."""
    try:
        assert stage.loaded.blobs is not None
        return stage.loaded.blobs.get_named(name_of(stage.look().generation(id_)), bool)
    except NotFound:
        return False


def wait(stage: TextStage, what: str, is_done: Callable[[View], bool]) -> None:
    """Whatever processes have died meanwhile: they were killed."""
    limit = time.monotonic() + START_SECONDS
    while not is_done(stage.look()):
        assert time.monotonic() < limit, f"{what} did not happen: {stage.net.process('executor').last_words()}"
        time.sleep(0.05)


def test_a_generator_killed_after_each_of_its_deeds__claims_one_text_and_is_paid(asking: KeeperStage) -> None:
    stage, id_ = asking.texts, asking.ask(1)
    deeds: dict[str, Callable[[View], bool]] = {
        "the text is drawn for": lambda view: view.generation(id_).is_drawn,
        "the lease is taken": lambda view: bool(view.generation(id_).leased_until),
        "the text is made": lambda _: is_kept(stage, id_),
        "the claim is settled": lambda view: view.generation(id_).status is GenerationStatus.FINAL,
    }
    for what, is_done in deeds.items():
        executor = stage.net.start_part(EXECUTOR)
        wait(stage, what, is_done)
        os.killpg(executor.handle.pid, signal.SIGKILL)
        executor.handle.wait()
    view = stage.look()
    known = view.generation(id_)
    assert len(known.claims) == 1
    assert known.delivery is Delivery.SENT
    assert view.scores(known.claims[0]).certainty is Certainty.FINAL
    assert len(known.tokens) == 8 * NEW_TOKENS
    assert stage.is_honest(id_, known.tokens)
    assert asking.keeper.text_of(stage.snapshot(), id_) == known.tokens
