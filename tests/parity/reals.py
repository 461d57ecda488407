"""Vectors of the judge's real numbers: words of operands, and of what the Python twin makes of them."""

from __future__ import annotations

from random import Random

from rollup.judge.approx import Approx, nearest
from rollup.tensor import DType
from tests.parity.trees import hexed

FLOATS = (DType.F32, DType.F16, DType.BF16)


def word_of(value: Approx) -> bytes:
    """The word that Solidity keeps: mantissa above, exponent below."""
    return (value.mantissa << 128 | value.exponent & 2**128 - 1).to_bytes(32, "big", signed=True)


def drawn(random: Random) -> Approx:
    """A real of any size and width; often a short one, so that sums cancel and ties arise."""
    width = random.choice((1, 3, 24, 25, 100, 127))
    return Approx.make(random.randrange(-(2**width), 2**width + 1), random.choice((-300, -170, -27, -1, 0, 1, 90, 130)))


def real_vectors(random: Random) -> dict[str, list[str]]:
    """Rows of five words (a, b, a + b, a · b, a / b or zero) and one of the three roundings of a, beginning with f32."""
    words = []
    for _ in range(150):
        a, b = drawn(random), drawn(random)
        rounded = b"".join(nearest(dtype, a).to_bytes(4, "big") for dtype in FLOATS).rjust(32, b"\0")
        quotient = a / b if b else b
        words.append(b"".join([*map(word_of, (a, b, a + b, a * b, quotient)), rounded]))
    return {"rows": [hexed(row) for row in words]}
