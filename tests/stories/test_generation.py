"""A consumer contract asks for three texts; liars answer two of them first, and lose. All three are told in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rollup.devnet import Account, Devnet, Part
from rollup.properties.types import GenerationStatus
from rollup.types import Certainty, DisputeStatus, RequestId
from rollup.view import Delivery, View
from tests.one_thread import on_one_thread
from tests.stories.texts import (
    NEW_TOKENS,
    KeeperStage,
    SmallerModel,
    SwappedToken,
    TextLiar,
    set_keeper_stage,
)

PARTS = (Part("watch", Account.WATCHTOWER), Part("keeper", Account.KEEPER))
STORY_SECONDS = 180.0


@dataclass(frozen=True)
class Ending:
    stage: KeeperStage
    texts: dict[str, RequestId]
    liars: dict[str, TextLiar]
    view: View


@pytest.fixture(scope="module")
def ending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ending]:
    """The whole story, told once."""
    folder = tmp_path_factory.mktemp("generation")
    with pytest.MonkeyPatch.context() as patch, on_one_thread(), Devnet(folder) as net:
        asking = set_keeper_stage(net, patch.setenv)
        stage = asking.texts
        net.start(PARTS)
        liars = {
            name: TextLiar(lie, net.key(Account.FIRST_USER + 1 + place), stage, folder / name)
            for place, (name, lie) in enumerate((("swapped", SwappedToken()), ("smaller", SmallerModel())))
        }
        texts = {"swapped": asking.ask(1), "smaller": asking.ask(2)}
        for name, liar in liars.items():
            liar.claim(texts[name])
        texts["honest"] = asking.ask(3)
        net.start_part(Part("executor", Account.EXECUTOR))

        def is_over(view: View) -> bool:
            for name, liar in liars.items():
                liar.answer(texts[name])
            return all(view.generation(id_).delivery is Delivery.SENT for id_ in texts.values())

        view = stage.wait("all texts are told", is_over, STORY_SECONDS)
        yield Ending(asking, texts, liars, view)
        for liar in liars.values():
            liar.close()


@pytest.mark.parametrize("name", ["honest", "swapped", "smaller"])
def test_a_text__is_told_to_the_consumer_by_the_callback_of_a_final_claim(ending: Ending, name: str) -> None:
    id_ = ending.texts[name]
    known = ending.view.generation(id_)
    scores = ending.view.text_scores(known)
    assert known.status is GenerationStatus.FINAL
    assert scores is not None
    honest = ending.stage.texts.net.address(Account.EXECUTOR)
    assert (scores.certainty, scores.executor) == (Certainty.FINAL, honest)
    assert len(known.tokens) == 8 * NEW_TOKENS
    assert ending.stage.keeper.text_of(ending.stage.texts.snapshot(), id_) == known.tokens
    assert ending.stage.texts.is_honest(id_, known.tokens)


@pytest.mark.parametrize("name", ["swapped", "smaller"])
def test_a_liar__is_refuted_by_a_proven_fault_and_the_request_answered_again(ending: Ending, name: str) -> None:
    known = ending.view.generation(ending.texts[name])
    lie, truth = (ending.view.scores(claim) for claim in known.claims)
    assert (lie.executor, lie.certainty) == (ending.liars[name].address, Certainty.REFUTED)
    assert ending.view.dispute(lie.claim.claim_id(0)).status is DisputeStatus.REFUTED
    assert truth.certainty is Certainty.FINAL
    assert known.attempts == 1
