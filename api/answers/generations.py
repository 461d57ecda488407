"""Generations as JSON."""

from __future__ import annotations

from api.answers.claims import certainty_text
from api.answers.outputs import f32, number, output_state
from api.answers.scores import scores_state
from api.schemas import GenerationJson, GenerationStatusText, GenerationTermsJson, OutputJson, to_hex
from rollup.clock import is_before
from rollup.properties.types import GenerationTerms
from rollup.tensor import TensorSpec
from rollup.types import Certainty, Model
from rollup.view import OrderedGeneration, View

GENERATION_ENDS = frozenset({GenerationStatusText.FINAL, GenerationStatusText.REFUNDED})


def generation_state(view: View, known: OrderedGeneration) -> GenerationJson:
    """A generation at the view's time."""
    generation, scores = known.generation, view.text_scores(known)
    scorer = view.model(generation.terms.scorer)
    leased = is_before(view.now, known.leased_until)
    return GenerationJson(
        id=to_hex(known.id),
        status=GenerationStatusText(known.status.name.lower()),
        certainty=certainty_text(scores.certainty if scores else Certainty.NONE),
        requester=to_hex(generation.requester),
        nonce=generation.nonce,
        requested_at=generation.requested_at,
        terms=_terms(generation.terms),
        deadline=known.deadline,
        seed=to_hex(known.seed) if known.seed else None,
        lessee=to_hex(known.lessee) if leased else None,
        leased_until=known.leased_until if leased else None,
        attempts=known.attempts,
        prompt=_text(scorer, generation.terms.prompt),
        tokens=_text(scorer, known.tokens) if known.tokens else None,
        claim=scores_state(scores, view.now) if scores else None,
        callback=known.delivery.name.lower(),
    )


def _terms(terms: GenerationTerms) -> GenerationTermsJson:
    return GenerationTermsJson(
        scorer=to_hex(terms.scorer),
        prompt=to_hex(terms.prompt),
        new_tokens=terms.new_tokens,
        sampled=terms.sampled,
        delta=number(f32(terms.delta)),
        fee_wei=str(terms.fee_wei),
        min_bond_wei=str(terms.min_bond_wei),
        deadline=terms.deadline,
        callback=to_hex(terms.callback),
        callback_gas=terms.callback_gas,
    )


def _text(scorer: Model, tokens: bytes) -> OutputJson:
    """Part of a text, of the dtype in which its scorer takes it."""
    dtype = TensorSpec.from_header(scorer.inputs[0].header).dtype
    return output_state(TensorSpec(dtype, (len(tokens) // dtype.width,)), tokens)
