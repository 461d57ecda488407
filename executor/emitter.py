"""Builds a program call by call, with each value's shape known as soon as it is made.

A handler's operands are values of the program (Ref) or constants (torch tensors); a constant becomes a weight when a
call takes it. Names constants by their content, so that programs of one module share them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from executor.tensors import canonical_bytes, spec_of, torch_dtype
from rollup.call import SIGNATURES, Call, Function, Ref, Value
from rollup.errors import BadGraph
from rollup.graph import Source
from rollup.program import Program, Weight
from rollup.shapes import result_of
from rollup.tensor import TensorSpec

# What a handler takes and gives: a value that depends on the request, or a constant.
Operand = Ref | Tensor
# Weights that no training changes begin with this.
CONSTANT_PREFIX = "constant."
_DIGEST_CHARACTERS = 16


class NeedsDecomposition(BadGraph):
    """A form of an operator that its handler leaves to PyTorch's own decomposition, if there is one."""


class Emitter:
    """A program in the making. `origin` is put on every call made until it changes.

    `names`: of tensors that the user's module names, by `identity`.
    """

    def __init__(self, inputs: Sequence[TensorSpec], names: Mapping[tuple[Any, ...], str] | None = None) -> None:
        self._inputs = tuple(inputs)
        self._names = dict(names or {})
        self._calls: list[Call] = []
        self._results: list[Value] = []
        self._weights: dict[str, Tensor] = {}
        self._order: list[str] = []
        self._refs: dict[tuple[Any, ...], Ref] = {}
        # Memory that is known by its address must not be given to another tensor.
        self._held: list[Tensor] = []
        self.origin = ""

    def call(self, function: Function, *operands: Operand, **options: int | Sequence[int]) -> Ref:
        """Appends a call. Options come in any order. Raises BadGraph if it has no result."""
        ordered = tuple((name, _integers(options[name])) for name, _ in SIGNATURES[function].options)
        call = Call(function, tuple(self._ref(operand) for operand in operands), ordered, self.origin)
        try:
            self._results.append(result_of(call, [self.value(operand) for operand in call.operands]))
        except BadGraph as error:
            raise BadGraph(f"{function} {error}") from error
        self._calls.append(call)
        return Ref(Source.STEP, len(self._calls) - 1)

    def derived(self, source: Tensor, tensor: Tensor, suffix: str) -> Tensor:
        """`tensor`, which holds the elements of `source` in other places, named after it."""
        name = self._names.get(identity(source))
        if name is not None:
            tensor = tensor.contiguous()
            self._names[identity(tensor)] = f"{name}.{suffix}"
            self._held.append(tensor)
        return tensor

    def value(self, ref: Ref) -> Value:
        if ref.source is Source.STEP:
            return self._results[ref.index]
        if ref.source is Source.INPUT:
            return Value(self._inputs[ref.index], batched=True)
        return Value(spec_of(self._weights[self._order[ref.index]]), batched=False)

    def shape(self, operand: Operand) -> tuple[int, ...]:
        """Of one request, if it depends on the request."""
        return tuple(operand.shape) if isinstance(operand, Tensor) else self.value(operand).shape

    def dtype(self, operand: Operand) -> torch.dtype:
        return operand.dtype if isinstance(operand, Tensor) else torch_dtype(self.value(operand).dtype)

    def _ref(self, operand: Operand) -> Ref:
        if isinstance(operand, Ref):
            return operand
        key = identity(operand)
        if key not in self._refs:
            self._held.append(operand)
            tensor = _judgeable(operand.detach()).contiguous()
            name = self._names.get(key) or _content_name(tensor)
            if not torch.equal(self._weights.get(name, tensor), tensor):
                name = _content_name(tensor)
            if name not in self._weights:
                self._weights[name] = tensor
                self._order.append(name)
            self._refs[key] = Ref(Source.WEIGHT, self._order.index(name))
        return self._refs[key]

    def finish(self, output: Operand) -> tuple[Program, dict[str, Tensor]]:
        """The program whose last call makes `output`, and the weights it uses, in the order of their first use.

        Calls that the output does not need are left out. Raises BadGraph if `output` is no call's result.
        """
        if isinstance(output, Tensor) or output.source is not Source.STEP:
            raise BadGraph("the module returns an input or a constant, not a result")
        needed = self._needed(output)
        calls = [self._calls[place] for place in needed]
        return _renumbered(self._inputs, needed, calls, self._weights)

    def _needed(self, output: Ref) -> list[int]:
        """Calls that `output` depends on, itself among them."""
        needed = {output.index}
        for place in range(output.index, -1, -1):
            if place in needed:
                operands = self._calls[place].operands
                needed.update(ref.index for ref in operands if ref.source is Source.STEP)
        return sorted(needed)


def _renumbered(
    inputs: tuple[TensorSpec, ...], needed: Sequence[int], calls: Sequence[Call], weights: Mapping[str, Tensor]
) -> tuple[Program, dict[str, Tensor]]:
    """A program of some calls out of many, over the weights that they use."""
    names = list(weights)
    used = list(dict.fromkeys(ref.index for call in calls for ref in call.operands if ref.source is Source.WEIGHT))
    places = {
        Source.STEP: {old: new for new, old in enumerate(needed)},
        Source.WEIGHT: {old: new for new, old in enumerate(used)},
        Source.INPUT: {place: place for place in range(len(inputs))},
    }
    moved = tuple(
        replace(call, operands=tuple(Ref(ref.source, places[ref.source][ref.index]) for ref in call.operands))
        for call in calls
    )
    kept = {names[index]: weights[names[index]] for index in used}
    specs = tuple(Weight(name, spec_of(tensor)) for name, tensor in kept.items())
    return Program(inputs, specs, moved), kept


def _judgeable(tensor: Tensor) -> Tensor:
    """With the greatest number in the place of +Inf, which stands for no number at all where steps are judged: whatever
    is compared with it, or is the lesser of both, is the same."""
    if not tensor.is_floating_point() or not bool((tensor == torch.inf).any()):
        return tensor
    return tensor.clamp(max=torch.finfo(tensor.dtype).max)


def identity(tensor: Tensor) -> tuple[Any, ...]:
    """Equal for tensors that show the same memory in the same way."""
    return (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.storage_offset())


def _content_name(tensor: Tensor) -> str:
    spec = spec_of(tensor)
    digest = hashlib.sha256(spec.header + canonical_bytes(tensor)).hexdigest()
    return CONSTANT_PREFIX + digest[:_DIGEST_CHARACTERS]


def _integers(option: int | Sequence[int]) -> tuple[int, ...]:
    return (int(option),) if isinstance(option, int) else tuple(int(number) for number in option)


# Arguments of an ATen operator by the names of its schema, tensors as operands; and what makes calls of them. Results
# of an operator that has several come in a tuple, with None for those that no call makes.
Arguments = dict[str, Any]
Results = Operand | tuple[Operand | None, ...]
Handler = Callable[[Emitter, Arguments], Results]
