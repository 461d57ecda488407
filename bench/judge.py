"""Gas of the judge's inner parts: one multiply-accumulate of a contraction, one path of twenty levels.

Measured in forge by `tests/contracts/bench/JudgeBench.t.sol`, whose log this reads; it runs no chain and counts no
calldata. A contraction's gas is that of the whole exact sum, set-up included, divided by its products.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
FORGE = ROOT / "node_modules" / ".bin" / "forge"
CONTRACT = "tests/contracts/bench/JudgeBench.t.sol"
LINE = re.compile(r"^\s*(?P<key>[a-z_]+(?: \d+)?): (?P<value>\d+)\s*$", re.MULTILINE)


class BenchError(Exception):
    """Forge did not run the bench to its end; carries the end of what it printed."""


def logged() -> dict[str, int]:
    """Runs the bench contract; every figure that it logs, in gas."""
    command = [str(FORGE), "test", "--match-path", CONTRACT, "-vv"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise BenchError(f"forge ended with {ran.returncode}: {(ran.stdout + ran.stderr)[-2000:]}")
    figures = {match["key"]: int(match["value"]) for match in LINE.finditer(ran.stdout)}
    if not figures:
        raise BenchError(f"forge logged no figure: {(ran.stdout + ran.stderr)[-2000:]}")
    return figures


def per_product(figures: dict[str, int], kind: str) -> dict[str, float]:
    """Gas per multiply-accumulate by K, from the gas of whole sums logged as `kind K`."""
    sums = {int(key.split()[1]): gas for key, gas in figures.items() if key.startswith(f"{kind} ")}
    return {str(length): round(sums[length] / length, 2) for length in sorted(sums)}


def run() -> dict[str, object]:
    """The published figures, in gas; `gas_per_mac` is the worst over K of rows without zeros."""
    figures = logged()
    dense = per_product(figures, "dense")
    return {
        "gas_per_mac": max(dense.values()),
        "gas_per_mac_by_k": dense,
        "gas_per_mac_half_zero_by_k": per_product(figures, "half_zero"),
        "gas_verdict": figures["verdict"],
        "gas_merkle_20": figures["merkle 20"],
    }
