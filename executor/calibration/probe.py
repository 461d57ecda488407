"""The probe with constant rows: inputs on which sums err more than on any random ones, one call at a time.

A blocked sum of equal terms errs several times more, a sequential one by a quarter of the terms; so a factor that was
measured on natural inputs alone could be left by somebody who chooses the input.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from executor.bounds import is_approximate
from executor.calibration.errors import error_of
from executor.calibration.plan import Plan, Tell, silent
from executor.network import Network
from executor.operators import evaluate_rounded
from executor.replay import part_of
from executor.runner import profile, target_of
from executor.tensors import same_bits, torch_dtype
from executor.threads import thread_count
from rollup.call import Function, Ref, Value
from rollup.graph import Operand, Source
from rollup.program import Program
from rollup.tensor import DType

# Values that f32 cannot hold exactly, so that every product and sum of a constant row is rounded.
PROBES = ((0.1, 0.7, 1.3), (1 / 3, 1.9, 0.0), (1.1, -0.3, 0.9))
PROBE_SIZES = (1, 8)
# Of one stacked call: its operands are held once more.
MAX_PROBED_ELEMENTS = 2**26
# Their weights follow from one another, so constants in their places would mean nothing.
_TIED = (Function.BATCH_NORM,)
_FLOATS = (DType.F32, DType.F16, DType.BF16)


@dataclass(frozen=True)
class Probed:
    """A call, and its steps, of which the last is what its kernel makes."""

    place: int
    numbers: range


def worst_of_constants(network: Network, plan: Plan, tell: Tell = silent) -> list[float]:
    """Worst error of each step on constant operands of its call's shapes, by the fast kernel, in units of its scale."""
    worst = [0.0] * len(network.graph.steps)
    found: dict[Hashable, float] = {}
    probed = list(_probed(network))
    for done, call in enumerate(probed):
        tell("constant", done, len(probed))
        likeness = _likeness(network, call)
        if likeness not in found:
            found[likeness] = max(_error(network, call, values, plan) for values in PROBES)
        worst[call.numbers[-1]] = found[likeness]
    return worst


def _probed(network: Network) -> Iterator[Probed]:
    first = 0
    for place, last in enumerate(network.lowered.results):
        if network.lowered.covered[place] and is_approximate(network.graph.steps[last]) and _is_float(network, place):
            yield Probed(place, range(first, last + 1))
        first = last + 1


def _is_float(network: Network, place: int) -> bool:
    """Whether constants say anything to a call: all it takes are floats."""
    refs = network.expanded.calls[place].operands
    return all(network.expanded.value(ref).dtype in _FLOATS for ref in refs)


def _likeness(network: Network, probed: Probed) -> Hashable:
    """What the same probe of two calls depends on: a network's layers are alike, and constants know no weights."""
    program, call = network.expanded, network.expanded.calls[probed.place]
    if call.function in _TIED:
        return probed.place
    refs = list(dict.fromkeys(call.operands))
    known: dict[tuple[Source, int], int] = {_place(network, ref): number for number, ref in enumerate(refs)}
    steps = []
    for number in probed.numbers:
        step = network.graph.steps[number]
        read = tuple((known.get((operand.source, operand.index)), operand.spec) for operand in step.operands)
        steps.append((step.op, step.result, step.rank, step.attributes, read))
        known[Source.STEP, number] = len(known)
    taken = tuple((refs.index(ref), program.value(ref)) for ref in call.operands)
    return call.function, call.options, taken, program.results[probed.place], tuple(steps)


def _error(network: Network, probed: Probed, values: Sequence[float], plan: Plan) -> float:
    """Worst error of the step that ends a call on constants for its operands, in turn, in all of the plan's ways."""
    call = network.expanded.calls[probed.place]
    # A call may take one operand twice: each stands for one constant.
    filled = {
        ref: _filled(network.expanded.value(ref), values[number % len(values)])
        for number, ref in enumerate(dict.fromkeys(call.operands))
    }
    if call.function in _TIED:
        filled |= {ref: network.weights[ref.index] for ref in filled if ref.source is Source.WEIGHT}
    known = {_place(network, ref): tensor for ref, tensor in filled.items()}
    for number in probed.numbers:
        step = network.graph.steps[number]
        operands = [_known(known, operand) for operand in step.operands]
        if number != probed.numbers[-1]:
            known[Source.STEP, number] = evaluate_rounded(step, operands, plan.profile)
    made = _distinct(_kernels(network, probed.place, filled, plan))
    return max(error_of(step, operands, fast, plan.profile) for fast in made)


def _kernels(network: Network, place: int, filled: Mapping[Ref, Tensor], plan: Plan) -> Iterator[Tensor]:
    """What the call's kernel makes for one of several equal requests: by device, thread count and batch size."""
    program = network.expanded
    call, value = program.calls[place], program.results[place]
    for size in sorted({_size(program, value, size) for size in PROBE_SIZES}):
        for device in plan.devices:
            stacked = [_repeated(program.value(ref), filled[ref], size).to(device) for ref in call.operands]
            function, arguments = target_of(call, value, stacked)
            for threads in plan.threads:
                with thread_count(threads), profile():
                    yield part_of(function(*arguments), value, 0)


def _size(program: Program, value: Value, size: int) -> int:
    return size if program.batchable and value.spec.elements * size <= MAX_PROBED_ELEMENTS else 1


def _distinct(results: Iterable[Tensor]) -> list[Tensor]:
    """Those that differ in any bit: most ways of computing make the same."""
    kept: list[Tensor] = []
    for result in results:
        if not any(same_bits(result, other) for other in kept):
            kept.append(result)
    return kept


def _known(known: dict[tuple[Source, int], Tensor], operand: Operand) -> Tensor:
    """What a step reads: of the call's operands, of its own steps, or something that only lends its shape."""
    held = known.get((operand.source, operand.index))
    return torch.zeros(operand.spec.shape, dtype=torch_dtype(operand.spec.dtype)) if held is None else held


def _filled(value: Value, number: float) -> Tensor:
    return torch.full(value.shape, number, dtype=torch_dtype(value.dtype))


def _repeated(value: Value, filled: Tensor, size: int) -> Tensor:
    if not value.batched or value.place is None:
        return filled
    return torch.cat([filled] * size, dim=value.place.axis)


def _place(network: Network, ref: Ref) -> tuple[Source, int]:
    """Where the graph has what the program calls `ref`."""
    return ref.source, network.lowered.results[ref.index] if ref.source is Source.STEP else ref.index
