"""Where an executor makes the texts that it claims: decoders of the scorers it holds, and texts kept as blobs.

A text is kept under what it answers before it is claimed: so a process that dies in between claims the very text that
it made. Knows nothing of leases and bonds.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

import structlog
from torch import Tensor

from executor.generation.decoding import Decoder, Text, Wish
from executor.models import LoadedModel, Models
from executor.strangers import unrunnable
from executor.tensors import f32_of_bits, from_bytes
from rollup.blobs import Blobs
from rollup.codec import model_id
from rollup.errors import BadEncoding, BadInput, NotFound, Retry, RollupError
from rollup.properties.draw import uniforms
from rollup.properties.text import text_inputs
from rollup.tensor import DType, TensorSpec
from rollup.tensor import Tensor as Committed
from rollup.types import Model, ModelId
from rollup.view import OrderedGeneration

_TAG = b"anh.v1.text"
# Each holds the keys and values of one text.
MAX_DECODERS = 4
# Elements of all results of a scorer's pass: 4 GiB of f32.
MAX_PASS_ELEMENTS = 2**30
_log = structlog.get_logger()


@dataclass(frozen=True)
class Answer:
    """What is claimed: canonical bytes of the new tokens and of the scorer's output for them."""

    tokens: bytes
    scores: bytes


class Desk:
    """Threads may share it; one text is made at a time."""

    def __init__(self, models: Models, blobs: Blobs) -> None:
        self._models, self._blobs = models, blobs
        self._lock = threading.Lock()
        self._decoders: OrderedDict[ModelId, Decoder] = OrderedDict()
        self._unserved: set[ModelId] = set()

    def serves(self, scorer: Model) -> bool:
        """Whether texts of a registered scorer can be made here. Raises Retry errors of the blobs."""
        try:
            self._decoder(scorer)
        except NotFound:
            # Its blobs may still come: not remembered.
            return False
        except Retry:
            raise
        except RollupError as error:
            id_ = model_id(scorer)
            if id_ not in self._unserved:
                _log.warning("executor.scorer_not_served", model=id_.hex(), error=str(error))
            self._unserved.add(id_)
            return False
        return True

    def answer(self, known: OrderedGeneration, scorer: Model, limit_seconds: float) -> Answer:
        """The text of a generation, kept or made now; its inputs and scores are blobs from then on.

        Raises what `Decoder.generate` raises: Overloaded beyond the limit, Doubt where scorer and decoder disagree.
        """
        kept = self._kept(known, scorer)
        if kept is None:
            text = self._make(known, scorer, limit_seconds)
            kept = Answer(text.tokens, text.scores)
            self._blobs.put_named(name_of(known), kept.tokens + kept.scores)
        self._blobs.put_tensors(text_inputs(known.generation.terms, scorer, kept.tokens, known.seed))
        self._blobs.put_tensor(Committed(TensorSpec.from_header(scorer.output_header), kept.scores))
        return kept

    def _kept(self, known: OrderedGeneration, scorer: Model) -> Answer | None:
        length = known.generation.terms.new_tokens * TensorSpec.from_header(scorer.inputs[0].header).dtype.width
        scores = TensorSpec.from_header(scorer.output_header).byte_length

        def cut(data: bytes) -> Answer:
            if len(data) != length + scores:
                raise BadEncoding(f"a kept text has {len(data)} bytes, not {length} of tokens and {scores} of scores")
            return Answer(data[:length], data[length:])

        try:
            return self._blobs.get_named(name_of(known), cut)
        except NotFound:
            return None
        except BadEncoding as error:
            # Made again, and kept in its place.
            _log.warning("executor.text_damaged", generation=known.id.hex(), error=str(error))
            return None

    @unrunnable("the scorer")
    def _make(self, known: OrderedGeneration, scorer: Model, limit_seconds: float) -> Text:
        with self._lock:
            decoder = self._opened(scorer)
            return decoder.generate(wish_of(known, scorer), limit_seconds)

    @unrunnable("the scorer")
    def _decoder(self, scorer: Model) -> Decoder:
        with self._lock:
            return self._opened(scorer)

    def _opened(self, scorer: Model) -> Decoder:
        id_ = model_id(scorer)
        if id_ not in self._decoders:
            loaded = self._models.load(scorer)
            _require_fit(loaded)
            decoder = Decoder(loaded.network, loaded.runner)
            _require_vocabulary(scorer, decoder.rows.vocabulary)
            while len(self._decoders) >= MAX_DECODERS:
                self._decoders.popitem(last=False)
            self._decoders[id_] = decoder
        self._decoders.move_to_end(id_)
        return self._decoders[id_]


def name_of(known: OrderedGeneration) -> bytes:
    """The blob that holds the text made for a generation, under its seed and after as many attempts."""
    return sha256(_TAG + known.id + known.seed + known.attempts.to_bytes(4, "big")).digest()


def wish_of(known: OrderedGeneration, scorer: Model) -> Wish:
    """What a generation asks of a decoder."""
    terms, spec = known.generation.terms, TensorSpec.from_header(scorer.inputs[0].header)
    count = len(terms.prompt) // spec.dtype.width
    prompt = from_bytes(TensorSpec(spec.dtype, (count,)), terms.prompt)
    return Wish(prompt, _uniforms(known) if terms.sampled else None, f32_of_bits(terms.delta))


def _uniforms(known: OrderedGeneration) -> Tensor:
    count = known.generation.terms.new_tokens
    return from_bytes(TensorSpec(DType.F32, (count,)), uniforms(known.seed, count))


def _require_fit(loaded: LoadedModel) -> None:
    elements = sum(value.spec.elements for value in loaded.network.program.results)
    if elements > MAX_PASS_ELEMENTS:
        raise BadInput(f"a pass of the scorer makes {elements} elements, at most {MAX_PASS_ELEMENTS} are made here")


def _require_vocabulary(scorer: Model, vocabulary: int) -> None:
    """Else the likeliest token might be one that no claim may hold."""
    lo, hi = scorer.inputs[0].lo, scorer.inputs[0].hi
    if lo > 0 or hi < vocabulary - 1:
        raise BadInput(f"the scorer takes tokens {lo}..{hi}, and its rows select of {vocabulary}")
