"""Networks of a single call, cut out of a model: what the call takes becomes inputs, so that they can be crafted.

Deep inside a model no input reaches the layers crafted; here each kernel meets, at its own shape, operands against its
order of summation, constant rows, subnormals, means of a thousand. Weights are the model's own, unless they are rows of
a contraction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from bench._soundness.inputs import crafted
from executor.network import Network
from rollup.call import Call, Function, Ref
from rollup.graph import Source
from rollup.lowering import lower
from rollup.program import Program, Weight
from rollup.tensor import TensorSpec

# Calls whose weights are crafted too: rows like any others, and nothing else is derived from them.
CONTRACTIONS = (Function.LINEAR, Function.CONV2D)
# What stands against crafted rows: constant ones leave an order of magnitudes as it is.
AGAINST = {"ordered": "flat", "cancelling": "flat", "shifted": "flat"}


@dataclass(frozen=True)
class Probe:
    """Call `place` of a model as a network. `taken`: what the model's program calls each of its inputs."""

    network: Network
    place: int
    taken: tuple[Ref, ...]


def probes_of(network: Network, results: Sequence[Tensor]) -> Iterator[Probe]:
    """One probe for each kind of call: same function, shapes and options are the same kind.

    `results` are those of any run of the model, for what depends on no input.
    """
    seen: set[object] = set()
    for place, call in enumerate(network.expanded.calls):
        values = [network.expanded.value(ref) for ref in call.operands]
        kind = (call.function, call.options, tuple(values))
        if kind not in seen and any(value.batched for value in values):
            seen.add(kind)
            yield _cut(network, results, place)


def _cut(network: Network, results: Sequence[Tensor], place: int) -> Probe:
    call = network.expanded.calls[place]
    taken = tuple(dict.fromkeys(ref for ref in call.operands if network.expanded.value(ref).batched))
    kept = tuple(dict.fromkeys(ref for ref in call.operands if ref not in taken))
    specs = [network.expanded.value(ref).spec for ref in taken]
    # What has no leading dimension for its requests gets one, and loses it in a view.
    inputs = tuple(TensorSpec(spec.dtype, (1, *spec.shape)) for spec in specs)
    views = [
        Call(Function.VIEW, (Ref(Source.INPUT, number),), (("shape", spec.shape),)) for number, spec in enumerate(specs)
    ]
    names = {ref: Ref(Source.STEP, number) for number, ref in enumerate(taken)}
    names |= {ref: Ref(Source.WEIGHT, number) for number, ref in enumerate(kept)}
    last = Call(call.function, tuple(names[ref] for ref in call.operands), call.options, call.origin)
    weights = tuple(Weight(f"weight_{number}", network.expanded.value(ref).spec) for number, ref in enumerate(kept))
    program = Program(inputs, weights, (*views, last))
    values = tuple(_value(network, ref, (), results) for ref in kept)
    return Probe(Network(program, lower(program), values), place, taken)


def _value(network: Network, ref: Ref, inputs: Sequence[Tensor], results: Sequence[Tensor]) -> Tensor:
    """What the program calls `ref`, in a run."""
    if ref.source is Source.STEP:
        return results[network.lowered.results[ref.index]]
    return (inputs if ref.source is Source.INPUT else network.weights)[ref.index]


def factors_of(probe: Probe, network: Network, factors: Sequence[int]) -> tuple[int, ...]:
    """Calibrated factors of the probe's steps: its last one's is the model's, what comes before it is exact."""
    own = factors[network.lowered.results[probe.place]]
    return (0,) * (len(probe.network.graph.steps) - 1) + (own,)


def inputs_of(probe: Probe, network: Network, inputs: Sequence[Tensor], results: Sequence[Tensor]) -> list[Tensor]:
    """What the call took in a run of the model."""
    return [_value(network, ref, inputs, results).unsqueeze(0) for ref in probe.taken]


def weighted(network: Network, kind: str, seed: int) -> Network:
    """The same network with weights as hard as its inputs, if its last call is a contraction."""
    if network.expanded.calls[-1].function not in CONTRACTIONS:
        return network
    weights = [crafted(AGAINST.get(kind, kind), weight, seed + place) for place, weight in enumerate(network.weights)]
    return replace(network, weights=tuple(weights))
