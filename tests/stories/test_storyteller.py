"""An NFT's text is written by a network that was trained to order; liars write two of three first, and lose.

First the training: one executor learns a tale, and is paid for how well it knows cuts of it that it could not see.
Then the scorer of texts is registered over the trained weights, and a contract sells tokens whose texts chance selects.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rollup.chain.anvil import development_secret
from rollup.chain.sender import Sender
from rollup.chain.transactions import MemoryStore
from rollup.devnet import KEY_VARIABLE, Account, Devnet, Part
from rollup.properties.aggregate import ONE
from rollup.properties.types import GenerationStatus, TrainingId, TrainingStatus
from rollup.types import Certainty, DisputeStatus, RequestId
from rollup.view import Delivery, OrderedGeneration, View
from tests.characters import ALPHABET, LENGTH, NEW_TOKENS, OPENING
from tests.one_thread import on_one_thread
from tests.stories.academy import hire
from tests.stories.acts import held_back
from tests.stories.teller import (
    OPEN,
    POOL,
    RECIPE,
    THRESHOLD,
    School,
    Storyteller,
    ask_for_training,
    open_school,
    register_texts,
)
from tests.stories.texts import SmallerModel, SwappedToken, TextLiar, TextStage

OPENINGS = {"swapped": "once upon a time", "smaller": "one night", "honest": ""}
COLLECTOR, FIRST_LIAR = Account.FIRST_USER + 1, Account.FIRST_USER + 2


@dataclass(frozen=True)
class Preview:
    """What the contract showed of a token while its text was not final."""

    told: str
    shown: str
    certainty: Certainty


@dataclass(frozen=True)
class Ending:
    """`asked`: of each token by its name; tokens are counted from 0 in this order."""

    texts: TextStage
    teller: Storyteller
    training: TrainingId
    asked: dict[str, RequestId]
    early: dict[str, Preview]
    liars: dict[str, TextLiar]
    view: View

    def token(self, name: str) -> int:
        return list(self.asked).index(name)

    def generation(self, name: str) -> OrderedGeneration:
        return self.view.generation(self.asked[name])


@pytest.fixture(scope="module")
def ending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ending]:
    """The whole story, told once."""
    folder = tmp_path_factory.mktemp("storyteller")
    with pytest.MonkeyPatch.context() as patch, on_one_thread(), Devnet(folder) as net:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv(KEY_VARIABLE, development_secret(Account.DEPLOYER))
        school = open_school(net)
        training = train(school)
        texts = register_texts(school, school.academy.training(training).model)
        collector = Sender(net.client, net.key(COLLECTOR), MemoryStore(), poll_seconds=0.2)
        teller = Storyteller.create(collector, net.deployment, training, texts)
        lies = {"swapped": SwappedToken(), "smaller": SmallerModel()}
        liars = {
            name: TextLiar(lie, net.key(FIRST_LIAR + place), texts, net.folder / name)
            for place, (name, lie) in enumerate(lies.items())
        }
        with held_back(net, "executor"):
            asked = {name: mint(texts, teller, collector, opening) for name, opening in OPENINGS.items()}
            for name, liar in liars.items():
                liar.claim(asked[name])
        early = wait_for_honest_texts(texts, teller, asked, liars)
        view = texts.wait("all callbacks", lambda view: all(is_told(view, id_) for id_ in asked.values()), 60)
        yield Ending(texts, teller, training, asked, early, liars, view)
        for liar in liars.values():
            liar.close()


def train(school: School) -> TrainingId:
    """From the request to a registered network; time passes while nobody has anything to do."""
    academy = school.academy
    hire(academy.net, "executor", Account.EXECUTOR, RECIPE, only_train=False)
    id_ = ask_for_training(academy)
    for part in (Part("watch", Account.WATCHTOWER), Part("keeper", Account.KEEPER)):
        academy.net.start_part(part)
    academy.wait("it has committed", lambda view: len(view.training(id_).commits) == 1, 120)
    academy.net.pass_until(academy.training(id_).course.commit_end)
    view = academy.wait("it has claimed", lambda view: view.training(id_).commits[0].claim is not None, 60)
    claim = view.training(id_).commits[0].claim
    assert claim is not None
    academy.net.pass_until(max(view.scores(claim).final_from, view.training(id_).course.claim_end))
    academy.wait("it is trained", lambda view: view.training(id_).status is TrainingStatus.TRAINED, 60)
    return id_


def mint(texts: TextStage, teller: Storyteller, collector: Sender, opening: str) -> RequestId:
    known = {each.id for each in texts.look().generations()}
    assert collector.send(teller.mint(opening)).succeeded
    (asked,) = {each.id for each in texts.look().generations()} - known
    return asked


def wait_for_honest_texts(
    texts: TextStage, teller: Storyteller, asked: dict[str, RequestId], liars: dict[str, TextLiar]
) -> dict[str, Preview]:
    """Until an honest text is claimed for every token; then what the tokens show, and the end of all windows."""
    executor = texts.net.address(Account.EXECUTOR)

    def stand(view: View) -> bool:
        for name, liar in liars.items():
            liar.answer(asked[name])
        claims = [view.text_scores(view.generation(id_)) for id_ in asked.values()]
        return all(claim is not None and claim.executor == executor for claim in claims)

    view = texts.wait("an honest text for every token", stand, 180)
    at = texts.snapshot()
    early = {
        name: Preview(teller.text_of(at, token), *teller.preview(at, token, view.generation(id_).tokens))
        for token, (name, id_) in enumerate(asked.items())
    }
    claims = [view.text_scores(view.generation(id_)) for id_ in asked.values()]
    texts.net.pass_until(max(claim.final_from for claim in claims if claim is not None))
    return early


def is_told(view: View, id_: RequestId) -> bool:
    return view.generation(id_).delivery is Delivery.SENT


def test_training__its_network__is_the_storytellers(ending: Ending) -> None:
    known = ending.view.training(ending.training)
    assert known.commits[0].total >= THRESHOLD * (POOL - OPEN) * ONE
    assert ending.teller.network(ending.texts.snapshot()) == known.model
    scorer = ending.texts.loaded.record
    assert ending.view.model(known.model).weights_root == scorer.weights_root == known.commits[0].weights_root


@pytest.mark.parametrize("name", OPENINGS)
def test_text__before_it_is_final__is_shown_to_whoever_brings_it_and_told_to_nobody(ending: Ending, name: str) -> None:
    early = ending.early[name]
    assert (early.told, early.certainty) == ("", Certainty.PROVISIONAL)
    assert early.shown == ending.teller.text_of(ending.texts.snapshot(), ending.token(name))


@pytest.mark.parametrize("name", OPENINGS)
def test_text__final__is_on_chain_in_the_tokens_page(ending: Ending, name: str) -> None:
    known, at = ending.generation(name), ending.texts.snapshot()
    assert known.status is GenerationStatus.FINAL
    assert ending.texts.is_honest(known.id, known.tokens)
    assert len(known.tokens) == 8 * NEW_TOKENS
    new = "".join(ALPHABET[token] for token in known.tokens[7::8])
    text = ending.teller.text_of(at, ending.token(name))
    assert text == OPENINGS[name].rjust(OPENING) + new
    assert len(text) == LENGTH
    page = json.loads(b64decode(ending.teller.token_uri(at, ending.token(name)).partition(",")[2]))
    assert page["description"] == text
    assert page["attributes"] == [{"trait_type": "certainty", "value": "final"}]


@pytest.mark.parametrize("name", ["swapped", "smaller"])
def test_liar__is_refuted_by_a_proven_fault_and_the_text_written_again(ending: Ending, name: str) -> None:
    lie, truth = (ending.view.scores(claim) for claim in ending.generation(name).claims)
    assert (lie.executor, lie.certainty) == (ending.liars[name].address, Certainty.REFUTED)
    assert ending.view.dispute(lie.claim.claim_id(0)).status is DisputeStatus.REFUTED
    assert (truth.executor, truth.certainty) == (ending.texts.net.address(Account.EXECUTOR), Certainty.FINAL)
