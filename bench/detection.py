"""`python -m bench detection [--runs 1000]`: what is caught, and how far one gets without being caught.

`smallest`: the least relative change of a hidden activation, a weight, an output that is provable. `swaps`: other
models run in place of the registered ones; caught is whose trace the watchtower's checker proves wrong beyond a sound
bound. `reach`: how far a run inside its bounds moves the worst output element, as registered (summed gradients,
doubled) and as XX"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import torch

from bench._detection.desk import Desk
from bench._detection.reach import PROFILES, flips, medians, reaches, tightness
from bench._detection.smallest import Sample, summary
from bench._detection.swaps import SWAPS
from bench._subjects import CLASSIFIERS, FEW_SIZES, SIZES, Subject, captured, similarity, subjects
from executor.trace import recompute
from rollup.numerics import Arithmetic, Profile
from rollup.types import Verdict
from tests.zoo.texts import SENTENCES

DRAWN = 12
REACH_REQUESTS = 2
WIDE = 1536
# From here on all models take part.
MANY_RUNS = 500
# Of a model of so many elements, or fewer, as many runs as of any; of a larger one so many times fewer.
SMALL = 2e5


def run(runs: float = 60, attacks: float = 4, seconds: float = 1e9) -> dict[str, Any]:
    """`runs` swaps over all models, `attacks` on each classifier; models are left out once `seconds` are over."""
    until = time.monotonic() + seconds
    with warnings.catch_warnings():
        # Torch's own, about its export's internals.
        warnings.simplefilter("ignore")
        models, unjudged = captured(subjects(SIZES if runs >= MANY_RUNS else FEW_SIZES))
        swaps = _swapped(models, int(runs), until)
        return {
            **swaps,
            **_similarity(similarity()),
            "similarity_reach_bf16": _narrow_reach(similarity(torch.bfloat16)),
            "attack_success": {
                model.name: _attack_success(model, int(attacks)) for model in models if model.name in CLASSIFIERS
            },
            "smallest": {model.name: _smallest(model) for model in models},
            "reach": {model.name: _reach(model) for model in models},
            "unjudged": unjudged,
        }


def _swapped(models: Sequence[Subject], runs: int, until: float) -> dict[str, Any]:
    """Swaps in turn over models, kinds and inputs: how many ran, how many were caught, and which were not."""
    caught: Counter[str] = Counter()
    ran: Counter[str] = Counter()
    uncaught: list[str] = []
    for model, share in zip(models, shares(models, runs), strict=True):
        desk = Desk.of(model)
        for number in range(share):
            name = list(SWAPS)[number % len(SWAPS)]
            if time.monotonic() > until:
                break
            inputs = model.draw(number)
            verdict = desk.verdict(inputs, SWAPS[name](model.network, inputs, number))
            ran[name] += 1
            caught[name] += verdict is Verdict.BEYOND_SOUND
            if verdict is not Verdict.BEYOND_SOUND:
                uncaught.append(f"{model.name}, {name}, input {number}: {verdict.name}")
    figures: dict[str, Any] = {"swaps_run": ran.total(), "swaps_caught": caught.total(), "swaps_uncaught": uncaught}
    if ran.total() == 1000:
        figures["swaps_caught_of_1000"] = caught.total()
    return figures | {"swaps": {name: f"{caught[name]} of {ran[name]}" for name in ran}}


def shares(models: Sequence[Subject], runs: int) -> list[int]:
    """Runs of each model, `runs` in all."""
    sizes = [sum(step.result.elements for step in model.network.graph.steps) for model in models]
    parts = [1 / max(1.0, size / SMALL) for size in sizes]
    ends = [round(runs * sum(parts[: place + 1]) / sum(parts)) for place in range(len(parts))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _similarity(pair: Subject) -> dict[str, Any]:
    """The figures of MiniLM's similarity: reach by profile over all pairs of sentences, and how tight `c` is."""
    numerics, requests = pair.calibration.numerics, [pair.draw(seed) for seed in range(len(SENTENCES))]
    found = {
        name: [reaches(pair.network, replace(numerics, profile=profile), [inputs]) for inputs in requests]
        for name, profile in PROFILES.items()
    }
    typical, plain = {name: medians(figures) for name, figures in found.items()}, found["fp32"]
    return {
        "reach_sound": typical["fp32"]["sound"],
        "reach_calibrated": typical["fp32"]["calibrated"],
        "reach_sound_worst": max(figures["sound"] for figures in plain),
        "reach_calibrated_worst": max(figures["calibrated"] for figures in plain),
        "tightness": tightness(pair.network, numerics),
        "tightness_k1536": tightness(pair.network, numerics, WIDE),
        "similarity_reach": typical,
    }


def _narrow_reach(pair: Subject) -> dict[str, float]:
    """Of the same similarity in bf16, on tensor cores: medians over the pairs of sentences."""
    numerics = replace(pair.calibration.numerics, profile=Profile(Arithmetic.TENSOR_16))
    requests = [pair.draw(seed) for seed in range(len(SENTENCES))]
    return medians([reaches(pair.network, numerics, [inputs]) for inputs in requests])


def _attack_success(model: Subject, attacks: int) -> dict[str, float]:
    """Part of the inputs whose class changes, by bound and profile."""
    requests = [model.draw(seed) for seed in range(attacks)]
    numerics = model.calibration.numerics
    free = replace(numerics, factors=(0,) * len(numerics.factors))
    return {
        f"{name}, {bound}": flips(model.network, replace(used, profile=PROFILES[name]), requests)
        for name, (bound, used) in product(("fp32", "tf32"), (("sound", free), ("calibrated", numerics)))
    }


def _smallest(model: Subject) -> dict[str, Any]:
    inputs = model.draw(0)
    sample = Sample(model.network, inputs, recompute(model.network, inputs), 0)
    return {
        "activation": summary(sample.activations(DRAWN)),
        "weight": summary(sample.weights(DRAWN)),
        "output": summary(sample.outputs(DRAWN, model.calibration.slash_band)),
    }


def _reach(model: Subject) -> dict[str, float]:
    return reaches(model.network, model.calibration.numerics, [model.draw(seed) for seed in range(REACH_REQUESTS)])
