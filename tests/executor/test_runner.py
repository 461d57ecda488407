"""The fast path: canonical bytes in, canonical bytes out, at any batch; never under a laxer profile."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from executor.runner import Runner, Unfit
from executor.tensors import canonical_bytes, from_bytes
from rollup.errors import BadEncoding
from tests.executor.nets import Labels, conv_net, network_of, tangle


def requests(count: int, *shape: int) -> list[list[bytes]]:
    return [[canonical_bytes(torch.randn(1, *shape))] for _ in range(count)]


def test_inputs_of_a_wrong_length__are_refused() -> None:
    runner = Runner(conv_net()[1])
    with pytest.raises(BadEncoding, match=r"inputs have \[252\] bytes, the model takes \[256\]"):
        runner.run([[bytes(256)], [bytes(252)]])


def test_a_missing_input__is_refused() -> None:
    with pytest.raises(BadEncoding, match=r"inputs have \[\] bytes"):
        Runner(conv_net()[1]).run([[]])


def test_autocast__is_refused() -> None:
    runner, batch = Runner(conv_net()[1]), requests(1, 1, 8, 8)
    with torch.autocast("cpu"), pytest.raises(Unfit, match="autocast"):
        runner.run(batch)
    assert len(runner.run(batch)) == 1


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_reduced_precision__is_refused(precision: str) -> None:
    runner, batch = Runner(conv_net()[1]), requests(1, 1, 8, 8)
    torch.set_float32_matmul_precision(precision)
    try:
        with pytest.raises(Unfit, match="profile fp32 takes none but IEEE's"):
            runner.run(batch)
    finally:
        torch.set_float32_matmul_precision("highest")
    assert len(runner.run(batch)) == 1


def test_double_precision_by_default__is_refused() -> None:
    runner, batch = Runner(conv_net()[1]), requests(1, 1, 8, 8)
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.raises(Unfit, match=r"the default dtype is torch\.float64"):
            runner.run(batch)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_run__leaves_winograd_off_for_the_whole_process() -> None:
    nnpack: Any = torch.backends.nnpack
    nnpack.set_flags(True)
    Runner(conv_net()[1]).run(requests(1, 1, 8, 8))
    assert nnpack.set_flags(False) == (False,)


@pytest.mark.parametrize("count", [1, 2, 17])
def test_a_batch__answers_each_request_as_if_alone(count: int) -> None:
    module, network = conv_net()
    batch = requests(count, 1, 8, 8)
    outputs = Runner(network).run(batch)
    for (request,), output in zip(batch, outputs, strict=True):
        with torch.no_grad():
            expected = module(from_bytes(network.program.inputs[0], request))
        assert torch.allclose(from_bytes(network.graph.output, output), expected, rtol=1e-5, atol=1e-6)


def test_labels__are_big_endian_i64() -> None:
    torch.manual_seed(5)
    module = Labels().eval()
    network = network_of(module, torch.zeros(1, 1, 8, 8))
    pictures = torch.randn(3, 1, 8, 8)
    outputs = Runner(network).run_stacked([pictures])
    assert [int.from_bytes(output, "big") for output in outputs] == module(pictures).tolist()


def test_a_replay__gives_the_run_bit_for_bit() -> None:
    for (_, network), shape in ((conv_net(), (4, 1, 8, 8)), (tangle(), (4, 4, 6, 6))):
        runner, inputs = Runner(network), [torch.randn(shape)]
        results = runner.replay(inputs)
        assert len(results) == len(network.program.calls)
        assert canonical_bytes(results[-1]) == b"".join(runner.run_stacked(inputs))


def test_the_fast_path__is_straight_code() -> None:
    code = Runner(conv_net()[1]).module.code
    assert code.count("torch.conv2d(") == 2
    assert "for " not in code
