"""From a pushed folder to a registered model: check, calibrate, store, and the record that goes on chain.

Knows nothing of keys and transactions; who calls it sends `register`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from executor.calibration import Calibration, calibrate
from executor.models import draw_inputs
from executor.network import Network
from executor.tensors import bits_of_f32_above
from rollup.blobs import Blobs
from rollup.errors import BadInput
from rollup.package import Package, store
from rollup.tensor import DType
from rollup.types import InputSpec, Model, Windows

DRAWN_SAMPLES = 32
MAX_SAMPLES = 4096
SEED = 1


@dataclass(frozen=True)
class Terms:
    """What a model's owner chooses. `lo`, `hi`: inclusive range of every input's elements."""

    lo: float
    hi: float
    min_bond_gas: int
    windows: Windows


@dataclass(frozen=True)
class Registration:
    """What goes on chain, and the measurements behind it."""

    record: Model
    calibration: Calibration


def prepare(blobs: Blobs, package: Package, terms: Terms, samples: Sequence[Sequence[Tensor]] = ()) -> Registration:
    """Calibrates a package on `samples` and on inputs drawn over the ranges, and stores its blobs.

    Raises BadInput for an empty range or for inputs on which the model overflows.
    """
    network = Network.from_package(package)
    inputs = tuple(_input(spec.header, spec.dtype, terms) for spec in network.graph.inputs)
    drawn = draw_inputs(inputs, DRAWN_SAMPLES, SEED)
    calibration = calibrate(network, [*samples[:MAX_SAMPLES], *drawn])
    graph_root, weights_root = store(blobs, package, calibration.numerics)
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


def _input(header: bytes, dtype: DType, terms: Terms) -> InputSpec:
    if not terms.lo <= terms.hi:
        raise BadInput(f"the range of the inputs {terms.lo}..{terms.hi} is empty")
    if dtype is DType.F32:
        lo, hi = (int.from_bytes(struct.pack(">f", value), "big") for value in (terms.lo, terms.hi))
        return InputSpec(header, lo, hi)
    return InputSpec(header, int(terms.lo), int(terms.hi))
