"""Small graphs with every operator, their honest traces, and one-step graphs on chosen bits: stuff for vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from prover.fault_proof import Evidence
from rollup.graph import Graph, Numerics, Op, Operand, Source, Step
from rollup.numerics import FP32, Profile
from rollup.tensor import Bundle, DType, Tensor, TensorSpec
from rollup.types import INLINE_OUTPUT_BYTES, BundleRoot, Committed
from tests.parity.honest import Array, run_step

MINUS_INF = 0xFF800000
# What the toy network is made of.
FIRST_OPERATORS = tuple(op for op in Op if op <= Op.PATCHES)
# Bands of the toy outputs, f32 bits: 0.5 and 2.0.
OUTPUT_BAND, SLASH_BAND = 0x3F000000, 0x40000000


@dataclass(frozen=True)
class Tensors:
    """A whole bundle in memory."""

    tensors: tuple[Tensor, ...]

    @cached_property
    def bundle(self) -> Bundle:
        return Bundle([tensor.root for tensor in self.tensors])

    @property
    def root(self) -> BundleRoot:
        return self.bundle.root

    def tensor(self, index: int) -> Tensor:
        return self.tensors[index]

    def path(self, index: int) -> tuple[bytes, ...]:
        return self.bundle.path(index)


def tensor_of(array: Array) -> Tensor:
    """Canonical tensor of a f32 or i64 array."""
    dtype = {np.dtype(np.float32): DType.F32, np.dtype(np.int64): DType.I64}[array.dtype]
    return Tensor(TensorSpec(dtype, array.shape), array.astype(dtype.numpy).tobytes())


def tensor_of_bits(dtype: DType, shape: tuple[int, ...], bits: Sequence[int]) -> Tensor:
    return Tensor(TensorSpec(dtype, shape), b"".join(word.to_bytes(dtype.width, "big") for word in bits))


def array_of(tensor: Tensor) -> Array:
    """Native-endian array of a canonical tensor."""
    array = np.frombuffer(tensor.data, tensor.spec.dtype.numpy).reshape(tensor.spec.shape)
    return array.astype(array.dtype.newbyteorder("="))


def with_bits(tensor: Tensor, element: int, word: int) -> Tensor:
    """The tensor with one element replaced."""
    width = tensor.spec.dtype.width
    data = bytearray(tensor.data)
    data[element * width : (element + 1) * width] = word.to_bytes(width, "big")
    return Tensor(tensor.spec, bytes(data))


def evidence_of(
    graph: Graph,
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    trace: Sequence[Tensor],
    factor: int = 0,
    profile: Profile = FP32,
) -> Evidence:
    """Evidence of a run that claims the last tensor of its trace.

    Each contraction has calibrated `factor`, and a step that is alone.
    """
    factors = (factor if step.op is Op.CONTRACT or len(graph.steps) == 1 else 0 for step in graph.steps)
    numerics = Numerics(tuple(factors), profile)
    read, learned, traced = (Tensors(tuple(tensors)) for tensors in (inputs, weights, trace))
    committed = Committed(
        graph_root=graph.root,
        graph_header=graph.header,
        inputs_root=read.root,
        weights_root=learned.root,
        trace_root=traced.root,
        numerics_root=numerics.root,
        numerics_header=numerics.header,
        output_header=graph.output.header,
        output_band=OUTPUT_BAND,
        slash_band=SLASH_BAND,
        undefined=False,
        claimed_output=b"",
    )
    return claiming(Evidence(committed, graph, numerics, read, learned, traced), trace[-1])


def claiming(evidence: Evidence, output: Tensor) -> Evidence:
    """The same run with another claimed output."""
    inline = output.spec.byte_length <= INLINE_OUTPUT_BYTES
    committed = replace(evidence.committed, claimed_output=output.data if inline else output.root)
    return replace(evidence, committed=committed, claimed=None if inline else output)


def tampered(evidence: Evidence, step: int, element: int, word: int) -> Evidence:
    """The same run whose trace has other bits in one place; the claim is what it was."""
    count = len(evidence.graph.steps)
    tensors = [evidence.trace.tensor(number) for number in range(count)]
    tensors[step] = with_bits(tensors[step], element, word)
    trace = Tensors(tuple(tensors))
    return replace(evidence, trace=trace, committed=replace(evidence.committed, trace_root=trace.root))


def one_step(
    step: Step, operands: Sequence[Tensor], result: Sequence[int], factor: int = 0, profile: Profile = FP32
) -> Evidence:
    """A graph of one step whose operands are its inputs and whose traced result has these bits."""
    graph = Graph(tuple(tensor.spec for tensor in operands), (), (step,))
    traced = tensor_of_bits(step.result.dtype, step.result.shape, result)
    return evidence_of(graph, operands, (), (traced,), factor, profile)


def step_on(
    op: Op, result: TensorSpec, operands: Sequence[Tensor], rank: int = 0, attributes: Sequence[int] = ()
) -> Step:
    """A step over inputs 0, 1, ..."""
    places = tuple(Operand(Source.INPUT, index, tensor.spec) for index, tensor in enumerate(operands))
    return Step(op, result, places, rank, tuple(attributes))


def honest_trace(graph: Graph, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> list[Tensor]:
    """Runs the graph in numpy float32."""
    trace: list[Tensor] = []
    bundles: Mapping[Source, Sequence[Tensor]] = {Source.INPUT: inputs, Source.WEIGHT: weights, Source.STEP: trace}
    for step in graph.steps:
        operands = [array_of(bundles[operand.source][operand.index]) for operand in step.operands]
        trace.append(tensor_of(run_step(step, operands)))
    return trace


def f32(*shape: int) -> TensorSpec:
    return TensorSpec(DType.F32, shape)


def network(with_label: bool = False) -> Evidence:
    """A tiny network with every operator: grouped strided convolution, max-pool, permutation, cat, linear, add, mul."""
    random = np.random.default_rng(7)
    shapes = [(4, 9), (4,), (1, 4), (10, 20), (10,), (10,), (1,)]
    weights = [tensor_of(random.standard_normal(shape).astype(np.float32)) for shape in shapes]
    inputs = [tensor_of(random.standard_normal((1, 2, 5, 5)).astype(np.float32))]
    steps = _network_steps([tensor.spec for tensor in weights])
    if with_label:
        steps.append(Step(Op.ARGMAX, TensorSpec(DType.I64, (1,)), (Operand(Source.STEP, 9, f32(1, 10)),), 0, (10,)))
    graph = Graph((inputs[0].spec,), tuple(tensor.spec for tensor in weights), tuple(steps))
    return evidence_of(graph, inputs, weights, honest_trace(graph, inputs, weights), factor=8 * 256)


def _network_steps(weights: Sequence[TensorSpec]) -> list[Step]:
    def weight(index: int) -> Operand:
        return Operand(Source.WEIGHT, index, weights[index])

    def result(index: int, *shape: int) -> Operand:
        return Operand(Source.STEP, index, f32(*shape))

    picture = (0, 1, 2, 5, 5, 2, 3, 3, 2, 2, 1, 1, 1, 1, 3, 3, 1, 1)
    convolution = (9, 1, 2, 2, 9, 18, 9, 0, 1, 0, 2, 1, 0, 0, 2, 1, 0)
    pool = (MINUS_INF, 1, 4, 3, 3, 4, 2, 2, 1, 1, 0, 0, 1, 1, 2, 2, 1, 1)
    return [
        Step(Op.PATCHES, f32(1, 2, 9, 9), (Operand(Source.INPUT, 0, f32(1, 2, 5, 5)),), 0, picture),
        Step(Op.CONTRACT, f32(1, 4, 3, 3), (result(0, 1, 2, 9, 9), weight(0), weight(1)), 4, convolution),
        Step(Op.RELU, f32(1, 4, 3, 3), (result(1, 1, 4, 3, 3),)),
        Step(Op.PATCHES, f32(1, 4, 4, 4), (result(2, 1, 4, 3, 3),), 0, pool),
        Step(Op.AMAX, f32(1, 4, 2, 2), (result(3, 1, 4, 4, 4),), 0, (4,)),
        Step(Op.STRIDED, f32(1, 16), (result(4, 1, 4, 2, 2),), 3, (0, 2, 2, 4, 2, 1, 4)),
        Step(Op.CAT, f32(1, 20), (result(5, 1, 16), weight(2)), 0, (1, 16, 4)),
        Step(Op.CONTRACT, f32(1, 10), (result(6, 1, 20), weight(3), weight(4)), 2, (20, 1, 10, 1, 0, 0, 1, 0, 1)),
        Step(Op.ADD, f32(1, 10), (result(7, 1, 10), weight(5)), 2, (1, 10, 10, 1, 0, 1)),
        Step(Op.MUL, f32(1, 10), (result(8, 1, 10), weight(6)), 2, (1, 10, 10, 1, 0, 0)),
    ]


def wide_linear() -> Evidence:
    """Rows over several leaves and an output too long to be claimed inline."""
    random = np.random.default_rng(11)
    inputs = [tensor_of(random.standard_normal((2, 600)).astype(np.float32))]
    weights = [tensor_of(random.standard_normal((12, 600)).astype(np.float32))]
    operands = (Operand(Source.INPUT, 0, inputs[0].spec), Operand(Source.WEIGHT, 0, weights[0].spec))
    step = Step(Op.CONTRACT, f32(2, 12), operands, 2, (600, 2, 12, 1, 0, 0, 1, 0, 0))
    graph = Graph((inputs[0].spec,), (weights[0].spec,), (step,))
    return evidence_of(graph, inputs, weights, honest_trace(graph, inputs, weights), factor=16 * 256)
