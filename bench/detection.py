"""`python -m bench detection [--runs 1000]`: what is caught, and how far one gets without being caught.

`smallest`: the least relative change of a hidden activation, a weight, an output that is provable. `swaps`: other
models run in place of the registered ones; caught is whose trace the watchtower's checker proves wrong beyond a sound
bound. `reach`: how far a run inside its bounds moves the worst output element, as registered (summed gradients,
doubled) and as the built attack attains it; `attack_success`: whose class that attack changes.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from itertools import product
from typing import Any

import torch

from bench._detection.reach import PROFILES, flips, medians, reaches, tightness
from bench._detection.smallest import Sample, summary
from bench._detection.tally import swapped
from bench._subjects import CLASSIFIERS, FEW_SIZES, SIZES, Subject, captured, similarity, subjects
from executor.trace import recompute
from rollup.numerics import Arithmetic, Profile
from tests.zoo.texts import SENTENCES

DRAWN = 12
REACH_REQUESTS = 2
WIDE = 1536
# From here on all models take part.
MANY_RUNS = 500


def run(runs: float = 60, attacks: float = 4, seconds: float = 1e9) -> dict[str, Any]:
    """`runs` swaps over all models, `attacks` on each classifier; models are left out once `seconds` are over."""
    until = time.monotonic() + seconds
    with warnings.catch_warnings():
        # Torch's own, about its export's internals.
        warnings.simplefilter("ignore")
        models, unjudged = captured(subjects(SIZES if runs >= MANY_RUNS else FEW_SIZES))
        swaps = swapped(models, int(runs), until)
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
    return {
        f"{name}, {bound}": flips(model.network, replace(used, profile=PROFILES[name]), requests)
        for name, (bound, used) in product(("fp32", "tf32"), (("sound", numerics.sound), ("calibrated", numerics)))
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
