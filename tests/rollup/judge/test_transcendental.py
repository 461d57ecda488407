"""Enclosures against mpmath at 400 bits, over the whole of f32 and where each function is hardest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import mpmath
import pytest

from rollup.judge import transcendental
from rollup.judge.approx import ONE, Approx, nearest
from rollup.tensor import DType
from tests.rollup.judge.f32 import exact

MINUS = 1 << 31
LIMIT = mpmath.mpf(2) ** -60
GREATEST = 0x7F7FFFFF


@dataclass(frozen=True)
class Subject:
    """A function with what it should be, and the greatest magnitude (f32 bits) at which it is asked."""

    made: Callable[[Approx], Approx]
    true: Callable[[mpmath.mpf], mpmath.mpf]
    greatest: int = GREATEST
    positive: bool = False


SUBJECTS = {
    # e^104 is beyond f32 on either side; erf and tanh are one from 7 and 45 on.
    "exp": Subject(transcendental.exp, mpmath.exp, 0x42D00000),
    "expm1": Subject(transcendental.expm1, mpmath.expm1, 0x42D00000),
    "sigmoid": Subject(transcendental.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), 0x42D00000),
    "tanh": Subject(transcendental.tanh, mpmath.tanh),
    "erf": Subject(transcendental.erf, mpmath.erf),
    "log": Subject(transcendental.log, mpmath.log, positive=True),
    "sqrt": Subject(transcendental.sqrt, mpmath.sqrt, positive=True),
    "log1p": Subject(transcendental.log1p, mpmath.log1p, positive=True),
    "log1p below zero": Subject(lambda a: transcendental.log1p(-a), lambda x: mpmath.log1p(-x), 0x3F7FFFFF, True),
    "sin": Subject(transcendental.sin, mpmath.sin, 0x47800000),
    "cos": Subject(transcendental.cos, mpmath.cos, 0x47800000),
}


def edges() -> Iterable[int]:
    """Magnitudes next to every power of two, next to one, and next to multiples of π/2 (f32 bits)."""
    for exponent in range(255):
        yield from (max(1, (exponent << 23) + step) for step in (-1, 0, 1))
    yield from (0x3F800000 + step for step in range(-40, 41))
    yield from range(1, 20)
    for k in (*range(1, 60), *(Random(7).randrange(60, 41_721) for _ in range(200))):
        turn = nearest(DType.F32, Approx.make(int(mpmath.pi * k * 2**200), -201))
        yield from (turn - 1, turn, turn + 1)
    # The f32 up to 2^16 that is nearest to a multiple of π/2, found by trying all.
    yield from (0x437CE5F1, 0x3FC90FDB, 0x40490FDB)


def magnitudes(subject: Subject) -> Iterable[int]:
    random = Random(3)
    yield from (word for word in edges() if word <= subject.greatest)
    yield from (random.randrange(1, subject.greatest) for _ in range(400))


def relative_error(made: Fraction, true: mpmath.mpf) -> mpmath.mpf:
    return abs(mpmath.mpf(made.numerator) / made.denominator - true) / abs(true)


@pytest.mark.parametrize("name", SUBJECTS)
def test_enclosure__whole_range_and_edges__is_within_2_to_the_minus_60(name: str) -> None:
    subject = SUBJECTS[name]
    with mpmath.workprec(400):
        for word in magnitudes(subject):
            for signed in (word,) if subject.positive else (word, word | MINUS):
                value = exact(signed)
                true = subject.true(mpmath.mpf(value.numerator) / value.denominator)
                if not true:
                    assert not subject.made(Approx.of_float(signed))
                    continue
                made = subject.made(Approx.of_float(signed)).fraction
                assert relative_error(made, true) <= LIMIT, (name, hex(signed))


def test_power__wherever_f32_holds_it__is_within_2_to_the_minus_60() -> None:
    random = Random(5)
    with mpmath.workprec(400):
        for _ in range(1500):
            base, exponent = exact(random.randrange(1, GREATEST)), exact(random.randrange(1, GREATEST))
            if random.random() < 0.5:
                base = exact(0x3F800000 + random.choice((-1, 1)) * random.randrange(1, 2 ** random.randrange(1, 23)))
            true = (
                mpmath.mpf(exponent.numerator)
                / exponent.denominator
                * mpmath.log(mpmath.mpf(base.numerator) / base.denominator)
            )
            if abs(true) < 104:
                made = transcendental.power(real(base), real(exponent)).fraction
                assert relative_error(made, mpmath.exp(true)) <= LIMIT, (base, exponent)


def real(value: Fraction) -> Approx:
    return Approx.make(value.numerator, 1 - value.denominator.bit_length())


@pytest.mark.parametrize("name", ["exp", "expm1", "sigmoid", "tanh", "erf", "sin", "cos", "log1p", "sqrt"])
def test_function__of_zero__is_exact(name: str) -> None:
    value = SUBJECTS[name].made(Approx.of_float(0)).fraction
    assert value == {"exp": 1, "cos": 1, "sigmoid": Fraction(1, 2)}.get(name, 0)


def test_log__of_one__is_zero() -> None:
    assert not transcendental.log(ONE)


def test_exp__beyond_saturation__answers_as_at_it() -> None:
    assert transcendental.exp(Approx.make(1, 200)) == transcendental.exp(Approx.make(1, 16))
    assert transcendental.exp(Approx.make(-1, 200)) < Approx.make(1, -90_000)
