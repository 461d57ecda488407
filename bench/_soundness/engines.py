"""Ways to run a network honestly, each giving the results of all steps for every request of a batch.

Eager kernels, an exported program, inductor's compiled code; float64 that is rounded, f32 whose sums go in any order.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, fx

from bench._soundness.orders import is_sum, resummed
from executor.network import Network, operands_of
from executor.operators import evaluate_rounded
from executor.replay import Results, replay_batch, results_of_calls
from executor.runner import call_nodes, generate, profile
from executor.trace import recompute

Request = Sequence[Tensor]
Calls = Callable[..., Sequence[Tensor]]
EAGER, EXPORTED, COMPILED, FLOAT64, SHUFFLED = ENGINES = ("eager", "exported", "compiled", "float64", "shuffled")


def compiler() -> str | None:
    """The C++ compiler that inductor would use; None where there is none, and nothing can be compiled."""
    return next((path for name in ("g++", "clang++", "c++") if (path := shutil.which(name))), None)


class Engines:
    """One network, run in any of the ways; what is made for a shape is kept."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._module = everything(generate(network.expanded, network.weights))
        self._made: dict[tuple[str, int], Calls] = {}

    @property
    def can_compile(self) -> bool:
        """Whether compiled code shows what all steps follow from: nothing that a replay would derive and feed on."""
        return compiler() is not None and all(self._network.lowered.covered)

    def run(self, engine: str, requests: Sequence[Request], wanted: int, seed: int) -> list[Results]:
        """Results of all steps of the first `wanted` requests of a batch."""
        if engine == FLOAT64:
            return [recompute(self._network, request) for request in requests[:wanted]]
        if engine == SHUFFLED:
            return [shuffled(self._network, request, seed) for request in requests[:wanted]]
        if engine == EAGER or not all(self._network.lowered.covered):
            return replay_batch(self._network, requests, range(min(wanted, len(requests))))
        stacked = [torch.cat(parts) for parts in zip(*requests, strict=True)]
        with profile():
            calls = self._calls(engine, stacked)(*stacked)
        first = enumerate(requests[:wanted])
        return [results_of_calls(self._network, request, calls, place) for place, request in first]

    def _calls(self, engine: str, stacked: Sequence[Tensor]) -> Calls:
        key = engine, len(stacked[0])
        if key not in self._made:
            exported = engine == EXPORTED
            self._made[key] = (
                torch.export.export(self._module, tuple(stacked)).module()
                if exported
                else torch.compile(self._module, dynamic=False)
            )
        return self._made[key]


def everything(module: fx.GraphModule) -> fx.GraphModule:
    """The same code, giving the results of all its calls instead of the last one's."""
    graph = fx.Graph()
    copied: dict[fx.Node, fx.Node] = {}
    graph.graph_copy(module.graph, copied)
    graph.output(tuple(copied[node] for node in call_nodes(module)))
    return fx.GraphModule(module, graph)


def shuffled(network: Network, inputs: Request, seed: int) -> Results:
    """A run in which every sum takes its terms in a random order, and adds them up in f32."""
    generator = torch.Generator().manual_seed(seed)
    results: Results = []
    for step in network.graph.steps:
        operands = operands_of(step, inputs, network.weights, results)
        results.append(resummed(step, operands, generator) if is_sum(step) else evaluate_rounded(step, operands))
    return results
