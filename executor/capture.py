"""From a PyTorch module to a program and its weights, by torch.export.

Example inputs are one request (leading size 1). An operator without a handler is decomposed by PyTorch if it can; every
one that is left is named, with its place in the user's module, in one error. Nothing is pickled: a model leaves as
safetensors and JSON (rollup/package.py).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import extract_tb

import torch
from torch import Tensor, nn
from torch._decomp import get_decompositions
from torch.export import ExportedProgram, default_decompositions

from executor.tensors import to_canonical
from executor.walk import Walk
from rollup import package
from rollup.call import Call, Ref
from rollup.errors import BadGraph
from rollup.graph import Source
from rollup.program import Program, Weight
from rollup.tensor import Tensor as Committed

# Sampling of a picture is decomposed only where somebody asks for it by name.
_ALSO = {torch.ops.aten.grid_sampler_2d.default}
_TORCH = torch.__path__[0]
# What an operator is decomposed into may need it too.
_MAX_DECOMPOSITIONS = 8


@dataclass(frozen=True)
class Captured:
    """A program, and its weights in the order of their bundle."""

    program: Program
    weights: Mapping[str, Tensor]

    @property
    def committed(self) -> tuple[Committed, ...]:
        """The weights as canonical tensors."""
        return tuple(to_canonical(tensor) for tensor in self.weights.values())


def capture(module: nn.Module, examples: Sequence[Tensor]) -> Captured:
    """Exports `module` in evaluation mode on one request's inputs, and captures it.

    Raises BadGraph if it cannot be judged.
    """
    if module.training:
        raise BadGraph("the module is in training mode: call eval() first")
    with warnings.catch_warnings(), torch.no_grad():
        # torch.export warns about its own pytree internals.
        warnings.simplefilter("ignore")
        return capture_exported(_exported(module, tuple(examples)))


def _exported(module: nn.Module, examples: tuple[Tensor, ...]) -> ExportedProgram:
    """A functional export. Raises BadGraph with PyTorch's own reason, which has many types, if there is none."""
    try:
        # An empty table makes in-place operators functional and decomposes nothing else.
        exported: ExportedProgram = torch.export.export(module, examples).run_decompositions({})
        return exported
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise BadGraph(f"torch.export cannot trace {_place(error)}: {reason}") from error


def _place(error: Exception) -> str:
    """The innermost code that is neither PyTorch's nor ours, where an export broke off."""
    frames = extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith((_TORCH, __file__, "<"))]
    if not own:
        return "the module"
    return f'the module (File "{own[-1].filename}", line {own[-1].lineno}, in {own[-1].name})'


def capture_buckets(module: nn.Module, buckets: Sequence[Sequence[Tensor]]) -> list[Captured]:
    """One program for each list of example inputs, all over the same weights in the same order: one weights root.

    For requests of several sizes (a text's tokens). Constants of one bucket are weights that the others leave alone.
    """
    return sharing([capture(module, examples) for examples in buckets])


def sharing(captured: Sequence[Captured]) -> list[Captured]:
    """The same programs over one list of weights: all that any of them has, known by their names."""
    weights = {name: tensor for each in captured for name, tensor in each.weights.items()}
    specs = {weight.name: weight for each in captured for weight in each.program.weights}
    return [Captured(_over(each.program, tuple(specs[name] for name in weights)), weights) for each in captured]


def _over(program: Program, weights: tuple[Weight, ...]) -> Program:
    """The same program over a list of weights that holds its own."""
    places = {weight.name: place for place, weight in enumerate(weights)}
    return Program(program.inputs, weights, tuple(_renumbered(call, program, places) for call in program.calls))


def _renumbered(call: Call, program: Program, places: Mapping[str, int]) -> Call:
    operands = (
        Ref(ref.source, places[program.weights[ref.index].name]) if ref.source is Source.WEIGHT else ref
        for ref in call.operands
    )
    return replace(call, operands=tuple(operands))


def capture_exported(exported: ExportedProgram) -> Captured:
    """Program and weights of a functional export. Raises BadGraph that names every unsupported place."""
    for _ in range(_MAX_DECOMPOSITIONS):
        walk = Walk(exported)
        walk.visit_all()
        known = {**get_decompositions(list(walk.unknown & _ALSO)), **default_decompositions()}
        table = {target: known[target] for target in walk.unknown if target in known}
        if not table:
            break
        exported = exported.run_decompositions(table)
    if walk.faults:
        raise BadGraph("; ".join(walk.faults))
    return Captured(*walk.finish())


def export_to_folder(module: nn.Module, examples: Sequence[Tensor], folder: Path) -> Program:
    """Writes `program.json` and `weights.safetensors`, the form in which models are pushed. Returns the program."""
    captured = capture(module, examples)
    package.write_folder(folder, captured.program, captured.committed)
    return captured.program
