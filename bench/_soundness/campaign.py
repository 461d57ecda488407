"""One model's campaign: honest runs under conditions drawn at random, until enough is judged.

Whole runs of the model first, then single calls of it, whose operands can be crafted.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, takewhile

import numpy as np
from torch import Tensor

from bench._soundness.engines import COMPILED, ENGINES, Engines, compiler
from bench._soundness.inputs import KINDS, crafted
from bench._soundness.probes import factors_of, inputs_of, probes_of, weighted
from bench._soundness.tally import Tally, judge_run
from bench._subjects import Subject
from executor.network import Network
from executor.tensors import canonical_bytes
from executor.threads import thread_count
from executor.trace import Results, is_inside, is_linked, recompute

THREADS = (1, 2)
BATCHES = (1, 2, 8, 32)
COMPILED_BATCHES = (1, 4)
# Requests of a batch that are judged: the others are there for the kernels.
JUDGED_PER_BATCH = 8
# Inputs like those that a model is calibrated on: claims on them must not be lost.
IN_RANGE = ("natural", "flat")
# Of the runs of a whole model, whose code is compiled once, and of single calls, each compiled for one run.
COMPILED_PART, COMPILED_CALLS_PART = 0.3, 0.02
# What is judged in whole runs, of all that is.
WHOLE_PART = 0.6


@dataclass(frozen=True)
class Condition:
    engine: str
    threads: int
    batch: int
    inputs: str


@dataclass
class Tables:
    """What was found under each level of each condition, and in all."""

    total: Tally = field(default_factory=Tally)
    by_condition: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def add(self, condition: Condition, whole: bool, tally: Tally) -> None:
        self.total.add(tally)
        for name in ("engine", "threads", "batch", "inputs"):
            self.by_condition[f"{name} {getattr(condition, name)}"].add(tally)
        self.by_condition["whole model" if whole else "single call"].add(tally)


@dataclass(frozen=True)
class Budget:
    """Elements to judge, the moment (of time.monotonic) at which to stop anyway, and the calls of the largest program
    that is compiled: it takes inductor most of a second a call.
    """

    elements: float
    until: float
    compiled_calls: int

    def lasts(self, tables: Tables) -> bool:
        return tables.total.judged_elements < self.elements and time.monotonic() < self.until


class Campaign:
    """Judges honest runs of one subject."""

    def __init__(self, subject: Subject, seed: int = 0) -> None:
        self._subject, self._network = subject, subject.network
        self._random = np.random.default_rng(seed)
        self._numerics = subject.calibration.numerics
        self._band = subject.calibration.output_band
        self.tables = Tables()

    def play(self, budget: Budget) -> None:
        self._play_whole(replace(budget, elements=WHOLE_PART * budget.elements))
        self._play_calls(budget)

    def _play_whole(self, budget: Budget) -> None:
        engines = Engines(self._network)
        while budget.lasts(self.tables):
            condition, seed = self._condition(self._network, budget), int(self._random.integers(2**31))
            requests = [
                [crafted(condition.inputs, x, seed + place) for x in self._subject.draw(seed + place)]
                for place in range(condition.batch)
            ]
            with thread_count(condition.threads):
                runs = engines.run(condition.engine, requests, JUDGED_PER_BATCH, seed)
            for inputs, results in zip(requests, runs, strict=False):
                tally = judge_run(self._network, self._numerics.factors, inputs, results)
                if condition.inputs in IN_RANGE:
                    tally.claims, tally.rejected_honest = 1, not self._can_open(inputs, results)
                self.tables.add(condition, True, tally)

    def _can_open(self, inputs: Sequence[Tensor], results: Results) -> bool:
        """Whether a claim of this run's output finds a trace that passes its executor's own check."""
        output = canonical_bytes(results[-1])
        traces: tuple[Callable[[], Results], ...] = (lambda: recompute(self._network, inputs), lambda: results)
        for make in traces:
            trace = make()
            linked = is_linked(self._network, self._band, trace, output)
            if linked and is_inside(self._network, self._numerics, inputs, trace):
                return True
        return False

    def _play_calls(self, budget: Budget) -> None:
        natural = [self._subject.draw(seed) for seed in range(2)]
        runs = [recompute(self._network, inputs) for inputs in natural]
        probes = list(probes_of(self._network, runs[0]))
        for probe in takewhile(lambda _: budget.lasts(self.tables), cycle(probes)):
            condition = self._condition(probe.network, budget)
            seed = int(self._random.integers(2**31))
            network = weighted(probe.network, condition.inputs, seed)
            taken = [inputs_of(probe, self._network, *run) for run in zip(natural, runs, strict=True)]
            requests = [
                [crafted(condition.inputs, x, seed + place) for x in taken[place % 2]]
                for place in range(condition.batch)
            ]
            if not network.expanded.batchable:
                requests = requests[:1]
            with thread_count(condition.threads):
                made = Engines(network).run(condition.engine, requests, JUDGED_PER_BATCH, seed)
            factors = factors_of(probe, self._network, self._numerics.factors)
            for inputs, results in zip(requests, made, strict=False):
                self.tables.add(condition, False, judge_run(network, factors, inputs, results))

    def _condition(self, network: Network, budget: Budget) -> Condition:
        """A condition that this network can be run under."""
        is_compiled = self._random.random() < (COMPILED_PART if network is self._network else COMPILED_CALLS_PART)
        can_compile = compiler() is not None and len(network.expanded.calls) <= budget.compiled_calls
        others = [engine for engine in ENGINES if engine != COMPILED]
        engine = COMPILED if is_compiled and can_compile else str(self._random.choice(others))
        batches = COMPILED_BATCHES if engine == COMPILED else BATCHES
        return Condition(
            engine,
            int(self._random.choice(THREADS)),
            int(self._random.choice(batches)),
            str(self._random.choice(list(KINDS))),
        )
