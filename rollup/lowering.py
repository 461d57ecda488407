"""Program to graph: each call becomes the steps that the judge reads, for one request (PROTOCOL.md, section 3).

Deterministic: the same program has one graph root, so a stored program is checked by lowering it again. Knows nothing
of how a step is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from rollup.call import Call, Function, Ref
from rollup.errors import BadGraph
from rollup.graph import MAX_STEPS, Graph, Op, Operand, Source, Step
from rollup.program import Program
from rollup.shapes import windows
from rollup.tensor import TensorSpec

# Bits of the f32 that a max-pool reads outside the picture.
MINUS_INFINITY = 0xFF800000
PLUS_ZERO = 0


@dataclass(frozen=True)
class Lowered:
    """A program's graph. `results[i]` is the step whose result is that of call i."""

    graph: Graph
    results: tuple[int, ...]


def lower(program: Program) -> Lowered:
    """Graph of `program` at batch 1. Raises BadGraph for more steps than a graph may have."""
    builder = _Builder(program)
    for call, value in zip(program.calls, program.results, strict=True):
        builder.lower(call, value.spec)
    if len(builder.steps) > MAX_STEPS:
        raise BadGraph(f"the program lowers to {len(builder.steps)} steps, at most {MAX_STEPS}")
    weights = tuple(weight.spec for weight in program.weights)
    return Lowered(Graph(program.inputs, weights, tuple(builder.steps)), tuple(builder.results))


class _Builder:
    """Steps so far, and the step that made each call's result."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.steps: list[Step] = []
        self.results: list[int] = []
        self._origin = ""

    def lower(self, call: Call, result: TensorSpec) -> None:
        self._origin = call.origin
        _LOWER[call.function](self, call, [self._operand(ref) for ref in call.operands], result)
        self.results.append(len(self.steps) - 1)

    def step(self, op: Op, result: TensorSpec, operands: Sequence[Operand], axes: _Axes | None = None) -> Operand:
        """Appends a step; returns its result as an operand."""
        axes = axes or _Axes(())
        self.steps.append(Step(op, result, tuple(operands), axes.rank, axes.attributes, self._origin))
        return Operand(Source.STEP, len(self.steps) - 1, result)

    def _operand(self, ref: Ref) -> Operand:
        index = self.results[ref.index] if ref.source is Source.STEP else ref.index
        return Operand(ref.source, index, self.program.value(ref).spec)


@dataclass(frozen=True)
class _Axes:
    """Attributes of a step, and the number of axes among them."""

    attributes: tuple[int, ...]
    rank: int = 0


Lower = Callable[[_Builder, Call, Sequence[Operand], TensorSpec], None]


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Elements between neighbours along each axis of a contiguous tensor."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _contract(
    builder: _Builder,
    operands: Sequence[Operand],
    result: TensorSpec,
    terms: int,
    axes: Sequence[tuple[int, int, int]],
    dims: Sequence[int],
) -> None:
    """`axes`: for each of `dims` the strides of a's rows, b's rows and the bias."""
    a, b, bias = (tuple(axis[place] for axis in axes) for place in range(3))
    if len(operands) == 2:
        bias = (0,) * len(dims)
    builder.step(Op.CONTRACT, result, operands, _Axes((terms, *dims, *a, *b, *bias), len(dims)))


def _conv2d(builder: _Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
    x, weight = operands[0], operands[1].spec.shape
    groups = call.number("groups")
    window = _Window(weight[2:], call.option("stride"), call.option("padding"), call.option("dilation"))
    patches = _patches(builder, x, groups, window, PLUS_ZERO)
    places, outputs = patches.spec.shape[2], weight[0] // groups
    axes = ((groups * places, 0, 0), (places, outputs, outputs), (0, 1, 1), (1, 0, 0))
    dims = (x.spec.shape[0], groups, outputs, places)
    _contract(builder, [patches, *operands[1:]], result, patches.spec.shape[3], axes, dims)


def _max_pool2d(builder: _Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
    (x,) = operands
    kernel = call.option("kernel")
    window = _Window(
        kernel, call.option("stride"), call.option("padding"), call.option("dilation"), bool(call.number("ceil"))
    )
    # One group a channel, so that a window is innermost.
    patches = _patches(builder, x, x.spec.shape[1], window, MINUS_INFINITY)
    builder.step(Op.AMAX, result, [patches], _Axes((prod(kernel),)))


@dataclass(frozen=True)
class _Window:
    """A window over height and width."""

    kernel: Sequence[int]
    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int]
    ceil: bool = False

    def places(self, axis: int, size: int) -> int:
        sides = (self.kernel[axis], self.stride[axis], self.padding[axis], self.dilation[axis])
        return windows(size, *sides, self.ceil)


def _patches(builder: _Builder, x: Operand, groups: int, window: _Window, fill: int) -> Operand:
    batch, channels, height, width = x.spec.shape
    places = (window.places(0, height), window.places(1, width))
    shape = (batch, groups, prod(places), channels // groups * prod(window.kernel))
    attributes = (
        *(fill, *x.spec.shape, groups),
        *(*window.kernel, *window.stride, *window.padding, *window.dilation),
        *places,
        *(1, 1),
    )
    return builder.step(Op.PATCHES, TensorSpec(x.spec.dtype, shape), [x], _Axes(attributes))


def _linear(builder: _Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
    terms, outputs = operands[1].spec.shape[1], operands[1].spec.shape[0]
    rows = operands[0].spec.elements // terms
    _contract(builder, operands, result, terms, ((1, 0, 0), (0, 1, 1)), (rows, outputs))


def _matmul(builder: _Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
    a, b = operands
    *outer, terms, columns = b.spec.shape
    rows = a.spec.shape[-2]
    strides = strides_of(b.spec.shape)
    swapped = TensorSpec(b.spec.dtype, (*outer, columns, terms))
    turned = _strided(builder, b, swapped, (*strides[:-2], strides[-1], strides[-2]))
    axes = ((rows, columns, 0), (1, 0, 0), (0, 1, 0))
    _contract(builder, [a, turned], result, terms, axes, (prod(outer), rows, columns))


def _pair(op: Op) -> Lower:
    def lower_pair(builder: _Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
        spread = [stride for operand in operands for stride in _spread(operand.spec.shape, result.shape)]
        builder.step(op, result, operands, _Axes((*result.shape, *spread), len(result.shape)))

    return lower_pair


def _spread(shape: Sequence[int], wide: Sequence[int]) -> tuple[int, ...]:
    """Strides that read a tensor of `shape` as one of shape `wide`; 0 repeats."""
    missing = (0,) * (len(wide) - len(shape))
    strides = zip(shape, strides_of(shape), strict=True)
    return missing + tuple(stride if size > 1 else 0 for size, stride in strides)


def _plain(op: Op) -> Lower:
    def lower_plain(builder: _Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
        builder.step(op, result, operands)

    return lower_plain


def _last_axis(op: Op) -> Lower:
    def lower_last_axis(builder: _Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
        builder.step(op, result, operands, _Axes((operands[0].spec.shape[-1],)))

    return lower_last_axis


def _strided(
    builder: _Builder, x: Operand, result: TensorSpec, strides: Sequence[int], dims: Sequence[int] = (), offset: int = 0
) -> Operand:
    dims = dims or result.shape
    return builder.step(Op.STRIDED, result, [x], _Axes((offset, *dims, *strides), len(dims)))


def _view(builder: _Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
    _strided(builder, operands[0], result, (1,), (result.elements,))


def _permute(builder: _Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
    strides = strides_of(operands[0].spec.shape)
    _strided(builder, operands[0], result, [strides[dim] for dim in call.option("dims")])


def _expand(builder: _Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
    _strided(builder, operands[0], result, _spread(operands[0].spec.shape, result.shape))


def _slice(builder: _Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
    strides = list(strides_of(operands[0].spec.shape))
    dim = call.number("dim")
    offset = call.number("start") * strides[dim]
    strides[dim] *= call.number("step")
    _strided(builder, operands[0], result, strides, offset=offset)


def _cat(builder: _Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> None:
    dim = call.number("dim")
    lengths = [operand.spec.shape[dim] for operand in operands]
    builder.step(Op.CAT, result, operands, _Axes((prod(result.shape[dim + 1 :]), *lengths)))


_LOWER: dict[Function, Lower] = {
    Function.CONV2D: _conv2d,
    Function.LINEAR: _linear,
    Function.MATMUL: _matmul,
    Function.ADD: _pair(Op.ADD),
    Function.MUL: _pair(Op.MUL),
    Function.RELU: _plain(Op.RELU),
    Function.MAX_POOL2D: _max_pool2d,
    Function.AMAX: _last_axis(Op.AMAX),
    Function.ARGMAX: _last_axis(Op.ARGMAX),
    Function.VIEW: _view,
    Function.PERMUTE: _permute,
    Function.EXPAND: _expand,
    Function.SLICE: _slice,
    Function.CAT: _cat,
}
