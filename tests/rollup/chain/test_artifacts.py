"""The compiler: which one, with what, and that a second time costs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.chain import artifacts
from rollup.errors import BadInput, NotFound

PACKAGE = '{"dependencies": {"solc": "0.8.37"}}'
FOUNDRY = """
[profile.default]
remappings = ["far/=lib/far/"]
evm_version = "prague"
optimizer = true
optimizer_runs = 200
"""
PIECE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;
import {ONE} from "far/One.sol";
import "./Two.sol";
contract Piece { function sum() external pure returns (uint256) { return ONE + TWO; } }
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "package.json").write_text(PACKAGE)
    (tmp_path / "foundry.toml").write_text(FOUNDRY)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "lib" / "far").mkdir(parents=True)
    header = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.28;\n"
    (tmp_path / "lib" / "far" / "One.sol").write_text(header + "uint256 constant ONE = 1;\n")
    (tmp_path / "contracts" / "Two.sol").write_text(header + "uint256 constant TWO = 2;\n")
    (tmp_path / "contracts" / "Piece.sol").write_text(PIECE)
    artifacts.load.cache_clear()
    return tmp_path


def test_load__what_does_not_compile__is_refused_with_the_compilers_words(project: Path) -> None:
    (project / "contracts" / "Piece.sol").write_text(PIECE.replace("TWO", "THREE"))
    with pytest.raises(BadInput, match="Undeclared identifier"):
        artifacts.load(project)


def test_load__an_import_that_is_missing__is_refused(project: Path) -> None:
    (project / "lib" / "far" / "One.sol").unlink()
    with pytest.raises(BadInput, match=r"imported source One\.sol is missing"):
        artifacts.load(project)


def test_load__a_contract_that_was_not_compiled__is_not_found(project: Path) -> None:
    with pytest.raises(NotFound, match="no contract Peace was compiled; there are Piece"):
        artifacts.load(project)["Peace"]


def test_load__a_second_time__compiles_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = artifacts.load(project)
    assert first["Piece"].bytecode
    artifacts.load.cache_clear()
    monkeypatch.setattr(artifacts, "_compile", lambda *_: pytest.fail("compiled again"))
    assert artifacts.load(project) == first


def test_find_compiler__of_another_version__is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    native = project / "solc"
    native.write_text("#!/bin/sh\necho 'Version: 0.8.30+commit.0.Linux.g++'\n")
    native.chmod(0o755)
    monkeypatch.setenv("SOLC", str(native))
    with pytest.raises(BadInput, match=r"version 0\.8\.30, the contracts are built with 0\.8\.37"):
        artifacts.find_compiler("0.8.37")
    assert artifacts.find_compiler("0.8.30") == native
    monkeypatch.delenv("SOLC")
    monkeypatch.setenv("PATH", str(project))
    assert artifacts.find_compiler("0.8.30") == native
    assert artifacts.find_compiler("0.8.37") == artifacts.SOLC_WRAPPER
