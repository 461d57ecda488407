"""Scores of items, as they can be claimed: from a run that can be opened for each item alone.

Items are run side by side. Where a run of one item alone might choose otherwise (two logits close to each other), or
kernels differ by more than the scorer's band allows for, the item is run alone and its trace is kept: what is claimed
of it is what will be opened. Knows nothing of pools and of who asked.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, fx

from executor.models import LoadedModel
from executor.network import Network
from executor.runner import call_nodes, profile
from executor.tensors import canonical_bytes, f32_of_bits, from_bytes
from executor.trace import recompute
from rollup.blobs import Blobs
from rollup.call import Function, Value
from rollup.errors import BadEncoding, BadInput
from rollup.graph import Source
from rollup.program import Program
from rollup.tensor import DType, TensorSpec
from rollup.types import Model

SCORE = TensorSpec(DType.F32, (1,))
# As the chain takes them (IPropertyJudge): of magnitude below this.
SCORE_LIMIT = 2.0**64
# Elements of all results of one stacked run: 256 MiB of f32.
MAX_STACK_ELEMENTS = 2**26
MAX_STACK = 1024
# Logits closer than this part of the row's largest are a choice that another order of sums may make otherwise. Kernels
# differ by some 2^-13 of it in a deep network.
CLOSE = 2.0**-8
# Items of which a lone run is compared with the one side by side, before the others are believed.
PROBES = 4
_FLOATS = (DType.F32, DType.F16, DType.BF16)
# Where a small difference of operands may make a large one.
_JUMPS = frozenset(
    {Function.EQ, Function.NE, Function.LT, Function.LE, Function.GT, Function.GE}
    | {Function.FLOOR, Function.CEIL, Function.ROUND, Function.TRUNC, Function.SIGN}
)

Item = Sequence[bytes]


def require_scorer(scorer: Model, architecture: Model) -> None:
    """Raises BadInput unless `scorer` takes the architecture's inputs, in the same ranges, and one target more, and
    gives one f32.
    """
    given = TensorSpec.from_header(scorer.output_header)
    if scorer.inputs[:-1] != architecture.inputs:
        raise BadInput(f"a scorer of {len(scorer.inputs)} inputs does not take the architecture's and one target more")
    if given.dtype is not DType.F32 or given.elements != 1:
        raise BadInput(f"a scorer gives one f32, not {given.dtype.name.lower()} {list(given.shape)}")


def scores_of(loaded: LoadedModel, blobs: Blobs, items: Sequence[Item]) -> list[bytes]:
    """The score of each item, canonical bytes, from the canonical bytes of its inputs. Traces that are kept go to
    `blobs`.

    Raises BadInput for no items, or for a score that the chain does not take; BadEncoding for inputs of a wrong length.
    """
    if not items:
        raise BadInput("there are no items to score")
    scores, close = [], []
    for start, stop in _stacks(loaded.network, len(items)):
        made, doubtful = _run(loaded, items[start:stop])
        scores += made
        close += [start + place for place in doubtful]
    alone = close if _is_steady(loaded, items, scores) else range(len(items))
    for place in alone:
        (scores[place],) = loaded.run_retaining(blobs, [items[place]])
    _require_scores(scores)
    return scores


def values_of(scores: Iterable[bytes]) -> list[float]:
    """Scores as numbers. Raises BadEncoding for one that is not four bytes."""
    return [_value(score) for score in scores]


def _value(score: bytes) -> float:
    if len(score) != SCORE.byte_length:
        raise BadEncoding(f"a score has {SCORE.byte_length} bytes, got {len(score)}")
    value: float = struct.unpack(">f", score)[0]
    return value


def _require_scores(scores: Sequence[bytes]) -> None:
    for place, value in enumerate(values_of(scores)):
        if not math.isfinite(value) or abs(value) >= SCORE_LIMIT:
            raise BadInput(f"the score of item {place} is {value}, not a number below 2^64 in magnitude")


def _stacks(network: Network, count: int) -> Iterable[tuple[int, int]]:
    elements = sum(value.spec.elements for value in network.program.results)
    size = max(1, min(MAX_STACK, MAX_STACK_ELEMENTS // elements))
    return ((start, min(count, start + size)) for start in range(0, count, size))


def _run(loaded: LoadedModel, items: Sequence[Item]) -> tuple[list[bytes], list[int]]:
    """Scores of a stack, and the places in it of which another run might choose otherwise."""
    program = loaded.network.program
    inputs = loaded.runner.stack(items)
    choices = _choices(program)
    if choices is None or not program.batchable:
        return loaded.runner.run_stacked(inputs), list(range(len(items)))
    watch = _Watch(loaded.runner.module, [program.calls[place].operands[0].index for place in choices])
    with profile():
        output = canonical_bytes(watch.run(*inputs))
    close = torch.zeros(len(items), dtype=torch.bool)
    for place, logits in zip(choices, watch.seen, strict=True):
        close |= _is_close(logits, program.value(program.calls[place].operands[0]), len(items))
    size = SCORE.byte_length
    return [output[start : start + size] for start in range(0, len(output), size)], close.nonzero().flatten().tolist()


def _choices(program: Program) -> list[int] | None:
    """The calls that choose the greatest of a row; None where something else jumps, or a choice cannot be watched."""
    choices = []
    for place, (call, result) in enumerate(zip(program.calls, program.results, strict=True)):
        taken = [program.value(ref) for ref in call.operands]
        of_floats = any(value.batched and value.dtype in _FLOATS for value in taken)
        if not result.batched or not of_floats:
            continue
        if call.function in _JUMPS or (call.function is Function.TO and result.dtype not in _FLOATS):
            return None
        if call.function is Function.ARGMAX:
            if not taken[0].leads or call.operands[0].source is not Source.STEP:
                return None
            choices.append(place)
    return choices


class _Watch(fx.Interpreter):
    """Runs a generated module and keeps what some of its calls made, in the order in which they are named."""

    def __init__(self, module: fx.GraphModule, places: Sequence[int]) -> None:
        super().__init__(module)
        nodes = call_nodes(module)
        self._names = [nodes[place].name for place in places]
        self._made: dict[str, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.name in self._names:
            self._made[n.name] = result
        return result

    @property
    def seen(self) -> list[Tensor]:
        return [self._made[name] for name in self._names]


def _is_close(logits: Tensor, value: Value, count: int) -> Tensor:
    """Of each item, whether the two greatest of a row are close: bool [count]. What is no number is close to all."""
    rows = logits.reshape(count, -1, value.shape[-1]).cpu().float()
    if rows.shape[-1] < 2:
        return torch.zeros(count, dtype=torch.bool)
    first, second = rows.topk(2).values.unbind(-1)
    return ~(first - second > CLOSE * rows.abs().amax(-1)).all(-1)


def _is_steady(loaded: LoadedModel, items: Sequence[Item], scores: Sequence[bytes]) -> bool:
    """Whether lone runs of a few items give, within half of the band, what the run side by side gave."""
    band = f32_of_bits(loaded.record.output_band)
    values = [abs(value) for value in values_of(scores)]
    largest = max(range(len(items)), key=lambda place: values[place])
    places = {0, len(items) // 2, len(items) - 1, largest}
    return all(2 * _distance(loaded, items[place], scores[place]) <= band for place in sorted(places)[:PROBES])


def _distance(loaded: LoadedModel, item: Item, score: bytes) -> float:
    specs = loaded.network.program.inputs
    inputs = [from_bytes(spec, data) for spec, data in zip(specs, item, strict=True)]
    alone = recompute(loaded.network, inputs, loaded.numerics.profile)[-1]
    return abs(float(alone) - values_of([score])[0])
