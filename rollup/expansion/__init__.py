"""A program without fused calls: each is written out in primitive ones, so that the judge can read it.

An opened trace need only be one run of the expanded program whose output lies in the band of the claim, so kernels of
fused calls need no bound of their own. Deterministic; constants are operands of the fused call, or `full`. What is in
16 bits is computed in f32 and rounded once, as kernels do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rollup.call import Call, Function, Ref
from rollup.expansion import activations, attention, pictures, recurrent, sums
from rollup.expansion.writer import Expand, Writer
from rollup.graph import Source
from rollup.program import Program
from rollup.shapes.made import FLOATS
from rollup.tensor import DType

RULES: Mapping[Function, Expand] = {
    **activations.RULES,
    **attention.RULES,
    **pictures.RULES,
    **recurrent.RULES,
    **sums.RULES,
}
_NARROW = (DType.F16, DType.BF16)
# Moves elements only.
_BITS = frozenset({Function.UPSAMPLE_NEAREST2D})


def expand(program: Program) -> Program:
    """The same program in primitive calls; itself if it has no fused one. Raises BadGraph if it is too long then."""
    if not any(_is_fused(program, call) for call in program.calls):
        return program
    writer = Writer(program)
    made: list[Ref] = []
    for call, value in zip(program.calls, program.results, strict=True):
        writer.origin = call.origin
        operands = [made[ref.index] if ref.source is Source.STEP else ref for ref in call.operands]
        if _is_fused(program, call):
            made.append(_expanded(writer, call, operands, value.dtype))
        else:
            made.append(writer.copy(replace(call, operands=tuple(operands))))
    assert made[-1] == Ref(Source.STEP, len(writer.calls) - 1)
    return Program(program.inputs, program.weights, tuple(writer.calls))


def _expanded(writer: Writer, call: Call, operands: Sequence[Ref], dtype: DType) -> Ref:
    if call.function in _BITS:
        return RULES[call.function](writer, call, operands)
    wide = [writer.cast(ref, DType.F32) if writer.value(ref).dtype in _NARROW else ref for ref in operands]
    return writer.cast(RULES[call.function](writer, call, wide), dtype)


def _is_fused(program: Program, call: Call) -> bool:
    """Whether a call is written out: average pools only over counts, sums only of what is no float."""
    if call.function is Function.AVG_POOL2D:
        return len(call.operands) == 2
    if call.function is Function.SUM:
        return program.value(call.operands[0]).dtype not in FLOATS
    return call.function in RULES
