"""Puts a whole system on a chain, from one frozen description, and checks that its contracts point at each other.

The contracts name each other in their constructors, so their addresses are computed from the deployer's nonce before
any of them exists. Knows nothing of models or accounts that will use them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import rlp  # type: ignore[import-untyped]

from rollup.chain.abi import Abi, encode_values
from rollup.chain.artifacts import CONTRACTS, FAMILIES, Artifact, Artifacts, load
from rollup.chain.client import Call, Client
from rollup.chain.sender import MAX_GAS, Intent, Sender
from rollup.config import Deployment
from rollup.errors import BadInput, Conflict, NotFound
from rollup.hexes import read_address
from rollup.merkle import keccak256
from rollup.types import Address, Windows

# Modules that may hold escrow.
MODULES = (
    *("ModelRegistry", "Inbox", "ClaimChain", "DisputeGame"),
    *("ScoreClaims", "ScoreGame", "Trainings", "Generations"),
)
# Other names that constructors and getters give to the contracts.
_SYNONYMS = {"registry": "ModelRegistry", "models": "ModelRegistry", "judge": "StepJudge"}
# Names that mean another contract in one of them: the game of scores has their claims for its claims and its models.
_OWN_NAMES: Mapping[str, Mapping[str, str]] = {"ScoreGame": {"claimchain": "ScoreClaims", "registry": "ScoreClaims"}}


@dataclass(frozen=True)
class System:
    """What a deployment fixes for ever. Windows, terms in seconds; money in wei; `min_bond_gas` in gas."""

    sequencer: Address
    minimum_windows: Windows
    maximum_windows: Windows
    min_bond_gas: int
    lease_term_seconds: int
    lease_deposit_wei: int
    min_fee_wei: int
    min_commit_fee_wei: int
    min_registrant_bond_wei: int

    @classmethod
    def load(cls, path: Path) -> System:
        """A description from a TOML file; `[minimum_windows]` and `[maximum_windows]` are its tables.

        Raises NotFound without the file, BadInput for a name that is missing, unknown or of another type.
        """
        try:
            given = tomllib.loads(path.read_text())
            sequencer = read_address(given.pop("sequencer"))
            minimum, maximum = (Windows(**given.pop(name)) for name in ("minimum_windows", "maximum_windows"))
            system = cls(sequencer, minimum, maximum, **given)
        except FileNotFoundError as error:
            raise NotFound(f"there is no system description {path}") from error
        except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, BadInput) as error:
            raise BadInput(f"{path} is no system description: {error}") from error
        numbers = [*astuple(minimum), *astuple(maximum), *(value for value in astuple(system)[3:])]
        if not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise BadInput(f"{path} is no system description: all but the sequencer is a whole number, 0 or more")
        if system.min_commit_fee_wei == 0:
            raise BadInput(f"{path} is no system description: min_commit_fee_wei is 0, and commitments cost gas alone")
        return system


# Real time on a chain with a block a second: the windows of a demo, the smallest that leave room for a reply.
DEMO_WINDOWS = Windows(challenge=8, open=8, collect=4, supply=8, prove=8)
LONGEST_WINDOWS = Windows(*[30 * 24 * 3600] * 5)


def demo_system(sequencer: Address) -> System:
    """A system whose claims become final within seconds: for development, demos and tests."""
    return System(
        sequencer=sequencer,
        minimum_windows=DEMO_WINDOWS,
        maximum_windows=LONGEST_WINDOWS,
        min_bond_gas=1_000_000,
        lease_term_seconds=20,
        lease_deposit_wei=10**12,
        min_fee_wei=10**9,
        min_commit_fee_wei=10**12,
        min_registrant_bond_wei=10**15,
    )


def deploy(client: Client, sender: Sender, system: System, artifacts: Artifacts | None = None) -> Deployment:
    """Deploys the families of operators and the contracts from `sender`'s next nonces and verifies them.

    Not resumable: after a failure, deploy anew. Raises BadInput if a constructor asks for something the description
    does not give, Conflict if another transaction took one of the nonces or a contract points elsewhere.
    """
    artifacts = artifacts or load()
    first, block = client.nonce(sender.address), client.head().number + 1
    names = (*FAMILIES, *CONTRACTS)
    addresses = {name: create_address(sender.address, first + place) for place, name in enumerate(names)}
    given = _values(addresses, system)
    intents = [_creation(artifacts[name], given, f"deploy:{first}:{name}") for name in names]
    for intent in intents:
        sender.submit(intent)
    for name, intent in zip(names, intents, strict=True):
        receipt = sender.wait(intent)
        if receipt.contract != addresses[name]:
            raise Conflict(f"{name} is not at 0x{addresses[name].hex()}: another transaction used the deployer's nonce")
    verify(client, addresses, artifacts, system)
    return Deployment(client.chain_id, block, *(addresses[name] for name in CONTRACTS))


def create_address(deployer: Address, nonce: int) -> Address:
    """Where CREATE puts the contract of transaction `nonce`."""
    return Address(keccak256(rlp.encode([deployer, nonce]))[12:])


def verify(client: Client, addresses: Mapping[str, Address], artifacts: Artifacts, system: System) -> None:
    """Raises Conflict unless every contract has code and every contract it names is the one of this system.

    `addresses` are at least CONTRACTS; families that it does not have are taken as StepJudge names them.
    """
    for name, address in addresses.items():
        if not client.code(address):
            raise Conflict(f"{name} at 0x{address.hex()} has no code")
        own = {getter: addresses[contract] for getter, contract in _OWN_NAMES.get(name, {}).items()}
        expected = _values(addresses, system) | own
        for getter, received in _named_addresses(client, artifacts[name], address).items():
            if received != expected.get(_normal(getter), received):
                raise Conflict(f"{name}.{getter} is 0x{received.hex()}, another contract than the system's")
    vault = Abi("Vault", artifacts["Vault"].abi)
    for name in MODULES:
        data = client.call(Call(addresses["Vault"], vault.encode_call("isModule", addresses[name])))
        if not vault.decode_result("isModule", data)[0]:
            raise Conflict(f"Vault does not know {name} as a module")


def _named_addresses(client: Client, artifact: Artifact, address: Address) -> dict[str, Address]:
    """What the contract answers to every getter of one address."""
    abi, named = Abi(artifact.name, artifact.abi), {}
    for entry in artifact.abi:
        if entry["type"] == "function" and not entry["inputs"] and [o["type"] for o in entry["outputs"]] == ["address"]:
            data = client.call(Call(address, abi.encode_call(entry["name"])))
            named[entry["name"]] = Address(bytes.fromhex(abi.decode_result(entry["name"], data)[0][2:]))
    return named


def _normal(name: str) -> str:
    """One spelling for `claimChain_`, `claimChain` and `CLAIM_CHAIN`."""
    return name.replace("_", "").lower()


def _values(addresses: Mapping[str, Address], system: System) -> dict[str, Any]:
    """What constructors may ask for, by normal name."""
    contracts = {_normal(name): address for name, address in addresses.items()}
    return contracts | {
        **{synonym: addresses[name] for synonym, name in _SYNONYMS.items()},
        "modules": [addresses[name] for name in MODULES],
        "sequencer": system.sequencer,
        "minimum": system.minimum_windows,
        "maximum": system.maximum_windows,
        "minbondgas": system.min_bond_gas,
        "leaseterm": system.lease_term_seconds,
        "leasedepositwei": system.lease_deposit_wei,
        "minfeewei": system.min_fee_wei,
        "mincommitfeewei": system.min_commit_fee_wei,
        "minregistrantbondwei": system.min_registrant_bond_wei,
    }


def _creation(artifact: Artifact, given: Mapping[str, Any], key: str) -> Intent:
    inputs = Abi(artifact.name, artifact.abi).constructor
    unknown = [item["name"] for item in inputs if _normal(item["name"]) not in given]
    if unknown:
        raise BadInput(f"{artifact.name} is built from {', '.join(unknown)}, which the description does not give")
    arguments = encode_values(artifact.name, inputs, [given[_normal(item["name"])] for item in inputs])
    # A fixed limit: estimates would fail where a constructor calls a contract that is still in flight.
    return Intent(key, None, artifact.bytecode + arguments, gas_limit=MAX_GAS // 2)
