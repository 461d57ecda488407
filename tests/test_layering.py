"""The directions of the arrows: who may import whom, in the product's own packages and from third parties.

prover -> executor -> rollup <- api; contracts are read as files only. Inside rollup, pure modules know no edge, and
edges know no service.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("rollup", "executor", "prover", "api")
ALLOWED = {
    "rollup": {"rollup"},
    "executor": {"executor", "rollup"},
    "prover": {"prover", "executor", "rollup"},
    "api": {"api", "rollup"},
}
# Third party -> places that may import it; a place is a file or a folder.
FENCES = {
    "web3": ("rollup/chain/",),
    "eth_account": ("rollup/chain/", "api/client.py"),
    "solcx": ("rollup/chain/",),
    "redis": ("rollup/live.py", "rollup/queue.py"),
    "sqlalchemy": ("rollup/journal/",),
    "celery": ("rollup/queue.py", "executor/tasks.py"),
    "torch": ("executor/", "prover/"),
    "fastapi": ("api/",),
    "starlette": ("api/",),
    "uvicorn": ("api/", "executor/serving.py"),
}
# The floors of rollup, from the ground up: a module imports from its own floor and from those below it.
FLOORS = {
    "pure": (
        "admission", "call", "clock", "codec", "errors", "events", "expansion", "functions", "graph", "hashing",
        "hexes", "inputs", "judge", "lifecycle", "lowering", "merkle", "numerics", "program", "properties", "receipts",
        "shapes", "tensor", "types", "view", "weights",
    ),
    "edges": (
        "blobs", "chain", "config", "curves", "daemon", "journal", "live", "package", "processes", "queue",
        "redis_server",
    ),
    "services": (
        "cli", "commands", "devnet", "finality", "reconciler", "requester", "sequencer", "settlement",
    ),
}  # fmt: skip
# Whoever reads these lets what he reads run as code.
UNPICKLERS = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


MODULES = modules()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package__imports_only_what_lies_below_it(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    own = {name.split(".")[0] for name in imports_of(path)} & {*PACKAGES, "tests", "bench"}
    assert own <= ALLOWED[package], f"{path} imports {own - ALLOWED[package]}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_third_party__is_imported_only_behind_its_fence(path: Path) -> None:
    place = str(path.relative_to(ROOT))
    for name in {name.split(".")[0] for name in imports_of(path)} & FENCES.keys():
        assert place.startswith(FENCES[name]), f"{place} imports {name}, which is fenced to {FENCES[name]}"


def test_a_module_of_rollup__imports_from_no_floor_above_its_own() -> None:
    floor_of = {name: floor for floor, names in enumerate(FLOORS.values()) for name in names}
    for path in MODULES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] != "rollup" or parts[1] == "__init__":
            continue
        assert parts[1] in floor_of, f"{path} stands on no floor"
        for name in imports_of(path):
            names = name.split(".")
            if names[0] == "rollup" and len(names) > 1:
                assert floor_of[names[1]] <= floor_of[parts[1]], f"{path} imports {name} from above"


def test_the_floors__name_what_exists() -> None:
    there = {path.stem if path.is_file() else path.name for path in (ROOT / "rollup").iterdir()}
    assert {name for names in FLOORS.values() for name in names} <= there


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing__is_unpickled(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports_of(path)} & UNPICKLERS
    loads = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)]
    assert not [node for node in loads if ast.unparse(node) == "torch.load"], f"{path} loads pickles"


def test_the_fences__see_an_offender(tmp_path: Path) -> None:
    offender = tmp_path / "offender.py"
    offender.write_text("def late():\n    from web3 import Web3\n    return Web3\n")
    assert "web3" in set(imports_of(offender))
