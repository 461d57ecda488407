"""The queue over a real Redis: only names and ids travel, and a dead Redis is one clear error."""

import json

import pytest

from rollup.errors import Unavailable
from rollup.processes import free_port
from rollup.queue import EXECUTE_QUEUE, EXECUTE_TASK, make_queue, send_execute
from rollup.redis_server import RedisServer
from rollup.types import RequestId

ID = RequestId(b"\xab" * 32)


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


def test_send__to_a_dead_redis__is_unavailable():
    with pytest.raises(Unavailable, match="queue does not answer"):
        send_execute(make_queue(f"redis://127.0.0.1:{free_port()}/0"), ID)


def test_send__carries_the_task_name_and_the_request_id_only(redis):
    queue = make_queue(redis.url)
    send_execute(queue, ID)
    with queue.connection_for_read() as connection:
        message = connection.default_channel.basic_get(EXECUTE_QUEUE)
        message.ack()
        connection.default_channel.client.connection_pool.disconnect()
    assert message.headers["task"] == EXECUTE_TASK
    assert message.content_type == "application/json"
    assert json.loads(message.body)[:2] == [[ID.hex()], {}]
    queue.close()


def test_queue__acknowledges_late_and_takes_one_at_a_time():
    conf = make_queue("redis://127.0.0.1:1/0", visibility_timeout_seconds=7).conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]
    assert conf.broker_transport_options["visibility_timeout"] == 7
