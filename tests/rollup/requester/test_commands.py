"""The requester's commands: what they refuse, and terms as a contract takes them."""

from __future__ import annotations

import pytest

from rollup.chain.abi import decode_values, to_record, types_of
from rollup.chain.artifacts import load
from rollup.chain.trainings import Trainings
from rollup.errors import BadInput
from rollup.properties.types import TrainingTerms
from rollup.requester.commands import serve_trainings
from tests.api.stage import DEPLOYMENT
from tests.rollup.properties.examples import TRAINING


@pytest.mark.parametrize("text", ["0x12", "the DAO", "0x" + "11" * 32])
def test_serve__for_what_is_no_contract__is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="an address has 20 bytes of hex"):
        serve_trainings(requester=["0x" + "11" * 20, text])


def test_encoded__terms__are_what_solidity_decodes() -> None:
    (request,) = [entry for entry in load()["ITrainings"].abi if entry.get("name") == "request"]
    encoded = Trainings(DEPLOYMENT).encoded(TRAINING.terms)
    (decoded,) = decode_values("the terms", types_of(request["inputs"]), encoded)
    assert to_record(TrainingTerms, decoded) == TRAINING.terms
    assert len(encoded) == 23 * 32
