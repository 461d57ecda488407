"""`python -m bench NAME [--json]`: runs one benchmark, prints its figures, keeps them in `bench/results/NAME.json`.

With `--no-write` they are only printed: figures of a smaller size are not those that are published. It knows no
benchmark: a module of this package that has `run` is one. Parameters of `run` are options of the command, numbers all
of them: `run(elements=2e7)` takes `--elements 1e9`.
"""

import argparse
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def names() -> list[str]:
    """Names of all benchmarks, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules([str(HERE)]) if not module.name.startswith("_"))


def options_of(name: str) -> dict[str, float]:
    """Options of benchmark `name`, with their defaults."""
    parameters = inspect.signature(importlib.import_module(f"bench.{name}").run).parameters
    return {option: parameter.default for option, parameter in parameters.items()}


def measure(name: str, options: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Runs benchmark `name`; the object that `--json` prints."""
    results = importlib.import_module(f"bench.{name}").run(**(options or {}))
    return {"name": name, "results": results}


def missed(report: dict[str, Any]) -> list[str]:
    """What a benchmark says must not be among its figures; of most benchmarks nothing must not."""
    find = getattr(importlib.import_module(f"bench.{report['name']}"), "missed", None)
    return [] if find is None else list(find(report["results"]))


def keep(report: dict[str, Any]) -> None:
    """Writes the report to `bench/results/`."""
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{report['name']}.json").write_text(json.dumps(report, indent=2) + "\n")


def table(results: dict[str, Any], indent: str = "") -> str:
    """The figures, one a line; a table within them is indented below its name."""
    width = max(map(len, results), default=0)
    lines = []
    for name, value in results.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", table(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name:<{width}}  {value}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Exit status 1 if the benchmark names what must not be; whether figures are good enough is for their reader."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=names(), help="the benchmark")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--no-write", action="store_true", help="leave bench/results as it is")
    chosen, rest = parser.parse_known_args(arguments)
    options = argparse.ArgumentParser(prog=f"python -m bench {chosen.name}")
    for option, default in options_of(chosen.name).items():
        options.add_argument(f"--{option}", type=type(default), default=default)
    report = measure(chosen.name, vars(options.parse_args(rest)))
    if not chosen.no_write:
        keep(report)
    print(json.dumps(report) if chosen.json else table(report["results"]))
    faults = missed(report)
    for fault in faults:
        print(f"missed: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
