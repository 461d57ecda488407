"""From a pushed folder to a registered model: check, calibrate, store, and the record that goes on chain.

Knows nothing of keys and transactions; who calls it sends `register`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from executor.calibration import DEFAULT_PLAN, Calibration, Plan, Tell, calibrate, silent
from executor.models import draw_inputs
from executor.network import Network
from executor.tensors import bits_of_f32_above, from_canonical
from rollup.blobs import Blobs
from rollup.errors import BadInput
from rollup.package import Package, store
from rollup.program import Program, Weight
from rollup.tensor import DType, TensorSpec
from rollup.types import InputSpec, Model, Windows
from rollup.weights import read_shapes, read_weights

DRAWN_SAMPLES = 32
MAX_SAMPLES = 4096
SEED = 1
MAX_F32 = 2.0**128 - 2.0**104


@dataclass(frozen=True)
class Terms:
    """What a model's owner chooses. `lo`, `hi`: inclusive range of every input's elements, `ranges` of each one's."""

    lo: float
    hi: float
    min_bond_gas: int
    windows: Windows
    ranges: tuple[tuple[float, float], ...] = ()

    def range_of(self, place: int) -> tuple[float, float]:
        """Inclusive range of the elements of input `place`. Raises BadInput if it is empty or not within f32."""
        lo, hi = self.ranges[place] if self.ranges else (self.lo, self.hi)
        if not -MAX_F32 <= lo <= hi <= MAX_F32:
            raise BadInput(f"the range of the inputs {lo}..{hi} is empty or not within ±{MAX_F32:.4g}")
        return lo, hi


@dataclass(frozen=True)
class Registration:
    """What goes on chain, and the measurements behind it."""

    record: Model
    calibration: Calibration


Samples = Sequence[Sequence[Tensor]]


def measure(
    network: Network, terms: Terms, samples: Samples = (), plan: Plan = DEFAULT_PLAN, tell: Tell = silent
) -> Calibration:
    """Calibrates a model on `samples` and on inputs drawn over the ranges; `tell` hears how far it is.

    Raises BadInput for an empty range or for inputs on which the model overflows.
    """
    drawn = draw_inputs(_inputs(network, terms), DRAWN_SAMPLES, SEED)
    return calibrate(network, [*samples[:MAX_SAMPLES], *drawn], plan, tell)


def prepare(blobs: Blobs, package: Package, terms: Terms, samples: Samples = ()) -> Registration:
    """Calibrates a package and stores its blobs; raises what `measure` raises."""
    return enter(blobs, package, terms, measure(Network.from_package(package), terms, samples))


def enter(blobs: Blobs, package: Package, terms: Terms, calibration: Calibration) -> Registration:
    """Stores the blobs of a package that was calibrated, its calibration's document among them.

    Raises BadInput for an empty range.
    """
    network = Network.from_package(package)
    inputs = _inputs(network, terms)
    graph_root, weights_root = store(blobs, package, calibration.numerics)
    blobs.put_named(calibration.document_name, calibration.document)
    record = Model(
        graph_root=graph_root,
        graph_header=network.graph.header,
        weights_root=weights_root,
        numerics_root=calibration.numerics.root,
        numerics_header=calibration.numerics.header,
        inputs=inputs,
        output_header=network.graph.output.header,
        output_band=bits_of_f32_above(calibration.output_band),
        slash_band=bits_of_f32_above(calibration.slash_band),
        min_bond_gas=terms.min_bond_gas,
        windows=terms.windows,
    )
    return Registration(record, calibration)


def _inputs(network: Network, terms: Terms) -> tuple[InputSpec, ...]:
    specs = network.graph.inputs
    if len(terms.ranges) not in (0, len(specs)):
        raise BadInput(f"{len(terms.ranges)} ranges are given for {len(specs)} inputs")
    return tuple(_input(spec, terms.range_of(place)) for place, spec in enumerate(specs))


def require_one_weights(registrations: Sequence[Registration]) -> None:
    """Raises BadInput unless all have the same weights, as the buckets of a family do."""
    roots = {registration.record.weights_root for registration in registrations}
    if len(roots) > 1:
        raise BadInput(f"the buckets of a family share their weights, these have {len(roots)} different ones")


def _input(spec: TensorSpec, ends: tuple[float, float]) -> InputSpec:
    if spec.dtype is DType.F32:
        lo, hi = (int.from_bytes(struct.pack(">f", value), "big") for value in ends)
        return InputSpec(spec.header, lo, hi)
    return InputSpec(spec.header, int(ends[0]), int(ends[1]))


def read_samples(path: Path, program: Program) -> list[list[Tensor]]:
    """Requests' inputs from a safetensors file: `input_0` [n, ...] and so on, each n of the input's own shape.

    Raises BadInput for another n per input, BadEncoding for a file that is none or does not fit.
    """
    count = _count(path)
    specs = [
        Weight(f"input_{place}", TensorSpec(spec.dtype, (count, *spec.shape[1:])))
        for place, spec in enumerate(program.inputs)
    ]
    tensors = [from_canonical(tensor) for tensor in read_weights(path, specs)]
    return [[tensor[place : place + 1] for tensor in tensors] for place in range(count)]


def _count(path: Path) -> int:
    """Leading size of `input_0`."""
    shape = read_shapes(path).get("input_0", ())
    if not shape or not 1 <= shape[0] <= MAX_SAMPLES:
        raise BadInput(f"{path.name} has no input_0 of 1 to {MAX_SAMPLES} samples")
    return shape[0]
