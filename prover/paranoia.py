"""What a paranoid watchtower does besides: it makes again what nobody has to make as it did, and says what differs.

Never acts on it: a text whose scores hold is right, whatever tokens my own kernels would have chosen at a near-tie; and
any weights that have the property are right, so of a training there is nothing to make again.
"""

from __future__ import annotations

import struct

import structlog

from executor.generation.decoding import Decoder, Wish
from executor.strangers import unrunnable
from executor.tensors import from_canonical
from prover.known import KnownModels
from rollup.errors import RollupError
from rollup.inputs import split_inputs
from rollup.types import ClaimBatchId
from rollup.view import MadeScores, OrderedGeneration, View

# For one text.
LIMIT_SECONDS = 30.0
_log = structlog.get_logger()


class Paranoia:
    """Looks at each claim of scores once."""

    def __init__(self, models: KnownModels) -> None:
        self._models = models
        self._seen: set[ClaimBatchId] = set()

    def look(self, view: View) -> None:
        """At most one text a look: the rest has its turn in the next."""
        self._seen &= set(view.state.active_scores)
        for id_ in view.state.active_scores:
            scores = view.state.scores[id_]
            if id_ in self._seen:
                continue
            self._seen.add(id_)
            generation = view.text_of(id_)
            if generation is not None:
                self._make_again(scores, generation)
                return
            _log.info(
                "watchtower.nothing_to_make_again", claim=id_.hex(), reason="any weights of these scores are right"
            )

    def _make_again(self, scores: MadeScores, generation: OrderedGeneration) -> None:
        claim = scores.id.hex()
        try:
            made = self._generated(scores, generation)
        except RollupError as error:
            _log.info("watchtower.not_made_again", claim=claim, reason=str(error))
            return
        if made == generation.tokens:
            _log.info("watchtower.same_tokens", claim=claim)
            return
        width = len(made) // generation.generation.terms.new_tokens
        first = next(
            at for at in range(0, len(made), width) if made[at : at + width] != generation.tokens[at : at + width]
        )
        _log.warning("watchtower.other_tokens", claim=claim, first=first // width)

    @unrunnable("the scorer")
    def _generated(self, scores: MadeScores, generation: OrderedGeneration) -> bytes:
        """Canonical bytes of the tokens that this machine generates."""
        model, terms = scores.claim.model, generation.generation.terms
        known = self._models.know(model).checker.model
        text, *uniforms = (from_canonical(tensor) for tensor in split_inputs(model.inputs, scores.inputs))
        prompt = text.reshape(-1)[: -terms.new_tokens]
        (delta,) = struct.unpack(">f", terms.delta.to_bytes(4, "big"))
        wish = Wish(prompt, uniforms[0].reshape(-1) if uniforms else None, delta)
        return Decoder(known.network, known.runner).generate(wish, LIMIT_SECONDS).tokens
