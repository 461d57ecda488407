"""An NFT whose text a trained network writes: its training, the scorer of its texts, and the contract that asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from executor.capture import Captured
from executor.cli import register, transplant
from executor.generation.scorers import SampledScorer
from executor.generation.writer import capture_writer
from executor.network import Network
from executor.registration import Terms, enter, measure
from executor.scorer import Score
from rollup.chain.abi import Abi
from rollup.chain.artifacts import load
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent, Sender
from rollup.config import Deployment, Settings
from rollup.devnet import Account, Devnet, Part
from rollup.package import read_folder, write_folder
from rollup.properties.types import TrainingId
from rollup.types import Address, Certainty, ModelId, RequestId, Windows
from tests.characters import ALPHABET, LENGTH, NEW_TOKENS, CharacterNet, trained, windows
from tests.stories.academy import MIN_BOND_GAS, PLAN, Academy, Subject, found_academy
from tests.stories.office import create
from tests.stories.texts import FEE_WEI, TextStage

# Where nobody has anything to do the story moves the clock on, so these are as long as a slow machine may want.
WINDOWS = Windows(challenge=120, open=60, collect=20, supply=40, prove=60)
TOKENS, UNIFORMS = (0.0, len(ALPHABET) - 1.0), (0.0, 1.0)
CALLBACK_GAS = 250_000
# Mean log-likelihood of a character, in nats. One who knows no letter of the tale has -3.6, one who counted them -2.8.
THRESHOLD = -0.8
SHOWN, POOL, OPEN = 320, 60, 20
RECIPE = {
    "optimiser": {"kind": "adamw", "learning_rate": 0.01},
    "schedule": {"kind": "cosine", "warmup_epochs": 2},
    "epochs": 8,
    "batch_size": 8,
}
TRAINING = {
    "open_count": OPEN,
    "threshold": THRESHOLD,
    "full_score": 0.0,
    "open": 120,
    "commit": 120,
    "reveal": 120,
    "claim": 120,
}


class Storyteller(Contract):
    def __init__(self, address: Address) -> None:
        self.address, self._abi = address, Abi("Storyteller", load()["Storyteller"].abi)

    @classmethod
    def create(cls, sender: Sender, deployment: Deployment, training: TrainingId, texts: TextStage) -> Storyteller:
        press = (
            deployment.generations,
            deployment.score_claims,
            deployment.trainings,
            deployment.model_registry,
            deployment.vault,
        )
        # Least bond: the system's own; the answer is due within 600 seconds.
        terms = (training, texts.scorer, texts.delta, FEE_WEI, 0, 600, CALLBACK_GAS)
        return cls(create(sender, "Storyteller", [press, terms, ALPHABET.encode()]))

    def mint(self, opening: str) -> Intent:
        return self._intent("mint", opening, value_wei=FEE_WEI)

    def request_of(self, at: Snapshot, token: int) -> RequestId:
        return RequestId(self._read(at, "requestOf", token)[0])

    def network(self, at: Snapshot) -> ModelId:
        return ModelId(self._read(at, "NETWORK")[0])

    def text_of(self, at: Snapshot, token: int) -> str:
        return str(self._read(at, "textOf", token)[0])

    def certainty_of(self, at: Snapshot, token: int) -> Certainty:
        return Certainty(self._read(at, "certaintyOf", token)[0])

    def preview(self, at: Snapshot, token: int, tokens: bytes) -> tuple[str, Certainty]:
        """What is claimed for a token now, and how sure it is."""
        text, certainty = self._read(at, "preview", token, tokens)
        return str(text), Certainty(certainty)

    def token_uri(self, at: Snapshot, token: int) -> str:
        return str(self._read(at, "tokenURI", token)[0])


@dataclass(frozen=True)
class School:
    """`judge`: the scorer of texts, over the weights that the academy's architecture has before it is trained."""

    academy: Academy
    judge: Captured


def open_school(net: Devnet) -> School:
    """Captures the network with the scorer of its texts, and registers the network and the scorer of its training.

    Bands are absolute, and a network that knows its tale has greater logits than one that does not: so they are
    measured on one that its developer trained before, for a try.
    """
    torch.manual_seed(0)
    untrained, judge = capture_writer(SampledScorer(CharacterNet(), NEW_TOKENS, len(ALPHABET)), LENGTH)
    known = {f"scorer.decoder.{name}": tensor for name, tensor in trained().state_dict().items()}
    trial = Captured(untrained.program, {name: known.get(name, own) for name, own in untrained.weights.items()})
    subject = Subject(untrained, Score.LIKELIHOOD, (TOKENS, TOKENS), WINDOWS, trial)
    return School(found_academy(net, subject), judge)


def ask_for_training(academy: Academy) -> TrainingId:
    """What is asked for is a network that knows the tale: it is judged on other cuts of it than it is shown."""
    return academy.ask(academy.describe(pieces(SHOWN, 1), pieces(POOL, 2), **TRAINING))


def pieces(count: int, seed: int) -> Mapping[str, NDArray[Any]]:
    """Cuts of the tale, and of each character the one that follows."""
    cuts = windows(count, Generator().manual_seed(seed)).numpy()
    return {"input_0": np.ascontiguousarray(cuts[:, :-1]), "targets": np.ascontiguousarray(cuts[:, 1:])}


def register_texts(school: School, model: ModelId) -> TextStage:
    """Gives the scorer of texts the weights of the trained network, as `anh model transplant` and `push` do."""
    academy, net = school.academy, school.academy.net
    before, after = net.folder / "texts", net.folder / "texts-trained"
    write_folder(before, school.judge.program, school.judge.committed)
    settings = net.write_settings("texts", Part("model", Account.DEPLOYER))
    transplant(f"0x{model.hex()}", before, after, settings)
    package = read_folder(after)
    terms = Terms(0.0, 1.0, MIN_BOND_GAS, WINDOWS, (TOKENS, UNIFORMS))
    registration = enter(academy.blobs, package, terms, measure(Network.from_package(package), terms, [], PLAN))
    register(Settings.load(settings, {}), registration)
    return TextStage.of(net, registration.record)
