"""Goes through an exported graph once: each node becomes a value of the program, a constant, or a fault.

Knows no operator: handlers make the calls (executor/aten), constants are folded (folding.py).
"""

from __future__ import annotations

from collections.abc import Callable
from operator import getitem
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node

from executor.aten import COMPLEX_HANDLERS, HANDLERS, Complex
from executor.emitter import (
    CONSTANT_PREFIX,
    Arguments,
    Emitter,
    NeedsDecomposition,
    Operand,
    identity,
)
from executor.folding import depends_on_request, folded, is_guard, leaves, like
from executor.tensors import spec_of
from rollup.call import Ref
from rollup.errors import BadEncoding, BadGraph
from rollup.graph import Source
from rollup.program import MAX_NAME, Program

_HELD = {InputKind.PARAMETER: "", InputKind.BUFFER: CONSTANT_PREFIX, InputKind.CONSTANT_TENSOR: CONSTANT_PREFIX}
# Give the same elements in another order or shape.
_REORDERS = {"permute", "transpose", "t", "view", "reshape", "_unsafe_view", "flatten", "squeeze", "unsqueeze"}


class _Missing:
    """What a faulty node made. A node that needs it has no fault of its own."""


class Walk:
    """`faults`: a sentence for each unsupported place; `unknown`: operators without a handler."""

    def __init__(self, exported: ExportedProgram) -> None:
        self._exported = exported
        self._made: dict[str, Any] = {}
        self.faults: list[str] = []
        self.unknown: set[Any] = set()
        nodes = {node.name: node for node in exported.graph.nodes if node.op == "placeholder"}
        inputs = exported.graph_signature.input_specs
        requested = [spec.arg.name for spec in inputs if spec.kind is InputKind.USER_INPUT]
        names: dict[tuple[Any, ...], str] = {}
        for spec in inputs:
            if spec.kind in _HELD:
                tensor = _state(exported, str(spec.target))
                names.setdefault(identity(tensor), f"{_HELD[spec.kind]}{spec.target}"[:MAX_NAME])
                self._made[spec.arg.name] = tensor
        self.emit = Emitter([_input(place, nodes[name]) for place, name in enumerate(requested)], names)
        self._made.update({name: Ref(Source.INPUT, place) for place, name in enumerate(requested)})

    def visit_all(self) -> None:
        for node in self._exported.graph.nodes:
            if node.op == "call_function" and not is_guard(node):
                self._visit(node)
        for output in self._exported.graph_signature.output_specs:
            if output.kind is OutputKind.BUFFER_MUTATION:
                self.faults.append(
                    f"the module changes its buffer {output.target}: requests would depend on each other"
                )

    def _visit(self, node: Node) -> None:
        self.emit.origin = _path(node)
        try:
            self._made[node.name] = self._convert(node)
        except (BadGraph, BadEncoding) as error:
            self._made[node.name] = _Missing()
            self.faults.append(f"{_place(node)}: {error}")

    def _convert(self, node: Node) -> Any:
        args, kwargs = self._resolved(node.args), self._resolved(node.kwargs)
        known = not any(isinstance(item, _Missing) for item in leaves((args, kwargs)))
        if known and not depends_on_request((args, kwargs)):
            return self._named(node, args, folded(node, args, kwargs))
        if node.target is getitem:
            return _item(node, args) if known else _Missing()
        constant = like(node, args, kwargs) if known else None
        if constant is not None:
            return constant
        is_complex = _is_complex(node)
        handler = (COMPLEX_HANDLERS if is_complex else HANDLERS).get(str(node.target))
        if handler is None and not known and _is_of_sizes(node):
            return _Missing()
        if handler is None:
            self.unknown.add(node.target)
            raise BadGraph(f"{node.target} is not supported" + " of complex numbers" * is_complex)
        return self._handled(node, handler, _arguments(node, args, kwargs)) if known else _Missing()

    def _handled(self, node: Node, handler: Callable[[Emitter, Arguments], Any], arguments: Arguments) -> Any:
        """What a handler makes. Of several results a handler may make the first only."""
        try:
            result = handler(self.emit, arguments)
        except NeedsDecomposition:
            self.unknown.add(node.target)
            raise
        several = isinstance(node.meta.get("val"), list | tuple)
        return (result, *[None] * len(node.meta["val"][1:])) if several and not isinstance(result, tuple) else result

    def _named(self, node: Node, args: tuple[Any, ...], result: Any) -> Any:
        """A parameter whose elements only change places is still that parameter."""
        name = str(node.target).removeprefix("aten.").split(".")[0]
        if name in _REORDERS and isinstance(result, Tensor):
            return self.emit.derived(args[0], result, name)
        return result

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Node):
            return self._made.get(value.name, _Missing())
        if isinstance(value, list | tuple):
            return type(value)(self._resolved(item) for item in value)
        return {key: self._resolved(item) for key, item in value.items()} if isinstance(value, dict) else value

    def finish(self) -> tuple[Program, dict[str, Tensor]]:
        """The program and its weights. Raises BadGraph for several outputs, or one that is no result."""
        outputs = [
            spec.arg
            for spec in self._exported.graph_signature.output_specs
            if spec.kind in (OutputKind.USER_OUTPUT, OutputKind.LOSS_OUTPUT)
        ]
        if len(outputs) != 1:
            raise BadGraph(f"the module returns {len(outputs)} values, not one tensor")
        output = self._made.get(getattr(outputs[0], "name", ""))
        if isinstance(output, Complex):
            raise BadGraph("the module returns complex numbers: return their parts, or view_as_real of them")
        if not isinstance(output, Operand):
            raise BadGraph(f"the module returns {output!r}, not a tensor")
        return self.emit.finish(output)


def _input(place: int, node: Node) -> Any:
    try:
        return spec_of(node.meta["val"])
    except (BadGraph, AttributeError) as error:
        raise BadGraph(f"input {place} ({node.name}): {error}") from error


def _item(node: Node, args: tuple[Any, ...]) -> Any:
    """One result of several."""
    values, index = args
    if values[index] is None and node.users:
        source = node.args[0]
        assert isinstance(source, Node)
        raise BadGraph(f"result {index} of {source.target} is not supported")
    return values[index]


def _arguments(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments by their names in the operator's schema, defaults filled in; and what is known of the result."""
    schema = getattr(node.target, "_schema").arguments  # noqa: B009
    values: dict[str, Any] = {
        argument.name: argument.default_value for argument in schema if argument.has_default_value()
    }
    values.update(zip((argument.name for argument in schema), args, strict=False))
    values.update(kwargs)
    made = node.meta.get("val")
    if isinstance(made, Tensor):
        values["shape of result"], values["dtype of result"] = tuple(made.shape), made.dtype
    elif isinstance(made, list | tuple):
        values["shapes of results"] = [tuple(item.shape) if isinstance(item, Tensor) else () for item in made]
        tensors = [item for item in made if isinstance(item, Tensor)]
        values["shape of result"], values["dtype of result"] = tuple(tensors[0].shape), tensors[0].dtype
        values["used results"] = {user.args[1] for user in node.users if user.target is getitem and user.users}
    return values


def _is_of_sizes(node: Node) -> bool:
    """Whether a node reckons with the sizes of a value: of a faulty one it has no fault of its own."""
    return str(node.target).startswith("aten.sym_") or not hasattr(node.target, "_schema")


def _is_complex(node: Node) -> bool:
    """Whether a node takes or gives complex numbers. Raises BadGraph for some that are not pairs of f32."""
    values = [each.meta.get("val") for each in (node, *node.all_input_nodes)]
    dtypes = {value.dtype for value in values if isinstance(value, Tensor) and value.is_complex()}
    if dtypes - {torch.complex64}:
        raise BadGraph(f"{next(iter(dtypes - {torch.complex64}))} is not supported, of complex numbers only complex64")
    return bool(dtypes)


def _state(exported: ExportedProgram, name: str) -> Tensor:
    tensor = exported.state_dict[name] if name in exported.state_dict else exported.constants[name]
    assert isinstance(tensor, Tensor)
    return tensor.detach()


def _path(node: Node) -> str:
    """Dotted name of the submodule that made the node."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return (stack[-1][0] if stack else "")[:MAX_NAME]


def _place(node: Node) -> str:
    """Where the node comes from: submodule, and file and line of the innermost code that is not PyTorch's.

    Code that PyTorch writes by itself, around an autocast for one, is no place that a user knows.
    """
    lines = [line.strip() for line in node.meta.get("stack_trace", "").splitlines() if line.strip().startswith("File")]
    own = [line for line in lines if _TORCH not in line and _WRITTEN not in line] or lines
    place = _path(node) or "forward"
    return f"{place} ({own[-1]})" if own else place


_TORCH = torch.__path__[0]
_WRITTEN = "<eval_with_key>"
