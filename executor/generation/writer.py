"""From the scorer of a decoder's texts to two programs over one list of weights: one is trained, one checks texts.

A text's scorer must have exactly the weights of the network that was trained, with the constants of both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from executor.capture import Captured, capture, sharing
from executor.generation.scorers import GreedyScorer, SampledScorer


def capture_writer(scorer: GreedyScorer | SampledScorer, length: int) -> tuple[Captured, Captured]:
    """The scorer's decoder, as an architecture to be trained, and the scorer, for texts of `length` tokens in all.

    Whatever weights the architecture is trained to, the scorer can be given (`anh model transplant`). Raises BadGraph
    for what cannot be judged.
    """
    tokens, uniforms = torch.zeros(1, length, dtype=torch.int64), torch.zeros(1, scorer.new_tokens)
    module = _Writer(scorer).eval()
    decoder = capture(module, [tokens])
    module.is_scored = True
    texts = capture(module, [tokens, uniforms] if isinstance(scorer, SampledScorer) else [tokens])
    architecture, judge = sharing([decoder, texts])
    return architecture, judge


class _Writer(nn.Module):
    """Both in one module, so that a weight has one name in both: the decoder's logits, or the scorer's scores."""

    def __init__(self, scorer: GreedyScorer | SampledScorer) -> None:
        super().__init__()
        self.scorer, self.is_scored = scorer, False

    def forward(self, *inputs: Tensor) -> Tensor:
        said: Tensor = self.scorer(*inputs) if self.is_scored else self.scorer.decoder(*inputs)
        return said
