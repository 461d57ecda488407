"""Models: registered, stored, loaded again; whatever is not what the record names is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from executor.capture import capture
from executor.models import Models, draw_inputs
from executor.registration import Registration, Terms, prepare
from executor.tensors import canonical_bytes
from rollup.blobs import Blobs, open_blobs
from rollup.errors import BadEncoding, BadInput, Doubt, NotFound, Overloaded
from rollup.graph import Numerics
from rollup.package import Package
from rollup.tensor import TensorSpec
from rollup.types import Windows
from tests.executor.nets import ConvNet

TERMS = Terms(0.0, 1.0, 1_000_000, Windows(30, 20, 10, 10, 20))


def package(seed: int = 1, scale: float = 1.0) -> Package:
    torch.manual_seed(seed)
    module = ConvNet().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(scale)
    captured = capture(module, [torch.zeros(1, 1, 8, 8)])
    return Package(captured.program, captured.committed)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(tmp_path)


@pytest.fixture
def registered(blobs: Blobs) -> Registration:
    return prepare(blobs, package(), TERMS)


def test_an_empty_range__is_refused(blobs: Blobs) -> None:
    with pytest.raises(BadInput, match=r"1\.0\.\.0\.0 is empty"):
        prepare(blobs, package(), replace(TERMS, lo=1.0, hi=0.0))


def test_a_nan_range__is_refused(blobs: Blobs) -> None:
    with pytest.raises(BadInput, match="is empty"):
        prepare(blobs, package(), replace(TERMS, lo=float("nan")))


def test_an_unknown_graph__is_not_found(blobs: Blobs, registered: Registration, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Models(open_blobs(tmp_path / "empty")).load(registered.record)


def test_weights_of_another_model__are_loaded_only_under_their_own_root(blobs: Blobs, registered: Registration) -> None:
    other = prepare(blobs, package(2), TERMS)
    assert other.record.graph_root == registered.record.graph_root
    name = blobs.get_bundle(registered.record.weights_root).roots[0]
    path = next(path for path in blobs._store._folder.rglob(name.hex()))  # type: ignore[attr-defined]
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    assert Models(blobs).load(other.record)
    with pytest.raises(BadEncoding, match=f"0x{name.hex()} hashes to"):
        Models(blobs).load(registered.record)


def test_headers_that_are_not_the_graphs__are_refused(blobs: Blobs, registered: Registration) -> None:
    record = replace(registered.record, output_header=TensorSpec.from_header(registered.record.inputs[0].header).header)
    with pytest.raises(BadEncoding, match="are not its own"):
        Models(blobs).load(record)


def test_numerics_of_another_length__are_refused(blobs: Blobs, registered: Registration) -> None:
    short = Numerics((256,))
    blobs.put_numerics(short)
    with pytest.raises(BadEncoding, match="1 factors, the graph 12 steps"):
        Models(blobs).load(replace(registered.record, numerics_root=short.root))


def test_numerics_too_tight_for_this_machine__raise_doubt(blobs: Blobs, registered: Registration) -> None:
    tight = Numerics(tuple(min(factor, 1) for factor in registered.calibration.numerics.factors))
    blobs.put_numerics(tight)
    with pytest.raises(Doubt, match="leaves its calibrated bounds"):
        Models(blobs).load(replace(registered.record, numerics_root=tight.root))


def test_a_model_above_the_limit__is_refused_before_its_weights_are_read(
    blobs: Blobs, registered: Registration
) -> None:
    with pytest.raises(Overloaded, match="at most 1000 are held here"):
        Models(blobs, max_bytes=1000).load(registered.record)


def test_a_loaded_model__is_kept_until_there_is_no_room(blobs: Blobs, registered: Registration) -> None:
    other = prepare(blobs, package(2), TERMS)
    roomy, narrow = Models(blobs), Models(blobs, max_bytes=16_000)
    for models, kept in ((roomy, True), (narrow, False)):
        first = models.load(registered.record)
        models.load(other.record)
        assert (models.load(registered.record) is first) is kept


def test_a_loaded_model__runs_and_opens_what_it_ran(blobs: Blobs, registered: Registration) -> None:
    model = Models(blobs).load(registered.record)
    inputs = [canonical_bytes(tensor) for tensor in draw_inputs(registered.record.inputs, 1, 9)[0]]
    (output,) = model.runner.run([inputs])
    assert len(model.trace(inputs, output).tensors) == len(model.network.graph.steps)


def test_drawn_inputs__lie_in_the_registered_ranges(registered: Registration) -> None:
    drawn = draw_inputs(registered.record.inputs, 50, 3)
    values = torch.cat([request[0].flatten() for request in drawn])
    assert 0.0 <= float(values.min()) < 0.01
    assert 0.99 < float(values.max()) <= 1.0


def test_models_of_the_same_weights__share_them_in_memory(blobs: Blobs, registered: Registration) -> None:
    models = Models(blobs)
    bucket = replace(registered.record, min_bond_gas=registered.record.min_bond_gas + 1)
    first, second = models.load(registered.record), models.load(bucket)
    assert first is not second
    assert all(one is other for one, other in zip(first.network.weights, second.network.weights, strict=True))
