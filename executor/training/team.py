"""The processes of one run: alone, averaging gradients under torchrun, or writing into shared weights lock-free."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BrokenBarrierError
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from executor.training.checkpoint import Checkpoint
from executor.training.loop import Run, Seat, train
from rollup.errors import Unavailable

# A process that lost another waits this long for it.
MEETING_SECONDS = 600.0
# What a process ends with whose leader is gone.
ORPHANED = 3
_NCCL: bool = dist.is_nccl_available()


@contextmanager
def distributed_seat(run: Run) -> Iterator[Seat]:
    """This process's seat in a run that torchrun started: gloo between CPUs, nccl between GPUs."""
    on_gpu = torch.cuda.is_available() and _NCCL
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        rank, size = dist.get_rank(), dist.get_world_size()

        def share(value: float) -> float:
            mean = torch.tensor(value / size, dtype=torch.float64, device="cuda" if on_gpu else "cpu")
            dist.all_reduce(mean)
            return float(mean)

        yield Seat(DistributedDataParallel(run.trainee.module), rank, size, dist.barrier, share)
    finally:
        dist.destroy_process_group()


def is_distributed() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def hogwild(prepare: Callable[[], Run], start: Checkpoint | None) -> None:
    """Trains with all processes of the recipe on one set of shared weights, this one leading.

    `prepare` must be importable by a fresh process. Raises Unavailable if a process is lost.
    """
    run = prepare()
    for parameter in run.trainee.parameters.values():
        parameter.data.share_memory_()  # type: ignore[no-untyped-call]
    shared = {name: parameter.data for name, parameter in run.trainee.parameters.items()}
    size = run.recipe.processes
    context: Any = mp.get_context("spawn")
    barrier = context.Barrier(size)
    others = [context.Process(target=_follow, args=(prepare, shared, barrier, rank, start)) for rank in range(1, size)]
    # A lone thread in each process, here as in the others: they share the machine's cores.
    torch.set_num_threads(1)
    for process in others:
        process.start()
    try:
        _sit(run, barrier, 0, start)
    except BrokenBarrierError as error:
        raise Unavailable(f"one of {size} training processes was lost; the last checkpoint is kept") from error
    finally:
        barrier.abort()
        for process in others:
            process.join(MEETING_SECONDS)


def _follow(prepare: Callable[[], Run], shared: dict[str, torch.Tensor], barrier: Any, rank: int, start: Any) -> None:
    """Body of a process that does not lead: its parameters are the shared ones."""
    threading.Thread(target=_end_with_leader, daemon=True).start()
    torch.set_num_threads(1)
    run = prepare()
    for name, parameter in run.trainee.parameters.items():
        parameter.data = shared[name]
    try:
        _sit(run, barrier, rank, start)
    except BrokenBarrierError:
        # The leader is gone, or done because the score is high enough for it: nothing is left to do here.
        return


def _end_with_leader() -> None:
    leader = mp.parent_process()
    assert leader is not None
    leader.join()
    os._exit(ORPHANED)


def _sit(run: Run, barrier: Any, rank: int, start: Checkpoint | None) -> None:
    train(run, Seat(run.trainee.module, rank, run.recipe.processes, lambda: _meet(barrier)), start)


def _meet(barrier: Any) -> None:
    barrier.wait(MEETING_SECONDS)
