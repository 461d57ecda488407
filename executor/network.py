"""A model in memory: its program, its graph and its weights as torch tensors. Knows nothing of where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from executor.tensors import from_canonical
from rollup.graph import Graph, Operand, Source, Step
from rollup.lowering import Lowered, lower
from rollup.package import Package
from rollup.program import Program


@dataclass(frozen=True)
class Network:
    """`program` is what runs fast; `lowered` holds it written out in primitive calls, and its graph.

    `weights` are CPU tensors, in the order of their bundle.
    """

    program: Program
    lowered: Lowered
    weights: tuple[Tensor, ...]

    @property
    def graph(self) -> Graph:
        return self.lowered.graph

    @property
    def expanded(self) -> Program:
        """The program in primitive calls only, whose results the graph has."""
        return self.lowered.program

    @property
    def byte_length(self) -> int:
        """Bytes of the weights."""
        return sum(weight.spec.byte_length for weight in self.program.weights)

    @property
    def result_bytes(self) -> int:
        """Bytes of a trace: the results of all steps of one request."""
        return sum(step.result.byte_length for step in self.graph.steps)

    @classmethod
    def from_package(cls, package: Package) -> Network:
        weights = tuple(from_canonical(tensor) for tensor in package.weights)
        return cls(package.program, lower(package.program), weights)


Held = Sequence[Tensor] | Mapping[int, Tensor]


def operands_of(step: Step, inputs: Sequence[Tensor], weights: Sequence[Tensor], results: Held) -> list[Tensor]:
    """The tensors that `step` reads."""
    return [_operand(operand, inputs, weights, results) for operand in step.operands]


def _operand(operand: Operand, inputs: Sequence[Tensor], weights: Sequence[Tensor], results: Held) -> Tensor:
    if operand.source is Source.STEP:
        return results[operand.index]
    return (inputs if operand.source is Source.INPUT else weights)[operand.index]
