"""From a prompt to the tokens that a scorer accepts: row by row on the fast path, checked by the scorer's own pass.

The first pass over the whole text fills what the positions leave behind (passes.py); every further token costs one
position. Programs that cannot be followed along their positions, or that were seen to read later tokens, are decoded by
whole passes. Either way nothing is believed but the scorer: a token whose score it puts below -delta, for two nearly
equal logits that kernels order otherwise, is chosen again from the rows of a whole pass.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from executor.generation.choice import SEED, rows_of
from executor.generation.passes import RowPass, WholePass
from executor.generation.timeline import follow
from executor.network import Network
from executor.runner import Runner, profile
from executor.tensors import canonical_bytes, from_bytes, torch_dtype
from rollup.call import Ref
from rollup.errors import BadGraph, BadInput, Doubt, Overloaded
from rollup.graph import Source

# Rows of one position and of all differ by rounding, which this bounds beside the greatest number in them.
NEAR = 2.0**-10
# Positions at which the two are compared before texts are made.
COMPARED = 4
# Keys, values and whatever else is kept of one text.
MAX_CACHE_BYTES = 2**31


@dataclass(frozen=True)
class Wish:
    """What is asked: the prompt i64 [P] and, of a sampled text, its uniforms f32 [n]; every score at least -`delta`."""

    prompt: Tensor
    uniforms: Tensor | None
    delta: float


@dataclass(frozen=True)
class Text:
    """New tokens and the scorer's output for them, canonical bytes; `retries` tokens were chosen again."""

    tokens: bytes
    scores: bytes
    retries: int


class Decoder:
    """Generates the texts of one scorer; `cache` holds what positions leave behind, or is None with whole passes.

    Raises BadGraph for a network that is no scorer of texts.
    """

    def __init__(self, network: Network, runner: Runner, by_whole_passes: bool = False) -> None:
        self.network, self.runner = network, runner
        self._weights = [weight.to(runner.device) for weight in network.weights]
        with profile():
            self.rows = rows_of(network.program, self._weights)
            self.cache = None if by_whole_passes else self._row_pass()
            self._all = self._whole_pass()
            if self.cache is not None and not self._agree():
                self.cache = None
                self._all = self._whole_pass()

    @property
    def is_incremental(self) -> bool:
        """Whether a further token costs one position; else a whole pass."""
        return self.cache is not None

    def generate(self, wish: Wish, limit_seconds: float = float("inf")) -> Text:
        """The text that the scorer accepts.

        Raises BadInput for a prompt or uniforms of another length, Overloaded beyond the limit, Doubt if the scorer's
        pass rejects what its own rows select.
        """
        text = self._begun(wish)
        until = time.monotonic() + limit_seconds
        start, retries = 0, 0
        with profile():
            while True:
                self._write(text, wish, start, until)
                scores = self.runner.run([self._inputs(text, wish)])[0]
                missed = self._missed(scores, wish.delta)
                if missed is None:
                    tokens = text[:, self.rows.prompt :]
                    return Text(canonical_bytes(tokens), scores, retries)
                if retries and missed <= start:
                    raise Doubt(f"the scorer rejects token {missed}, which its own rows select, by more than delta")
                start, retries = missed, retries + 1

    def score(self, text: Tensor, uniforms: Tensor | None) -> Tensor:
        """The scorer's own scores f32 [n] of a whole text [T]: what anyone checks a generation by."""
        data = self.runner.run([self._inputs(text[None], Wish(text, uniforms, 0.0))])[0]
        return from_bytes(self.network.program.output.spec, data)[0]

    def rows_along(self, text: Tensor) -> Tensor:
        """Rows [n, V] that a whole text [1, T] gets while it is written, without its later tokens."""
        begun = torch.zeros_like(text)
        begun[:, : self.rows.prompt] = text[:, : self.rows.prompt]
        rows = [self._fill(begun)[0]]
        for position in range(self.rows.prompt, self.rows.length - 1):
            begun[:, position] = text[:, position]
            rows.append(self._next(begun, position).clone())
        return torch.stack(rows)

    def _begun(self, wish: Wish) -> Tensor:
        rows, spec = self.rows, self.network.program.inputs[0]
        counts = [] if wish.uniforms is None else [wish.uniforms.numel()]
        if wish.prompt.numel() != rows.prompt or counts != [rows.new_tokens] * rows.sampled:
            raise BadInput(
                f"the scorer takes {rows.prompt} tokens and {rows.new_tokens * rows.sampled} uniforms, got "
                f"{wish.prompt.numel()} and {sum(counts)}"
            )
        text = torch.zeros((1, rows.length), dtype=torch_dtype(spec.dtype), device=self.runner.device)
        text[0, : rows.prompt] = wish.prompt
        return text

    def _write(self, text: Tensor, wish: Wish, start: int, until: float) -> None:
        """New tokens from `start` on, in place: the first by a pass over all, which is the scorer's own."""
        uniforms = None if wish.uniforms is None else wish.uniforms.tolist()
        row = self._fill(text)[start]
        for place in range(start, self.rows.new_tokens):
            position = self.rows.prompt + place
            text[0, position] = self.rows.choose(row, None if uniforms is None else uniforms[place])
            if time.monotonic() > until:
                raise Overloaded(f"only {place + 1} of {self.rows.new_tokens} tokens were made in time", 0)
            if place + 1 < self.rows.new_tokens:
                row = self._next(text, position)

    def _fill(self, text: Tensor) -> Tensor:
        """Rows [n, V] of the text as it stands, by a whole pass."""
        target, *kept = self._all.run(text)
        if self.cache is not None:
            self.cache.fill(kept)
        return target.reshape(self.rows.new_tokens, self.rows.vocabulary)

    def _next(self, text: Tensor, position: int) -> Tensor:
        """The row [V] that follows once the token at `position` is known."""
        if self.cache is None:
            return self._fill(text)[position + 1 - self.rows.prompt]
        return self.cache.step(position, text[:, position : position + 1]).reshape(-1)

    def _inputs(self, text: Tensor, wish: Wish) -> list[bytes]:
        given = [text] if wish.uniforms is None else [text, wish.uniforms]
        return [canonical_bytes(tensor) for tensor in given]

    def _missed(self, scores: bytes, delta: float) -> int | None:
        """The first token whose score lies below -delta."""
        below = ~(from_bytes(self.network.program.output.spec, scores)[0] >= -delta)
        return int(below.nonzero()[0]) if bool(below.any()) else None

    def _row_pass(self) -> RowPass | None:
        try:
            timeline = follow(self.network.program, self.rows.place)
        except BadGraph:
            return None
        if sum(self.network.program.value(ref).spec.byte_length for ref in timeline.kept) > MAX_CACHE_BYTES:
            return None
        return RowPass(self.network.program, self._weights, timeline)

    def _whole_pass(self) -> WholePass:
        kept = () if self.cache is None else self.cache.kept
        return WholePass(self.network.program, self._weights, (Ref(Source.STEP, self.rows.place), *kept))

    def _agree(self) -> bool:
        """Whether later tokens change no earlier row, and rows by position equal those of whole passes."""
        rows, drawn = self.rows, Generator().manual_seed(SEED)
        text = torch.randint(rows.vocabulary, (2, 1, rows.length), generator=drawn)
        first, other = text.to(self.runner.device, torch_dtype(self.network.program.inputs[0].dtype))
        other[:, : rows.prompt] = first[:, : rows.prompt]
        count = min(COMPARED, rows.new_tokens - 1)
        expected = self._fill(first)[: count + 1].clone()
        found = [self._fill(other)[0]]
        found += [self._next(first, rows.prompt + place) for place in range(count)]
        near = NEAR * float(expected.abs().max())
        return all(bool((a - b).abs().max() <= near) for a, b in zip(found, expected, strict=True))
