"""The Celery queue over Redis: wakes workers, and carries nothing but names and request ids.

Truth is the journal and the chain: a message may be lost or come twice. Tasks are known here by name only; their bodies
belong to whoever runs them.
"""

from __future__ import annotations

from celery import Celery
from kombu.exceptions import OperationalError

from rollup.errors import Unavailable
from rollup.types import RequestId

EXECUTE_TASK = "anh.execute"
EXECUTE_QUEUE = "anh.execute"
# A message that no worker has acknowledged for so long is given to another. Redis sweeps for such only every few
# minutes, so whoever needs a job sooner puts it back from the journal; a second delivery is harmless.
VISIBILITY_TIMEOUT_SECONDS = 120
# Redis must not hang a caller that has the journal to rely on.
SOCKET_TIMEOUT_SECONDS = 5.0


def make_queue(broker_url: str, visibility_timeout_seconds: int = VISIBILITY_TIMEOUT_SECONDS) -> Celery:
    """The Celery app over the Redis at `broker_url`. Connects to nothing until used."""
    queue = Celery("anh", broker=broker_url, set_as_current=False)
    queue.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue=EXECUTE_QUEUE,
        task_routes={EXECUTE_TASK: {"queue": EXECUTE_QUEUE}},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": visibility_timeout_seconds,
            "socket_connect_timeout": SOCKET_TIMEOUT_SECONDS,
            "max_retries": 1,
            "interval_start": 0,
        },
        task_publish_retry=False,
        worker_send_task_events=False,
        enable_utc=True,
    )
    return queue


def send_execute(queue: Celery, request_id: RequestId) -> None:
    """Wakes a worker for one request. Raises Unavailable if Redis is away; the journal still holds the job."""
    try:
        queue.send_task(EXECUTE_TASK, args=[request_id.hex()], queue=EXECUTE_QUEUE)
    except (OperationalError, OSError) as error:
        raise Unavailable(f"queue does not answer: {error}") from error
