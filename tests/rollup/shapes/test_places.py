"""Where requests lie: what torch makes of three at once, cut at their places, is what it makes of each alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rollup.call import Call, Function, Place, Value
from rollup.shapes import result_of
from rollup.tensor import DType, TensorSpec
from tests.rollup.programs import INPUT, f32, options
from tests.rollup.specimens import Specimen, call_of, specimens

# Functions that are given requests in another dimension than the first.
MOVED = [specimen for specimen in specimens() if len(specimen.inputs) == 1]
REQUESTS = 3


def several(x: Tensor) -> list[Tensor]:
    """Different requests of the same shape."""
    return [x.roll(place, -1) for place in range(REQUESTS)]


def cut(value: Value, result: Tensor) -> list[Tensor]:
    """Each request's part of what was made of all of them."""
    parts = result.reshape(value.outer, REQUESTS, -1).movedim(1, 0)
    return [part.reshape(value.shape) for part in parts]


def result_with(specimen: Specimen, values: list[Value]) -> Value:
    refs = [ref for call in specimen.program.calls for ref in call.operands]
    weights = [Value(weight.spec, batched=False) for weight in specimen.program.weights]
    return result_of(call_of(specimen.function, refs, specimen.options), [*values, *weights])


def agree(a: Tensor, b: Tensor) -> bool:
    if not a.is_floating_point():
        return torch.equal(a, b)
    return torch.allclose(a.float(), b.float(), rtol=1e-2 if a.dtype is torch.bfloat16 else 1e-4, atol=1e-5)


@pytest.mark.parametrize("specimen", specimens(), ids=lambda specimen: specimen.title)
def test_requests_side_by_side__are_apart(specimen: Specimen) -> None:
    value = specimen.program.results[0]
    assert value.place is not None
    alone = [several(x) for x in specimen.inputs]
    together = specimen.reference(*(torch.cat(parts) for parts in alone), *specimen.weights)
    for number, part in enumerate(cut(value, together)):
        one = specimen.reference(*(parts[number] for parts in alone), *specimen.weights)
        assert agree(part, one)


@pytest.mark.parametrize("specimen", MOVED, ids=lambda specimen: specimen.title)
def test_requests_in_another_dimension__are_apart_or_known_to_be_mixed(specimen: Specimen) -> None:
    (x,) = specimen.inputs
    spec = specimen.program.inputs[0]
    for axis in range(1, x.dim()):
        value = result_with(specimen, [Value(spec, batched=True, place=Place(axis))])
        if value.place is None or specimen.function in (Function.VIEW, Function.EXPAND, Function.CAT):
            continue
        together = specimen.reference(torch.cat(several(x), axis), *specimen.weights)
        for part, alone in zip(cut(value, together), several(x), strict=True):
            assert agree(part, specimen.reference(alone, *specimen.weights))


def viewed(value: Value, *shape: int) -> Place | None:
    return result_of(Call(Function.VIEW, (INPUT,), options(shape=shape)), [value]).place


def test_a_view__is_followed_through_merged_and_split_dimensions() -> None:
    # [T, N, E] as attention over batches in the second dimension has it.
    value = Value(f32(6, 1, 8), batched=True, place=Place(1))
    assert viewed(value, 6, 8) == Place(0, 6)
    # Heads come out of the requests' dimension: [T, N * heads, width].
    assert viewed(value, 6, 2, 4) == Place(1, 1)
    assert viewed(value, 2, 3, 1, 8) == Place(2)
    assert viewed(value, 1, 6, 1, 8) == Place(2)
    assert viewed(value, 12, 4) == Place(0, 6)
    assert viewed(value, 4, 12) is None


def test_a_merged_view__is_undone() -> None:
    merged = Value(f32(6, 8), batched=True, place=Place(0, 6))
    assert viewed(merged, 6, 1, 8) == Place(1)
    assert merged.outer == 6
    assert not merged.leads


def test_of_several_places__one_that_holds_nothing_else_is_taken() -> None:
    value = Value(f32(1, 4, 4), batched=True)
    assert viewed(value, 2, 8) == Place(0)
    assert viewed(value, 1, 16) == Place(0)
    assert viewed(value, 1, 1, 16) == Place(0)


ADD = Call(Function.ADD, (INPUT,) * 2)


@pytest.mark.parametrize(
    ("a", "b", "place"),
    [
        (Value(f32(1, 4), True), Value(f32(1, 4), True), Place()),
        (Value(f32(1, 4), True), Value(f32(4), False), Place()),
        (Value(f32(1, 4), True), Value(f32(3, 4), False), None),
        (Value(f32(2, 4), True), Value(f32(2, 4), False), None),
        (Value(f32(1, 4), True), Value(f32(1, 1, 4), True), None),
        (Value(f32(1, 4), True), Value(f32(2, 1, 4), False), Place(1)),
        (Value(f32(4, 1), True, Place(1)), Value(f32(1, 4), True), None),
        (Value(f32(1, 4), True), Value(f32(1, 4), True, None), None),
        (Value(f32(6, 4), True, Place(0, 6)), Value(f32(6, 4), True), None),
        (Value(f32(6, 4), True, Place(0, 6)), Value(f32(6, 4), True, Place(0, 6)), Place(0, 6)),
    ],
)
def test_operands_that_meet__hold_requests_in_one_place(a: Value, b: Value, place: Place | None) -> None:
    assert result_of(ADD, [a, b]).place == place


def test_a_gather__repeats_no_constant() -> None:
    gather = Call(Function.GATHER, (INPUT,) * 2, options(dim=(1,)))
    table, index = f32(1, 5), Value(TensorSpec(DType.I64, (1, 3)), True)
    assert result_of(gather, [Value(table, False), index]).place is None
    assert result_of(gather, [Value(table, True), index]).place == Place()


def test_a_slice_of_the_requests__mixes_them() -> None:
    whole = Call(Function.SLICE, (INPUT,), options(dim=(0,), start=(0,), stop=(1,), step=(1,)))
    assert result_of(whole, [Value(f32(1, 4), True)]).place is None
