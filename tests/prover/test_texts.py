"""Generated texts: one teacher-forced pass checks them; a paranoid watchtower makes them again, and only says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from structlog.testing import capture_logs

from executor.capture import capture
from executor.generation.decoding import Decoder, Wish
from executor.models import LoadedModel, load_model
from executor.registration import prepare
from executor.tensors import canonical_bytes
from prover.disputer import Disputer, Look
from prover.known import KnownModels
from prover.paranoia import Paranoia
from prover.sources import Sources
from prover.watcher import Watchtower
from rollup import events as base
from rollup.blobs import Blobs
from rollup.codec import model_id
from rollup.package import Package
from rollup.properties import events
from rollup.properties.ids import generation_id, generation_subject
from rollup.properties.scores import claim_of_scores
from rollup.properties.text import text_inputs, text_root
from rollup.properties.types import Scoring
from rollup.tensor import Tensor, TensorSpec
from rollup.types import INLINE_OUTPUT_BYTES, ClaimBatchId
from rollup.view import View
from tests.executor.generation.decoders import PROMPT, VOCABULARY, decoder_module, scorer_of
from tests.prover.arena import ETHER, TERMS
from tests.prover.desk import Shelf
from tests.rollup.properties.examples import DOMAIN, EXECUTOR, GENERATION, REQUESTER
from tests.rollup.story import Story

# Of more than 16 scores a claim holds only the root.
NEW_TOKENS = 17
PROMPT_TOKENS = torch.arange(PROMPT)


class Watching(Disputer):
    """Hands without a key or a chain."""

    def __init__(self) -> None:
        self._sender, self._challenges_unserved, self._sent = None, False, {}

    def look(self, view: View) -> Look:
        return Look(None)  # type: ignore[arg-type]


class Library(Story):
    """One greedy text was asked for."""

    def __init__(self, model: LoadedModel, prompt: torch.Tensor = PROMPT_TOKENS, new_tokens: int = NEW_TOKENS) -> None:
        super().__init__()
        self.view, self.scorer = View(DOMAIN), model
        self.tell(base.Registered, model_id(model.record), REQUESTER, model.record)
        self.terms = replace(
            GENERATION.terms, scorer=model_id(model.record), prompt=canonical_bytes(prompt), new_tokens=new_tokens,
            sampled=False,
        )  # fmt: skip
        self.ask(GENERATION.nonce)

    def ask(self, nonce: int) -> None:
        """Somebody asks; from now on this text is answered."""
        self.generation = replace(GENERATION, nonce=nonce, requested_at=self.now, terms=self.terms)
        self.id = generation_id(self.generation, DOMAIN)
        self.tell(events.GenerationRequested, self.id, REQUESTER, self.generation)

    def generated(self, tokens: bytes, scores: bytes) -> ClaimBatchId:
        """Claimed by an executor who serves nothing: all that a text is checked with stands on chain."""
        record = self.scorer.record
        root = text_root(text_inputs(self.generation.terms, record, tokens, b""))
        subject = generation_subject(self.id, 0, EXECUTOR, tokens)
        output = Tensor(TensorSpec.from_header(record.output_header), scores)
        entry = scores if len(scores) <= INLINE_OUTPUT_BYTES else output.root
        given = Scoring(subject, EXECUTOR, model_id(record), record.weights_root, (root,), entry, 10**16)
        claim = claim_of_scores(DOMAIN.generations, given, record, DOMAIN, self.now)
        self.tell(events.ScoresClaimed, claim.id, subject, claim.source, claim.claims, claim.requests, given)
        self.tell(events.Generated, self.id, EXECUTOR, claim.id, tokens, scores)
        return claim.id

    def scores_of(self, tokens: bytes) -> bytes:
        """The scorer's own, of prompt and tokens."""
        (scores,) = self.scorer.runner.run([[self.generation.terms.prompt + tokens]])
        return scores


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(scope="module")
def model(shelf: Shelf) -> LoadedModel:
    scorer = scorer_of(decoder_module("characters"), NEW_TOKENS, sampled=False)
    captured = capture(scorer, [torch.zeros(1, PROMPT + NEW_TOKENS, dtype=torch.long)])
    terms = replace(TERMS, lo=0, hi=VOCABULARY - 1)
    record = prepare(Blobs(shelf), Package(captured.program, captured.committed), terms).record
    return load_model(Blobs(shelf), record, 2**30)


@pytest.fixture(scope="module")
def tokens(model: LoadedModel) -> bytes:
    """The likeliest."""
    return Decoder(model.network, model.runner).generate(Wish(PROMPT_TOKENS, None, 1e-5)).tokens


@pytest.fixture
def library(model: LoadedModel) -> Library:
    return Library(model)


def other(tokens: bytes, place: int = 2) -> bytes:
    """The same text but for one token."""
    changed = (int.from_bytes(tokens[8 * place : 8 * place + 8], "big") + 1) % VOCABULARY
    return tokens[: 8 * place] + changed.to_bytes(8, "big") + tokens[8 * place + 8 :]


def said(library: Library, shelf: Shelf, is_paranoid: bool = False) -> list[str]:
    """What a watchtower says in three looks."""
    sources = Sources(shelf, lambda: [])
    tower = Watchtower(sources, Watching(), ETHER, is_paranoid)
    with capture_logs() as logs:
        for _ in range(3):
            tower.step(library.view)
    return [entry["event"] for entry in logs]


def test_an_honest_text__is_left_alone_without_a_word(library: Library, shelf: Shelf, tokens: bytes) -> None:
    library.generated(tokens, library.scores_of(tokens))
    assert said(library, shelf) == []


def test_a_text_whose_scores_are_not_its_own__is_beyond_reach(library: Library, shelf: Shelf, tokens: bytes) -> None:
    library.generated(other(tokens), library.scores_of(tokens))
    assert said(library, shelf) == ["watchtower.beyond_reach", "watchtower.waits"]


def test_paranoid__the_same_tokens__are_said_once(library: Library, shelf: Shelf, tokens: bytes) -> None:
    library.generated(tokens, library.scores_of(tokens))
    assert said(library, shelf, is_paranoid=True) == ["watchtower.same_tokens"]


def test_paranoid__other_tokens_with_true_scores__are_warned_of_and_nothing_else(
    library: Library, shelf: Shelf, tokens: bytes
) -> None:
    claim = library.generated(other(tokens), library.scores_of(other(tokens)))
    sources = Sources(shelf, lambda: [])
    with capture_logs() as logs:
        Paranoia(KnownModels(sources.all)).look(library.view)
    (warning,) = logs
    assert (warning["event"], warning["claim"], warning["first"]) == ("watchtower.other_tokens", claim.hex(), 2)
    assert said(library, shelf, is_paranoid=True) == ["watchtower.other_tokens"]
