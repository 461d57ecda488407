"""The stage and the cast of stories of texts: a scorer, a contract that asks, and liars who answer first."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from executor.cli import register
from executor.generation.decoding import Decoder
from executor.generation.desk import wish_of
from executor.models import LoadedModel, load_model
from executor.network import Network
from executor.registration import Terms, prepare
from executor.runner import Runner
from executor.tensors import canonical_bytes, f32_of_bits, from_bytes, from_canonical, to_canonical
from executor.trace import Trace, recompute
from rollup.blobs import Blobs, FolderStore, open_blobs
from rollup.chain.abi import Abi
from rollup.chain.anvil import development_secret
from rollup.chain.artifacts import load
from rollup.chain.claims import Claims
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.disputes import Disputes
from rollup.chain.follower import Follower
from rollup.chain.generations import Generations
from rollup.chain.keys import Key
from rollup.chain.scores import Scores
from rollup.chain.sender import Intent, Sender
from rollup.chain.transactions import MemoryStore
from rollup.codec import model_id
from rollup.config import Settings
from rollup.devnet import KEY_VARIABLE, Account, Devnet, Part
from rollup.errors import NotYet, Unavailable
from rollup.package import Package
from rollup.properties.text import text_inputs
from rollup.properties.types import LANE_SCORES, GenerationTerms
from rollup.tensor import Tensor as Committed
from rollup.tensor import TensorSpec
from rollup.types import (
    ZERO_ADDRESS,
    Address,
    BundleRoot,
    DisputeStatus,
    Model,
    ModelId,
    RequestId,
    TraceOpening,
    Windows,
)
from rollup.view import OrderedGeneration, View
from tests.actors import STAKE_WEI, four_bits, serve_blobs
from tests.executor.generation.decoders import PROMPT, VOCABULARY, decoder_module, network_of, scorer_of
from tests.stories.office import create

NEW_TOKENS = 64
# Real time, a block a second: the smallest that leave room for a reply on a busy machine.
WINDOWS = Windows(challenge=16, open=12, collect=6, supply=8, prove=12)
FEE_WEI = 10**15
MIN_BOND_GAS = 3_000_000
CALLBACK_GAS = 700_000
LIFE_SECONDS = 600
MAX_BYTES = 2**24
POLL_SECONDS = 0.2
SEED_SECONDS = 30


class TextKeeper(Contract):
    """The consumer: asks for texts and keeps what it was told."""

    def __init__(self, address: Address) -> None:
        self.address, self._abi = address, Abi("ITextKeeper", load()["TextKeeper"].abi)

    @classmethod
    def create(cls, sender: Sender, generations: Address) -> TextKeeper:
        return cls(create(sender, "TextKeeper", [generations]))

    def ask(self, terms: GenerationTerms, turn: str) -> Intent:
        return self._intent("ask", terms, value_wei=terms.fee_wei, turn=turn)

    def text_of(self, at: Snapshot, id_: RequestId) -> bytes:
        return bytes(self._read(at, "textOf", id_)[0])


@dataclass(frozen=True)
class TextStage:
    """A scorer on a running chain; `view` is brought up to date by `look`."""

    net: Devnet
    loaded: LoadedModel
    decoder: Decoder
    follower: Follower

    @classmethod
    def of(cls, net: Devnet, record: Model) -> TextStage:
        """That of a registered scorer whose blobs are here."""
        settings = Settings(deployment=net.deployment, rpc_url=net.rpc_url, blobs=net.folder / "blobs")
        loaded = load_model(open_blobs(settings.blobs), record, MAX_BYTES)
        follower = Follower.from_settings(settings, net.client)
        return cls(net, loaded, Decoder(loaded.network, loaded.runner), follower)

    @property
    def scorer(self) -> ModelId:
        return model_id(self.loaded.record)

    @property
    def delta(self) -> int:
        """f32 bits of the most that is allowed: half of the scorer's output band."""
        return int(np.float32(f32_of_bits(self.loaded.record.output_band) / 2).view(np.uint32))

    def look(self) -> View:
        self.follower.catch_up()
        return self.follower.view

    def snapshot(self) -> Snapshot:
        return self.net.client.at(self.net.client.head())

    def wait(self, what: str, done: Callable[[View], bool], seconds: float) -> View:
        """Looks until `done`. Raises NotYet when the time is over, Unavailable if a process of the stack has died."""
        limit = time.monotonic() + seconds
        while not done(view := self.look()):
            for process in self.net.processes.failed():
                raise Unavailable(f"{process.name} ended with {process.handle.returncode}:\n{process.last_words()}")
            if time.monotonic() > limit:
                raise NotYet(f"{what} did not happen within {seconds:g} s")
            time.sleep(POLL_SECONDS)
        return view

    def is_honest(self, id_: RequestId, tokens: bytes) -> bool:
        """Whether the scorer accepts a text here."""
        known = self.look().generation(id_)
        scores = self.decoder.score(self.text(known, tokens)[0], wish_of(known, self.loaded.record).uniforms)
        return float(scores.min()) >= -f32_of_bits(known.generation.terms.delta)

    def text(self, known: OrderedGeneration, tokens: bytes) -> Tensor:
        """i64 [1, T]: prompt and new tokens."""
        spec = TensorSpec.from_header(self.loaded.record.inputs[0].header)
        return from_bytes(spec, known.generation.terms.prompt + tokens)


@dataclass(frozen=True)
class KeeperStage:
    """The least contract that asks for texts, and a user who has it ask."""

    texts: TextStage
    keeper: TextKeeper
    user: Sender

    def ask(self, seed: int) -> RequestId:
        """The keeper asks for a text after a prompt of its own."""
        texts = self.texts
        known = {each.id for each in texts.look().generations()}
        prompt = torch.randint(VOCABULARY, (PROMPT,), generator=torch.Generator().manual_seed(seed))
        terms = GenerationTerms(
            scorer=texts.scorer, prompt=canonical_bytes(prompt), new_tokens=NEW_TOKENS,
            sampled=texts.decoder.rows.sampled, delta=texts.delta, fee_wei=FEE_WEI, min_bond_wei=0,
            deadline=texts.net.client.head().timestamp + LIFE_SECONDS, callback=ZERO_ADDRESS,
            callback_gas=CALLBACK_GAS,
        )  # fmt: skip
        assert self.user.send(self.keeper.ask(terms, str(seed))).succeeded
        (asked,) = {each.id for each in texts.look().generations()} - known
        return asked


def set_keeper_stage(net: Devnet, set_variable: Callable[[str, str], None], sampled: bool = False) -> KeeperStage:
    """Registers the scorer of a small character model, and opens the keeper."""
    network = network_of(scorer_of(decoder_module("characters"), NEW_TOKENS, sampled))
    package = Package(network.program, tuple(to_canonical(weight) for weight in network.weights))
    ranges = ((0.0, VOCABULARY - 1.0), (0.0, 1.0))[: len(package.program.inputs)]
    registration = prepare(open_blobs(net.folder / "blobs"), package, Terms(0, 1, MIN_BOND_GAS, WINDOWS, ranges))
    set_variable(KEY_VARIABLE, development_secret(Account.DEPLOYER))
    register(Settings.load(net.write_settings("push", Part("model", Account.DEPLOYER)), {}), registration)
    user = Sender(net.client, net.key(Account.FIRST_USER), MemoryStore(), poll_seconds=POLL_SECONDS)
    keeper = TextKeeper.create(user, net.deployment.generations)
    return KeeperStage(TextStage.of(net, registration.record), keeper, user)


class TextLie(ABC):
    """A false text with scores that pass, and the trace that is opened for them."""

    @abstractmethod
    def answer(self, stage: TextStage, known: OrderedGeneration) -> tuple[bytes, bytes]:
        """Canonical bytes of tokens and scores."""

    @abstractmethod
    def network(self, stage: TextStage) -> Network:
        """What the opened trace is an honest run of."""


class SwappedToken(TextLie):
    """Swaps one token of an honest text, and says that nothing is wrong with it; opens an honest trace."""

    def answer(self, stage: TextStage, known: OrderedGeneration) -> tuple[bytes, bytes]:
        wish, rows = wish_of(known, stage.loaded.record), stage.decoder.rows
        tokens = stage.text(known, stage.decoder.generate(wish).tokens)[0]
        place = rows.prompt + rows.new_tokens // 2
        tokens[place] = (tokens[place] + 1) % rows.vocabulary
        scores = stage.decoder.score(tokens, wish.uniforms)
        scores = torch.where(scores < -wish.delta, torch.zeros(()), scores)
        return canonical_bytes(tokens[rows.prompt :]), canonical_bytes(scores)

    def network(self, stage: TextStage) -> Network:
        return stage.loaded.network


class SmallerModel(TextLie):
    """Generates and scores with a cheaper copy of the model, whose weights have sixteen values each."""

    def answer(self, stage: TextStage, known: OrderedGeneration) -> tuple[bytes, bytes]:
        network = self.network(stage)
        text = Decoder(network, Runner(network)).generate(wish_of(known, stage.loaded.record))
        return text.tokens, text.scores

    def network(self, stage: TextStage) -> Network:
        network = stage.loaded.network
        # Matrices alone: masks and constants have no bits to save.
        weights = (
            four_bits([each])[0] if each.dim() == 2 and each.is_floating_point() else each for each in network.weights
        )
        return Network(network.program, network.lowered, tuple(weights))


class TextLiar:
    """Takes a generation before anybody else, and tells one lie about it."""

    def __init__(self, lie: TextLie, key: Key, stage: TextStage, folder: Path) -> None:
        self.address = key.address
        self._lie, self._stage = lie, stage
        self._sender = Sender(stage.net.client, key, MemoryStore(), poll_seconds=POLL_SECONDS)
        self._blobs, self._server = Blobs(FolderStore(folder)), serve_blobs(folder)
        self._tokens = b""
        self._opened = False

    def claim(self, id_: RequestId) -> None:
        # Whoever keeps the system has it drawn, if chance is to select.
        view = self._stage.wait("the seed", lambda view: view.generation(id_).is_drawn, SEED_SECONDS)
        deployment, known = self._stage.net.deployment, view.generation(id_)
        generations, generation = Generations(deployment), known.generation
        url = f"http://127.0.0.1:{self._server.server_port}"
        self._sender.submit(Claims(deployment).announce_endpoint(url))
        assert self._sender.send(generations.take(generation, turn="", value_wei=STAKE_WEI)).succeeded
        said = self._lie.answer(self._stage, known)
        self._tokens = said[0]
        assert not self._stage.is_honest(id_, self._tokens)
        self._blobs.put_tensor(Committed(TensorSpec.from_header(self._stage.loaded.record.output_header), said[1]))
        bond = Scores(deployment).minimum_bond(self._stage.snapshot(), self._stage.scorer, self.address) * 5 // 4
        assert self._sender.send(generations.claim(generation, said, bond, value_wei=STAKE_WEI)).succeeded

    def answer(self, id_: RequestId) -> None:
        """Opens its trace once it is challenged. Ignores every demand."""
        view = self._stage.look()
        scores = next(view.scores(claim) for claim in view.generation(id_).claims)
        item = scores.claim.claim_id(0)
        dispute = view.state.disputes.get(item)
        if self._opened or dispute is None or dispute.status is not DisputeStatus.CHALLENGED:
            return
        known = view.generation(id_)
        inputs = text_inputs(known.generation.terms, self._stage.loaded.record, self._tokens, known.seed)
        trace = Trace.of(recompute(self._lie.network(self._stage), [from_canonical(each) for each in inputs]))
        self._blobs.put_tensors(list(trace.tensors))
        opening = TraceOpening(0, BundleRoot(trace.root))
        self._sender.send(Disputes(self._stage.net.deployment).open(scores.claim.claims, [opening], LANE_SCORES))
        self._opened = True

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
