"""Real models: their program gives what they give, for one request and for several, fused and written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from executor.capture import capture, capture_buckets
from executor.runner import generate
from rollup.call import Function
from rollup.lowering import lower
from rollup.tensor import Bundle
from tests.zoo import ZOO
from tests.zoo.page import PAGE, README, readme_table, row, table_in

NEAR = 1e-5
REQUESTS = 4
# Here PyTorch takes another kernel for the module, or the same one over another layout, and in what order that sums is
# up to the machine: its own encoder layers' fast path, a batch norm of instances, a mean over states that lie in one
# tensor with the last ones, a bag of embeddings, a volume. Everywhere else it is the same kernel, and so the same bits.
OF_OTHER_KERNELS = {"plain_encoder", "vae_decoder", "gru", "standardised", "volume"}


def require_near(received: Tensor, expected: Tensor) -> None:
    assert (received.shape, received.dtype) == (expected.shape, expected.dtype)
    if expected.is_floating_point():
        assert (received - expected).abs().max() <= NEAR * expected.abs().max()
    else:
        assert torch.equal(received, expected)


@pytest.mark.parametrize("name", ZOO)
def test_a_model__is_captured_whole(name: str) -> None:
    specimen = ZOO[name]
    captured = capture(specimen.module, specimen.request())
    lowered = lower(captured.program)
    assert captured.program.batchable
    assert row(specimen, captured, lowered) in PAGE.read_text(encoding="utf-8").splitlines()
    weights = list(captured.weights.values())
    fast, written_out = (generate(program, weights) for program in (captured.program, lowered.program))
    with torch.inference_mode():
        for inputs in (specimen.request(), specimen.batch(REQUESTS)):
            expected, received = specimen.module(*inputs), fast(*inputs)
            require_near(received, expected)
            if name not in OF_OTHER_KERNELS:
                assert torch.equal(received, expected)
        require_near(written_out(*specimen.request()), specimen.module(*specimen.request()))


def test_the_readme__names_the_models_of_the_zoo() -> None:
    assert table_in(README.read_text(encoding="utf-8")) == readme_table()


def test_minilm__runs_fused_kernels_and_little_else() -> None:
    specimen = ZOO["minilm"]
    calls = [call.function for call in capture(specimen.module, specimen.request()).program.calls]
    assert calls.count(Function.SDPA) == 6
    assert calls.count(Function.LAYER_NORM) == 13
    assert calls.count(Function.LINEAR) == 36
    assert calls.count(Function.EMBEDDING) == 1
    # What is left moves elements at no cost, or pools and normalises once.
    assert len(calls) <= 142


@pytest.mark.parametrize("name", ["minilm", "gpt2", "lstm"])
def test_buckets__share_one_list_of_weights(name: str) -> None:
    specimen = ZOO[name]
    buckets = capture_buckets(specimen.module, [specimen.request(0, size) for size in specimen.sizes[:2]])
    roots = {Bundle([tensor.root for tensor in captured.committed]).root for captured in buckets}
    assert len(roots) == 1
    assert buckets[0].program.weights == buckets[1].program.weights
    assert len({captured.program.inputs for captured in buckets}) == 2
    with torch.inference_mode():
        for captured, size in zip(buckets, specimen.sizes, strict=False):
            code = generate(captured.program, list(captured.weights.values()))
            assert torch.equal(code(*specimen.request(1, size)), specimen.module(*specimen.request(1, size)))
