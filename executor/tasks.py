"""Celery's door to the worker: a message wakes it with a request id, and the journal says what there is to do.

Acks late, one message at a time, one process per worker; a child that dies is replaced by its parent.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

from celery import Celery

from executor.models import Models
from executor.work import Tools, Worker
from rollup.blobs import open_blobs
from rollup.chain.client import Client
from rollup.chain.models import Models as Registry
from rollup.config import Settings
from rollup.journal import open_journal
from rollup.queue import EXECUTE_TASK, make_queue
from rollup.types import Model, ModelId, RequestId

SOFT_LIMIT_SECONDS = 600
HARD_LIMIT_SECONDS = 660


def make_worker(settings: Settings, retains: bool = False) -> Celery:
    """The Celery app with the task in it; `anh worker` runs it. `retains`: the traces of its runs are kept."""
    queue = make_queue(settings.redis_url)

    @queue.task(name=EXECUTE_TASK, soft_time_limit=SOFT_LIMIT_SECONDS, time_limit=HARD_LIMIT_SECONDS)  # type: ignore[untyped-decorator]
    def execute(request_id: str) -> None:
        worker_of(settings, retains).execute(RequestId(bytes.fromhex(request_id)))

    return queue


@cache
def worker_of(settings: Settings, retains: bool = False) -> Worker:
    """This process's worker. Made when first needed, which is in the child: connections and CUDA survive no fork."""
    client = Client.connect(settings.rpc_url, settings.deployment.chain_id, settings.rpc_timeout_seconds)
    registry = Registry(settings.deployment)

    def record_of(id_: ModelId) -> Model:
        return registry.model(client.at(client.head()), id_)

    blobs = open_blobs(settings.blobs)
    jobs, domain = open_journal(settings.journal_url).jobs, settings.deployment.domain
    tools = Tools(jobs, blobs, Models(blobs), domain, cache(record_of), retains)
    return Worker(tools, f"{socket.gethostname()}:{os.getpid()}")


def run_worker(settings: Settings, retains: bool = False) -> None:
    """Runs a Celery worker in this process until it is told to stop."""
    Path(settings.blobs).mkdir(parents=True, exist_ok=True)
    name = f"anh-{os.getpid()}@%h"
    options = ["--pool", "prefork", "--concurrency", "1", "--without-gossip", "--without-mingle", "-n", name]
    make_worker(settings, retains).worker_main(["worker", "--loglevel", "INFO", *options])
