"""The timeline: where positions lie in values, and which programs cannot be made position by position."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.generation.timeline import Time, follow
from rollup.call import Function, Ref
from rollup.errors import BadGraph
from rollup.graph import Source
from rollup.program import Program
from tests.executor.generation.decoders import decoder_module, decoder_of

LENGTH = 11


class Form(nn.Module):
    """An expression of embedded tokens [N, T, 4]."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.table, self.function = nn.Embedding(5, 4), function

    def forward(self, tokens: Tensor) -> Tensor:
        return self.function(self.table(tokens))


def program_of(module: nn.Module) -> Program:
    return capture(module.eval().requires_grad_(False), (torch.zeros(1, LENGTH, dtype=torch.long),)).program


def form(function: Callable[[Tensor], Tensor]) -> Program:
    return program_of(Form(function))


def time_of_output(program: Program) -> Time:
    last = len(program.calls) - 1
    return follow(program, last).times[Ref(Source.STEP, last)]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x.mean(1, keepdim=True) + x, "reads across positions"),
        (lambda x: x.softmax(1), "reads across positions|mean|softmax"),
        (lambda x: x.flip(1) + x, "flip reads across positions"),
        (lambda x: torch.cat([x[:, :1], x], 1), "cat reads across positions"),
        (lambda x: x[:, ::2], "every 2th position"),
        (lambda x: torch.relu(x).reshape(1, LENGTH * 4) * 2, "merges the positions"),
    ],
)
def test_a_call_that_reads_across_positions__is_named(function: Callable[[Tensor], Tensor], reason: str) -> None:
    program = form(function)
    with pytest.raises(BadGraph, match=reason):
        follow(program, len(program.calls) - 1)


def test_a_recurrent_network__is_named() -> None:
    program = program_of(decoder_module("gru"))
    with pytest.raises(BadGraph, match="gru reads across positions"):
        follow(program, len(program.calls) - 1)


def test_a_value_that_ends_before_the_target_does__is_named() -> None:
    program = form(lambda x: x[:, 1:] * 2 + x[:, :-1])
    with pytest.raises(BadGraph, match="has no row for some position"):
        follow(program, len(program.calls) - 1)


def test_positions_that_are_cut_out__are_counted_from_the_texts_first() -> None:
    program = form(lambda x: (x[:, 3:] * 2)[:, :4] + 1)
    assert time_of_output(program) == Time(1, 3, 4)


def test_positions__are_followed_through_views_and_permutations() -> None:
    program = form(lambda x: x.reshape(1, LENGTH, 2, 2).transpose(1, 2).reshape(2, LENGTH, 2) * 2)
    assert time_of_output(program) == Time(1, 0, LENGTH)


def test_a_position_that_reads_the_one_before__keeps_its_rows() -> None:
    program = form(lambda x: (x[:, 1:] * 2 + x[:, :-1])[:, :-1])
    timeline = follow(program, len(program.calls) - 1)
    assert time_of_output(program) == Time(1, 1, LENGTH - 2)
    assert [program.calls[ref.index].function for ref in timeline.kept] == [Function.SLICE]


@pytest.mark.parametrize(("name", "kept"), [("gpt2", 4), ("llama", 4), ("characters", 3)])
def test_attention__keeps_keys_and_values_and_little_else(name: str, kept: int) -> None:
    decoder = decoder_of(name, sampled=False)
    timeline = follow(decoder.network.program, decoder.rows.place)
    # Characters keep the embedding of the token before, too.
    assert len(timeline.kept) == kept
    for row in timeline.calls:
        whole = decoder.network.program.results[row.place].spec
        assert row.value.spec.elements * row.time.size == whole.elements


def test_what_depends_on_no_token__is_made_once() -> None:
    program = form(lambda x: x * 2)
    timeline = follow(program, len(program.calls) - 1)
    assert timeline.still == ()
    assert {row.place for row in timeline.calls} == set(range(len(program.calls)))
