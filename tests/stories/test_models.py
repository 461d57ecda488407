"""Every kind of model goes all the way: registered, asked, answered; every lie about it falls on chain, no truth does.

Here pictures are small and texts short; steps, operators and weights are the same. `make models` tries more of them,
at full size and with all lies.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench._detection.swaps import SWAPS
from rollup.types import Certainty
from tests.chain_fixture import Anvil
from tests.stories.trial import Forged, Honest, Swapped, Trial
from tests.zoo import ZOO

# By the size of a request, and the lie that is told about it in every run of the tests.
TOLD = {
    "minilm": (16, "int8 weights"),
    "resnet18": (32, "fine-tuned copy"),
    "lstm": (10, "a layer removed"),
    "tabular": (0, "fp8 weights"),
}
LONG = {
    "minilm": 128,
    "resnet18": 224,
    "mobilenet_v2": 224,
    "gpt2": 64,
    "vit": 224,
    "lstm": 10,
    "gru": 20,
    "tabular": 0,
    "unet": 32,
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TOLD)
def test_a_model__goes_all_the_way(name: str, tmp_path: Path, anvil: Anvil) -> None:
    size, lie = TOLD[name]
    trial = Trial(anvil, tmp_path, ZOO[name], size)
    assert trial.judged(Honest()) is Certainty.PROVISIONAL
    assert trial.judged(Forged()) is Certainty.REFUTED
    assert trial.judged(Swapped(lie)) is Certainty.REFUTED


@pytest.mark.slow
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("name", LONG)
def test_every_lie_about_a_model__falls(name: str, tmp_path: Path, anvil: Anvil) -> None:
    trial = Trial(anvil, tmp_path, ZOO[name], LONG[name])
    assert trial.judged(Honest()) is Certainty.PROVISIONAL
    for lie in SWAPS:
        assert trial.judged(Swapped(lie)) is Certainty.REFUTED, lie
