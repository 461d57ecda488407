"""Compiles the contracts with py-solc-x and gives their interfaces and bytecode.

Settings are read from foundry.toml, so that what is tested by forge is what is deployed. Results are kept under build/
by a hash of all that went in. Knows nothing of any chain.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from solcx import compile_standard
from solcx.exceptions import SolcError

from rollup.chain.abi import Abi, ErrorTable
from rollup.errors import BadInput, NotFound, Unavailable

ROOT = Path(__file__).resolve().parents[2]
SOLC_WRAPPER = Path(__file__).with_name("solc")
# What StepJudge is built with, in the order of its arguments: what steps read, the judge of overflows, and those of
# families of operators. Nothing else names them.
FAMILIES = ("StepReader", "LimitsJudge", "ContractionJudge", "PointwiseJudge", "TranscendentalJudge", "RowJudge")
# The contracts of a system, in the order in which they are deployed, after the families; the last five are those of
# properties. rollup/config.py has their addresses in the same order.
CONTRACTS = (
    *("Vault", "ModelRegistry", "StepJudge", "Inbox", "ClaimChain", "DisputeGame"),
    *("PropertyJudge", "ScoreClaims", "ScoreGame", "Trainings", "Generations"),
)
_IMPORT = re.compile(r'^\s*import\s+(?:[^"\';]*\s+from\s+)?["\']([^"\']+)["\']\s*;', re.MULTILINE)
_VERSION_SECONDS = 30


@dataclass(frozen=True)
class Artifact:
    """One compiled contract: its JSON ABI, and its creation bytecode (empty for an interface)."""

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes


@dataclass(frozen=True)
class Artifacts:
    """All compiled contracts, by name."""

    contracts: Mapping[str, Artifact]

    def __getitem__(self, name: str) -> Artifact:
        """Raises NotFound for a contract that was not compiled."""
        if name not in self.contracts:
            raise NotFound(f"no contract {name} was compiled; there are {', '.join(sorted(self.contracts))}")
        return self.contracts[name]


@cache
def load(root: Path = ROOT, folders: tuple[str, ...] = ("contracts",)) -> Artifacts:
    """Compiles every contract under `folders` of `root`, or takes what an earlier run kept.

    Raises BadInput if the sources do not compile, Unavailable if no compiler runs.
    """
    settings = _settings(root)
    sources = _sources(root, folders, settings["remappings"])
    version = _pinned_version(root)
    inputs = {"language": "Solidity", "sources": {path: {"content": text} for path, text in sources.items()}}
    inputs["settings"] = settings
    key = sha256(json.dumps([inputs, version], sort_keys=True).encode()).hexdigest()
    kept = root / "build" / "artifacts" / f"{key}.json"
    if not kept.exists():
        _keep(kept, _compile(inputs, find_compiler(version)))
    return _from_json(json.loads(kept.read_text()))


@cache
def abi_of(name: str) -> Abi:
    """Functions of a contract."""
    return Abi(name, load()[name].abi)


@cache
def error_table() -> ErrorTable:
    """Every custom error of every contract."""
    return ErrorTable(entry for contract in load().contracts.values() for entry in contract.abi)


def find_compiler(version: str) -> Path:
    """A native compiler of exactly `version` from the environment's SOLC or the PATH, else the npm one.

    Raises BadInput if SOLC names a compiler of another version.
    """
    named, on_path = os.environ.get("SOLC"), shutil.which("solc")
    if named:
        if _version_of(Path(named)) != version:
            raise BadInput(f"SOLC names version {_version_of(Path(named))}, the contracts are built with {version}")
        return Path(named)
    if on_path and _version_of(Path(on_path)) == version:
        return Path(on_path)
    return SOLC_WRAPPER


@cache
def _version_of(compiler: Path) -> str:
    try:
        result = subprocess.run(
            [compiler, "--version"], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"the compiler {compiler.name} does not run ({error}); npm ci installs one") from error
    found = re.search(r"Version: (\d+\.\d+\.\d+)", result.stdout)
    return found.group(1) if found else ""


def _pinned_version(root: Path) -> str:
    return str(json.loads((root / "package.json").read_text())["dependencies"]["solc"])


def _settings(root: Path) -> dict[str, Any]:
    """Compiler settings of foundry.toml's default profile."""
    profile = tomllib.loads((root / "foundry.toml").read_text())["profile"]["default"]
    return {
        "evmVersion": profile["evm_version"],
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "viaIR": profile.get("via_ir", False),
        "remappings": profile["remappings"],
        "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences"]}},
    }


def _sources(root: Path, folders: tuple[str, ...], remappings: list[str]) -> dict[str, str]:
    """Every source under `folders` and all that they import, by path from `root`; the compiler opens no files."""
    waiting = [path.relative_to(root).as_posix() for folder in folders for path in (root / folder).rglob("*.sol")]
    found: dict[str, str] = {}
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = _read(root / path)
            waiting += [_resolve(path, name, remappings) for name in _IMPORT.findall(found[path])]
    return dict(sorted(found.items()))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError as error:
        raise BadInput(f"the imported source {path.name} is missing; npm ci installs the libraries") from error


def _resolve(importer: str, name: str, remappings: list[str]) -> str:
    if name.startswith("."):
        return os.path.normpath(os.path.join(os.path.dirname(importer), name))
    for remapping in remappings:
        prefix, target = remapping.split("=", 1)
        if name.startswith(prefix):
            return target + name[len(prefix) :]
    return name


def _compile(inputs: dict[str, Any], compiler: Path) -> dict[str, Any]:
    """Standard-JSON output reduced to what is kept: name -> {abi, bytecode}."""
    try:
        output = compile_standard(inputs, solc_binary=compiler, allow_empty=True)
    except SolcError as error:
        raise BadInput(f"the contracts do not compile: {error}") from error
    contracts: dict[str, Any] = {}
    for path, units in output["contracts"].items():
        for name, unit in units.items():
            if path.startswith("node_modules/"):
                continue
            bytecode = unit["evm"]["bytecode"]
            if bytecode["linkReferences"]:
                raise BadInput(f"contract {name} links to deployed libraries; only internal ones are used here")
            contracts[name] = {"abi": unit["abi"], "bytecode": bytecode["object"]}
    return contracts


def _keep(path: Path, contracts: dict[str, Any]) -> None:
    """Writes whole or not at all: several processes may compile at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        json.dump(contracts, file)
    os.replace(file.name, path)


def _from_json(contracts: dict[str, Any]) -> Artifacts:
    return Artifacts(
        {name: Artifact(name, tuple(unit["abi"]), bytes.fromhex(unit["bytecode"])) for name, unit in contracts.items()}
    )
