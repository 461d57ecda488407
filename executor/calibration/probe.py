"""The probe with constant rows: inputs on which sums err more than on any random ones, one call at a time.

A blocked sum of equal terms errs several times more, a sequential one by a quarter of the terms; so a factor that was
measured on natural inputs alone could be left by somebody who chooses the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from executor.bounds import is_approximate
from executor.calibration.errors import error_of
from executor.calibration.plan import Plan, thread_count
from executor.network import Network
from executor.operators import evaluate_rounded
from executor.replay import part_of
from executor.runner import profile, target_of
from executor.tensors import torch_dtype
from rollup.call import Function, Ref, Value
from rollup.graph import Operand, Source
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
class Probe:
    """Constants for the operands of a call, in turn; requests in the batch; threads and device."""

    values: tuple[float, ...]
    size: int
    threads: int
    device: str


def worst_of_constants(network: Network, plan: Plan) -> list[float]:
    """Worst error of each step on constant operands of its call's shapes, by the fast kernel, in units of its scale."""
    worst = [0.0] * len(network.graph.steps)
    first = 0
    for place, last in enumerate(network.lowered.results):
        if network.lowered.covered[place] and is_approximate(network.graph.steps[last]) and _is_float(network, place):
            worst[last] = max(_error(network, place, range(first, last + 1), probe) for probe in _probes(plan))
        first = last + 1
    return worst


def _is_float(network: Network, place: int) -> bool:
    """Whether constants say anything to a call: all it takes are floats."""
    refs = network.expanded.calls[place].operands
    return all(network.expanded.value(ref).dtype in _FLOATS for ref in refs)


def _probes(plan: Plan) -> Iterator[Probe]:
    sizes = PROBE_SIZES
    for values in PROBES:
        for size in sizes:
            for device in plan.devices:
                for threads in plan.threads:
                    yield Probe(values, size, threads, device)


def _error(network: Network, place: int, numbers: range, probe: Probe) -> float:
    """Worst error of the step that ends call `place`, whose steps are `numbers`, on constant operands."""
    program = network.expanded
    call, value = program.calls[place], program.results[place]
    # A call may take one operand twice: each stands for one constant.
    filled = {
        ref: _filled(program.value(ref), probe.values[number % len(probe.values)])
        for number, ref in enumerate(dict.fromkeys(call.operands))
    }
    if call.function in _TIED:
        filled |= {ref: network.weights[ref.index] for ref in filled if ref.source is Source.WEIGHT}
    size = probe.size if program.batchable and value.spec.elements * probe.size <= MAX_PROBED_ELEMENTS else 1
    stacked = [_repeated(program.value(ref), filled[ref], size).to(probe.device) for ref in call.operands]
    function, arguments = target_of(call, value, stacked)
    with thread_count(probe.threads), profile():
        fast = part_of(function(*arguments), value, 0)
    known = {_place(network, ref): tensor for ref, tensor in filled.items()}
    for number in numbers:
        step = network.graph.steps[number]
        operands = [_known(known, operand) for operand in step.operands]
        known[Source.STEP, number] = fast if number == numbers[-1] else evaluate_rounded(step, operands)
    return error_of(step, operands, fast)


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
