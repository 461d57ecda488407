"""The fast path: a program as straight-line torch code, run on a batch; only outputs leave, and nothing is hashed.

Pins what profile fp32 promises (PROTOCOL.md, section 5: any order of f32 sums, nothing less exact) and refuses to run
where it does not hold: no TF32, no reduced-precision reductions, no Winograd or FFT convolutions, no autocast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx
from torch.fx.node import map_aggregate

from executor.network import Network
from executor.targets import target_of as target_of
from executor.tensors import canonical_bytes, from_bytes
from rollup.call import Function, Ref
from rollup.errors import BadEncoding, Stop
from rollup.graph import Source
from rollup.program import Program
from rollup.tensor import TensorSpec


class Unfit(Stop):
    """This process computes with less than the profile promises."""


class Runner:
    """One network on one device, ready to run at any batch.

    `module` is plain torch code: `module(*inputs)` on stacked inputs gives the stacked output, if the program can be
    run on several requests at once; `forward` runs them one by one where it cannot.
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
            whole = TensorSpec(spec.dtype, (len(requests), *spec.shape[1:]))
            stacked.append(from_bytes(whole, data).to(self.device))
        return stacked

    def run_stacked(self, inputs: Sequence[Tensor]) -> list[bytes]:
        """Canonical output bytes of each request of a stacked batch."""
        with profile():
            output = self.forward(inputs)
        length = self.program.output.spec.byte_length
        data = canonical_bytes(output)
        return [data[start : start + length] for start in range(0, len(data), length)]

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Output of a stacked batch, whether or not its requests can be run at once. Keeps no profile by itself."""
        if self.program.batchable or inputs[0].shape[0] == 1:
            output: Tensor = self.module(*inputs)
            return output
        return torch.cat([self.module(*request) for request in zip(*(torch.split(x, 1) for x in inputs), strict=True)])

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
        self._calls: frozenset[str] = module.meta[_CALLS]

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.name in self._calls:
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


# Key of a module's metadata: the names of the nodes that are the program's calls.
_CALLS = "calls"


def generate(program: Program, weights: Sequence[Tensor]) -> fx.GraphModule:
    """Straight-line code of `program` over `weights`."""
    code = _Code(program, weights)
    for place in range(len(program.calls)):
        code.add(place)
    return code.finish()


def call_nodes(module: fx.GraphModule) -> list[fx.Node]:
    """The nodes that make the results of a generated module's calls, in their order."""
    return [node for node in module.graph.nodes if node.name in module.meta[_CALLS]]


class _Code:
    """Code being written; a weight is taken where it is first used, if it is."""

    def __init__(self, program: Program, weights: Sequence[Tensor]) -> None:
        self._program = program
        self._root = torch.nn.Module()
        self._graph = fx.Graph()
        self._inputs = [self._graph.placeholder(f"input_{place}") for place in range(len(program.inputs))]
        for place, weight in enumerate(weights):
            self._root.register_buffer(f"weight_{place}", weight)
        self._device = weights[0].device if weights else torch.device("cpu")
        self._taken: dict[str, fx.Node] = {}
        self._made: list[fx.Node] = []

    def add(self, place: int) -> None:
        """Call `place`."""
        call, value = self._program.calls[place], self._program.results[place]
        target, arguments = target_of(call, value, [_Held(ref) for ref in call.operands])
        if call.function is Function.FULL:
            self._root.register_buffer(f"full_{place}", target(*arguments).to(self._device))
            self._made.append(self._held(f"full_{place}"))
            return
        if call.function is Function.CAT and all(self._program.value(ref).batched for ref in call.operands):
            target, arguments = torch.cat, arguments[:2]
        self._made.append(self._graph.call_function(target, map_aggregate(arguments, self._node)))

    def _node(self, argument: Any) -> Any:
        if not isinstance(argument, _Held):
            return argument
        ref = argument.ref
        if ref.source is Source.WEIGHT:
            return self._held(f"weight_{ref.index}")
        return (self._inputs if ref.source is Source.INPUT else self._made)[ref.index]

    def _held(self, name: str) -> fx.Node:
        if name not in self._taken:
            self._taken[name] = self._graph.get_attr(name)
        return self._taken[name]

    def finish(self) -> fx.GraphModule:
        self._graph.output(self._made[-1])
        module = fx.GraphModule(self._root, self._graph)
        module.meta[_CALLS] = frozenset(node.name for node in self._made)
        return module


class _Held:
    """Stands for an operand until its node is known to be needed."""

    def __init__(self, ref: Ref) -> None:
        self.ref = ref
