"""What a scorer's program selects tokens by, and the selection.

A scorer is any registered model; its program says by which rows it judges: the logits whose greatest it takes, or the
probabilities that it lays side by side. They are looked for among its calls, and believed only when its own scores
follow from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Generator, Tensor

from executor.generation.passes import WholePass
from executor.generation.timeline import reads_tokens_only
from executor.runner import generate
from executor.tensors import torch_dtype
from rollup.call import Function, Ref
from rollup.errors import BadGraph
from rollup.graph import Source
from rollup.program import Program
from rollup.tensor import DType

# Scores of drawn tokens follow from the rows within this, beside the greatest of them.
NEAR = 1e-4
SEED = 0
_INTEGERS = (DType.I64, DType.I32)


@dataclass(frozen=True)
class Rows:
    """Call `place` makes a row of `vocabulary` numbers for each of `new_tokens`, of a text of `length` tokens."""

    place: int
    sampled: bool
    length: int
    new_tokens: int
    vocabulary: int

    @property
    def prompt(self) -> int:
        """Tokens of the prompt."""
        return self.length - self.new_tokens

    def scores(self, rows: Tensor, tokens: Tensor, uniforms: Tensor | None) -> Tensor:
        """f32 [n], as a scorer of these rows [n, V] gives them for tokens [n]."""
        own = rows.gather(-1, tokens[:, None].long())[:, 0]
        if uniforms is None:
            return own - rows.amax(-1)
        low = torch.where(torch.arange(self.vocabulary, device=rows.device) < tokens[:, None], rows, 0.0).sum(-1)
        return torch.minimum(low + own - uniforms, uniforms - low)

    def choose(self, row: Tensor, uniform: float | None) -> int:
        """The token that a row [V] selects: of equal logits the first; of parts the one that holds the uniform."""
        if uniform is None:
            return int(row.argmax())
        ends = row.double().cumsum(-1)
        inside = int(
            torch.searchsorted(ends, torch.tensor(uniform, dtype=torch.float64, device=row.device), right=True)
        )
        # Rounding may leave the parts' sum below the uniform: the last part then ends where all do.
        return min(inside, int(row.nonzero()[-1]))


def rows_of(program: Program, weights: Sequence[Tensor]) -> Rows:
    """Raises BadGraph for a program that is not known to be a scorer of texts."""
    _require_form(program)
    length, new_tokens = program.inputs[0].shape[1], program.output.shape[1]
    sampled = len(program.inputs) == 2
    drawn = Generator().manual_seed(SEED)
    for place, vocabulary in _candidates(program, sampled):
        rows = Rows(place, sampled, length, new_tokens, vocabulary)
        tokens = torch.randint(vocabulary, (1, length), generator=drawn)
        uniforms = torch.rand(1, new_tokens, generator=drawn) if sampled else None
        if _explains(program, weights, rows, tokens, uniforms):
            return rows
    raise BadGraph("the program's scores follow from no rows of logits or probabilities in it")


def _require_form(program: Program) -> None:
    tokens, output = program.inputs[0], program.output
    fits = tokens.dtype in _INTEGERS and len(tokens.shape) == 2
    fits = fits and output.dtype is DType.F32 and len(output.shape) == 2 and output.shape[1] < tokens.shape[1]
    given = [(spec.dtype, spec.shape) for spec in program.inputs[1:]]
    if not fits or given not in ([], [(DType.F32, output.shape)]):
        raise BadGraph(
            "a scorer of texts takes tokens [1, T], and uniforms [1, n] if it samples, and gives scores [1, n]; this "
            f"takes {[list(spec.shape) for spec in program.inputs]} and gives {list(output.shape)}"
        )


def _candidates(program: Program, sampled: bool) -> Iterator[tuple[int, int]]:
    """Calls that may make the rows, with the length of a row; the last first."""
    new_tokens = program.output.shape[1]
    for place in range(len(program.calls) - 1, -1, -1):
        call = program.calls[place]
        if call.function is not (Function.SOFTMAX if sampled else Function.AMAX):
            continue
        ref = Ref(Source.STEP, place) if sampled else call.operands[0]
        shape = program.value(ref).shape
        if ref.source is Source.STEP and prod(shape[:-1]) == new_tokens and reads_tokens_only(program, ref.index):
            yield ref.index, shape[-1]


def _explains(program: Program, weights: Sequence[Tensor], rows: Rows, tokens: Tensor, uniforms: Tensor | None) -> bool:
    """Whether the scores that the program gives follow from the rows."""
    device = weights[0].device if weights else torch.device("cpu")
    inputs = [
        each.to(device) for each in (tokens.to(torch_dtype(program.inputs[0].dtype)), uniforms) if each is not None
    ]
    (found,) = WholePass(program, weights, [Ref(Source.STEP, rows.place)]).run(inputs[0])
    found = found.reshape(rows.new_tokens, rows.vocabulary)
    expected = rows.scores(found, inputs[0][0, rows.prompt :], inputs[1][0] if rows.sampled else None)
    distance = (expected - generate(program, weights)(*inputs)[0]).abs().max()
    return bool(distance <= NEAR * max(1.0, float(found.abs().max())))
