"""How a trainer is put together: its folder, its policy, where it fetches from, whom it tells of its progress."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from executor.actor import Office
from executor.trainer.craft import Craft
from executor.trainer.herald import Herald
from executor.trainer.materials import Sources
from executor.trainer.policy import Policy
from executor.trainer.trainer import Trainer
from executor.trainer.workshop import Workshop
from executor.training.job import PROGRESS_FILE, Job
from executor.training.recipe import Recipe
from rollup.blobs import RemoteBlobs
from rollup.curves import KEPT_SECONDS, Curves
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
    herald = Herald(Curves(live), office.address, jobs_of(studio.folder))
    workshop = Workshop(herald.heard)
    craft = Craft(office.blobs, office.models, Sources(office.blobs, remotes), studio.policy, recipe)
    with ExitStack() as stack:
        for remote in remotes:
            stack.callback(remote.close)
        stack.callback(live.close)
        stack.enter_context(herald)
        stack.callback(workshop.close)
        yield Trainer(office, craft, studio.policy, workshop, studio.folder)


def jobs_of(folder: Path) -> list[Job]:
    """Those of which somebody may still want to be told."""
    since = time.time() - KEPT_SECONDS
    return [Job(news.parent) for news in folder.glob(f"*/job/{PROGRESS_FILE}") if news.stat().st_mtime >= since]
