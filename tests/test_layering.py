"""The directions of the arrows: who may import whom, in the product's own packages and from third parties.

prover -> executor -> rollup <- api; contracts are read as files only. Inside rollup, pure modules know no edge.
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
    "sqlalchemy": ("rollup/journal.py", "rollup/journal/"),
    "celery": ("rollup/queue.py", "executor/tasks.py"),
    "torch": ("executor/", "prover/"),
    "fastapi": ("api/",),
}
PURE = (
    "errors",
    "types",
    "codec",
    "merkle",
    "tensor",
    "graph",
    "judge",
    "clock",
    "lifecycle",
    "lowering",
    "program",
    "view",
)
EDGES = ("config", "chain", "journal", "blobs", "queue", "live", "sequencer", "reader", "finality", "reconciler", "cli")


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


def test_a_pure_module__knows_no_edge() -> None:
    checked = 0
    for path in MODULES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] != "rollup" or parts[1] not in PURE:
            continue
        checked += 1
        for name in imports_of(path):
            names = name.split(".")
            assert names[0] != "rollup" or len(names) < 2 or names[1] not in EDGES, f"{path} imports {name}"
    assert checked >= 6, "the list of pure modules has gone stale"


def test_the_fences__see_an_offender(tmp_path: Path) -> None:
    offender = tmp_path / "offender.py"
    offender.write_text("def late():\n    from web3 import Web3\n    return Web3\n")
    assert "web3" in set(imports_of(offender))
