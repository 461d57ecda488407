"""Ids of trainings and generations bind chain, contract and every field; a commitment binds its executor."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from rollup.codec import Domain
from rollup.properties.ids import commitment_of, generation_id, training_id
from rollup.properties.types import Aggregate, Comparison, TrainingId
from rollup.types import Address, BundleRoot
from tests.rollup.properties.examples import DOMAIN, EXECUTOR, GENERATION, REQUESTER, TRAINING

ELSEWHERE: tuple[Domain, ...] = (
    replace(DOMAIN, chain_id=1),
    replace(DOMAIN, trainings=REQUESTER, generations=REQUESTER),
)


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, Aggregate | Comparison):
        return type(value)((value + 1) % 4)
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        first = dataclasses.fields(value)[0].name
        return replace(value, **{first: changed(getattr(value, first))})
    return not value if isinstance(value, bool) else value + 1


@pytest.mark.parametrize("field", dataclasses.fields(TRAINING.terms), ids=lambda field: field.name)
def test_training_id__any_other_term__is_another(field: dataclasses.Field[Any]) -> None:
    terms = replace(TRAINING.terms, **{field.name: changed(getattr(TRAINING.terms, field.name))})
    assert training_id(replace(TRAINING, terms=terms), DOMAIN) != training_id(TRAINING, DOMAIN)


@pytest.mark.parametrize("field", dataclasses.fields(GENERATION.terms), ids=lambda field: field.name)
def test_generation_id__any_other_term__is_another(field: dataclasses.Field[Any]) -> None:
    terms = replace(GENERATION.terms, **{field.name: changed(getattr(GENERATION.terms, field.name))})
    assert generation_id(replace(GENERATION, terms=terms), DOMAIN) != generation_id(GENERATION, DOMAIN)


@pytest.mark.parametrize("domain", ELSEWHERE)
def test_ids__on_another_chain_or_contract__are_others(domain: Domain) -> None:
    assert training_id(TRAINING, domain) != training_id(TRAINING, DOMAIN)
    assert generation_id(GENERATION, domain) != generation_id(GENERATION, DOMAIN)


def test_commitment_of__another_training_executor_network_or_salt__is_another() -> None:
    training, weights, salt = TrainingId(b"t" * 32), BundleRoot(b"w" * 32), b"s" * 32
    commitments = {
        commitment_of(training, EXECUTOR, weights, salt),
        commitment_of(TrainingId(b"u" * 32), EXECUTOR, weights, salt),
        commitment_of(training, Address(b"f" * 20), weights, salt),
        commitment_of(training, EXECUTOR, BundleRoot(b"x" * 32), salt),
        commitment_of(training, EXECUTOR, weights, b"t" * 32),
    }
    assert len(commitments) == 5
