"""Passes over a text on the fast path, as straight torch code: of all positions at once, or of one after another.

A pass over all positions gives the target's rows and fills what a pass over one keeps of the earlier ones; what it
keeps of later ones comes from whatever stood there, which a causal program never reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from executor.generation.timeline import TOKENS, RowCall, Timeline, Use, needed_by
from executor.targets import target_of
from executor.tensors import torch_dtype
from rollup.call import Call, Function, Ref, Value
from rollup.graph import Source
from rollup.program import Program


class WholePass:
    """Results of some calls of one text: `run(tokens)` gives `wanted` (calls, or the tokens) in their order."""

    def __init__(self, program: Program, weights: Sequence[Tensor], wanted: Sequence[Ref]) -> None:
        code = _Code(weights)
        made = {TOKENS: code.placeholder("tokens")}
        for place in needed_by(program, [ref.index for ref in wanted if ref.source is Source.STEP]):
            call, value = program.calls[place], Value(program.results[place].spec, batched=False)
            operands = [made[ref] if ref in made else code.held(ref) for ref in call.operands]
            made[Ref(Source.STEP, place)] = code.call(call, value, operands)
        self._module = code.finish(tuple(made[ref] for ref in wanted))

    def run(self, tokens: Tensor) -> tuple[Tensor, ...]:
        """`tokens`: i64 or i32 [1, T]."""
        results: tuple[Tensor, ...] = self._module(tokens)
        return results


class RowPass:
    """The target's row for one position after another; what earlier ones left stands in `caches`."""

    def __init__(self, program: Program, weights: Sequence[Tensor], timeline: Timeline) -> None:
        self.kept = tuple(sorted(timeline.kept, key=lambda ref: (ref.source, ref.index)))
        code = _Code(weights)
        self._caches = {ref: _cache(code, program, ref) for ref in self.kept}
        self._writer = _RowWriter(code, program, timeline, self._caches)
        self._module = self._writer.module
        self._firsts = self._writer.firsts

    @property
    def cache_bytes(self) -> int:
        return sum(cache.numel() * cache.element_size() for cache in self._caches.values())

    def fill(self, values: Sequence[Tensor]) -> None:
        """Caches of a text, from the whole values of `kept`."""
        for cache, value in zip(self._caches.values(), values, strict=True):
            cache.copy_(value)

    def step(self, position: int, token: Tensor) -> Tensor:
        """The row that is made once the token [1, 1] at `position` is known."""
        row: Tensor = self._module(token, *(position - first for first in self._firsts))
        return row


def _cache(code: _Code, program: Program, ref: Ref) -> Tensor:
    spec = program.value(ref).spec
    return code.add(_cache_name(ref), torch.zeros(spec.shape, dtype=torch_dtype(spec.dtype)))


def _cache_name(ref: Ref) -> str:
    return f"cache_{ref.source.name.lower()}_{ref.index}"


class _RowWriter:
    """Writes the code of one position. Rows that are kept are put into their cache before anything reads it."""

    def __init__(self, code: _Code, program: Program, timeline: Timeline, caches: dict[Ref, Tensor]) -> None:
        self._code, self._program, self._timeline, self._caches = code, program, timeline, caches
        self._made = {TOKENS: code.placeholder("token")}
        self.firsts = tuple(sorted({time.first for time in timeline.times.values()}))
        self._at = {first: code.placeholder(f"row_{first}") for first in self.firsts}
        self._still: dict[Ref, fx.Node] = {}
        for place in timeline.still:
            call, value = program.calls[place], Value(program.results[place].spec, batched=False)
            operands = [self._constant(ref) for ref in call.operands]
            self._still[Ref(Source.STEP, place)] = code.folded(call, value, operands, place)
        self._keep(TOKENS)
        for row in timeline.calls:
            self._made[Ref(Source.STEP, row.place)] = code.call(row.call, row.value, self._operands(row))
            self._keep(Ref(Source.STEP, row.place))
        self.module = code.finish(self._made[Ref(Source.STEP, timeline.calls[-1].place)])

    def _operands(self, row: RowCall) -> list[fx.Node]:
        return [self._operand(use, self._at[row.time.first]) for use in row.uses]

    def _operand(self, use: Use, at: fx.Node) -> fx.Node:
        if use.ref in self._made and not use.kept:
            return self._made[use.ref]
        whole = self._code.buffer(_cache_name(use.ref)) if use.kept else self._constant(use.ref)
        return whole if use.row is None else self._code.function(torch.narrow, (whole, use.row, at, 1))

    def _constant(self, ref: Ref) -> fx.Node:
        return self._still[ref] if ref in self._still else self._code.held(ref)

    def _keep(self, ref: Ref) -> None:
        if ref in self._caches:
            time = self._timeline.times[ref]
            place = (self._code.buffer(_cache_name(ref)), time.axis, self._at[time.first], 1)
            self._code.function(Tensor.copy_, (self._code.function(torch.narrow, place), self._made[ref]))


class _Code:
    """Straight code over weights; everything in it is for one request."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._root = nn.Module()
        self._graph = fx.Graph()
        self._weights = weights
        self._device = weights[0].device if weights else torch.device("cpu")
        self._buffers: dict[str, fx.Node] = {}

    def placeholder(self, name: str) -> fx.Node:
        return self._graph.placeholder(name)

    def add(self, name: str, tensor: Tensor) -> Tensor:
        """Registers a buffer."""
        tensor = tensor.to(self._device)
        self._root.register_buffer(name, tensor)
        return tensor

    def buffer(self, name: str) -> fx.Node:
        if name not in self._buffers:
            self._buffers[name] = self._graph.get_attr(name)
        return self._buffers[name]

    def held(self, ref: Ref) -> fx.Node:
        """A weight."""
        name = f"weight_{ref.index}"
        if name not in self._buffers:
            self.add(name, self._weights[ref.index])
        return self.buffer(name)

    def function(self, target: Any, arguments: tuple[Any, ...]) -> fx.Node:
        return self._graph.call_function(target, arguments)

    def call(self, call: Call, value: Value, operands: Sequence[fx.Node]) -> fx.Node:
        target, arguments = target_of(call, value, operands)
        if call.function is Function.FULL:
            name = f"full_{len(self._buffers)}"
            self.add(name, target(*arguments))
            return self.buffer(name)
        return self.function(target, arguments)

    def folded(self, call: Call, value: Value, operands: Sequence[fx.Node], place: int) -> fx.Node:
        """A call of constants alone, made once and for all."""
        held = [getattr(self._root, str(node.target)) for node in operands]
        target, arguments = target_of(call, value, held)
        name = f"still_{place}"
        self.add(name, target(*arguments))
        return self.buffer(name)

    def finish(self, output: Any) -> fx.GraphModule:
        self._graph.output(output)
        return fx.GraphModule(self._root, self._graph)
