"""Work leases and their fencing tokens, in a real SQLite file, with threads and with a killed process."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rollup.errors import Conflict, NotFound
from rollup.journal import JobStatus, Journal, Work, open_journal
from rollup.types import ModelId, RequestId

MODEL = ModelId(b"m" * 32)
OTHER = ModelId(b"o" * 32)


def request(number: int) -> RequestId:
    return RequestId(number.to_bytes(32, "big"))


@pytest.fixture
def journal(tmp_path: Path):
    journal = open_journal(tmp_path / "journal.db", max_attempts=3)
    yield journal
    journal.close()


def add(journal: Journal, *numbers: int) -> None:
    journal.jobs.add([Work(request(number), MODEL, place=number) for number in numbers])


def test_read__of_an_unknown_request__is_refused(journal):
    with pytest.raises(NotFound, match="no job for request 0x00"):
        journal.jobs.read(request(1))


def test_complete__with_a_stale_token__is_refused(journal):
    add(journal, 1)
    [first] = journal.jobs.acquire(MODEL, 1, "slow", 10, now=100)
    [second] = journal.jobs.acquire(MODEL, 1, "fast", 10, now=110)
    assert second.token > first.token
    with pytest.raises(Conflict, match=f"token {first.token} is stale"):
        journal.jobs.complete(request(1), first.token, b"late")
    journal.jobs.complete(request(1), second.token, b"right")
    with pytest.raises(Conflict, match="is done"):
        journal.jobs.complete(request(1), second.token, b"twice")
    assert journal.jobs.read(request(1)).output == b"right"


def test_acquire__before_the_lease_is_over__gives_nothing(journal):
    add(journal, 1)
    [job] = journal.jobs.acquire(MODEL, 1, "a", 10, now=100)
    assert journal.jobs.acquire(MODEL, 1, "b", 10, now=109.9) == []
    journal.jobs.extend(request(1), job.token, 130)
    assert journal.jobs.acquire(MODEL, 1, "b", 10, now=120) == []
    assert journal.jobs.find_free(120, 10) == []
    assert [job.request_id for job in journal.jobs.find_free(130, 10)] == [request(1)]


def test_acquire__takes_one_model_in_order_of_place(journal):
    journal.jobs.add([Work(request(9), OTHER, 0)])
    add(journal, 3, 1, 2)
    taken = journal.jobs.acquire(MODEL, 2, "a", 10, now=0)
    assert [job.request_id for job in taken] == [request(1), request(2)]
    assert all(job.status is JobStatus.WORKING and job.attempts == 1 for job in taken)
    assert journal.jobs.count() == {JobStatus.WORKING: 2, JobStatus.QUEUED: 2}


def test_add__again__changes_nothing(journal):
    add(journal, 1)
    journal.jobs.acquire(MODEL, 1, "a", 10, now=0)
    assert journal.jobs.add([Work(request(1), MODEL), Work(request(2), MODEL)]) == [request(2)]
    assert journal.jobs.read(request(1)).status is JobStatus.WORKING


def test_acquire__of_a_job_that_kills_its_workers__ends_in_quarantine(journal):
    add(journal, 1)
    for attempt in range(3):
        assert len(journal.jobs.acquire(MODEL, 1, "a", 10, now=100 * attempt)) == 1
    assert journal.jobs.acquire(MODEL, 1, "a", 10, now=1000) == []
    assert journal.jobs.read(request(1)).status is JobStatus.QUARANTINED


def test_fail__three_times__ends_in_quarantine_with_its_reason(journal):
    add(journal, 1)
    statuses = []
    for attempt in range(3):
        [job] = journal.jobs.acquire(MODEL, 1, "a", 10, now=attempt)
        statuses.append(journal.jobs.fail(request(1), job.token, "out of memory" * 1000))
    assert statuses == [JobStatus.QUEUED, JobStatus.QUEUED, JobStatus.QUARANTINED]
    assert journal.jobs.read(request(1)).error.startswith("out of memory")


def test_release__does_not_count_the_attempt(journal):
    add(journal, 1)
    for now in range(9):
        [job] = journal.jobs.acquire(MODEL, 1, "a", 10, now=now)
        journal.jobs.release(request(1), job.token)
    assert journal.jobs.read(request(1)).attempts == 0


def test_reopen__lets_a_claimed_output_be_claimed_again(journal):
    add(journal, 1)
    [job] = journal.jobs.acquire(MODEL, 1, "a", 10, now=0)
    journal.jobs.complete(request(1), job.token, b"y")
    journal.jobs.mark_claimed([request(1)])
    assert journal.jobs.find(JobStatus.DONE, 10) == []
    journal.jobs.reopen([request(1)])
    [again] = journal.jobs.find(JobStatus.DONE, 10, MODEL)
    assert again.output == b"y"


def test_acquire__by_many_at_once__gives_each_job_to_one(tmp_path):
    path = tmp_path / "shared.db"
    opened = [open_journal(path) for _ in range(4)]
    add(opened[0], *range(40))

    def take_all(journal: Journal) -> list[RequestId]:
        taken: list[RequestId] = []
        while jobs := journal.jobs.acquire(MODEL, 3, "w", 60, now=0):
            taken += [job.request_id for job in jobs]
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [id_ for ids in pool.map(take_all, opened) for id_ in ids]
    assert sorted(taken) == [request(number) for number in range(40)]
    for journal in opened:
        journal.close()


WORKER = """
import sys, time
from pathlib import Path
from rollup.journal import open_journal
[job] = open_journal(Path(sys.argv[1])).jobs.acquire(b"m" * 32, 1, "doomed", 10, now=100)
print(job.token, flush=True)
time.sleep(60)
"""


def test_acquire__after_its_worker_was_killed__gives_the_job_again(journal, tmp_path):
    add(journal, 1)
    path = str(tmp_path / "journal.db")
    worker = subprocess.Popen([sys.executable, "-c", WORKER, path], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    token = int(worker.stdout.readline())
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()
    assert journal.jobs.read(request(1)).worker == "doomed"
    [job] = journal.jobs.acquire(MODEL, 1, "heir", 10, now=110)
    assert (job.attempts, job.token) == (2, token + 1)


def test_statuses__are_of_those_that_have_a_job(journal):
    add(journal, *range(600))
    taken = journal.jobs.acquire(MODEL, 1, "w", 10, 100)
    statuses = journal.jobs.statuses([request(number) for number in range(700)])
    assert len(statuses) == 600
    assert statuses[taken[0].request_id] is JobStatus.WORKING
    assert statuses[request(599)] is JobStatus.QUEUED
