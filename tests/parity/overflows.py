"""Cases for both judges: elements that overflow, or might have, in claims that name them and in claims of an output."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from prover.fault_proof import Evidence, link_witness, undefined_witness
from rollup.codec import Overflow
from rollup.graph import Op
from rollup.tensor import DType
from tests.parity.faults import INF, MINUS, NAN, Case
from tests.parity.toy import f32, network, one_step, step_on, tensor_of_bits

_PLAIN = (0, 0x3F800000, 0x7F7FFFFF, MINUS | 0x7F7FFFFF)


def overflow_case(random: Random) -> Case:
    """A sum, a product, a contraction or a relu of few elements; what it is made of, and what was made, may be NaN."""
    pool = random.choice([_PLAIN, (*_PLAIN, INF), (*_PLAIN, INF | MINUS, NAN)])
    op = random.choice([Op.ADD, Op.MUL, Op.CONTRACT, Op.RELU])
    operands = [tensor_of_bits(DType.F32, (3,), [random.choice(pool) for _ in range(3)]) for _ in range(2)]
    traced = [
        random.choice([INF, INF | MINUS, NAN, 0x3F800000, 0x7F7FFFFF]) for _ in range(1 if op is Op.CONTRACT else 3)
    ]
    shape = f32(len(traced))
    step = {
        Op.CONTRACT: step_on(op, shape, operands, 1, (3, 1, 0, 0, 0)),
        Op.RELU: step_on(op, shape, operands[:1]),
    }.get(op) or step_on(op, shape, operands, 1, (3, 1, 1))
    evidence = one_step(step, operands[: len(step.operands)], traced)
    return named(random, evidence, 0, random.randrange(len(traced) + 1))


def named(random: Random, evidence: Evidence, step: int, element: int) -> Case:
    """A proof about the element, against a claim that names it, or another one, or an output."""
    place = random.choice([Overflow(step, element)] * 3 + [Overflow(step, element + 1), Overflow(step + 1, element)])
    undefined = replace(evidence.committed, undefined=True, claimed_output=place.encoded)
    committed = random.choice([undefined, undefined, evidence.committed])
    return Case(committed, undefined_witness(replace(evidence, committed=committed), step, element))


def misplaced_cases() -> list[Case]:
    """Places that no run can overflow at: of a step that moves, an element and a step that are not there."""
    honest = network()
    cases = []
    for place in (
        Overflow(3, 0),
        Overflow(1, 36),
        Overflow(len(honest.graph.steps), 0),
        Overflow(2**32 - 1, 2**32 - 1),
    ):
        committed = replace(honest.committed, undefined=True, claimed_output=place.encoded)
        cases.append(Case(committed, undefined_witness(honest, place.step, place.element)))
    # Nothing is opened where nothing needs to be, for who proves is paid by the length.
    opened = undefined_witness(honest, 1, 0).openings
    shown = replace(cases[-1].proof, step_record=b"\x01")
    longer = [replace(case, proof=replace(case.proof, openings=opened[:1])) for case in cases]
    return [*cases, *longer, Case(cases[-1].committed, shown), *_linked(honest)]


def _linked(honest: Evidence) -> list[Case]:
    """A claim that names an overflow has no output to be linked to."""
    committed = replace(honest.committed, undefined=True, claimed_output=Overflow(1, 0).encoded)
    return [Case(committed, link_witness(honest, 0))]
