from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import BadEncoding, BadGraph
from rollup.graph import MAX_STEPS, Graph, Numerics, Op, Operand, Source, Step
from rollup.merkle import keccak256, sha256, top_of_run
from rollup.tensor import DType, TensorSpec

SPEC = TensorSpec(DType.F32, (2, 3))
RELU = Step(Op.RELU, SPEC, (Operand(Source.INPUT, 0, SPEC),))

specs = st.builds(TensorSpec, st.sampled_from(DType), st.lists(st.integers(1, 2**20), max_size=1).map(tuple))
operands = st.builds(Operand, st.sampled_from(Source), st.integers(0, 2**32 - 1), specs)
steps = st.builds(
    Step,
    st.sampled_from(Op),
    specs,
    st.lists(operands, max_size=4).map(tuple),
    st.integers(0, 255),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20).map(tuple),
)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        bytes(36),
        b"\xff" + RELU.record[1:],
        RELU.record[:-1],
        RELU.record + b"\0",
        RELU.record[:4] + b"\x08" + RELU.record[5:],
        RELU.record[:2] + b"\2" + RELU.record[3:],
    ],
)
def test_from_record__not_canonical__is_refused(record: bytes) -> None:
    with pytest.raises(BadEncoding):
        Step.from_record(record)


def test_from_record__operand_of_no_bundle__cannot_be_judged() -> None:
    with pytest.raises(BadGraph, match="operand source 3 is unknown"):
        Step.from_record(RELU.record[:36] + b"\3" + RELU.record[37:])


@given(steps)
def test_from_record__canonical__is_the_step(step: Step) -> None:
    assert Step.from_record(step.record) == step
    assert len(step.record) == 36 + 37 * len(step.operands) + 8 * len(step.attributes)


@given(steps, st.data())
def test_record__one_byte_changed__is_another_step_or_none(step: Step, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(step.record) - 1))
    changed = bytearray(step.record)
    changed[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(BadEncoding, BadGraph):
        assert Step.from_record(bytes(changed)) != step


@pytest.mark.parametrize(
    "operand",
    [
        Operand(Source.INPUT, 1, SPEC),
        Operand(Source.WEIGHT, 0, SPEC),
        Operand(Source.STEP, 0, SPEC),
        Operand(Source.STEP, 1, SPEC),
        Operand(Source.INPUT, 0, TensorSpec(DType.F32, (3, 2))),
    ],
)
def test_graph__operand_that_is_not_there__is_refused(operand: Operand) -> None:
    with pytest.raises(BadGraph, match=r"step 0 \(RELU\): operand 0 is not"):
        Graph((SPEC,), (), (replace(RELU, operands=(operand,)),))


def test_graph__every_fault__is_named_at_once() -> None:
    wrong = replace(RELU, operands=(Operand(Source.INPUT, 9, SPEC),), origin="features.3")
    with pytest.raises(BadGraph, match=r"step 0 \(features\.3\).*step 1 \(features\.3\)"):
        Graph((SPEC,), (), (wrong, wrong))


@pytest.mark.parametrize(("inputs", "count"), [((), 1), ((SPEC,), 0), ((SPEC,), MAX_STEPS + 1)])
def test_graph__without_inputs_or_steps_or_too_long__is_refused(inputs: tuple[TensorSpec, ...], count: int) -> None:
    with pytest.raises(BadGraph, match=f"1 to {MAX_STEPS} steps, got {count}"):
        Graph(inputs, (), (replace(RELU, operands=()),) * count)


def test_root__two_steps__is_the_definition() -> None:
    second = replace(RELU, operands=(Operand(Source.STEP, 0, SPEC),))
    graph = Graph((SPEC,), (SPEC,), (RELU, second))
    tag = keccak256(b"anh.v1.step")
    top = sha256(sha256(tag + RELU.record) + sha256(tag + second.record))
    header = bytes.fromhex("000000010000000100000002").ljust(32, b"\0")
    assert graph.root == sha256(keccak256(b"anh.v1.graph") + header + top)
    assert top_of_run([sha256(tag + second.record)], 1, 2, graph.step_path(1)) == top
    assert graph.output == SPEC


def test_root__origin__is_not_committed() -> None:
    named = replace(RELU, origin="layer")
    assert Graph((SPEC,), (), (named,)).root == Graph((SPEC,), (), (RELU,)).root


def test_numerics__root__is_the_definition() -> None:
    numerics = Numerics((0, 2048, 7))
    words = [value.to_bytes(32, "big") for value in (0, 2048, 7)]
    top = sha256(sha256(words[0] + words[1]) + sha256(words[2] + bytes(32)))
    assert numerics.root == sha256(keccak256(b"anh.v1.numerics") + b"\1" + bytes(31) + top)
    assert top_of_run([words[1]], 1, 3, numerics.path(1)) == top
