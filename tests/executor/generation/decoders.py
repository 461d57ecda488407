"""Small decoders of every shape that texts are generated with, and scorers made of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.generation.decoding import Decoder
from executor.generation.scorers import GreedyScorer, SampledScorer
from executor.network import Network
from executor.runner import Runner
from rollup.lowering import lower
from tests.zoo.specimen import lively

VOCABULARY = 97
PROMPT = 9
TEMPERATURE = 0.7


class Logits(nn.Module):
    """f32 [N, T, V] of tokens i64 [N, T], by a model of transformers."""

    def __init__(self, model: Any, **options: int) -> None:
        super().__init__()
        self.model, self.options = model, options

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=tokens, **self.options).logits
        return logits


def gpt2(vocabulary: int = VOCABULARY, width: int = 32, layers: int = 2, length: int = 160) -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    return Logits(
        lively(
            GPT2LMHeadModel(
                GPT2Config(
                    vocab_size=vocabulary,
                    n_embd=width,
                    n_layer=layers,
                    n_head=4,
                    n_positions=length,
                    use_cache=False,
                    bos_token_id=0,
                    eos_token_id=0,
                )
            )
        )
    )


def llama(**options: int) -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        use_cache=False,
        bos_token_id=0,
        eos_token_id=0,
    )
    return Logits(lively(LlamaForCausalLM(config)), **options)


class Characters(nn.Module):
    """One layer of attention that masks by -Inf and writes its softmax out; a token also sees the one before it."""

    def __init__(self, width: int = 32, length: int = 160) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(VOCABULARY, width), nn.Embedding(length, width)
        self.joint, self.before = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.head = nn.Linear(width, VOCABULARY)
        self.width = width

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1]))
        # Row j of what is left is of position j + 1.
        x = x[:, 1:] + torch.tanh(self.before(x[:, :-1]))
        query, key, value = self.joint(x).chunk(3, -1)
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        weights = (query @ key.transpose(1, 2) / self.width**0.5).masked_fill(later, float("-inf")).softmax(-1)
        logits: Tensor = self.head(x + weights @ value)
        return logits


class Recurrent(nn.Module):
    """A GRU: causal, but no call of it works on a position alone."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.cell = nn.Embedding(VOCABULARY, 16), nn.GRU(16, 16, batch_first=True)
        self.head = nn.Linear(16, VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.head(self.cell(self.tokens(tokens))[0])
        return logits


class Foreseeing(Characters):
    """Attention without a mask: every row depends on the tokens that are still to come."""

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens)
        query, key, value = self.joint(x).chunk(3, -1)
        logits: Tensor = self.head(x + (query @ key.transpose(1, 2)).softmax(-1) @ value)
        return logits


DECODERS: dict[str, Callable[[], nn.Module]] = {
    "gpt2": gpt2,
    "llama": llama,
    "llama_last": lambda: llama(logits_to_keep=13),
    "characters": Characters,
}


@cache
def decoder_module(name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return {**DECODERS, "gru": Recurrent, "foreseeing": Foreseeing}[name]().eval().requires_grad_(False)


def scorer_of(module: nn.Module, new_tokens: int, sampled: bool, vocabulary: int = VOCABULARY) -> nn.Module:
    if sampled:
        return SampledScorer(module, new_tokens, vocabulary, TEMPERATURE).eval().requires_grad_(False)
    return GreedyScorer(module, new_tokens).eval()


def network_of(scorer: nn.Module, prompt: int = PROMPT) -> Network:
    """Captured for texts of so many tokens and the new ones."""
    new_tokens: Any = scorer.new_tokens
    tokens = torch.randint(VOCABULARY, (1, prompt + new_tokens))
    examples = (tokens, torch.rand(1, new_tokens)) if isinstance(scorer, SampledScorer) else (tokens,)
    captured = capture(scorer, examples)
    return Network(captured.program, lower(captured.program), tuple(captured.weights.values()))


@cache
def decoder_of(name: str, sampled: bool, new_tokens: int = 12) -> Decoder:
    network = network_of(scorer_of(decoder_module(name), new_tokens, sampled))
    return Decoder(network, Runner(network))
