"""Folds what is said of generations, and checks it: ids, subjects, the scored inputs, legal moves."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatchmethod

from rollup.codec import Domain
from rollup.errors import Doubt
from rollup.events import Event
from rollup.properties import events
from rollup.properties.ids import generation_id, generation_subject
from rollup.properties.lifecycle import moved_generation
from rollup.properties.text import text_inputs, text_root
from rollup.properties.types import GenerationStatus
from rollup.tensor import Tensor, TensorSpec
from rollup.types import INLINE_OUTPUT_BYTES, ZERO_ADDRESS, Certainty, RequestId
from rollup.view.facts import Facts, require_same
from rollup.view.property_records import OrderedGeneration
from rollup.view.records import Delivery


class GenerationFold:
    """Changes the map of generations, and gives a text's claim of scores its inputs."""

    def __init__(self, facts: Facts, domain: Domain) -> None:
        self._facts, self._domain = facts, domain

    @singledispatchmethod
    def fold(self, event: Event) -> None:
        """Other events say nothing of generations."""

    @fold.register
    def _(self, event: events.GenerationRequested) -> None:
        require_same("generation", generation_id(event.generation, self._domain), event.id)
        deadline = event.generation.terms.deadline
        known = OrderedGeneration(event.id, event.generation, event.at.block, deadline)
        self._facts.generations[event.id] = known
        self._facts.active_generations[event.id] = None

    @fold.register
    def _(self, event: events.Drawn) -> None:
        # Where the chain had forgotten the beacon, there is no seed but a new anchor.
        self._change(event.id, anchor=event.anchor, seed=event.seed if any(event.seed) else b"")

    @fold.register
    def _(self, event: events.Taken) -> None:
        self._change(event.id, lessee=event.lessee, leased_until=event.until)

    @fold.register
    def _(self, event: events.Generated) -> None:
        known, scores = self._facts.generations[event.id], self._facts.scores[event.claim]
        scoring = scores.claim.scoring
        subject = generation_subject(event.id, known.attempts, event.executor, event.tokens)
        require_same("subject of the scores", subject, scoring.subject)
        scorer = self._facts.models[known.generation.terms.scorer]
        inputs = text_inputs(known.generation.terms, scorer, event.tokens, known.seed)
        require_same("inputs of the text", text_root(inputs), scoring.items[0])
        output = Tensor(TensorSpec.from_header(scorer.output_header), event.scores)
        is_inline = output.spec.byte_length <= INLINE_OUTPUT_BYTES
        require_same("scores of the text", event.scores if is_inline else output.root, scores.claim.entry(0))
        self._facts.scores[event.claim] = replace(
            scores, inputs=b"".join(tensor.data for tensor in inputs), output=event.scores
        )
        self._facts.scored_texts[event.claim] = event.id
        self._move(
            event.id, GenerationStatus.CLAIMED, claim=event.claim, claims=(*known.claims, event.claim),
            tokens=event.tokens, lessee=ZERO_ADDRESS, leased_until=0,
        )  # fmt: skip

    @fold.register
    def _(self, event: events.GenerationFinal) -> None:
        if self._facts.scores[event.claim].certainty is not Certainty.FINAL:
            raise Doubt(f"generation 0x{event.id.hex()} is final on chain, and its claim of scores is not")
        self._move(event.id, GenerationStatus.FINAL)
        if not self._facts.generations[event.id].has_callback:
            self._facts.active_generations.pop(event.id, None)

    @fold.register
    def _(self, event: events.GenerationReopened) -> None:
        known = self._facts.generations[event.id]
        fell = self._facts.scores[event.claim]
        require_same("certainty of a fallen claim", fell.certainty, event.fallen)
        rejected = event.fallen is Certainty.REJECTED
        self._move(
            event.id, GenerationStatus.OPEN, claim=None, tokens=b"", attempts=known.attempts + 1,
            rejections=known.rejections + rejected, deadline=event.deadline,
            excluded=known.excluded | {fell.executor} if rejected else known.excluded,
        )  # fmt: skip

    @fold.register
    def _(self, event: events.GenerationRefunded) -> None:
        self._move(event.id, GenerationStatus.REFUNDED)
        self._facts.active_generations.pop(event.id, None)

    @fold.register
    def _(self, event: events.TextSent) -> None:
        self._deliver(event, Delivery.SENT)
        self._facts.active_generations.pop(event.id, None)

    @fold.register
    def _(self, event: events.TextFailed) -> None:
        self._deliver(event, Delivery.FAILED)

    def _deliver(self, event: events.TextSent | events.TextFailed, delivery: Delivery) -> None:
        deliveries = self._facts.generations[event.id].deliveries + 1
        self._change(event.id, delivery=delivery, deliveries=deliveries, delivered_at=event.at.timestamp)

    def _move(self, id_: RequestId, after: GenerationStatus, **changes: object) -> None:
        self._change(id_, status=moved_generation(self._facts.generations[id_].status, after), **changes)

    def _change(self, id_: RequestId, **changes: object) -> None:
        self._facts.generations[id_] = replace(self._facts.generations[id_], **changes)  # type: ignore[arg-type]
