"""A generated text as its scorer takes it: prompt, new tokens and, if sampled, uniforms (PROTOCOL.md, 7.2)."""

from __future__ import annotations

from rollup.errors import BadEncoding
from rollup.properties.draw import uniforms
from rollup.properties.types import GenerationTerms
from rollup.tensor import Bundle, Tensor, TensorSpec
from rollup.types import BundleRoot, Model


def text_inputs(terms: GenerationTerms, scorer: Model, tokens: bytes, seed: bytes) -> list[Tensor]:
    """The scorer's inputs. `tokens`: canonical bytes of the new ones. Raises BadEncoding if they do not fit."""
    data = [terms.prompt + tokens, *([uniforms(seed, terms.new_tokens)] if terms.sampled else [])]
    if len(data) != len(scorer.inputs):
        raise BadEncoding(f"the text makes {len(data)} inputs, its scorer takes {len(scorer.inputs)}")
    specs = (TensorSpec.from_header(item.header) for item in scorer.inputs)
    return [Tensor(spec, each) for spec, each in zip(specs, data, strict=True)]


def text_root(inputs: list[Tensor]) -> BundleRoot:
    """Bundle root of a text's inputs: the one item of its claim of scores."""
    return Bundle([tensor.root for tensor in inputs]).root
