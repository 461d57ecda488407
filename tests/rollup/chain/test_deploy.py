"""A whole system on a chain: addresses known beforehand, contracts that point at each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rollup.chain import artifacts, deploy
from rollup.chain.artifacts import CONTRACTS, FAMILIES, Artifact, Artifacts
from rollup.chain.inbox import Inbox
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.errors import BadInput, Conflict, NotFound
from rollup.types import Address
from tests.chain_fixture import SEQUENCER, Anvil, anvil_key, small_system


def test_create_address__is_what_the_chain_computes(anvil: Anvil) -> None:
    sender = anvil.sender(0)
    for nonce in range(2):
        receipt = sender.send(Intent(f"create:{nonce}", None, b"\x00"))
        assert receipt.contract == deploy.create_address(sender.address, nonce)


def test_deploy__without_a_contract__is_not_found(anvil: Anvil) -> None:
    with pytest.raises(NotFound, match=f"no contract {FAMILIES[0]} was compiled"):
        deploy.deploy(anvil.client(), anvil.sender(0), small_system(Address(b"s" * 20)), Artifacts({}))


def test_deploy__a_constructor_that_asks_for_more__is_refused(anvil: Anvil) -> None:
    compiled = artifacts.load()
    greedy = Artifact("Vault", ({"type": "constructor", "inputs": [{"name": "owner", "type": "address"}]},), b"\x00")
    with pytest.raises(BadInput, match="Vault is built from owner"):
        deploy.deploy(
            anvil.client(), anvil.sender(0), small_system(Address(b"s" * 20)),
            Artifacts({**compiled.contracts, "Vault": greedy}),
        )  # fmt: skip
    assert anvil.client().nonce(anvil_key(0).address) == 0


def test_verify__a_contract_of_another_system__is_a_conflict(anvil: Anvil, deployment: Deployment) -> None:
    system = small_system(anvil_key(SEQUENCER).address)
    other = deploy.deploy(anvil.client(), anvil.sender(0), system)
    addresses = dict(zip(CONTRACTS, deployment.contracts.values(), strict=True))
    deploy.verify(anvil.client(), addresses, artifacts.load(), system)
    for name, address in zip(CONTRACTS, other.contracts.values(), strict=True):
        mixed = addresses | {name: address}
        with pytest.raises(Conflict, match=r"another contract than the system|does not know"):
            deploy.verify(anvil.client(), mixed, artifacts.load(), system)
    with pytest.raises(Conflict, match=r"Vault at 0x.* has no code"):
        deploy.verify(anvil.client(), addresses | {"Vault": Address(b"n" * 20)}, artifacts.load(), system)
    with pytest.raises(Conflict, match=r"Inbox\.sequencer"):
        deploy.verify(anvil.client(), addresses, artifacts.load(), replace(system, sequencer=Address(b"x" * 20)))


def test_deploy__gives_a_record_that_can_be_kept(anvil: Anvil, deployment: Deployment, tmp_path: Path) -> None:
    deployment.save(tmp_path / "run" / "deployment.json")
    assert Deployment.load(tmp_path / "run" / "deployment.json") == deployment
    assert Inbox(deployment).sequencer(anvil.snapshot()) == anvil_key(SEQUENCER).address
    assert deployment.block == 1
