"""Builds a program call by call, with each value's shape known as soon as it is made.

Names its constants, orders its weights by first use, and says where in the user's module a call was refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from executor.tensors import spec_of
from rollup.call import SIGNATURES, Call, Function, Ref, Value
from rollup.errors import BadGraph
from rollup.graph import Source
from rollup.program import Program, Weight
from rollup.shapes import result_of
from rollup.tensor import TensorSpec


class Emitter:
    """A program in the making. `origin` is put on every call made until it changes."""

    def __init__(self, inputs: Sequence[TensorSpec]) -> None:
        self._inputs = tuple(inputs)
        self._calls: list[Call] = []
        self._results: list[Value] = []
        self._names: dict[str, int] = {}
        self._tensors: list[Tensor] = []
        self.origin = ""

    def call(self, function: Function, *operands: Ref, **options: Sequence[int]) -> Ref:
        """Appends a call. Options come in any order. Raises BadGraph if it has no result."""
        ordered = tuple((name, tuple(options[name])) for name, _ in SIGNATURES[function].options)
        call = Call(function, operands, ordered, self.origin)
        self._results.append(result_of(call, [self.value(operand) for operand in operands]))
        self._calls.append(call)
        return Ref(Source.STEP, len(self._calls) - 1)

    def weight(self, name: str, tensor: Tensor) -> Ref:
        """The weight called `name`, added when first used."""
        if name not in self._names:
            self._names[name] = len(self._names)
            self._tensors.append(tensor.detach().contiguous())
        return Ref(Source.WEIGHT, self._names[name])

    def constant(self, tensor: Tensor) -> Ref:
        """A weight that the user's module does not name."""
        return self.weight(f"constant.{self.origin}.{len(self._names)}", tensor)

    def value(self, ref: Ref) -> Value:
        if ref.source is Source.STEP:
            return self._results[ref.index]
        if ref.source is Source.INPUT:
            return Value(self._inputs[ref.index], batched=True)
        return Value(spec_of(self.take(ref)), batched=False)

    def take(self, ref: Ref) -> Tensor:
        """Values of the weight that `ref` names."""
        return self._tensors[ref.index]

    def shape(self, ref: Ref) -> tuple[int, ...]:
        return self.value(ref).shape

    def finish(self, output: Ref) -> tuple[Program, dict[str, Tensor]]:
        """The program whose last call makes `output`, and the weights it uses, in the order of their bundle.

        Raises BadGraph if `output` is no call's result.
        """
        if output.source is not Source.STEP:
            raise BadGraph("the module returns an input or a weight, not a result")
        if output.index != len(self._calls) - 1:
            output = self.call(Function.VIEW, output, shape=self.shape(output))
        # Statistics that were folded into constants are weights of the module and none of the program.
        used = sorted({ref.index for call in self._calls for ref in call.operands if ref.source is Source.WEIGHT})
        places = {old: new for new, old in enumerate(used)}
        names = list(self._names)
        weights = {names[index]: self._tensors[index] for index in used}
        specs = tuple(Weight(name, spec_of(tensor)) for name, tensor in weights.items())
        return Program(self._inputs, specs, tuple(_renumbered(call, places) for call in self._calls)), weights


def _renumbered(call: Call, places: dict[int, int]) -> Call:
    operands = (Ref(ref.source, places[ref.index]) if ref.source is Source.WEIGHT else ref for ref in call.operands)
    return replace(call, operands=tuple(operands))


# Arguments of an ATen operator by the names of its schema, tensors as Refs; and what makes calls of them.
Arguments = dict[str, Any]
Handler = Callable[[Emitter, Arguments], Ref]
