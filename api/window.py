"""What the routes see: the view of the chain, the journal, the sequencer. One per application.

Knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from api.answers import generation_state, request_state, training_state, with_curves
from api.changes import Changes
from api.limits import CallCounter, Limits
from api.schemas import GenerationJson, RequestStateJson, TrainingStateJson
from rollup.config import Deployment
from rollup.curves import Curves
from rollup.errors import NotFound
from rollup.journal import AcceptedRequest, Requests
from rollup.properties.types import TrainingId
from rollup.sequencer import Sequencer, SequencerChain
from rollup.types import RequestId
from rollup.view import View


@dataclass(frozen=True)
class Health:
    """Whether each thing that is needed answers, with a word on what is wrong."""

    chain: str
    journal: str
    redis: str

    @property
    def is_good(self) -> bool:
        """Redis is not needed: without it updates come later, and limits are counted here."""
        return self.chain == "ok" and self.journal == "ok"


@dataclass(frozen=True)
class Window:
    """`reading` gives the view, held still; it raises Unavailable while the chain was not read, and Stop for ever."""

    deployment: Deployment
    reading: Callable[[], AbstractContextManager[View]]
    requests: Requests
    sequencer: Sequencer
    chain: SequencerChain
    counter: CallCounter
    curves: Curves
    health: Callable[[], Health]
    limits: Limits = field(default_factory=Limits)
    changes: Changes = field(default_factory=Changes)

    def request_state(self, id_: RequestId) -> RequestStateJson:
        """Raises NotFound for a request that neither chain nor journal knows."""
        accepted = self._accepted(id_)
        with self.reading() as view:
            ordered = view.state.requests.get(id_)
            if ordered is None and accepted is None:
                raise NotFound(f"no request 0x{id_.hex()} is known")
            return request_state(view, ordered, accepted)

    def training_state(self, id_: TrainingId) -> TrainingStateJson:
        """Raises NotFound for a training that the chain does not know."""
        with self.reading() as view:
            state = training_state(view, view.training(id_))
        return with_curves(state, self.curves.of(id_))

    def generation_state(self, id_: RequestId) -> GenerationJson:
        """Raises NotFound for a generation that the chain does not know."""
        with self.reading() as view:
            return generation_state(view, view.generation(id_))

    def _accepted(self, id_: RequestId) -> AcceptedRequest | None:
        try:
            return self.requests.read(id_)
        except NotFound:
            return None
