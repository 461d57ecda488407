"""The smallest relative change of one number that can be proven, found by bisection with the exact judge.

Of a hidden activation, of a weight (the step that reads it is then run honestly), of an element of the output (whose
trace is honest, so that only the band counts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from statistics import median

import numpy as np
from torch import Tensor

from executor.bounds import inside
from executor.network import Network, operands_of
from executor.operators import evaluate_rounded
from executor.reach import is_computed
from executor.tensors import bits_of_f32_above, to_canonical
from executor.trace import Results
from rollup.graph import Op, Source, Step
from rollup.judge.evaluate import evaluate, open_tensors
from rollup.judge.link import Bands, find_f32
from rollup.tensor import DType
from rollup.types import Verdict

SOUND = 0
# Powers of two between which changes are looked for; beyond the largest nothing was found.
LEAST, MOST = -26.0, 8.0
HALVINGS = 12
# Elements beyond their bound that are put before the exact judge.
MAX_JUDGED = 8


def smallest(is_provable: Callable[[float], bool]) -> float:
    """The least relative change that is provable; infinite if none is, up to 2^8."""
    low, high = LEAST, MOST
    if not is_provable(2.0**high):
        return float("inf")
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_provable(2.0**middle) else (middle, high)
    return float(2.0**high)


def summary(changes: Iterable[float]) -> dict[str, float | None]:
    """Least, median and greatest of a sample; None is a change that no size makes provable."""
    found = sorted(changes)
    if not found:
        return {}
    figures = {"least": found[0], "median": median(found), "greatest": found[-1]}
    return {name: value if isfinite(value) else None for name, value in figures.items()}


class Sample:
    """Numbers drawn from one honest run of a network."""

    def __init__(self, network: Network, inputs: Sequence[Tensor], results: Results, seed: int) -> None:
        self._network, self._inputs, self._results = network, inputs, results
        self._random = np.random.default_rng(seed)

    def _operands(self, number: int) -> list[Tensor]:
        return operands_of(self._network.graph.steps[number], self._inputs, self._network.weights, self._results)

    def _drawn(self, steps: Sequence[int], count: int) -> list[int]:
        return self._random.choice(steps, count).tolist() if steps else []

    def activations(self, count: int) -> list[float]:
        """Of so many elements of hidden results that are computed, none of them zero."""
        steps = self._network.graph.steps
        computed = [n for n, step in enumerate(steps) if is_computed(step) and step.result.dtype is DType.F32]
        return [self._activation(number) for number in self._drawn(computed, count)]

    def _activation(self, number: int) -> float:
        step, result = self._network.graph.steps[number], self._results[number].reshape(-1)
        places = ((result != 0) & result.isfinite()).nonzero().flatten()
        if not len(places):
            return float("inf")
        element = int(places[int(self._random.integers(len(places)))])
        opened = open_tensors(
            step, element, [to_canonical(x) for x in (self._results[number], *self._operands(number))]
        )
        value = float(result[element])

        def is_provable(change: float) -> bool:
            values = ((_bits(value * (1 + change)),), *opened.values[1:])
            return evaluate(step, values, opened.hint, SOUND).verdict is Verdict.BEYOND_SOUND

        return smallest(is_provable)

    def weights(self, count: int) -> list[float]:
        """Of so many weights of contractions."""
        steps = self._network.graph.steps
        weighted = [n for n, step in enumerate(steps) if step.op is Op.CONTRACT and _weight_of(step) is not None]
        return [self._weight(number) for number in self._drawn(weighted, count)]

    def _weight(self, number: int) -> float:
        step, operands = self._network.graph.steps[number], self._operands(number)
        slot = _weight_of(step)
        assert slot is not None
        weight = operands[slot]
        place = int(self._random.integers(weight.numel()))

        def is_provable(change: float) -> bool:
            changed = weight.clone()
            changed.view(-1)[place] *= 1 + change
            result = evaluate_rounded(step, [*operands[:slot], changed, *operands[slot + 1 :]])
            return is_caught(step, operands, result)

        return smallest(is_provable)

    def outputs(self, count: int, slash_band: float) -> list[float]:
        """Of so many elements of the output, against the slashing band; of labels none."""
        if self._network.graph.output.dtype is not DType.F32:
            return []
        output = self._results[-1].reshape(-1)
        return [
            self._output(float(output[place]), slash_band) for place in self._random.integers(len(output), size=count)
        ]

    def _output(self, value: float, slash_band: float) -> float:
        bands = Bands(bits_of_f32_above(slash_band), bits_of_f32_above(slash_band))

        def is_provable(change: float) -> bool:
            return find_f32(_bits(value * (1 + change)), _bits(value), bands).verdict is Verdict.BEYOND_SOUND

        return smallest(is_provable)


def is_caught(step: Step, operands: Sequence[Tensor], result: Tensor) -> bool:
    """Whether the exact judge finds an element of `result` beyond its sound bound."""
    suspects = (~inside(step, operands, result, SOUND)).reshape(-1).nonzero().flatten().tolist()
    tensors = [to_canonical(x) for x in (result, *operands)] if suspects else []
    for element in suspects[:MAX_JUDGED]:
        opened = open_tensors(step, element, tensors)
        if evaluate(step, opened.values, opened.hint, SOUND).verdict is Verdict.BEYOND_SOUND:
            return True
    return False


def _weight_of(step: Step) -> int | None:
    """Slot of the rows that are the model's own."""
    for slot, operand in enumerate(step.operands[:2]):
        if operand.source is Source.WEIGHT and operand.spec.dtype is DType.F32:
            return slot
    return None


def _bits(value: float) -> int:
    """Of the nearest f32."""
    return int(np.float32(value).view(np.uint32))
