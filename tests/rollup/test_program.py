"""Programs: every malformed one is refused by a sentence that says why, and a good one survives its JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollup.call import Call, Function
from rollup.errors import BadEncoding, BadGraph
from rollup.program import MAX_PROGRAM_BYTES, Program, Weight
from rollup.tensor import DType
from tests.rollup.programs import INPUT, WINDOW, f32, made, options, small, weight


def program(*calls: Call, inputs: tuple[Any, ...] = (f32(1, 2, 4, 4),)) -> Program:
    weights = (Weight("w", f32(4, 2, 3, 3)), Weight("rows", f32(5, 4)), Weight("many", f32(3, 4)))
    return Program(inputs, weights, calls)


BAD_CALLS = {
    "names input 1 of 1": Call(Function.RELU, (INPUT.__class__(INPUT.source, 1),)),
    "names step 0 of 0": Call(Function.RELU, (made(0),)),
    "takes 1 to 1 operands, got 2": Call(Function.RELU, (INPUT, INPUT)),
    "takes the options": Call(Function.VIEW, (INPUT,)),
    "has 2 values, got 1": Call(Function.CONV2D, (INPUT, weight(0)), (("stride", (1,)), *WINDOW[1:], ("groups", (1,)))),
    "3 groups do not divide": Call(Function.CONV2D, (INPUT, weight(0)), (*WINDOW, ("groups", (3,)))),
    "does not fit into 4": Call(
        Function.MAX_POOL2D, (INPUT,), options(kernel=(5, 5), stride=(1, 1), padding=(0, 0), dilation=(1, 1), ceil=(0,))
    ),
    "above half of": Call(
        Function.MAX_POOL2D, (INPUT,), options(kernel=(2, 2), stride=(1, 1), padding=(2, 2), dilation=(1, 1), ceil=(0,))
    ),
    "cannot view": Call(Function.VIEW, (INPUT,), options(shape=(1, 31))),
    "does not order": Call(Function.PERMUTE, (INPUT,), options(dims=(0, 1, 1, 3))),
    "cannot take 3:9:1 of 4": Call(Function.SLICE, (INPUT,), options(dim=(2,), start=(3,), stop=(9,), step=(1,))),
    "cannot join": Call(Function.CAT, (INPUT, weight(1)), options(dim=(1,))),
    "takes [..,K] and [O,K]": Call(Function.LINEAR, (INPUT, weight(0))),
    "cannot broadcast [1, 2, 4, 4] and [5, 4]": Call(Function.ADD, (INPUT, weight(1))),
}


@pytest.mark.parametrize("sentence", BAD_CALLS)
def test_a_bad_call__is_refused_by_name(sentence: str) -> None:
    with pytest.raises(BadGraph) as refusal:
        program(BAD_CALLS[sentence])
    assert sentence in str(refusal.value)
    assert "call 0" in str(refusal.value)


MIXING = {
    "a weight per row": (
        Call(Function.VIEW, (INPUT,), options(shape=(4, 2, 2, 2))),
        Call(Function.MUL, (made(0), weight(3))),
    ),
    "rows of several requests": (
        Call(Function.PERMUTE, (INPUT,), options(dims=(1, 2, 3, 0))),
        Call(Function.SOFTMAX, (made(0),)),
    ),
    "requests joined": (Call(Function.CAT, (INPUT, INPUT), options(dim=(0,))),),
    "an output in another order": (Call(Function.PERMUTE, (INPUT,), options(dims=(1, 0, 2, 3))),),
}


@pytest.mark.parametrize("case", MIXING)
def test_a_program_that_mixes_requests__is_run_one_by_one(case: str) -> None:
    weights = (*[Weight(f"w{place}", f32(1)) for place in range(3)], Weight("rows", f32(4, 1, 1, 1)))
    assert not Program((f32(1, 2, 4, 4),), weights, MIXING[case]).batchable


def test_the_call_that_mixes_requests__is_named() -> None:
    calls = (
        Call(Function.RELU, (INPUT,)),
        Call(Function.EXPAND, (made(0),), options(shape=(2, 2, 4, 4)), "the.place"),
        Call(Function.RELU, (made(1),)),
    )
    assert program(*calls).mixing == "call 1 (the.place): expand mixes requests"


def test_requests_that_are_moved_and_moved_back__can_be_batched() -> None:
    calls = (
        Call(Function.PERMUTE, (INPUT,), options(dims=(2, 0, 1, 3))),
        Call(Function.VIEW, (made(0),), options(shape=(4, 8))),
        Call(Function.LINEAR, (made(1), weight(4))),
        Call(Function.VIEW, (made(2),), options(shape=(4, 1, 5))),
        Call(Function.PERMUTE, (made(3),), options(dims=(1, 0, 2))),
    )
    weights = (*[Weight(f"w{place}", f32(1)) for place in range(4)], Weight("rows", f32(5, 8)))
    assert Program((f32(1, 2, 4, 4),), weights, calls).batchable


def test_all_faults__stand_in_one_error() -> None:
    calls = (
        Call(Function.VIEW, (INPUT,), options(shape=(1, 31)), "first.place"),
        Call(Function.RELU, (made(0),), (), "innocent"),
        Call(Function.LINEAR, (INPUT, weight(0)), (), "second.place"),
    )
    with pytest.raises(BadGraph) as refusal:
        program(*calls)
    assert "first.place" in str(refusal.value)
    assert "second.place" in str(refusal.value)
    assert "innocent" not in str(refusal.value)


def test_a_value_too_large__is_refused_before_it_is_made() -> None:
    grow = Call(Function.EXPAND, (INPUT,), options(shape=(1, 2**20, 2**11)))
    with pytest.raises(BadGraph, match=r"makes 2147483648 elements, at most"):
        program(grow, inputs=(f32(1, 1, 2**11),))


def test_an_input_that_is_not_one_request__is_refused() -> None:
    with pytest.raises(BadGraph, match="is not one request"):
        program(Call(Function.RELU, (INPUT,)), inputs=(f32(2, 4),))


def test_an_output_without_the_input__is_refused() -> None:
    with pytest.raises(BadGraph, match="does not depend on an input"):
        program(Call(Function.RELU, (weight(0),)))


def test_weights_of_one_name__are_refused() -> None:
    with pytest.raises(BadGraph, match=r"share a name: \['w'\]"):
        Program((f32(1, 4),), (Weight("w", f32(1)), Weight("w", f32(2))), (Call(Function.RELU, (INPUT,)),))


def test_results__have_the_shapes_of_one_request() -> None:
    values = small().results
    assert [value.shape for value in values] == [(1, 4, 4, 4), (1, 4, 4, 4), (1, 4, 2, 2), (1, 16), (1, 3), (1,)]
    assert values[-1].dtype is DType.I64
    assert all(value.batched for value in values)


def test_json__gives_the_same_program_back() -> None:
    text = small().to_json()
    again = Program.from_json(text)
    assert again == small()
    assert again.to_json() == text
    assert again.calls[0].origin == "conv"


def edited(path: tuple[str | int, ...], value: object) -> bytes:
    document = json.loads(small().to_json())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("format",), "anh.program.v0", "a program's format is"),
        (("calls",), {}, "expected a list of at most"),
        (("calls", 0), [], "expected an object of"),
        (("calls", 0, "function"), "exec", "'exec' is no Function"),
        (("calls", 0, "function"), "RELU", "'RELU' is no Function"),
        (("calls", 0, "function"), ["relu"], "is no Function"),
        (("calls", 0, "options"), {"stride": [1, 1]}, "expected an object of"),
        (("calls", 0, "options", "stride"), [True, True], "expected integers"),
        (("calls", 0, "options", "stride"), [1.0, 1], "expected integers"),
        (("calls", 0, "options", "stride"), [2**63, 1], "expected integers"),
        (("calls", 0, "operands"), [["input", "0"]], "expected a source and an index"),
        (("calls", 0, "operands"), [["disk", 0]], "'disk' is no Source"),
        (("calls", 0, "origin"), "x" * 257, "at most 256 characters"),
        (("inputs", 0, "shape"), [1, 2, 4, 4], "begins with 'N'"),
        (("inputs", 0, "shape"), ["N", 0], "dimension 0"),
        (("inputs", 0, "shape"), ["N", 1, 1, 1, 1, 1, 1, 1], "at most 7"),
        (("inputs", 0, "dtype"), "f64", "'f64' is no DType"),
        (("weights", 0, "shape"), [2**31, 4], "above 4294967295"),
        (("weights", 0, "shape"), [-1], "dimension -1"),
    ],
)
def test_bad_json__is_refused(path: tuple[str | int, ...], value: object, sentence: str) -> None:
    with pytest.raises((BadEncoding, BadGraph)) as refusal:
        Program.from_json(edited(path, value))
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("text", [b"", b"\x80", b"[]", b"{}", b"[" * 100_000, b"1" * 5000])
def test_what_is_no_program__is_refused(text: bytes) -> None:
    with pytest.raises(BadEncoding):
        Program.from_json(text)


def test_too_long_a_text__is_refused_unread() -> None:
    with pytest.raises(BadEncoding, match="at most 8388608 bytes, got 8388609"):
        Program.from_json(b" " * (MAX_PROGRAM_BYTES + 1))
