"""What one fault proof may show: a step with an element that needs more cannot be judged, and is refused by name."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.tensor import TensorSpec
from rollup.types import LEAF_BYTES

# Bytes of leaves, so that a proof with its paths stays below 120 KB of calldata (PROTOCOL.md, section 3).
MAX_OPENED = 112 * 1024
# Operators whose attribute 0 is the length of the rows that an element reads of their first operand.
_READS_ROWS = frozenset({Op.AMAX, Op.SUM, Op.SPREAD, Op.EXPSUM})


def opened_bytes(step: Step) -> int:
    """Most bytes of leaves that one element's openings have."""
    runs = [(step.result, 1), *zip((operand.spec for operand in step.operands), _lengths(step), strict=True)]
    if step.op is Op.CAT:
        # One of the operands is read.
        runs = runs[:1] + sorted(runs[1:], key=lambda run: _opened(*run))[-1:]
    elif step.op is Op.ARGMAX:
        runs.append(runs[1])
    return sum(_opened(spec, length) for spec, length in runs)


def require_provable(steps: Iterable[Step]) -> None:
    """Raises BadGraph that names every step with an element too wide to be proven."""
    faults = [
        f"step {number} ({step.origin or step.op.name}): {step.op.name} opens {opened_bytes(step)} bytes for one "
        f"element, at most {MAX_OPENED} fit into a proof"
        for number, step in enumerate(steps)
        if opened_bytes(step) > MAX_OPENED
    ]
    if faults:
        raise BadGraph("; ".join(faults))


def _lengths(step: Step) -> list[int]:
    """Elements read of each operand, one after another."""
    ones = [1] * len(step.operands)
    if step.op is Op.CONTRACT:
        return [step.attributes[0]] * 2 + ones[2:]
    if step.op in _READS_ROWS:
        return [step.attributes[0], *ones[1:]]
    return ones


def _opened(spec: TensorSpec, length: int) -> int:
    """Most leaves that a run has which starts at a multiple of its own length, in bytes."""
    size = length * spec.dtype.width
    latest = LEAF_BYTES - gcd(size, LEAF_BYTES)
    return min(spec.leaf_count, -(-(latest + size) // LEAF_BYTES)) * LEAF_BYTES
