"""Runs forge's benches and reads the figures that they log. Knows no figure by name."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FORGE = ROOT / "node_modules" / ".bin" / "forge"


def figures(bench: str) -> dict[str, int]:
    """Every `name: value` that the tests in `tests/contracts/bench/{bench}` log. Raises RuntimeError if one fails."""
    command = [str(FORGE), "test", "--match-path", f"tests/contracts/bench/{bench}", "-vv", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    suites = _suites(done)
    found: dict[str, int] = {}
    for suite in suites.values():
        for test, result in suite["test_results"].items():
            if result["status"] != "Success":
                raise RuntimeError(f"{test} of {bench} failed: {result['reason']}")
            found |= {name: int(value) for name, value in (line.split(": ") for line in result["decoded_logs"])}
    if not found:
        raise RuntimeError(f"{bench} logged no figures")
    return found


def _suites(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The report among forge's output: its only line of JSON."""
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            report: dict[str, Any] = json.loads(line)
            return report
    raise RuntimeError(f"forge gave no report: {done.stderr.strip()[-500:]}")
