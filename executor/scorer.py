"""Scorers: an architecture's program with one input more, the target, whose output is the score of one item.

The score's calls stand behind the architecture's own, over the same list of weights, and need none themselves: so both
have one weights root, whatever is trained. Knows no torch: a module is captured first (capture.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from rollup.call import SIGNATURES, Call, Function, Ref
from rollup.errors import BadInput
from rollup.graph import Source
from rollup.program import Program
from rollup.tensor import DType, TensorSpec

ORIGIN = "score"


class Score(StrEnum):
    """How an output is compared with its target. Of an output of several rows, or elements, the mean is taken."""

    # 1 where the greatest logit is the target's, else 0. Logits f32 [.., C] against classes or tokens i64 [..].
    ACCURACY = "accuracy"
    # Log-softmax of the logits at the target: minus the cross-entropy.
    LIKELIHOOD = "likelihood"
    # Outputs f32 against targets of the same shape; the smaller, the better.
    SQUARED_ERROR = "squared-error"


def scorer_of(architecture: Program, score: Score) -> Program:
    """The scorer of an architecture: takes its inputs, then the target; gives one f32 [1].

    Raises BadInput for an output that has no such score.
    """
    output = architecture.output.spec
    classified = score is not Score.SQUARED_ERROR
    if output.dtype is not DType.F32 or len(output.shape) < 1 + classified:
        raise BadInput(f"an output of {output.dtype.name.lower()} {list(output.shape)} has no {score}")
    target = TensorSpec(DType.I64, output.shape[:-1]) if classified else output
    calls = _Calls(architecture, target)
    row = _WRITERS[score](calls, Ref(Source.STEP, len(architecture.calls) - 1), output.shape)
    calls.mean(row, target.elements)
    return Program((*architecture.inputs, target), architecture.weights, (*architecture.calls, *calls.made))


class _Calls:
    """Calls being written behind an architecture's."""

    def __init__(self, architecture: Program, target: TensorSpec) -> None:
        self._before = len(architecture.calls)
        self.target, self.target_shape = Ref(Source.INPUT, len(architecture.inputs)), target.shape
        self.made: list[Call] = []

    def add(self, function: Function, *operands: Ref, **options: int | tuple[int, ...]) -> Ref:
        ordered = tuple((name, _integers(options[name])) for name, _ in SIGNATURES[function].options)
        self.made.append(Call(function, operands, ordered, ORIGIN))
        return Ref(Source.STEP, self._before + len(self.made) - 1)

    def mean(self, x: Ref, elements: int) -> None:
        """Of all elements; of a single one it is that one."""
        row = self.add(Function.VIEW, x, shape=(1, elements))
        if elements > 1:
            self.add(Function.MEAN, row, keepdim=0)
        else:
            self.add(Function.VIEW, row, shape=(1,))


def _integers(option: int | tuple[int, ...]) -> tuple[int, ...]:
    return (option,) if isinstance(option, int) else option


def _accuracy(calls: _Calls, logits: Ref, _: tuple[int, ...]) -> Ref:
    greatest = calls.add(Function.ARGMAX, logits, keepdim=0)
    right = calls.add(Function.EQ, greatest, calls.target)
    return calls.add(Function.TO, right, dtype=DType.F32.value)


def _likelihood(calls: _Calls, logits: Ref, shape: tuple[int, ...]) -> Ref:
    logarithms = calls.add(Function.LOG_SOFTMAX, logits)
    places = calls.add(Function.VIEW, calls.target, shape=(*calls.target_shape, 1))
    return calls.add(Function.GATHER, logarithms, places, dim=len(shape) - 1)


def _squared_error(calls: _Calls, output: Ref, _: tuple[int, ...]) -> Ref:
    distance = calls.add(Function.SUB, output, calls.target)
    return calls.add(Function.MUL, distance, distance)


_WRITERS: Mapping[Score, Callable[[_Calls, Ref, tuple[int, ...]], Ref]] = {
    Score.ACCURACY: _accuracy,
    Score.LIKELIHOOD: _likelihood,
    Score.SQUARED_ERROR: _squared_error,
}
