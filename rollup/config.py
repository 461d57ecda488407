"""Settings and the deployment record: frozen, read once at the start of a process, handed on as arguments.

A settings file is TOML; the environment (ANH_*) overrides it. Secrets are never in it: a KeySource says where a key
lies. Refuses unknown names, so that a typing error is not a silent default.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollup.codec import Domain
from rollup.errors import BadInput, NotFound
from rollup.hexes import read_address
from rollup.types import Address

PREFIX = "ANH_"
_HEX_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Deployment:
    """Where one system lives: chain id, first block that can hold its events, its contracts."""

    chain_id: int
    block: int
    vault: Address
    model_registry: Address
    step_judge: Address
    inbox: Address
    claim_chain: Address
    dispute_game: Address
    property_judge: Address
    score_claims: Address
    score_game: Address
    trainings: Address
    generations: Address

    @property
    def domain(self) -> Domain:
        """What ids of this system are bound to."""
        return Domain(self.chain_id, self.inbox, self.claim_chain, self.score_claims, self.trainings, self.generations)

    @property
    def contracts(self) -> dict[str, Address]:
        """Every contract by its name here, in the order in which they are deployed."""
        return {name: getattr(self, name) for name in _CONTRACTS}

    @property
    def modules(self) -> tuple[Address, ...]:
        """Contracts that may hold escrow."""
        return (
            self.model_registry, self.inbox, self.claim_chain, self.dispute_game, self.score_claims, self.score_game,
            self.trainings, self.generations,
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Writes JSON, addresses as 0x-text."""
        record = {
            name: "0x" + value.hex() if isinstance(value, bytes) else value
            for name, value in dataclasses.asdict(self).items()
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> Deployment:
        """Raises NotFound without the file, BadInput if it is no deployment record."""
        try:
            record = json.loads(path.read_text())
            addresses = {name: read_address(record[name]) for name in _CONTRACTS}
            return cls(chain_id=int(record["chain_id"]), block=int(record["block"]), **addresses)
        except FileNotFoundError as error:
            raise NotFound(f"there is no deployment record {path}") from error
        except (ValueError, KeyError, TypeError, BadInput) as error:
            raise BadInput(f"{path} is no deployment record: {error}") from error


_CONTRACTS = tuple(field_.name for field_ in dataclasses.fields(Deployment))[2:]


@dataclass(frozen=True)
class KeySource:
    """Where a key lies: a keystore file and its password file, or the name of an environment variable."""

    keystore: Path | None = None
    password_file: Path | None = None
    variable: str | None = None

    def __post_init__(self) -> None:
        if any(part is not None and _HEX_KEY.fullmatch(str(part)) for part in (self.keystore, self.variable)):
            raise BadInput("a key belongs in a keystore file or an environment variable, never in a setting")
        if (self.variable is None) == (self.keystore is None):
            raise BadInput("a key source names either a keystore file or an environment variable")
        if self.keystore is not None and self.password_file is None:
            raise BadInput(f"the keystore {self.keystore} needs a password file")


@dataclass(frozen=True)
class Settings:
    """All that a process is told. Times in seconds. Addresses of services may hold passwords, so `repr` hides them."""

    deployment: Deployment
    rpc_url: str = field(default="http://127.0.0.1:8545", repr=False)
    journal_url: str = field(default="sqlite:///anh.db", repr=False)
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    api_url: str = "http://127.0.0.1:8000"
    blobs_url: str = "http://127.0.0.1:8001"
    blobs: Path = Path("blobs")
    locks: Path = Path("locks")
    key: KeySource | None = field(default=None, repr=False)
    confirmations: int = 0
    poll_seconds: float = 0.5
    # How long the sequencer lets a request wait for others to share its batch, and so its gas.
    post_seconds: float = 3.0
    rpc_timeout_seconds: float = 10.0

    @classmethod
    def load(cls, path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
        """Settings from the TOML file `path` and ANH_* variables, which win.

        `deployment` names a deployment record; `keystore`, `password_file` and `key_variable` make the key source.
        Relative paths count from the file's folder. Raises BadInput for an unknown name or a bad value, NotFound for
        a missing file.
        """
        given = {**_from_file(path), **_from_environment(os.environ if environment is None else environment)}
        if "deployment" not in given:
            raise BadInput(f"settings name no deployment record; set {PREFIX}DEPLOYMENT")
        source = {"keystore": Path, "password_file": Path, "key_variable": str}
        parts = {name: make(given.pop(name)) for name, make in source.items() if name in given}
        if parts:
            parts["variable"] = parts.pop("key_variable", None)
            given["key"] = KeySource(**parts)
        given["deployment"] = Deployment.load(Path(given["deployment"]))
        return cls(**{name: _converted(name, value) for name, value in given.items()})


# Names that settings files and the environment may use, and what makes a value of their text.
_CONVERSIONS: Mapping[str, Any] = {
    "rpc_url": str,
    "journal_url": str,
    "redis_url": str,
    "api_url": str,
    "blobs_url": str,
    "blobs": Path,
    "locks": Path,
    "confirmations": int,
    "poll_seconds": float,
    "post_seconds": float,
    "rpc_timeout_seconds": float,
}
_NAMES = {*_CONVERSIONS, "deployment", "keystore", "password_file", "key_variable"}
_PATHS = ("deployment", "keystore", "password_file", "blobs", "locks")


def _converted(name: str, value: Any) -> Any:
    try:
        return _CONVERSIONS[name](value) if name in _CONVERSIONS else value
    except ValueError as error:
        raise BadInput(f"setting {name} cannot be {value!r}") from error


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        given = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise NotFound(f"there is no settings file {path}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} is no TOML file: {error}") from error
    unknown = sorted(given.keys() - _NAMES)
    if unknown:
        raise BadInput(f"{path} has unknown settings: {', '.join(unknown)}")
    return {name: path.parent / value if name in _PATHS else value for name, value in given.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Only names that are settings: other tools may use the prefix for the values that `key_variable` names."""
    return {name: environment[PREFIX + name.upper()] for name in _NAMES if PREFIX + name.upper() in environment}
