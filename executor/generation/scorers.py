"""From a causal decoder to the scorer of its texts: a module like any other, to be captured and registered.

A scorer takes the whole text and gives each of its last n tokens a score (PROTOCOL.md, section 7.2): whether the token
is what the decoder's logits at the position before it select, and by how much.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rollup.errors import BadInput


class GreedyScorer(nn.Module):
    """f32 [N, n] of tokens i64 [N, T]: each new token's logit less the greatest of its position; 0 for the likeliest.

    `decoder` gives logits [N, T, V] (or of the last n + 1 positions only) of tokens [N, T]; `new_tokens` is n.
    Raises BadInput for n below 1.
    """

    def __init__(self, decoder: nn.Module, new_tokens: int) -> None:
        super().__init__()
        self.decoder, self.new_tokens = decoder, _positive(new_tokens)

    def forward(self, tokens: Tensor) -> Tensor:
        logits = _before(self.decoder(tokens), self.new_tokens)
        return _own(logits, tokens[:, -self.new_tokens :]) - logits.amax(-1)


class SampledScorer(nn.Module):
    """f32 [N, n] of tokens i64 [N, T] and uniforms f32 [N, n]: how far each uniform lies inside its token's part.

    The parts of the tokens lie one after another in [0, 1], each as long as its probability, a softmax of the logits
    over `temperature`; outside its token's part a uniform's score is negative. Raises BadInput for n below 1 and for a
    temperature that is not positive.
    """

    places: Tensor
    none: Tensor

    def __init__(self, decoder: nn.Module, new_tokens: int, vocabulary: int, temperature: float = 1.0) -> None:
        super().__init__()
        if not 0 < temperature < float("inf"):
            raise BadInput(f"a temperature is positive and finite, got {temperature}")
        self.decoder, self.new_tokens, self.temperature = decoder, _positive(new_tokens), temperature
        self.register_buffer("places", torch.arange(vocabulary))
        self.register_buffer("none", torch.zeros(1))

    def forward(self, tokens: Tensor, uniforms: Tensor) -> Tensor:
        logits = _before(self.decoder(tokens), self.new_tokens)
        parts = torch.softmax(logits / self.temperature, -1)
        claimed = tokens[:, -self.new_tokens :]
        before = torch.where(self.places < claimed.unsqueeze(-1), parts, self.none)
        low = before.sum(-1)
        high = low + _own(parts, claimed)
        return torch.minimum(high - uniforms, uniforms - low)


def _positive(new_tokens: int) -> int:
    if new_tokens < 1:
        raise BadInput(f"a scorer scores at least one new token, got {new_tokens}")
    return new_tokens


def _before(logits: Tensor, count: int) -> Tensor:
    """[N, n, V]: rows of the positions before the last n."""
    return logits[:, -count - 1 : -1]


def _own(rows: Tensor, claimed: Tensor) -> Tensor:
    """[N, n]: each row's element at its claimed token."""
    return rows.gather(-1, claimed.unsqueeze(-1)).squeeze(-1)
