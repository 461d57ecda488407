"""Vectors of the judge's real numbers: words of operands, and of what the Python twin makes of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from rollup.judge import floats, transcendental
from rollup.judge.approx import Approx, nearest
from rollup.tensor import DType
from tests.parity.trees import hexed

FLOATS = (DType.F32, DType.F16, DType.BF16)
# In the order of the library's test, each with the exponents of the magnitudes at which it is asked.
FUNCTIONS: tuple[tuple[Callable[[Approx], Approx], int, int], ...] = (
    (transcendental.exp, -149, 18),
    (transcendental.expm1, -149, 8),
    (transcendental.tanh, -149, 10),
    (transcendental.sigmoid, -149, 10),
    (transcendental.log, -149, 128),
    (transcendental.log1p, -149, 128),
    (transcendental.sqrt, -149, 128),
    (transcendental.erf, -149, 4),
    (transcendental.sin, -149, 16),
    (transcendental.cos, -149, 16),
)
POSITIVE = (transcendental.log, transcendental.sqrt)


def word_of(value: Approx) -> bytes:
    """The word that Solidity keeps: mantissa above, exponent below."""
    return (value.mantissa << 128 | value.exponent & 2**128 - 1).to_bytes(32, "big", signed=True)


def drawn(random: Random) -> Approx:
    """A real of any size and width; often a short one, so that sums cancel and ties arise."""
    width = random.choice((1, 3, 24, 25, 100, 127))
    return Approx.make(random.randrange(-(2**width), 2**width + 1), random.choice((-300, -170, -27, -1, 0, 1, 90, 130)))


def real_vectors(random: Random) -> dict[str, list[str]]:
    """Rows of five words (a, b, a + b, a · b, a / b or zero) and one of a rounded to f32, f16 and bf16."""
    words = []
    for _ in range(150):
        a, b = drawn(random), drawn(random)
        rounded = b"".join(nearest(dtype, a).to_bytes(4, "big") for dtype in FLOATS).rjust(32, b"\0")
        quotient = a / b if b else b
        words.append(b"".join([*map(word_of, (a, b, a + b, a * b, quotient)), rounded]))
    return {"rows": [hexed(row) for row in words]}


def arguments(random: Random, low: int, high: int) -> list[int]:
    """f32 bits with exponents from `low` to below `high`, some next to powers of two or multiples of π/2."""
    words = []
    for _ in range(16):
        exponent = random.randrange(low, high)
        value = Approx.make(random.choice((1 << 23, (1 << 23) + 1, random.randrange(1 << 23, 1 << 24))), exponent - 23)
        words.append(nearest(DType.F32, value))
        turn = Approx.make(random.randrange(1, 2 << min(high, 15)) * 0x1921FB54442D18469898CC51701B83A, -120)
        if high >= 16:
            words.append(nearest(DType.F32, turn))
    words += [0x3F800000 + step for step in (-1, 0, 1)]
    return [word | random.choice((0, 1 << 31)) for word in words]


def transcendental_vectors(random: Random) -> dict[str, list[str]]:
    """Rows of three words: number of the function, argument, result."""
    rows = []
    for number, (function, low, high) in enumerate(FUNCTIONS):
        for word in (0, *arguments(random, low, high)):
            if function in POSITIVE or (function is transcendental.log1p and floats.magnitude(word) >= 0x3F800000):
                word = floats.magnitude(word)
            if word or function is not transcendental.log:
                value = Approx.of_float(word)
                rows.append(number.to_bytes(32, "big") + word_of(value) + word_of(function(value)))
    return {"rows": [hexed(row) for row in rows]}
