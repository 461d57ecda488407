"""From a PyTorch module to a program and its weights, by torch.export.

Example inputs are one request (leading size 1). Every operator that cannot be captured is named, with its place in the
user's module, in one error. Nothing is pickled: a model leaves as safetensors and JSON (rollup/package.py).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import getitem
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind
from torch.fx import Node

from executor.aten import HANDLERS
from executor.emitter import Emitter
from executor.tensors import spec_of, to_canonical
from rollup import package
from rollup.call import Ref
from rollup.errors import BadEncoding, BadGraph
from rollup.graph import Source
from rollup.program import MAX_NAME, Program
from rollup.tensor import Tensor as Committed

_PARAMETERS = (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR)


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
    with warnings.catch_warnings():
        # torch.export warns about its own pytree internals.
        warnings.simplefilter("ignore")
        # An empty table makes in-place operators functional and decomposes nothing else.
        exported = torch.export.export(module, tuple(examples)).run_decompositions({})
    return capture_exported(exported)


def capture_exported(exported: ExportedProgram) -> Captured:
    """Program and weights of a functional, undecomposed export. Raises BadGraph that names every unsupported place."""
    walk = _Walk(exported)
    for node in exported.graph.nodes:
        if node.op == "call_function":
            walk.visit(node)
    if walk.faults:
        raise BadGraph("; ".join(walk.faults))
    program, weights = walk.emit.finish(walk.output())
    return Captured(program, weights)


def export_to_folder(module: nn.Module, examples: Sequence[Tensor], folder: Path) -> Program:
    """Writes `program.json` and `weights.safetensors`, the form in which models are pushed. Returns the program."""
    captured = capture(module, examples)
    package.write_folder(folder, captured.program, captured.committed)
    return captured.program


class _Walk:
    """Goes through an exported graph once; keeps what each node became, and every fault."""

    def __init__(self, exported: ExportedProgram) -> None:
        self._exported = exported
        self._made: dict[str, Ref | None] = {}
        self.faults: list[str] = []
        nodes = {node.name: node for node in exported.graph.nodes if node.op == "placeholder"}
        specs = [spec for spec in exported.graph_signature.input_specs if spec.kind is InputKind.USER_INPUT]
        inputs = [spec_of(nodes[spec.arg.name].meta["val"]) for spec in specs]
        self.emit = Emitter(inputs)
        self._made.update({spec.arg.name: Ref(Source.INPUT, place) for place, spec in enumerate(specs)})
        self._parameters = {
            spec.arg.name: str(spec.target) for spec in exported.graph_signature.input_specs if spec.kind in _PARAMETERS
        }

    def visit(self, node: Node) -> None:
        """Emits one node. One that needs a faulty node is passed over: its own fault may be a consequence."""
        self._made[node.name] = None
        if any(self._made.get(name, _KNOWN) is None for name in (n.name for n in node.all_input_nodes)):
            if node.target is not getitem and str(node.target) not in HANDLERS:
                self.faults.append(f"{_place(node)}: {node.target} is not supported")
            return
        self.emit.origin = _path(node)
        try:
            self._made[node.name] = self._convert(node)
        except (BadGraph, BadEncoding) as error:
            self.faults.append(f"{_place(node)}: {error}")

    def _convert(self, node: Node) -> Ref:
        if node.target is getitem and node.args[1] == 0:
            source = node.args[0]
            assert isinstance(source, Node)
            return self._ref(source)
        handler = HANDLERS.get(str(node.target))
        if handler is None:
            raise BadGraph(f"{node.target} is not supported")
        return handler(self.emit, self._arguments(node))

    def _arguments(self, node: Node) -> dict[str, Any]:
        """Arguments by their names in the operator's schema, defaults filled in, nodes as Refs."""
        schema = getattr(node.target, "_schema").arguments  # noqa: B009
        values: dict[str, Any] = {argument.name: argument.default_value for argument in schema}
        values.update(zip(values, node.args, strict=False))
        values.update(node.kwargs)
        value = node.meta.get("val")
        if isinstance(value, Tensor):
            values["shape of result"] = tuple(value.shape)
        return {name: self._resolved(value) for name, value in values.items()}

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Node):
            return self._ref(value)
        if isinstance(value, list | tuple):
            return [self._resolved(item) for item in value] if isinstance(value, list) else tuple(value)
        return value

    def _ref(self, node: Node) -> Ref:
        if node.name in self._parameters:
            name = self._parameters[node.name]
            return self.emit.weight(name, _state(self._exported, name))
        ref = self._made.get(node.name)
        if ref is None:
            raise BadGraph(f"{node.name} is not a tensor that a request or the model holds")
        return ref

    def output(self) -> Ref:
        """The module's only output. Raises BadGraph for several."""
        outputs = next(node for node in self._exported.graph.nodes if node.op == "output").args[0]
        if len(outputs) != 1 or not isinstance(outputs[0], Node):
            raise BadGraph(f"the module returns {len(outputs)} values, not one tensor")
        return self._ref(outputs[0])


_KNOWN = Ref(Source.INPUT, 0)


def _state(exported: ExportedProgram, name: str) -> Tensor:
    if name in exported.state_dict:
        tensor = exported.state_dict[name]
        assert isinstance(tensor, Tensor)
        return tensor
    constant = exported.constants[name]
    assert isinstance(constant, Tensor)
    return constant


def _path(node: Node) -> str:
    """Dotted name of the submodule that made the node."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return (stack[-1][0] if stack else "")[:MAX_NAME]


def _place(node: Node) -> str:
    """Where the node comes from: submodule, file and line."""
    lines = [line.strip() for line in node.meta.get("stack_trace", "").splitlines() if line.strip().startswith("File")]
    place = _path(node) or "forward"
    return f"{place} ({lines[-1]})" if lines else place
