"""Cases for both judges: arithmetic and order on hostile bits, with committed values at and beside every edge.

Each maker draws one case from a random generator, so that vectors (fixed seeds) and the differential fuzz (any seed)
come from the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from prover.fault_proof import Evidence, step_witness
from rollup.errors import BadGraph
from rollup.graph import Op
from rollup.judge import contraction, floats
from rollup.judge.elements import elements_needed
from rollup.tensor import DType, TensorSpec
from rollup.types import Committed, FaultKind, FaultProof
from tests.parity.toy import f32, one_step, step_on, tensor_of_bits

INF, NAN, MINUS = 0x7F800000, 0x7FC00000, 1 << 31
EDGES = (0, MINUS, 1, 0x007FFFFF, 0x00800000, 0x00800001, 0x3F800000, 0x7E967699, 0x7F7FFFFF, MINUS | 0x7F7FFFFF)


@dataclass(frozen=True)
class Case:
    """One proof and what it is judged against."""

    committed: Committed
    proof: FaultProof


def case_of(evidence: Evidence, step: int, element: int) -> Case:
    """The witness of one element; where nothing can be judged, one that opens nothing."""
    try:
        return Case(evidence.committed, step_witness(evidence, step, element))
    except BadGraph:
        return Case(evidence.committed, bare_witness(evidence, step, element))


def bare_witness(evidence: Evidence, step: int, element: int) -> FaultProof:
    """Shows a step, and no values."""
    shown, factor = evidence.graph.step_proof(step), evidence.numerics.factors[step]
    path = evidence.numerics.path(step) if factor else ()
    return FaultProof(FaultKind.STEP, step, element, shown.record, shown.path, (), 0, factor, path)


def word(random: Random, kind: str) -> int:
    """Bits of a f32 of some kind."""
    sign = random.getrandbits(1) << 31
    match kind:
        case "natural":
            return sign | random.randint(118, 130) << 23 | random.getrandbits(23)
        case "subnormal":
            return sign | random.choice([random.getrandbits(23), random.randint(1, 3) << 23 | random.getrandbits(23)])
        case "special":
            return random.choice([INF, INF | MINUS, NAN, NAN | MINUS | 1])
        case "edge":
            return random.choice(EDGES)
    return sign | random.randint(0, 254) << 23 | random.getrandbits(23)


def words(random: Random, count: int) -> list[int]:
    """Bits of `count` f32, mostly of one kind."""
    kind = random.choice(["natural", "natural", "subnormal", "wild", "edge"])
    row = [word(random, kind if random.random() < 0.9 else "edge") for _ in range(count)]
    if random.random() < 0.05:
        row[random.randrange(count)] = word(random, "special")
    return row


def beside(random: Random, *edges: int) -> int:
    """One of some f32 bits, or a neighbour of it, or something else altogether."""
    edge = random.choice(edges)
    if random.random() < 0.15:
        return random.choice([0, MINUS, INF, NAN, edge ^ MINUS, word(random, "wild")])
    return min(max((edge & 0x7FFFFFFF) + random.choice([-1, 0, 0, 1]), 0), INF) | edge & MINUS


def contract_case(random: Random, draw: Callable[[Random, int], list[int]] = words) -> Case:
    """A small linear layer: rows from inside a leaf, hints right and wrong, values at the ends of both bounds."""
    length = random.choice([1, 2, 3, 7, 8, 9, 16, 17, 24, 33])
    rows, columns = random.randint(1, 3), random.randint(1, 3)
    operands = [
        tensor_of_bits(DType.F32, (rows, length), draw(random, rows * length)),
        tensor_of_bits(DType.F32, (columns, length), draw(random, columns * length)),
    ]
    if random.random() < 0.5:
        operands.append(tensor_of_bits(DType.F32, (columns,), draw(random, columns)))
    attributes = (length, rows, columns, 1, 0, 0, 1, 0, 1)
    step = step_on(Op.CONTRACT, f32(rows, columns), operands, 2, attributes)
    element = random.randrange(rows * columns)
    factor = random.choice([0, 0, 1, 100, 256, 2000, 2**32 - 1])
    evidence = one_step(step, operands, [0] * (rows * columns), factor)
    _, row_a, row_b, *rest = (evidence.values(0, run) for run in elements_needed(step, element))
    bias = rest[0] if rest else ()
    hint = contraction.hint_of(row_a, row_b, bias) + random.choice([0, 0, 0, 0, 1, 9, 40, 200, -1, -30])
    limits = contraction.bounds(row_a, row_b, bias, hint, factor)
    value = word(random, "wild") if limits is None else beside(random, *ends_of(limits))
    result = [0] * (rows * columns)
    result[element] = value
    case = case_of(one_step(step, operands, result, factor), 0, element)
    return replace(case, proof=replace(case.proof, hint=hint))


def cancelling_case(random: Random) -> Case:
    """The same on terms of like size and both signs, which mostly cancel."""
    return contract_case(random, like_sized)


def like_sized(random: Random, count: int) -> list[int]:
    """Bits of `count` f32 between 1 and 4 in magnitude."""
    signs, exponents, fractions = ([random.randrange(most) for _ in range(count)] for most in (2, 2, 2**23))
    return [s << 31 | 127 + e << 23 | f for s, e, f in zip(signs, exponents, fractions, strict=True)]


def ends_of(limits: contraction.Bounds) -> list[int]:
    """Both ends of the enclosure, and of each bound around it."""
    bounds = [0, limits.sound] if limits.calibrated is None else [0, limits.sound, limits.calibrated]
    lows = [floats.round_to_f32(limits.lo - bound, limits.exponent) for bound in bounds]
    return lows + [floats.round_to_f32(limits.hi + bound, limits.exponent) for bound in bounds]


def row_of(random: Random) -> list[int]:
    row = words(random, random.randint(1, 12))
    if random.random() < 0.3:
        row[random.randrange(len(row))] = INF | MINUS
    return row


def amax_case(random: Random) -> Case:
    """A row of f32, or of bf16, which are the upper halves of f32."""
    row, dtype = row_of(random), random.choice([DType.F32, DType.F32, DType.BF16])
    if dtype is DType.BF16:
        row = [bits >> 16 << 16 for bits in row]
    shift = 32 - 8 * dtype.width
    operands = [tensor_of_bits(dtype, (2, len(row)), [bits >> shift for bits in row[::-1] + row])]
    step = step_on(Op.AMAX, TensorSpec(dtype, (2,)), operands, 0, (len(row),))
    return case_of(one_step(step, operands, [0, beside(random, *row, greatest(row)) >> shift]), 0, 1)


def argmax_case(random: Random) -> Case:
    row = row_of(random)
    operands = [tensor_of_bits(DType.F32, (2, len(row)), row[::-1] + row)]
    step = step_on(Op.ARGMAX, TensorSpec(DType.I64, (2,)), operands, 0, (len(row),))
    right = row.index(greatest(row))
    value = random.choice([right, right, random.randrange(len(row)), len(row), 2**64 - 1, 2**63, 2**32 + right])
    case = case_of(one_step(step, operands, [0, value]), 0, 1)
    return hinted(random, case, len(row))


def hinted(random: Random, case: Case, count: int) -> Case:
    """The case with its hint, or now and then another one, so that other elements are opened than are asked for."""
    hint = random.choice([case.proof.hint] * 4 + [random.randrange(count), count, -1, 2**31 - 1])
    return replace(case, proof=replace(case.proof, hint=hint))


def greatest(row: Sequence[int]) -> int:
    return max(row, key=floats.ordinal)
