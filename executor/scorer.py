"""Scorers: an architecture's program with one input more, the target, whose output is the score of one item.

The score's calls stand behind the architecture's own, over the same list of weights, and need none themselves: so both
have one weights root, whatever is trained. Knows no torch: a module is captured first (capture.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from executor.certificate import write_error
from rollup.call import Function, Ref, f32_bits
from rollup.errors import BadInput
from rollup.expansion.writer import Writer
from rollup.graph import Source
from rollup.program import Program
from rollup.tensor import DType, TensorSpec

ORIGIN = "score"
# The table that tells a target from the other classes is a square.
MAX_CERTIFIED_CLASSES = 1024


class Score(StrEnum):
    """How an output is compared with its target. Of an output of several rows, or elements, the mean is taken."""

    # 1 where the greatest logit is the target's, else 0. Logits f32 [.., C] against classes or tokens i64 [..].
    ACCURACY = "accuracy"
    # Log-softmax of the logits at the target: minus the cross-entropy.
    LIKELIHOOD = "likelihood"
    # Outputs f32 against targets of the same shape; the smaller, the better.
    SQUARED_ERROR = "squared-error"


def scorer_of(architecture: Program, score: Score, certified: bool = False) -> Program:
    """The scorer of an architecture: takes its inputs, then the target; gives one f32 [1].

    `certified`: the score is the worst that the output can have in exact arithmetic, whichever way a run rounds inside
    its bounds (certificate/): weights made to amplify roundings win nothing by it.
    Raises BadInput for an output that has no such score, or an architecture whose error cannot be written.
    """
    output = architecture.output.spec
    classified = score is not Score.SQUARED_ERROR
    if output.dtype is not DType.F32 or len(output.shape) < 1 + classified:
        raise BadInput(f"an output of {output.dtype.name.lower()} {list(output.shape)} has no {score}")
    target = TensorSpec(DType.I64, output.shape[:-1]) if classified else output
    inputs = (*architecture.inputs, target)
    writer = Writer(Program(inputs, architecture.weights, architecture.calls))
    for call in architecture.calls:
        writer.copy(call)
    error = write_error(writer, architecture) if certified else None
    writer.origin = ORIGIN
    made, wanted = Ref(Source.STEP, len(architecture.calls) - 1), Ref(Source.INPUT, len(architecture.inputs))
    _write_mean(writer, _WRITERS[score](writer, _Judged(made, wanted, error)), target.elements)
    return Program(inputs, architecture.weights, tuple(writer.calls))


@dataclass(frozen=True)
class _Judged:
    """What is scored: the output, its target, and how far it may be from exact."""

    output: Ref
    target: Ref
    error: Ref | None


def _write_mean(writer: Writer, x: Ref, elements: int) -> None:
    """Of all elements; of a single one it is that one."""
    row = writer.view(x, 1, elements)
    if elements > 1:
        writer.call(Function.MEAN, row, keepdim=0)
    else:
        writer.view(row, 1)


def _write_accuracy(writer: Writer, judged: _Judged) -> Ref:
    logits = judged.output
    if judged.error is not None:
        # The target's own at its lowest, all others at their highest.
        moved = writer.call(Function.MUL, judged.error, _signs(writer, judged))
        logits = writer.call(Function.ADD, logits, moved)
    greatest = writer.call(Function.ARGMAX, logits, keepdim=0)
    return writer.cast(writer.call(Function.EQ, greatest, judged.target), DType.F32)


def _signs(writer: Writer, judged: _Judged) -> Ref:
    """[.., C]: -1 at the target, 1 elsewhere: rows of a square table.

    Raises BadInput for more classes than such a table is made for.
    """
    classes = writer.shape(judged.output)[-1]
    if classes > MAX_CERTIFIED_CLASSES:
        raise BadInput(f"of {classes} classes no accuracy is certified, at most of {MAX_CERTIFIED_CLASSES}")
    # One element a row too long, so that the column of -1 becomes the diagonal.
    column = writer.call(Function.FULL, dtype=DType.F32, shape=(classes, 1), fill=f32_bits(-1.0))
    long = writer.call(Function.PAD, column, fill=f32_bits(1.0), low=(0, 0), high=(0, classes))
    table = writer.view(writer.cut(writer.view(long, classes * (classes + 1)), 0, 0, classes**2), classes, classes)
    return writer.call(Function.EMBEDDING, judged.target, table)


def _write_likelihood(writer: Writer, judged: _Judged) -> Ref:
    if judged.error is None:
        return _chosen(writer, judged, writer.call(Function.LOG_SOFTMAX, judged.output))
    # With all logits at their highest, the target's too: at its lowest it would have lost less than twice its error.
    highest = writer.call(Function.ADD, judged.output, judged.error)
    # About their greatest: the logarithm's own bound grows with what it is taken of.
    apart = writer.call(Function.SUB, highest, writer.call(Function.AMAX, highest, keepdim=1))
    lost = writer.scaled(_chosen(writer, judged, judged.error), 2.0)
    return writer.call(Function.SUB, _chosen(writer, judged, writer.call(Function.LOG_SOFTMAX, apart)), lost)


def _write_squared_error(writer: Writer, judged: _Judged) -> Ref:
    distance = writer.call(Function.SUB, judged.output, judged.target)
    if judged.error is not None:
        distance = writer.call(Function.ADD, writer.call(Function.ABS, distance), judged.error)
    return writer.call(Function.MUL, distance, distance)


def _chosen(writer: Writer, judged: _Judged, rows: Ref) -> Ref:
    """[.., 1]: each row's element at its target."""
    shape = writer.shape(judged.target)
    return writer.call(Function.GATHER, rows, writer.view(judged.target, *shape, 1), dim=len(shape))


_WRITERS: Mapping[Score, Callable[[Writer, _Judged], Ref]] = {
    Score.ACCURACY: _write_accuracy,
    Score.LIKELIHOOD: _write_likelihood,
    Score.SQUARED_ERROR: _write_squared_error,
}
