"""The fast path: a program as straight-line torch code, run on a batch; only outputs leave, and nothing is hashed.

Pins what profile fp32 promises (PROTOCOL.md, section 5: any order of f32 sums, nothing less exact) and refuses to run
where it does not hold: no TF32, no reduced-precision reductions, no Winograd or FFT convolutions, no autocast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx
from torch.nn import functional

from executor.network import Network
from executor.tensors import canonical_bytes
from rollup.call import Call, Function, Value
from rollup.errors import BadEncoding, Stop
from rollup.graph import Source
from rollup.program import Program

Target = tuple[Callable[..., Tensor], tuple[Any, ...]]


class Unfit(Stop):
    """This process computes with less than the profile promises."""


class Runner:
    """One network on one device, ready to run at any batch.

    `module` is plain torch code: `module(*inputs)` on stacked inputs gives the stacked output.
    """

    def __init__(self, network: Network, device: str = "cpu") -> None:
        self.program = network.program
        self.device = torch.device(device)
        weights = [weight.to(self.device) for weight in network.weights]
        self.module = generate(network.program, weights)

    def run(self, requests: Sequence[Sequence[bytes]]) -> list[bytes]:
        """Canonical output bytes of each request, from the canonical bytes of its inputs; one stacked forward.

        Raises BadEncoding for inputs of a wrong length, Unfit if the process does not keep the profile.
        """
        return self.run_stacked(self.stack(requests))

    def stack(self, requests: Sequence[Sequence[bytes]]) -> list[Tensor]:
        """Requests side by side, one tensor per input."""
        for request in requests:
            self._require_inputs(request)
        stacked = []
        for place, spec in enumerate(self.program.inputs):
            data = b"".join(request[place] for request in requests)
            array = np.frombuffer(data, dtype=spec.dtype.numpy).reshape(len(requests), *spec.shape[1:])
            stacked.append(torch.from_numpy(array.astype(array.dtype.newbyteorder("="))).to(self.device))
        return stacked

    def run_stacked(self, inputs: Sequence[Tensor]) -> list[bytes]:
        """Canonical output bytes of each request of a stacked batch; one after another where the program mixes them."""
        parts = [inputs] if self.program.batchable else list(zip(*(torch.split(x, 1) for x in inputs), strict=True))
        with profile():
            outputs = [self.module(*part) for part in parts]
        length = self.program.output.spec.byte_length
        data = b"".join(canonical_bytes(output) for output in outputs)
        return [data[start : start + length] for start in range(0, len(data), length)]

    def replay(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Results of every call of a stacked batch, through an interpreter of the same code."""
        with profile():
            recorder = _Recorder(self.module)
            recorder.run(*inputs)
        return recorder.results

    def _require_inputs(self, request: Sequence[bytes]) -> None:
        lengths = [spec.byte_length for spec in self.program.inputs]
        if [len(data) for data in request] != lengths:
            raise BadEncoding(f"inputs have {[len(data) for data in request]} bytes, the model takes {lengths}")


class _Recorder(fx.Interpreter):
    """Runs node by node and keeps what each call made."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.results: list[Tensor] = []

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.op == "call_function":
            self.results.append(result)
        return result


@contextmanager
def profile() -> Iterator[None]:
    """No gradients, and every switch that could cost precision as profile fp32 wants it. Raises Unfit otherwise."""
    require_profile()
    # NNPACK has Winograd and FFT convolutions; cuDNN chooses among them, and TF32, by itself. The switches are the
    # process's, so they stay off: putting them back would change the arithmetic of another thread's run.
    _NNPACK.set_flags(False)
    _CUDNN.set_flags(_enabled=False, _allow_tf32=False)
    with torch.inference_mode():
        yield


def require_profile() -> None:
    """Raises Unfit if somebody made this process compute with less than f32."""
    if torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda"):
        raise Unfit("autocast is on: profile fp32 computes in f32")
    if torch.get_default_dtype() is not torch.float32:
        raise Unfit(f"the default dtype is {torch.get_default_dtype()}: profile fp32 computes in f32")
    for name, switch in _PRECISIONS.items():
        if switch.fp32_precision not in _FULL:
            raise Unfit(f"{name} computes f32 in {switch.fp32_precision!r}: profile fp32 takes none but IEEE's")
    if torch.backends.cuda.matmul.allow_fp16_accumulation:
        raise Unfit("sums in f16 are allowed on CUDA: profile fp32 sums in f32")


_NNPACK: Any = torch.backends.nnpack
_CUDNN: Any = torch.backends.cudnn
# Where torch keeps how exact f32 is meant; "none" leaves it to the wider setting, whose default is IEEE.
_ONEDNN: Any = torch.backends.mkldnn
_PRECISIONS: dict[str, Any] = {
    "torch": torch.backends,
    "oneDNN": _ONEDNN,
    "oneDNN's matmul": _ONEDNN.matmul,
    "oneDNN's convolution": _ONEDNN.conv,
    "CUDA's matmul": torch.backends.cuda.matmul,
}
_FULL = ("ieee", "none")


def generate(program: Program, weights: Sequence[Tensor]) -> fx.GraphModule:
    """Straight-line code of `program` over `weights`."""
    root = torch.nn.Module()
    graph = fx.Graph()
    inputs = [graph.placeholder(f"input_{place}") for place in range(len(program.inputs))]
    constants = []
    for place, weight in enumerate(weights):
        root.register_buffer(f"weight_{place}", weight)
        constants.append(graph.get_attr(f"weight_{place}"))
    made: list[fx.Node] = []
    nodes = {Source.INPUT: inputs, Source.WEIGHT: constants, Source.STEP: made}
    for call, value in zip(program.calls, program.results, strict=True):
        operands = [nodes[ref.source][ref.index] for ref in call.operands]
        made.append(graph.call_function(*target_of(call, value, operands)))
    graph.output(made[-1])
    return fx.GraphModule(root, graph)


def target_of(call: Call, value: Value, operands: Sequence[Any]) -> Target:
    """The torch function of a call that makes `value`, and all its arguments."""
    # torch.cat alone takes its tensors as a list.
    arguments: tuple[Any, ...] = (list(operands),) if call.function is Function.CAT else tuple(operands)
    if call.function is Function.CONV2D and len(operands) == 2:
        arguments += (None,)
    function, options = _function(call, value)
    return function, arguments + options


def _function(call: Call, value: Value) -> Target:
    """The torch function of a call, and its arguments after the operands."""
    options = [list(numbers) for _, numbers in call.options]
    if call.function is Function.CONV2D:
        return torch.conv2d, (*options[:3], call.number("groups"))
    if call.function is Function.MAX_POOL2D:
        return torch.max_pool2d, (*options[:4], bool(call.number("ceil")))
    if call.function in (Function.VIEW, Function.EXPAND):
        # The dimension in which requests lie is whatever the batch makes it.
        axis = value.place.axis if value.batched and value.place else None
        shape = [-1 if dim == axis else size for dim, size in enumerate(value.shape)]
        return (Tensor.reshape if call.function is Function.VIEW else Tensor.expand), (shape,)
    if call.function in (Function.AMAX, Function.ARGMAX):
        return _PLAIN[call.function], (-1, bool(call.number("keepdim")))
    if call.function in (Function.SLICE, Function.CAT):
        return _PLAIN[call.function], tuple(numbers[0] for numbers in options)
    return _PLAIN[call.function], tuple(options)


_PLAIN: dict[Function, Callable[..., Tensor]] = {
    Function.LINEAR: functional.linear,
    Function.MATMUL: torch.matmul,
    Function.ADD: torch.add,
    Function.MUL: torch.mul,
    Function.RELU: torch.relu,
    Function.AMAX: torch.amax,
    Function.ARGMAX: torch.argmax,
    Function.PERMUTE: torch.permute,
    Function.SLICE: torch.ops.aten.slice.Tensor,
    Function.CAT: torch.cat,
}
