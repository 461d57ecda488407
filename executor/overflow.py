"""Requests whose honest run overflows: which are worth a look, and the first element that does (PROTOCOL.md, 5).

Fast runs are not watched: clamps downstream hide an overflow from the output, and to look at every result would cost
what a forward costs. So only those are run again, in float64, whose output is not finite or whose inputs lie outside
all that the model was ever tried on. Who misses one may be rejected, never slashed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from executor.bounds import inside
from executor.models import LoadedModel, drawn_range
from executor.network import operands_of
from executor.operators import evaluate_rounded
from executor.tensors import from_bytes, is_finite, is_true, to_canonical
from executor.trace import Results
from rollup.blobs import Blobs
from rollup.codec import Overflow
from rollup.graph import Step
from rollup.judge.evaluate import evaluate, open_element, run_of
from rollup.judge.reads import Run
from rollup.judge.undefined import OVERFLOWING, overflows, reads_of_overflow
from rollup.tensor import Bundle
from rollup.tensor import Tensor as Committed
from rollup.types import ZERO_WORD, TensorRoot, Verdict

# Elements of one step that are looked at one by one, where masks make some of what it reads infinite.
MAX_CANDIDATES = 1024


@dataclass(frozen=True)
class Overflowing:
    """Where a run overflows first, and the committed results up to that step."""

    place: Overflow
    tensors: tuple[Committed, ...]
    steps: int

    def store(self, blobs: Blobs) -> bytes:
        """Stores the trace, with zero roots after the overflow; returns the entry of a claim that names it."""
        roots = [blobs.put_tensor(tensor) for tensor in self.tensors]
        roots += [TensorRoot(ZERO_WORD)] * (self.steps - len(roots))
        return self.place.encoded + blobs.put_bundle(Bundle(roots))


def is_suspect(model: LoadedModel, inputs: Sequence[bytes], output: bytes) -> bool:
    """Whether an honest run may have overflowed. `inputs`, `output`: canonical bytes."""
    if not is_finite(from_bytes(model.network.graph.output, output)):
        return True
    specs = zip(model.record.inputs, model.network.program.inputs, inputs, strict=True)
    return any(_is_beyond(from_bytes(spec, data), *drawn_range(item)) for item, spec, data in specs)


def find_overflow(model: LoadedModel, inputs: Sequence[bytes]) -> Overflowing | None:
    """The first overflow of a float64 run; None if there is none that an honest party could stand by.

    Every step up to it is inside its calibrated bound, and the exact judge finds nothing wrong with the element.
    """
    network, numerics = model.network, model.numerics
    tensors = [from_bytes(spec, data) for spec, data in zip(network.program.inputs, inputs, strict=True)]
    results: Results = []
    for number, step in enumerate(network.graph.steps):
        operands = operands_of(step, tensors, network.weights, results)
        result = evaluate_rounded(step, operands, numerics.profile)
        results.append(result)
        if not is_true(inside(step, operands, result, numerics.factors[number], numerics.profile)):
            return None
        element = next(overflowing(step, operands, result), None)
        if element is not None:
            place = Overflow(number, element)
            shown = [to_canonical(tensor) for tensor in (result, *operands)]
            if not _stands(model, step, place, shown):
                return None
            return Overflowing(place, tuple(to_canonical(each) for each in results), len(network.graph.steps))
    return None


def overflowing(step: Step, operands: Sequence[Tensor], result: Tensor) -> Iterator[int]:
    """Elements of a step's result that overflow, in order."""
    if step.op not in OVERFLOWING or is_finite(result):
        return
    shown = [to_canonical(tensor) for tensor in (result, *operands)]
    found = (~result.isfinite()).reshape(-1)
    if not all(is_finite(operand) for operand in operands):
        # What only a mask makes infinite is finite without the mask.
        bare = [torch.nan_to_num(each, 0.0, 0.0, 0.0) if each.is_floating_point() else each for each in operands]
        found &= (~evaluate_rounded(step, bare).isfinite()).reshape(-1)
    for element in found.nonzero().reshape(-1)[:MAX_CANDIDATES].tolist():
        runs = reads_of_overflow(step, element)
        values = [run_of(shown[run.slot], run) for run in runs]
        if overflows(step, runs, values.__getitem__):
            yield element


def _stands(model: LoadedModel, step: Step, place: Overflow, shown: Sequence[Committed]) -> bool:
    def read(run: Run) -> tuple[int, ...]:
        return run_of(shown[run.slot], run)

    opened = open_element(step, place.element, read)
    factor = model.numerics.factors[place.step]
    finding = evaluate(step, opened.values, opened.hint, factor, model.numerics.profile)
    return finding.verdict is Verdict.NO_FAULT


def _is_beyond(tensor: Tensor, low: float, high: float) -> bool:
    return bool(((tensor < low) | (tensor > high)).any())
