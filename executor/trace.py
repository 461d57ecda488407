"""The slow path: every step's result of one run, to be opened when somebody doubts it.

A fast run keeps no trace. One is made later: *recomputed* in float64 and rounded at every step, or *replayed* through
an interpreter of the fast kernels (replay.py), unless it was *retained* (retained.py). Whichever passes its own check
(every step inside its calibrated bound, the last one inside the output band of what was claimed) is opened; if none
does, nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from executor.bounds import inside
from executor.network import Network, operands_of
from executor.operators import evaluate_rounded
from executor.replay import Results as Results
from executor.replay import replay_batch
from executor.runner import Runner
from executor.tensors import from_bytes, is_true, to_canonical
from rollup.errors import Doubt
from rollup.graph import Numerics, Op
from rollup.numerics import FP32, Profile
from rollup.tensor import Bundle, hash_together
from rollup.tensor import Tensor as Committed
from rollup.types import BundleRoot


@dataclass(frozen=True)
class Trace:
    """The result of every step of one run, committed."""

    tensors: tuple[Committed, ...]
    bundle: Bundle

    @property
    def root(self) -> BundleRoot:
        return self.bundle.root

    @classmethod
    def of(cls, results: Results) -> Trace:
        tensors = tuple(to_canonical(result) for result in results)
        hash_together(tensors)
        return cls(tensors, Bundle([tensor.root for tensor in tensors]))


def recompute(network: Network, inputs: Sequence[Tensor], profile: Profile = FP32) -> Results:
    """Every step in float64, rounded: inside every bound, whatever the inputs."""
    results: Results = []
    for step in network.graph.steps:
        results.append(evaluate_rounded(step, operands_of(step, inputs, network.weights, results), profile))
    return results


def replay(network: Network, runner: Runner, inputs: Sequence[Tensor], profile: Profile = FP32) -> Results:
    """Every step as the fast kernels compute it for this one request, on the runner's device."""
    return replay_batch(network, [inputs], device=runner.device, profile=profile)[0]


def is_inside(network: Network, numerics: Numerics, inputs: Sequence[Tensor], results: Results) -> bool:
    """Whether every element of every step certainly lies inside its calibrated bound."""
    for number, (step, factor) in enumerate(zip(network.graph.steps, numerics.factors, strict=True)):
        operands = operands_of(step, inputs, network.weights, results)
        if not is_true(inside(step, operands, results[number], factor, numerics.profile)):
            return False
    return True


def is_linked(network: Network, output_band: float, results: Results, claimed: bytes) -> bool:
    """Whether the claimed output lies inside the band around the traced one (PROTOCOL.md, section 5, "Link")."""
    last = network.graph.steps[-1]
    output = from_bytes(network.graph.output, claimed)
    if last.op is Op.ARGMAX:
        logits = results[last.operands[0].index].reshape(-1, last.attributes[0])
        labels = output.reshape(-1, 1)
        if not bool(((labels >= 0) & (labels < logits.shape[1])).all()):
            return False
        return bool((logits.amax(1, keepdim=True) - logits.gather(1, labels) <= output_band).all())
    if not output.is_floating_point():
        return bool((output == results[-1]).all())
    distance = (output.double() - results[-1].double()).abs()
    return bool(((distance <= output_band) | ~results[-1].isfinite()).all())


@dataclass(frozen=True)
class Request:
    """What was asked and claimed, in canonical bytes, and the model's output band."""

    inputs: Sequence[bytes]
    claimed: bytes
    band: float


def trace_for(
    network: Network, numerics: Numerics, runner: Runner, request: Request, kept: Results | None = None
) -> Trace:
    """A trace that an honest executor can open for the output it claimed; `kept`: the retained run, if there is one.

    Raises Doubt if no run of this machine passes its own check.
    """
    specs = network.program.inputs
    inputs = [from_bytes(spec, data) for spec, data in zip(specs, request.inputs, strict=True)]
    ways: list[Callable[[], Results]] = [
        lambda: recompute(network, inputs, numerics.profile),
        lambda: replay(network, runner, inputs, numerics.profile),
    ]
    if kept is not None:
        retained = kept
        ways.insert(0, lambda: retained)
    for way in ways:
        results = way()
        linked = is_linked(network, request.band, results, request.claimed)
        if linked and is_inside(network, numerics, inputs, results):
            return Trace.of(results)
    raise Doubt(f"no run of the graph 0x{network.graph.root.hex()} comes within {request.band} of the claimed output")
