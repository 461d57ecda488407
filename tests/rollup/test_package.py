"""Packages: what is stored under a graph root must lower to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rollup.blobs import Blobs, open_blobs
from rollup.errors import BadEncoding, BadGraph, BadInput, NotFound
from rollup.graph import Graph, Numerics
from rollup.lowering import lower
from rollup.package import (
    Package,
    find_records,
    load_program,
    load_records,
    load_weights,
    read_folder,
    store,
    store_records,
    write_folder,
)
from rollup.program import MAX_PROGRAM_BYTES, Program
from rollup.tensor import Bundle, DType, Tensor, TensorSpec
from rollup.types import GraphRoot
from tests.rollup.programs import small


def package() -> Package:
    return Package(small(), tuple(Tensor(weight.spec, bytes(weight.spec.byte_length)) for weight in small().weights))


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(tmp_path / "blobs")


def test_a_folder_without_a_program__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no program\.json"):
        read_folder(tmp_path)


def test_a_program_file_too_long__is_refused_unread(tmp_path: Path) -> None:
    write_folder(tmp_path, small(), package().weights)
    with (tmp_path / "program.json").open("r+b") as file:
        file.truncate(MAX_PROGRAM_BYTES + 1)
    with pytest.raises(BadEncoding, match="at most 8388608 are read"):
        read_folder(tmp_path)


def test_pickled_weights__are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, small(), package().weights)
    (tmp_path / "weights.safetensors").write_bytes(b"\x80\x04\x95" + bytes(64))
    with pytest.raises(BadEncoding):
        read_folder(tmp_path)


def test_a_folder__is_read_back(tmp_path: Path) -> None:
    write_folder(tmp_path, small(), package().weights)
    again = read_folder(tmp_path)
    assert again.program == small()
    assert [tensor.root for tensor in again.weights] == [tensor.root for tensor in package().weights]


def test_a_model_that_could_be_struck__is_not_stored(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lowering makes no such graph; if it ever did, nobody would lose a bond for it."""
    lowered = lower(small())
    first = lowered.graph.steps[0]
    wrong = replace(first, result=TensorSpec(DType.BOOL, first.result.shape))
    graph = Graph(lowered.graph.inputs, lowered.graph.weights, (wrong,))
    monkeypatch.setattr("rollup.package.lower", lambda _: replace(lowered, graph=graph))
    with pytest.raises(BadGraph, match="element 0 cannot be judged"):
        store(blobs, package(), Numerics((0,)))
    assert not blobs.exists(graph.root)


def test_a_stored_model__shows_its_graph_by_program_and_by_records(blobs: Blobs) -> None:
    graph = lower(small()).graph
    root, _ = store(blobs, package(), Numerics((0,) * len(graph.steps)))
    records = tuple(step.record for step in graph.steps)
    assert load_records(blobs, root, graph.header) == records
    assert find_records(blobs, root, graph.header) == records


def test_records__are_found_where_another_program_stands_beside_them(blobs: Blobs) -> None:
    graph = lower(small()).graph
    records = [step.record for step in graph.steps]
    blobs.put_named(store_records(blobs, graph.header, records), b"{}")
    assert find_records(blobs, graph.root, graph.header) == tuple(records)


def test_another_program_under_a_root__is_refused(blobs: Blobs) -> None:
    other = Program(small().inputs, small().weights, small().calls[:-1])
    root = lower(small()).graph.root
    blobs.put_named(root, other.to_json())
    with pytest.raises(BadEncoding, match=f"0x{root.hex()} lowers to 0x{lower(other).graph.root.hex()}"):
        load_program(blobs, root)


def test_a_malformed_program_under_a_root__is_refused(blobs: Blobs) -> None:
    blobs.put_named(bytes(32), small().to_json().replace(b'"groups":[2]', b'"groups":[3]'))
    with pytest.raises(BadGraph, match="3 groups"):
        load_program(blobs, GraphRoot(bytes(32)))


def test_too_few_weights__are_refused(blobs: Blobs) -> None:
    root = blobs.put_tensors(list(package().weights[:2]))
    with pytest.raises(BadEncoding, match="2 tensors, the program 3 weights"):
        load_weights(blobs, root, small())


def test_what_is_stored__is_loaded(blobs: Blobs) -> None:
    numerics = Numerics((256,) * len(lower(small()).graph.steps))
    graph_root, weights_root = store(blobs, package(), numerics)
    program, lowered = load_program(blobs, graph_root)
    assert program == small()
    assert lowered.graph.root == graph_root
    assert Bundle([tensor.root for tensor in load_weights(blobs, weights_root, program)]).root == weights_root
    assert blobs.get_numerics(numerics.root) == numerics


def test_an_unknown_root__is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        load_program(blobs, GraphRoot(bytes(32)))
