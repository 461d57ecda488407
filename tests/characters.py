"""A small decoder of characters and the tale that it learns by heart: what stories are told by.

The tale is our own, written for this file. Training takes some seconds and is cached under build/.
`contracts/examples/Storyteller.sol` has texts written by such a network.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor, nn
from torch.nn import functional

from executor.threads import thread_count

# Token i is character i: only what no page can be broken with. The first one fills what is short.
ALPHABET = " abcdefghijklmnopqrstuvwxyz.,;:!?'-"
LENGTH = 96
NEW_TOKENS = 64
OPENING = LENGTH - NEW_TOKENS
WIDTH = 48
HEADS = 4
LAYERS = 2
# Characters before each that it sees without attention: words are learnt at once.
BACK = 3
STEPS = 500
BATCH = 8
CACHE = Path(__file__).resolve().parent.parent / "build" / "characters.safetensors"

TALE = """
once upon a time there was a lighthouse that could count. every night it counted the ships that went by, and every
morning it told the sea how many they had been. the sea did not believe it. you are only a lamp on a rock, said the sea;
who has checked your numbers? so the lighthouse asked the gull to watch, and the gull asked the seal, and the seal asked
the fog, who is always there and never sees a thing.

one night a great ship went by without a light. the lighthouse counted it, but the gull was asleep. the seal was under
the water, and the fog said: there was no ship. then the sea laughed, and all the little waves laughed with it. show me
the ship, said the sea, or be silent until the moon is full.

the lighthouse did not argue. it turned its lamp to the north, where the water still lay smooth and silver behind the
great ship, and it said: look at the wake. nobody has to have seen the ship; the wake is here, and anyone can follow it.
the gull flew along the wake, and the seal swam along the wake, and at the end of it they found the ship at anchor, with
its captain eating bread and honey by the light of a single candle.

why do you sail without a light? asked the gull. because nobody looks, said the captain. but somebody counts, said the
seal. then the captain lit all the lanterns of the ship, one by one, and the lighthouse counted them too.

since then the sea believes the lighthouse, but only in the morning, and only after the gull has looked. and when the
fog says that there was no ship, the little waves answer: show us the wake. if you stand on the shore on a quiet night
you can hear them say it, again and again: show us the wake, show us the wake.
"""


class CharacterNet(nn.Module):
    """Logits of the character that follows each, f32 [N, T, 35], of tokens i64 [N, T], T at most LENGTH; causal."""

    def __init__(self) -> None:
        super().__init__()
        self.characters = nn.Embedding(len(ALPHABET), WIDTH)
        self.joined = nn.Linear((1 + BACK) * WIDTH, WIDTH)
        self.places = nn.Embedding(LENGTH, WIDTH)
        self.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(ALPHABET))

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        x = self.characters(tokens)
        near = [x, *(functional.pad(x, (0, 0, back, 0))[:, :length] for back in range(1, 1 + BACK))]
        x = self.joined(torch.cat(near, dim=-1)) + self.places(torch.arange(length, device=tokens.device))
        for layer in self.layers:
            x = layer(x)
        logits: Tensor = self.head(self.norm(x))
        return logits


class Layer(nn.Module):
    """Attention to what came before, and two linear layers on each position; each around a norm and beside a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.before_mixing = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.joint, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mixing = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        joint = self.joint(self.before_attention(x))
        query, key, value = (
            part.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2) for part in joint.chunk(3, dim=-1)
        )
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        mixed: Tensor = x + self.mixing(self.before_mixing(x))
        return mixed


def encoded(text: str) -> Tensor:
    """Tokens of a text, i64 [n]. Raises ValueError for a character outside the alphabet."""
    return torch.tensor([ALPHABET.index(character) for character in text], dtype=torch.int64)


def decoded(tokens: Tensor) -> str:
    return "".join(ALPHABET[int(token)] for token in tokens)


def opening(text: str) -> Tensor:
    """The first OPENING tokens of a story, i64 [OPENING]: the text's end, filled up from the left."""
    return encoded(text[-OPENING:].rjust(OPENING))


def tale() -> Tensor:
    """The whole tale, i64 [n], in one line that goes round."""
    return encoded(" ".join(TALE.split()) + " ")


def windows(count: int, generator: Generator) -> Tensor:
    """i64 [count, LENGTH + 1]: pieces of the tale, which goes round; a half of them begin with a filled-up opening."""
    text = tale()
    starts = torch.randint(len(text), (count, 1), generator=generator)
    pieces = text[(starts + torch.arange(LENGTH + 1)) % len(text)]
    blanks = torch.randint(OPENING, (count, 1), generator=generator)
    blanks[: count // 2] = 0
    return torch.where(torch.arange(LENGTH + 1) < blanks, 0, pieces)


def trained(cache: Path = CACHE) -> CharacterNet:
    """The trained network in eval mode; trains it if the cache is empty."""
    net = CharacterNet()
    if cache.exists():
        net.load_state_dict(load_file(cache))
    else:
        net.load_state_dict(_trained())
        cache.parent.mkdir(parents=True, exist_ok=True)
        save_file(net.state_dict(), cache)
    return net.eval()


@thread_count(1)
def _trained() -> dict[str, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net, generator = CharacterNet(), Generator().manual_seed(0)
        optimiser = torch.optim.AdamW(net.parameters())
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=1e-2, total_steps=STEPS)
        for _ in range(STEPS):
            pieces = windows(BATCH, generator)
            optimiser.zero_grad()
            loss_of(net, pieces).backward()
            optimiser.step()
            schedule.step()
    return net.state_dict()


def loss_of(net: nn.Module, pieces: Tensor) -> Tensor:
    """Mean cross-entropy, in nats a character, of pieces i64 [n, T + 1]."""
    return functional.cross_entropy(net(pieces[:, :-1]).flatten(0, 1), pieces[:, 1:].flatten())


def written(net: nn.Module, begun: Tensor, uniforms: Tensor | None = None) -> Tensor:
    """A whole text i64 [LENGTH] from its opening: the likeliest characters, or those that uniforms f32 [NEW_TOKENS]
    select, each the one in whose part of [0, 1] its uniform lies.
    """
    text = begun
    with torch.no_grad():
        for place in range(NEW_TOKENS):
            logits = net(text[None])[0, -1]
            token = logits.argmax() if uniforms is None else _selected(logits, uniforms[place])
            text = torch.cat([text, token[None]])
    return text


def _selected(logits: Tensor, uniform: Tensor) -> Tensor:
    ends = torch.softmax(logits.double(), -1).cumsum(-1)
    return torch.searchsorted(ends, uniform.double(), right=True).clamp(max=len(ALPHABET) - 1)
