"""The draw: one item of each stratum, by a beacon; and the uniforms of a text."""

from __future__ import annotations

import struct
from random import Random

import pytest

from rollup.errors import BadInput
from rollup.properties.draw import Draw, draw_seed, is_beacon_lost, is_beacon_ready, text_seed, uniform, uniforms
from rollup.properties.types import TrainingId
from rollup.types import RequestId

RANDOM = Random("draw")
SEEDS = [RANDOM.randbytes(32) for _ in range(8)]
SIZES = [(2, 1), (7, 1), (12, 6), (12, 4), (320, 64), (30, 3)]


@pytest.mark.parametrize(
    ("pool_count", "open_count", "message"),
    [(1, 1, "no multiple"), (12, 5, "no multiple"), (6, 6, "at least twice"), (8, 0, "outside 1..64"),
     (130, 65, "outside 1..64"), (2050, 1, "2049 sealed items are above 2048"), (0, 1, "at least twice")],
)  # fmt: skip
def test_draw__from_a_pool_that_has_no_strata__is_refused(pool_count: int, open_count: int, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Draw(SEEDS[0], pool_count, open_count)


@pytest.mark.parametrize("index", [-1, 8])
def test_sealed_index__outside__is_refused(index: int) -> None:
    with pytest.raises(BadInput, match=r"outside 0\.\.7"):
        Draw(SEEDS[0], 12, 4).sealed_index(index)


@pytest.mark.parametrize("index", [-1, 12])
def test_sealed_number__outside__is_refused(index: int) -> None:
    with pytest.raises(BadInput, match=r"outside 0\.\.11"):
        Draw(SEEDS[0], 12, 4).sealed_number(index)


@pytest.mark.parametrize(("pool_count", "open_count"), SIZES)
@pytest.mark.parametrize("seed", SEEDS)
def test_draw__opens_one_of_each_stratum_and_seals_the_rest_in_order(
    seed: bytes, pool_count: int, open_count: int
) -> None:
    draw = Draw(seed, pool_count, open_count)
    assert [index // draw.stratum for index in draw.opened] == list(range(open_count))
    assert sorted((*draw.opened, *draw.sealed)) == list(range(pool_count))
    assert [draw.sealed_index(item) for item in range(draw.sealed_count)] == list(draw.sealed)
    assert [draw.sealed_number(index) for index in draw.sealed] == list(range(draw.sealed_count))
    assert all(draw.sealed_number(index) is None for index in draw.opened)


def test_draw__over_many_seeds__opens_every_item_of_a_stratum() -> None:
    drawn = {Draw(RANDOM.randbytes(32), 20, 4).opened[2] for _ in range(200)}
    assert drawn == set(range(10, 15))


def test_beacon__is_ready_after_its_block_and_lost_after_256_more() -> None:
    assert [is_beacon_ready(10, block) for block in (11, 12)] == [False, True]
    assert [is_beacon_lost(10, block) for block in (267, 268)] == [False, True]


def test_seeds__bind_request_and_beacon_and_purpose() -> None:
    first, second = SEEDS[:2]
    seeds = {draw_seed(TrainingId(first), second), draw_seed(TrainingId(second), first)}
    seeds |= {text_seed(RequestId(first), second), text_seed(RequestId(second), first)}
    assert len(seeds) == 4


def test_uniforms__are_exact_f32_in_order() -> None:
    values = struct.unpack(">1000f", uniforms(SEEDS[0], 1000))
    assert values == tuple(uniform(SEEDS[0], index) for index in range(1000))
    assert all(0 <= value < 1 and (value * 2**24).is_integer() for value in values)
    assert 0.45 < sum(values) / 1000 < 0.55
    assert len(set(values)) > 990
