"""The watchtower and texts on a real chain, whose executors serve nothing: all that is claimed is in the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from executor.capture import capture
from executor.generation.decoding import Decoder, Wish
from executor.models import load_model
from executor.network import Network
from executor.registration import prepare
from executor.runner import Runner
from executor.tensors import canonical_bytes, from_bytes
from executor.trace import Trace, recompute
from rollup.chain.disputes import Disputes
from rollup.chain.generations import Generations
from rollup.chain.models import Models
from rollup.chain.scores import Scores
from rollup.codec import model_id
from rollup.package import Package
from rollup.properties.types import LANE_SCORES, GenerationTerms
from rollup.types import ZERO_ADDRESS, Certainty, TraceOpening
from rollup.view import MadeScores
from tests.actors import four_bits
from tests.chain_fixture import CHALLENGER, REGISTRANT_BOND_WEI, USER, Anvil
from tests.executor.generation.decoders import PROMPT, VOCABULARY, decoder_module, scorer_of
from tests.prover.arena import ETHER, FIRST_LIAR, TERMS, WINDOWS, Arena

# Of more than 16 scores a claim holds only the root.
NEW_TOKENS = 17


class Library(Arena):
    """A greedy scorer of texts is registered; users ask for a text of one prompt."""

    def __init__(self, anvil: Anvil, folder: Path) -> None:
        super().__init__(anvil, folder)
        module = scorer_of(decoder_module("characters"), NEW_TOKENS, sampled=False)
        captured = capture(module, [torch.zeros(1, PROMPT + NEW_TOKENS, dtype=torch.long)])
        terms = replace(TERMS, lo=0, hi=VOCABULARY - 1)
        record = prepare(self.blobs, Package(captured.program, captured.committed), terms).record
        anvil.sender(0).send(Models(self.deployment).register(record, REGISTRANT_BOND_WEI))
        self.scorer, self.calls = load_model(self.blobs, record, 2**30), Generations(self.deployment)
        self.prompt = torch.arange(PROMPT)
        self.text = Decoder(self.scorer.network, self.scorer.runner).generate(Wish(self.prompt, None, 0.0))

    def generated(self, tokens: bytes, scores: bytes) -> MadeScores:
        """A user asks, and an executor claims."""
        self._asked += 1
        terms = GenerationTerms(
            scorer=model_id(self.scorer.record), prompt=canonical_bytes(self.prompt), new_tokens=NEW_TOKENS,
            sampled=False, delta=0, fee_wei=10**15, min_bond_wei=0, deadline=self.view.now + 1_000,
            callback=ZERO_ADDRESS, callback_gas=0,
        )  # fmt: skip
        self.anvil.sender(USER).send(self.calls.request(terms, str(self._asked)))
        generation, sender = self.view.generations()[-1].generation, self.anvil.sender(FIRST_LIAR)
        sender.send(self.calls.take(generation, str(self._asked), value_wei=ETHER))
        sender.send(self.calls.claim(generation, (tokens, scores), ETHER // 2, str(self._asked), value_wei=ETHER))
        claim = self.view.generations()[-1].claim
        assert claim is not None
        return self.view.scores(claim)

    def opens(self, made: MadeScores, network: Network, tokens: bytes) -> None:
        """The executor opens a network's run of prompt and tokens, and serves it."""
        (spec,) = network.graph.inputs
        text = from_bytes(spec, canonical_bytes(self.prompt) + tokens)
        trace = Trace.of(recompute(network, [text]))
        self.blobs.put_tensors(list(trace.tensors))
        opening = [TraceOpening(0, trace.root)]
        self.anvil.sender(FIRST_LIAR).send(Disputes(self.deployment).open(made.claim.claims, opening, LANE_SCORES))

    def smaller(self) -> Network:
        """A cheaper copy of the scorer: its matrices have sixteen values each."""
        network = self.scorer.network
        # Masks and constants have no bits to save.
        weights = (
            four_bits([each])[0] if each.dim() == 2 and each.is_floating_point() else each for each in network.weights
        )
        return Network(network.program, network.lowered, tuple(weights))

    def standing(self, made: MadeScores) -> Certainty:
        return Scores(self.deployment).standing_of(self.place.snapshot(), made.id).certainty


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Anvil() as chain:
        yield Library(chain, tmp_path_factory.mktemp("library"))


def swapped(tokens: bytes) -> bytes:
    """The same text with another token in the middle."""
    place = 8 * (NEW_TOKENS // 2)
    token = (int.from_bytes(tokens[place : place + 8], "big") + 1) % VOCABULARY
    return tokens[:place] + token.to_bytes(8, "big") + tokens[place + 8 :]


def test_an_honest_text__is_left_alone(library: Library) -> None:
    made = library.generated(library.text.tokens, library.text.scores)
    library.look(2)
    assert library.view.scores(made.id).contested == frozenset()


def test_a_text_with_false_scores_that_nobody_serves__is_challenged_and_falls_by_silence(library: Library) -> None:
    made = library.generated(swapped(library.text.tokens), bytes(4 * NEW_TOKENS))
    before = library.vault_of(CHALLENGER)
    library.look()
    assert library.view.scores(made.id).disputed == {0}
    library.anvil.warp(WINDOWS.open)
    library.look()
    assert library.standing(made) is Certainty.REFUTED
    assert library.vault_of(CHALLENGER) - before >= made.claim.claims.bond_wei // 4


def test_one_swapped_token_over_an_honest_trace__falls_by_the_link_of_its_score(library: Library) -> None:
    tokens = swapped(library.text.tokens)
    prompt = canonical_bytes(library.prompt)
    (spec,) = library.scorer.network.graph.inputs
    decoder = Decoder(library.scorer.network, library.scorer.runner)
    scores = decoder.score(from_bytes(spec, prompt + tokens)[0], None)
    assert int((scores < 0).sum()) >= 1, "the token is not the likeliest"
    made = library.generated(tokens, canonical_bytes(scores.clamp(min=0.0)))
    before = library.vault_of(CHALLENGER)
    library.look()
    assert library.view.scores(made.id).disputed == {0}
    library.opens(made, library.scorer.network, tokens)
    library.look()
    assert library.standing(made) is Certainty.REFUTED
    assert library.vault_of(CHALLENGER) - before >= made.claim.claims.bond_wei // 4


def test_a_text_of_a_smaller_model__falls_by_a_step_of_its_own_trace(library: Library) -> None:
    smaller = library.smaller()
    text = Decoder(smaller, Runner(smaller)).generate(Wish(library.prompt, None, 0.0))
    made = library.generated(text.tokens, text.scores)
    library.look()
    assert library.view.scores(made.id).disputed == {0}
    library.opens(made, smaller, text.tokens)
    library.look()
    assert library.standing(made) is Certainty.REFUTED


def test_a_text_of_a_smaller_model__opened_with_the_right_one__falls_by_the_link(library: Library) -> None:
    smaller = library.smaller()
    text = Decoder(smaller, Runner(smaller)).generate(Wish(library.prompt, None, 0.0))
    made = library.generated(text.tokens, text.scores)
    library.look()
    library.opens(made, library.scorer.network, text.tokens)
    library.look()
    assert library.standing(made) is Certainty.REFUTED
