"""What a text costs to check, beside what it costs to make: one pass of its scorer against a pass a token.

A GPT-2 of six layers, 384 wide, with its vocabulary of 50,257: 32 tokens of prompt, 128 new ones, greedy. Both run
the registered program of the scorer: checking is what a watchtower does, generating what an executor does, its own
check included.
"""

from __future__ import annotations

from typing import Any

import torch

from bench._timing import CORES, in_turn, ratio, typical
from executor.capture import capture
from executor.generation.decoding import Decoder, Wish
from executor.generation.scorers import GreedyScorer
from executor.network import Network
from executor.runner import Runner
from executor.tensors import canonical_bytes
from executor.threads import thread_count
from rollup.lowering import lower
from tests.zoo import ZOO
from tests.zoo.texts import VOCABULARY
from tests.zoo.texts import Decoder as Zoo

PROMPT, NEW_TOKENS = 32, 128
DELTA = 1e-3
ROUNDS = 15


class Logits(torch.nn.Module):
    """f32 [N, T, V] of the zoo's GPT-2, for the positions that a scorer of `NEW_TOKENS` reads."""

    def __init__(self, zoo: Zoo) -> None:
        super().__init__()
        self.gpt = zoo.gpt

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.gpt(input_ids=tokens, logits_to_keep=NEW_TOKENS + 1).logits
        return logits


def figures(seconds: float = 60.0, threads: int = CORES) -> dict[str, Any]:
    """`generation_ratio`: seconds of a check over seconds of a generation, the median of interleaved rounds."""
    decoder, runner = _decoder()
    prompt = torch.randint(VOCABULARY, (PROMPT,), generator=torch.Generator().manual_seed(0))
    wish = Wish(prompt, None, DELTA)
    with thread_count(threads):
        text = decoder.generate(wish)
        whole = [canonical_bytes(prompt) + text.tokens]
        rounds = in_turn([lambda: decoder.generate(wish), lambda: runner.run([whole])], ROUNDS, seconds)
    return {
        "generation_ratio": ratio(rounds, 1),
        "rounds": len(rounds),
        "new_tokens": NEW_TOKENS,
        "generate_seconds": typical(rounds, 0),
        "check_seconds": typical(rounds, 1),
        "retries": text.retries,
        "incremental": decoder.is_incremental,
        "threads": threads,
    }


def _decoder() -> tuple[Decoder, Runner]:
    zoo = ZOO["gpt2"].module
    assert isinstance(zoo, Zoo)
    scorer = GreedyScorer(Logits(zoo), NEW_TOKENS).eval().requires_grad_(False)
    captured = capture(scorer, [torch.zeros(1, PROMPT + NEW_TOKENS, dtype=torch.long)])
    network = Network(captured.program, lower(captured.program), tuple(captured.weights.values()))
    runner = Runner(network)
    return Decoder(network, runner), runner
