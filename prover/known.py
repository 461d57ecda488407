"""Models as a watchtower knows them: loaded, verified, with a checker; the least used are dropped.

Anyone may register a model, so neither their number nor their size is believed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from executor.models import load_model
from executor.strangers import unrunnable
from executor.tensors import to_canonical
from prover.checker import Checker
from rollup.blobs import BlobReader
from rollup.codec import model_id
from rollup.errors import BadInput, RollupError
from rollup.graph import Graph, Numerics
from rollup.package import load_program
from rollup.tensor import Bundle, Tensor
from rollup.types import Model, ModelId

# Of weights; each is held twice, to compute with and to open.
MAX_WEIGHT_BYTES = 2**32
# Of all results of one run, which a check holds in float64 as well.
MAX_RUN_BYTES = 2**30


class Held:
    """A bundle whose tensors are all at hand."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.tensors = tuple(tensors)
        self.bundle = Bundle([tensor.root for tensor in tensors])

    def tensor(self, index: int) -> Tensor:
        return self.tensors[index]

    def path(self, index: int) -> tuple[bytes, ...]:
        return self.bundle.path(index)


@dataclass(frozen=True)
class Known:
    """A model as a case needs it: its record, graph, numerics, weights and checker."""

    record: Model
    graph: Graph
    numerics: Numerics
    weights: Held
    checker: Checker

    @property
    def weight_bytes(self) -> int:
        return sum(tensor.spec.byte_length for tensor in self.weights.tensors)


class KnownModels:
    """Models by id, bounded by the bytes of their weights."""

    def __init__(self, blobs: BlobReader, max_bytes: int = MAX_WEIGHT_BYTES) -> None:
        self._blobs, self._max_bytes = blobs, max_bytes
        self._known: OrderedDict[ModelId, Known] = OrderedDict()
        self._failed: dict[ModelId, RollupError] = {}

    def new_look(self) -> None:
        """What could not be loaded may be asked for again."""
        self._failed.clear()

    def know(self, record: Model, is_tested: bool = True) -> Known:
        """Raises what `load_model` and Checker raise; the same again until the next look, without another try.

        `is_tested`: whether a model that fails its own test here is refused.
        """
        id_ = model_id(record)
        if id_ in self._failed:
            raise self._failed[id_]
        if id_ not in self._known:
            try:
                self._keep(id_, self._load(record, is_tested))
            except RollupError as error:
                self._failed[id_] = error
                raise
        self._known.move_to_end(id_)
        return self._known[id_]

    @unrunnable("the model")
    def _load(self, record: Model, is_tested: bool) -> Known:
        _, lowered = load_program(self._blobs, record.graph_root)
        size = sum(step.result.byte_length for step in lowered.graph.steps)
        if size > MAX_RUN_BYTES:
            raise BadInput(f"a run of the model takes {size} bytes, at most {MAX_RUN_BYTES} are watched")
        loaded = load_model(self._blobs, record, self._max_bytes, is_tested=is_tested)
        weights = Held([to_canonical(weight) for weight in loaded.network.weights])
        return Known(record, loaded.network.graph, loaded.numerics, weights, Checker(loaded))

    def _keep(self, id_: ModelId, known: Known) -> None:
        held = sum(other.weight_bytes for other in self._known.values())
        while self._known and held + known.weight_bytes > self._max_bytes:
            held -= self._known.popitem(last=False)[1].weight_bytes
        self._known[id_] = known
