"""How a trainer is put together: its folder, its policy, where it fetches from, whom it tells of its progress."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from executor.actor import Office
from executor.trainer.craft import Craft
from executor.trainer.materials import Sources
from executor.trainer.policy import Policy
from executor.trainer.trainer import Trainer
from executor.trainer.workshop import Workshop
from executor.training.checkpoint import Point
from executor.training.job import Job
from executor.training.recipe import Recipe
from rollup.blobs import RemoteBlobs
from rollup.live import Live


@dataclass(frozen=True)
class Studio:
    """`folder`: where trainings are kept. `recipe`: the operator's own. `fetch`: endpoints that blobs may come from."""

    folder: Path
    recipe: Path | None = None
    policy: Policy = field(default_factory=Policy)
    fetch: tuple[str, ...] = ()


@contextmanager
def working(office: Office, studio: Studio) -> Iterator[Trainer]:
    """A trainer; its jobs are stopped when the block ends, and go on when it is made again.

    Raises BadInput for a recipe of the operator that cannot be used, or for an endpoint that is none.
    """
    recipe = studio.recipe.read_bytes() if studio.recipe is not None and Recipe.read(studio.recipe) else None
    remotes = [RemoteBlobs(endpoint, studio.fetch) for endpoint in studio.fetch]
    live = Live(office.daemon.settings.redis_url)
    workshop = Workshop(lambda job, point: tell(live, job, point))
    craft = Craft(office.blobs, office.models, Sources(office.blobs, remotes), studio.policy, recipe)
    try:
        yield Trainer(office, craft, studio.policy, workshop, studio.folder)
    finally:
        workshop.close()
        live.close()
        for remote in remotes:
            remote.close()


def tell(live: Live, job: Job, point: Point) -> None:
    """Publishes one point of a curve under the training's id; who misses it finds the curve in the job's folder."""
    news = {"status": "training", "epoch": point.epoch, "loss": point.loss, "score": point.score}
    live.publish(f"0x{job.folder.parent.name}", json.dumps(news))
