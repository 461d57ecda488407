"""Curves: what executors tell of their epochs is there for who looks later, and its absence harms nobody."""

from pathlib import Path

from rollup.curves import MAX_POINTS, CurvePoint, Curves
from rollup.live import Live
from rollup.processes import free_port
from rollup.properties.types import TrainingId
from rollup.redis_server import RedisServer
from rollup.types import Address

TRAINING = TrainingId(b"t" * 32)
ALICE, BOB = Address(b"a" * 20), Address(b"b" * 20)


def test_a_curve__without_redis__is_not_told_and_empty() -> None:
    live = Live(f"redis://127.0.0.1:{free_port()}/0")
    curves = Curves(live)
    assert curves.tell(TRAINING, ALICE, CurvePoint(0, 1.0, None)) is False
    assert curves.of(TRAINING) == {}
    live.close()


def test_curves__of_several_executors__are_kept_apart_by_epoch(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        live = Live(server.url)
        curves = Curves(live)
        points = [CurvePoint(epoch, 1 / (epoch + 1), None if epoch else 0.5) for epoch in range(12)]
        for point in reversed(points):
            assert curves.tell(TRAINING, ALICE, point) is True
        # Whoever goes on after a kill tells some epochs again.
        curves.tell(TRAINING, ALICE, points[3])
        curves.tell(TRAINING, BOB, CurvePoint(0, 2.0, 0.25))
        live.close()
        later = Live(server.url)
        assert Curves(later).of(TRAINING) == {ALICE: points, BOB: [CurvePoint(0, 2.0, 0.25)]}
        assert Curves(later).of(TrainingId(b"u" * 32)) == {}
        later.close()


def test_a_long_curve__keeps_its_newest_points(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        live = Live(server.url)
        for epoch in (0, 1, MAX_POINTS):
            Curves(live).tell(TRAINING, ALICE, CurvePoint(epoch, 1.0, None))
        assert [point.epoch for point in Curves(live).of(TRAINING)[ALICE]] == [1, MAX_POINTS]
        live.close()
