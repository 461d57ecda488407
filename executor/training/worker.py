"""Process of a training job: `python -m executor.training.worker FOLDER`, alone or under torchrun.

Started by `Job.train` only: it ends when its standard input does, which is when whoever started it is gone.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from pathlib import Path

from executor.training.job import Job
from executor.training.loop import Run, Seat, train
from executor.training.recipe import Method
from executor.training.team import ORPHANED, distributed_seat, hogwild, is_distributed
from rollup.errors import Refused

# What a worker ends with whose job can never run.
REFUSED = 2


def main(folder: Path) -> int:
    """Runs the job in `folder` as this process's part of it; the exit status."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    job = Job(folder)
    try:
        _run(job)
    except Refused as error:
        job.refuse(error)
        return REFUSED
    return 0


def _end_with_input() -> None:
    # Not through sys.stdin, whose lock a thread must not hold when the interpreter ends.
    while os.read(0, 1):
        pass
    os._exit(ORPHANED)


def _run(job: Job) -> None:
    start = job.checkpoint
    if is_distributed():
        run = job.prepare()
        with distributed_seat(run) as seat:
            train(run, seat, start)
    elif job.recipe.method is Method.HOGWILD:
        hogwild(partial(prepare, job.folder), start)
    else:
        run = job.prepare()
        train(run, Seat(run.trainee.module), start)


def prepare(folder: Path) -> Run:
    """What every process of a job begins with."""
    return Job(folder).prepare()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
