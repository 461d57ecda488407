"""No honest claim is lost: whatever way an output was computed, a trace is opened that the judge acquits."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from executor.models import LoadedModel, draw_inputs
from executor.retained import MAX_RUN_BYTES, find, keep, name_of
from executor.runner import Runner
from executor.tensors import canonical_bytes, f32_of_bits
from executor.threads import thread_count
from executor.trace import Request, Trace, is_inside, recompute, replay, trace_for
from rollup.blobs import Blobs, open_blobs
from rollup.errors import Doubt
from tests.prover.arena import prepared

CLAIMS = 12


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Blobs:
    return open_blobs(tmp_path_factory.mktemp("blobs"))


@pytest.fixture(scope="module")
def model(blobs: Blobs) -> LoadedModel:
    return prepared(blobs)


def requests(model: LoadedModel, count: int = CLAIMS) -> list[list[bytes]]:
    return [[canonical_bytes(tensor) for tensor in inputs] for inputs in draw_inputs(model.record.inputs, count, 5)]


def assert_opened(model: LoadedModel, inputs: list[bytes], output: bytes) -> Trace:
    trace = model.trace(inputs, output)
    assert len(trace.tensors) == len(model.network.graph.steps)
    return trace


def shuffled(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A linear layer that sums in another order every time."""
    order = torch.randperm(x.shape[-1])
    return functional.linear(x[..., order].contiguous(), weight[:, order].contiguous(), bias)


def test_a_kernel_that_is_not_deterministic__loses_no_claim(model: LoadedModel) -> None:
    runner = Runner(model.network)
    for node in runner.module.graph.nodes:
        if node.target is functional.linear:
            node.target = shuffled
    runner.module.recompile()
    batch = requests(model)
    first, second = runner.run(batch), runner.run(batch)
    assert first != second
    for inputs, output in zip(batch, first, strict=True):
        assert_opened(model, inputs, output)


@pytest.mark.parametrize(("threads", "size"), [(1, 12), (2, 1), (2, 12)])
def test_another_thread_count_and_batch__lose_no_claim(model: LoadedModel, threads: int, size: int) -> None:
    batch = requests(model)
    with thread_count(threads):
        outputs = [
            output for start in range(0, CLAIMS, size) for output in model.runner.run(batch[start : start + size])
        ]
    for inputs, output in zip(batch, outputs, strict=True):
        assert_opened(model, inputs, output)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_model__loses_no_claim(model: LoadedModel) -> None:
    # Inductor writes C++; without a compiler for it the graph is compiled by everything before that.
    backend = "inductor" if shutil.which("g++") else "aot_eager"
    compiled = torch.compile(model.runner.module, backend=backend, fullgraph=True)
    for inputs in requests(model, 4):
        with torch.no_grad():
            output = canonical_bytes(compiled(*model.runner.stack([inputs])))
        assert_opened(model, inputs, output)


def test_an_input_on_which_plain_f32_would_be_rejected__is_opened_by_recomputation(model: LoadedModel) -> None:
    # As if this input made every sum err a hundred times more than calibration ever saw.
    tight = replace(model.numerics, factors=tuple(min(factor, 8) for factor in model.numerics.factors))
    (inputs,) = draw_inputs(model.record.inputs, 1, 6)
    data = [canonical_bytes(tensor) for tensor in inputs]
    (output,) = model.runner.run([data])
    assert not is_inside(model.network, tight, inputs, replay(model.network, model.runner, inputs))
    request = Request(data, output, f32_of_bits(model.record.output_band))
    trace = trace_for(model.network, tight, model.runner, request)
    assert trace.root == Trace.of(recompute(model.network, inputs)).root


def without_band(model: LoadedModel) -> LoadedModel:
    """One that only a trace with the claimed output's own bits links to."""
    return replace(model, record=replace(model.record, output_band=0))


def test_a_retained_run__is_opened_where_no_other_comes_near(model: LoadedModel, blobs: Blobs) -> None:
    strict = without_band(model)
    batch = requests(model)
    outputs = strict.run_retaining(blobs, batch)
    with thread_count(2):
        for inputs, output in zip(batch, outputs, strict=True):
            trace = assert_opened(strict, inputs, output)
            assert trace.tensors[-1].data == output


def test_a_run_that_leaves_its_bounds__is_claimed_as_the_float64_run(model: LoadedModel, blobs: Blobs) -> None:
    tight = replace(model.numerics, factors=tuple(min(factor, 8) for factor in model.numerics.factors))
    strict = replace(without_band(model), numerics=tight)
    (inputs,) = draw_inputs(model.record.inputs, 1, 6)
    data = [canonical_bytes(tensor) for tensor in inputs]
    (output,) = strict.run_retaining(blobs, [data])
    exact = recompute(model.network, inputs)
    assert output == canonical_bytes(exact[-1])
    assert strict.trace(data, output).root == Trace.of(exact).root


def test_what_was_not_retained__is_not_found_and_what_is_too_large_not_kept(
    model: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_blobs(tmp_path)
    name = name_of(model.record.graph_root, [b"inputs"], b"output")
    assert find(store, name) is None
    results = [torch.ones(3), torch.zeros(2, dtype=torch.int64)]
    assert MAX_RUN_BYTES == 2**30
    monkeypatch.setattr("executor.retained.MAX_RUN_BYTES", 27)
    assert not keep(store, name, results)
    assert find(store, name) is None
    monkeypatch.setattr("executor.retained.MAX_RUN_BYTES", 28)
    assert keep(store, name, results)
    found = find(store, name)
    assert found is not None
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(found, results, strict=True))


def test_an_output_that_nothing_gives__is_still_not_opened(model: LoadedModel) -> None:
    (inputs,) = requests(model, 1)
    output = bytearray(model.runner.run([inputs])[0])
    output[0] ^= 0x80
    with pytest.raises(Doubt, match="no run of the graph"):
        model.trace(inputs, bytes(output))
