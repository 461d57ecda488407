"""How far a run that stays inside its bounds can move a model, and how often it changes a class.

Reach as it is registered (executor/reach: summed gradients, doubled), and as the built attack attains it, under sound
and calibrated bounds, by profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import torch
from torch import Tensor

from executor.bounds.contraction import count_of
from executor.network import Network
from executor.operators import terms_of
from executor.reach import attack, judged_step, reach_of
from executor.trace import recompute
from rollup.graph import Numerics, Op
from rollup.numerics import Arithmetic, Profile

Inputs = Sequence[Tensor]
ELEMENTS = 4
PROFILES = {
    "fp32": Profile(),
    "fp32, blocked": Profile(blocked=True),
    "tf32": Profile(Arithmetic.TF32),
}


def reaches(network: Network, numerics: Numerics, requests: Sequence[Inputs]) -> dict[str, float]:
    """Worst over requests and sampled elements: of what is registered, and of what the attack attains."""
    found = {"sound": 0.0, "calibrated": 0.0, "attack_sound": 0.0, "attack_calibrated": 0.0}
    for inputs in requests:
        reach = reach_of(network, numerics, inputs, ELEMENTS)
        made = {
            "sound": float(reach.sound.max()),
            "calibrated": float(reach.calibrated.max()),
            "attack_sound": _attained(network, numerics.sound, inputs),
            "attack_calibrated": _attained(network, numerics, inputs),
        }
        found = {name: max(value, made[name]) for name, value in found.items()}
    return found


def medians(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of several requests' figures, name by name."""
    return {name: median(figures[name] for figures in found) for name in found[0]}


def _attained(network: Network, numerics: Numerics, inputs: Inputs) -> float:
    """How far the built attack moves the first judged element, the better of both ways."""
    honest = recompute(network, inputs, numerics.profile)[judged_step(network)]
    direction = torch.zeros(honest.shape, dtype=torch.float64)
    direction.view(-1)[0] = 1.0
    moves = [
        attack(network, numerics, inputs, sign * direction)[judged_step(network)].double() - honest.double()
        for sign in (1.0, -1.0)
    ]
    return max(float(move.reshape(-1)[0].abs()) for move in moves)


def flips(network: Network, numerics: Numerics, requests: Sequence[Inputs]) -> float:
    """Part of the requests whose class the attack changes into the second best."""
    changed = 0
    for inputs in requests:
        scores = recompute(network, inputs, numerics.profile)[judged_step(network)].double()
        best, second = scores.reshape(-1).topk(2).indices.tolist()
        direction = torch.zeros(scores.shape, dtype=torch.float64)
        direction.view(-1)[second], direction.view(-1)[best] = 1.0, -1.0
        attacked = attack(network, numerics, inputs, direction)[judged_step(network)]
        changed += int(attacked.reshape(-1).argmax()) != best
    return changed / len(requests)


def tightness(network: Network, numerics: Numerics, terms: int | None = None) -> float:
    """Median over contractions, or those with `terms` products a sum, of the calibrated bound over the worst case's.

    That is `n·u·Σ|ab|`, or what blocked sums promise; where terms cancel the sound bound is down to half of it.
    """
    ratios = [
        count_of(step, factor, numerics.profile) / count_of(step, 0, numerics.profile)
        for step, factor in zip(network.graph.steps, numerics.factors, strict=True)
        if step.op is Op.CONTRACT and terms in (None, step.attributes[0]) and terms_of(step) > 1
    ]
    return median(ratios)
