"""Every kind of model goes all the way: registered, asked, answered; every lie about it falls on chain, no truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.types import Certainty
from tests.chain_fixture import Anvil
from tests.stories.trial import Forged, Honest, Swapped, Trial
from tests.zoo import ZOO

# By the size of a request.
MODELS = {"resnet18": 32}
LIES = ("int8 weights", "int4 weights", "a layer removed", "fine-tuned copy")


@pytest.mark.parametrize("name", MODELS)
def test_a_model__goes_all_the_way(name: str, tmp_path: Path, anvil: Anvil) -> None:
    trial = Trial(anvil, tmp_path, ZOO[name], MODELS[name])
    assert trial.judged(Honest()) is Certainty.PROVISIONAL
    assert trial.judged(Forged()) is Certainty.REFUTED
    for lie in LIES:
        assert trial.judged(Swapped(lie)) is Certainty.REFUTED, lie
