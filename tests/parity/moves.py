"""Cases for both judges: movements of every dtype, and links of claimed to traced outputs."""

from __future__ import annotations

from functools import partial
from random import Random

import numpy as np

from prover.fault_proof import Evidence, link_witness
from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.judge.dtypes import FLOATS
from rollup.judge.elements import elements_needed
from rollup.judge.evaluate import bits_of, open_element
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import FaultKind, FaultProof
from tests.parity.faults import INF, MINUS, NAN, Case, beside, case_of, hinted, words
from tests.parity.toy import OUTPUT_BAND, SLASH_BAND, claiming, f32, one_step, step_on, tensor_of_bits

# NaN of each floating dtype, and something large of the others.
_NANS = {DType.F32: (NAN, NAN | MINUS | 5), DType.F16: (0x7E00, 0xFC01), DType.BF16: (0x7FC0, 0xFF81)}


def scalars(random: Random, dtype: DType, shape: tuple[int, ...]) -> Tensor:
    """A tensor of any dtype with NaN and infinity among its values."""
    bits = 8 * dtype.width
    pool = [random.getrandbits(bits), 0, 1 << bits - 1, 2**bits - 1, *_NANS.get(dtype, (1,))]
    return tensor_of_bits(dtype, shape, [random.choice(pool) for _ in range(TensorSpec(dtype, shape).elements)])


def strided_step(random: Random, dtype: DType) -> tuple[Step, list[Tensor]]:
    operand = scalars(random, dtype, (3, 4))
    attributes, shape = random.choice(
        [
            ((0, 4, 3, 1, 4), (4, 3)),
            ((11, 12, 1, -1, 0), (12,)),
            ((5, 2, 3, 0, 1), (2, 3)),
            ((1, 3, 2, 4, 2), (6, 1)),
        ]
    )
    return step_on(Op.STRIDED, TensorSpec(dtype, shape), [operand], 2, attributes), [operand]


def cat_step(random: Random, dtype: DType) -> tuple[Step, list[Tensor]]:
    lengths, inner = random.choice([((2, 1, 3), 2), ((1, 1), 5), ((4,), 1)])
    operands = [scalars(random, dtype, (2, length, inner)) for length in lengths]
    return step_on(Op.CAT, TensorSpec(dtype, (2, sum(lengths), inner)), operands, 0, (inner, *lengths)), operands


def fill_of(random: Random, dtype: DType) -> int:
    """Bits of a f32 that every floating dtype has, or an integer."""
    return random.choice([0, NAN, INF | MINUS, 0x3F800000] if dtype in FLOATS else [0, 1, -1, 300])


def patches_step(random: Random, dtype: DType) -> tuple[Step, list[Tensor]]:
    """Two groups, a window of 2 x 3, strides 2 and 1, dilations 1 and 2; a border, and perhaps a spread picture."""
    picture = scalars(random, dtype, (2, 4, 4, 5))
    spread, outputs = random.choice([((1, 1), (3, 3)), ((2, 1), (4, 3)), ((3, 2), (5, 7))])
    fill = random.choice([0, NAN, INF | MINUS, 0x3F800000] if dtype in FLOATS else [0, 1, 300])
    attributes = (fill, 2, 4, 4, 5, 2, 2, 3, 2, 1, 1, 1, 1, 2, *outputs, *spread)
    result = TensorSpec(dtype, (2, 2, outputs[0] * outputs[1], 12))
    return step_on(Op.PATCHES, result, [picture], 0, attributes), [picture]


def pad_step(random: Random, dtype: DType) -> tuple[Step, list[Tensor]]:
    """A border on one side, a crop on the other."""
    operand = scalars(random, dtype, (3, 4))
    attributes = (fill_of(random, dtype), 4, 5, 3, 4, *random.choice([(1, 0), (-1, 2), (2, -2)]))
    return step_on(Op.PAD, TensorSpec(dtype, (4, 5)), [operand], 2, attributes), [operand]


def gather_step(random: Random, dtype: DType) -> tuple[Step, list[Tensor]]:
    """Rows of a table, named by an index that now and then lies outside it."""
    width = random.choice([DType.I32, DType.I64])
    places = [random.choice([0, 1, 2, 3, 4, 4, 3, 2, 5, -1]) % (1 << 8 * width.width) for _ in range(3)]
    operands = [tensor_of_bits(width, (3,), places), scalars(random, dtype, (5, 2))]
    return step_on(Op.GATHER, TensorSpec(dtype, (3, 2)), operands, 2, (3, 2, 1, 0, 0, 1, 2, 5)), operands


STEPS = (strided_step, cat_step, patches_step, pad_step, gather_step)


def movement_case(random: Random) -> Case:
    """A movement of any dtype; the moved element is right, changed, or another one."""
    dtype = random.choice([*DType, DType.F32])
    step, operands = random.choice(STEPS)(random, dtype)
    element = random.randrange(step.result.elements)
    traced = [0] * step.result.elements
    try:
        right = moved(one_step(step, operands, traced), element)
    except BadGraph:
        # An index outside its table: no proof has more than the index to show.
        return short_of(one_step(step, operands, traced), element)
    traced[element] = random.choice(
        [right, right, right ^ 1, right ^ 1 << 8 * dtype.width - 1, *_NANS.get(dtype, (0,))]
    )
    return case_of(one_step(step, operands, traced), 0, element)


def moved(evidence: Evidence, element: int) -> int:
    """Bits that a one-step movement brings to `element`."""
    step = evidence.graph.steps[0]
    opened = open_element(step, element, partial(evidence.values, 0))
    return opened.values[-1][0] if len(opened.runs) > 1 else filled(step.attributes[0], step.result.dtype)


def filled(fill: int, dtype: DType) -> int:
    """Bits of a fill in its dtype."""
    if dtype not in FLOATS:
        return fill % (1 << 8 * dtype.width)
    if dtype is DType.F16:
        return int(np.array([fill], np.uint32).view(np.float32).astype(np.float16).view(np.uint16)[0])
    return fill >> 32 - 8 * dtype.width


def short_of(evidence: Evidence, element: int) -> Case:
    """A proof that opens the result and the first operand's element only."""
    step = evidence.graph.steps[0]
    runs = elements_needed(step, element)
    proof = FaultProof(
        kind=FaultKind.STEP,
        step=0,
        element=element,
        step_record=step.record,
        step_path=evidence.graph.step_path(0),
        openings=tuple(evidence.open(0, run) for run in runs),
        hint=0,
        factor=0,
        numerics_path=(),
    )
    return Case(evidence.committed, proof)


def link_case(random: Random) -> Case:
    """A claimed output beside the traced one: f32 (inline or by root), a label, or an integer."""
    return random.choice([float_link, float_link, label_link, integer_link])(random)


def float_link(random: Random) -> Case:
    count = random.choice([3, 20])
    traced = words(random, count)
    claimed = list(traced)
    element = random.randrange(count)
    band = random.choice([0, OUTPUT_BAND, SLASH_BAND])
    claimed[element] = beside(random, traced[element], band, band | MINUS, INF, NAN)
    if random.random() < 0.5:
        traced[element] = random.choice([0, 1, MINUS])
    step = step_on(Op.RELU, f32(count), [tensor_of_bits(DType.F32, (count,), traced)])
    evidence = one_step(step, [tensor_of_bits(DType.F32, (count,), traced)], traced)
    return linked(claiming(evidence, tensor_of_bits(DType.F32, (count,), claimed)), element)


def label_link(random: Random) -> Case:
    logits = random.choice([words(random, 5), [0, 0x3F000000, 0x40000000, 0x40000001, INF | MINUS]])
    operand = tensor_of_bits(DType.F32, (2, 5), logits[::-1] + logits)
    step = step_on(Op.ARGMAX, TensorSpec(DType.I64, (2,)), [operand], 0, (5,))
    claimed = random.choice([0, 1, 2, 3, 4, 5, 2**64 - 1, 2**32])
    evidence = one_step(step, [operand], [0, random.randrange(5)])
    return hinted(random, linked(claiming(evidence, tensor_of_bits(DType.I64, (2,), [0, claimed])), 1), 5)


def integer_link(random: Random) -> Case:
    dtype = random.choice([DType.I64, DType.F16, DType.U8])
    tensor = scalars(random, dtype, (2,))
    evidence = one_step(step_on(Op.CAT, tensor.spec, [tensor], 0, (1, 2)), [tensor], bits_of(tensor.data, dtype))
    return linked(claiming(evidence, random.choice([tensor, scalars(random, dtype, (2,))])), 1)


def linked(evidence: Evidence, element: int) -> Case:
    return Case(evidence.committed, link_witness(evidence, element))
