"""Models in memory: loaded from blobs by what the registry says of them, every root verified, the least used dropped.

A model that fails its own test on this machine is not run: whoever claims with it could be rejected.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from executor.network import Network
from executor.replay import replay_batch
from executor.retained import find, keep, name_of
from executor.runner import Runner
from executor.tensors import canonical_bytes, f32_of_bits, from_bytes, from_canonical
from executor.trace import Request, Trace, is_inside, recompute, replay, trace_for
from rollup.blobs import BlobReader, Blobs
from rollup.codec import model_id
from rollup.errors import BadEncoding, Doubt, Overloaded
from rollup.graph import Numerics
from rollup.package import load_program, load_weights
from rollup.program import Program
from rollup.tensor import DType, TensorSpec
from rollup.types import InputSpec, Model, ModelId

MAX_CACHE_BYTES = 2**33
SELF_TEST_SEED = 0
# Inputs are drawn within this, however wide their range is: bands are absolute, and ranges may end where f32 does.
MAX_DRAWN = 2.0**20


@dataclass(frozen=True)
class LoadedModel:
    """A registered model, ready to run and to be traced."""

    record: Model
    network: Network
    numerics: Numerics
    runner: Runner
    # Where retained runs may lie.
    blobs: BlobReader | None = None

    def trace(self, inputs: Sequence[bytes], claimed: bytes) -> Trace:
        """A trace for a claimed output (canonical bytes). Raises Doubt if there is none that passes its own check."""
        name = name_of(self.record.graph_root, inputs, claimed)
        kept = None if self.blobs is None else find(self.blobs, name)
        request = Request(inputs, claimed, f32_of_bits(self.record.output_band))
        return trace_for(self.network, self.numerics, self.runner, request, kept)

    def run_retaining(self, blobs: Blobs, requests: Sequence[Sequence[bytes]]) -> list[bytes]:
        """Canonical output bytes of each request, each with its trace in `blobs`.

        Runs call by call, at a multiple of a fast run's cost. Where a run leaves its calibrated bounds, the float64 run
        is claimed in its place, so that no claim made here can be rejected.
        """
        specs = self.network.program.inputs
        batch = [[from_bytes(spec, data) for spec, data in zip(specs, inputs, strict=True)] for inputs in requests]
        alone = [[place] for place in range(len(batch))]
        outputs = []
        for places in [range(len(batch))] if self.network.expanded.batchable else alone:
            part = [batch[place] for place in places]
            made = replay_batch(self.network, part, range(len(part)), self.runner.device, self.numerics.profile)
            for place, results in zip(places, made, strict=True):
                outputs.append(self._retained(blobs, requests[place], batch[place], results))
        return outputs

    def _retained(self, blobs: Blobs, data: Sequence[bytes], inputs: Sequence[Tensor], results: list[Tensor]) -> bytes:
        if not is_inside(self.network, self.numerics, inputs, results):
            results = recompute(self.network, inputs, self.numerics.profile)
        output = canonical_bytes(results[-1])
        keep(blobs, name_of(self.record.graph_root, data, output), results)
        return output


class Models:
    """Cache of loaded models, bounded by the bytes of their weights. Threads may share it."""

    def __init__(self, blobs: BlobReader, max_bytes: int = MAX_CACHE_BYTES, device: str = "cpu") -> None:
        self._blobs = blobs
        self._max_bytes = max_bytes
        self._device = device
        self._lock = threading.Lock()
        self._loaded: OrderedDict[ModelId, LoadedModel] = OrderedDict()

    def load(self, record: Model) -> LoadedModel:
        """The model of a registry record.

        Raises NotFound or Unavailable where blobs are missing, BadEncoding where one is not what the record names,
        Overloaded for a model larger than the cache, Doubt if it fails its own test here.
        """
        id_ = model_id(record)
        with self._lock:
            if id_ not in self._loaded:
                loaded = load_model(self._blobs, record, self._max_bytes, self._device, self._kin_of(record))
                self._make_room(loaded.network.byte_length)
                self._loaded[id_] = loaded
            self._loaded.move_to_end(id_)
            return self._loaded[id_]

    def _kin_of(self, record: Model) -> Network | None:
        """A network in memory with the same weights: another bucket of a family."""
        kin = (model for model in self._loaded.values() if model.record.weights_root == record.weights_root)
        return next((model.network for model in kin), None)

    def _make_room(self, wanted: int) -> None:
        while self._loaded and wanted + sum(model.network.byte_length for model in self._loaded.values()) > (
            self._max_bytes
        ):
            self._loaded.popitem(last=False)


def load_model(
    blobs: BlobReader,
    record: Model,
    max_bytes: int,
    device: str = "cpu",
    kin: Network | None = None,
    is_tested: bool = True,
) -> LoadedModel:
    """Loads and tests one model; see `Models.load`. The weights of `kin`, verified before, are shared.

    Without the test a model is good for doubting only: a liar who chooses weights also chooses whether they pass it.
    """
    program, lowered = load_program(blobs, record.graph_root)
    size = sum(weight.spec.byte_length for weight in program.weights)
    if size > max_bytes:
        raise Overloaded(f"the weights have {size} bytes, at most {max_bytes} are held here", retry_after_seconds=0)
    graph = lowered.graph
    headers = (graph.header, tuple(spec.header for spec in graph.inputs), graph.output.header)
    registered = (record.graph_header, tuple(item.header for item in record.inputs), record.output_header)
    if headers != registered:
        raise BadEncoding(f"the headers registered for the graph 0x{graph.root.hex()} are not its own")
    numerics = blobs.get_numerics(record.numerics_root)
    if len(numerics.factors) != len(graph.steps):
        raise BadEncoding(f"the numerics have {len(numerics.factors)} factors, the graph {len(graph.steps)} steps")
    if kin is not None and _specs(kin.program) == _specs(program):
        weights = kin.weights
    else:
        weights = tuple(from_canonical(tensor) for tensor in load_weights(blobs, record.weights_root, program))
    network = Network(program, lowered, weights)
    loaded = LoadedModel(record, network, numerics, Runner(network, device), blobs)
    if is_tested:
        self_test(loaded)
    return loaded


def _specs(program: Program) -> list[TensorSpec]:
    return [weight.spec for weight in program.weights]


def self_test(model: LoadedModel) -> None:
    """Runs one drawn input. Raises Doubt if the fast path repeats itself not, or leaves its bounds or its band."""
    drawn = draw_inputs(model.record.inputs, 1, SELF_TEST_SEED)[0]
    inputs = [canonical_bytes(tensor) for tensor in drawn]
    first, second = (model.runner.run([inputs])[0] for _ in range(2))
    if first != second:
        raise Doubt(f"the graph 0x{model.record.graph_root.hex()} gives two outputs for one input on this machine")
    name = f"the graph 0x{model.record.graph_root.hex()}"
    fast = replay(model.network, model.runner, drawn, model.numerics.profile)
    if not is_inside(model.network, model.numerics, drawn, fast):
        raise Doubt(f"a fast run of {name} leaves its calibrated bounds on this machine")
    exact = recompute(model.network, drawn, model.numerics.profile)
    if not is_inside(model.network, model.numerics, drawn, exact):
        raise Doubt(f"a float64 run of {name} leaves its calibrated bounds on this machine")


def draw_inputs(inputs: Sequence[InputSpec], count: int, seed: int) -> list[list[Tensor]]:
    """`count` requests' inputs, uniform over the registered ranges, of f32 as far as they lie within `MAX_DRAWN`."""
    generator = np.random.default_rng(seed)
    return [[_draw(item, generator) for item in inputs] for _ in range(count)]


def drawn_range(item: InputSpec) -> tuple[float, float]:
    """Least and greatest value that is drawn for an input; all of a range that lies wholly outside `MAX_DRAWN`."""
    spec = TensorSpec.from_header(item.header)
    if spec.dtype is not DType.F32:
        return item.lo, item.hi
    low, high = f32_of_bits(item.lo), f32_of_bits(item.hi)
    within = max(low, -MAX_DRAWN), min(high, MAX_DRAWN)
    return within if within[0] <= within[1] else (low, high)


def _draw(item: InputSpec, generator: np.random.Generator) -> Tensor:
    spec = TensorSpec.from_header(item.header)
    if spec.dtype is DType.F32:
        low, high = drawn_range(item)
        return torch.from_numpy((generator.random(spec.shape) * (high - low) + low).astype(np.float32))
    values = generator.integers(item.lo, item.hi, size=spec.shape, endpoint=True)
    return from_bytes(spec, values.astype(spec.dtype.numpy).tobytes())
