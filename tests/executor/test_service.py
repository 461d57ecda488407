"""The executor's real processes on a real chain: killed, starved, challenged; nothing lost, nothing done twice."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from executor.network import Network
from executor.runner import Runner
from executor.service import Options, run_executor
from rollup.blobs import RemoteBlobs
from rollup.chain.disputes import Disputes
from rollup.chain.sender import Sender
from rollup.chain.transactions import MemoryStore
from rollup.devnet import Account
from rollup.errors import Unavailable
from rollup.graph import Source
from rollup.journal import JobStatus, open_journal
from rollup.package import Package, load_program, load_weights
from rollup.types import Certainty, DisputeStatus, LeafRef, RequestId, StepProof, TensorRoot
from rollup.view import View
from tests.executor.nets import Features
from tests.executor.stack import EXECUTOR, WORKER, Stack, running_stack

# Importing torch takes the processes a while on a busy machine.
START_SECONDS = 90.0
TAKEN_AGAIN_SECONDS = 10.0


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with running_stack(tmp_path, monkeypatch.setenv) as running:
        yield running


def jobs_of(stack: Stack) -> dict[JobStatus, int]:
    try:
        journal = open_journal(stack.devnet.folder / "executor.db")
    except Unavailable:
        return {}
    try:
        return journal.jobs.count()
    finally:
        journal.close()


def expected_outputs(stack: Stack) -> dict[RequestId, bytes]:
    """What this process makes of every request's inline inputs."""
    record, blobs = stack.registration.record, stack.blobs
    program, _ = load_program(blobs, record.graph_root)
    runner = Runner(Network.from_package(Package(program, load_weights(blobs, record.weights_root, program))))
    return {id_: runner.run([[request.inputs]])[0] for id_, request in stack.view().state.requests.items()}


def outputs_agree(stack: Stack) -> bool:
    """Whether every claimed output is what an honest run gives, up to rounding."""
    expected = expected_outputs(stack)
    return all(
        np.allclose(np.frombuffer(output, ">f4"), np.frombuffer(expected[id_], ">f4"), rtol=1e-4, atol=1e-6)
        for id_, output in stack.claimed().items()
    )


def wait_for_taker(stack: Stack, besides: int = 0) -> int:
    """Process id of the worker that holds a job, as soon as one other than `besides` does."""
    journal = open_journal(stack.devnet.folder / "executor.db")
    limit = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < limit:
            for job in (*journal.jobs.find(JobStatus.WORKING, 1), *journal.jobs.find(JobStatus.DONE, 1)):
                taker = int((job.worker or "").rsplit(":", 1)[1])
                if taker != besides:
                    return taker
            time.sleep(0.005)
    finally:
        journal.close()
    raise AssertionError(f"nobody took a job within {START_SECONDS:g} s")


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_a_worker_killed_in_the_middle_of_a_run__loses_nothing(stack: Stack) -> None:
    stack.start(EXECUTOR)
    workers = {process.handle.pid: process for process in (stack.start(WORKER, "worker"), stack.start(WORKER, "other"))}
    logs = [process.log for process in workers.values()]
    stack.until("workers are ready", lambda: all("ready." in log.read_text() for log in logs), START_SECONDS)
    stack.ask(4)
    child = wait_for_taker(stack)
    # The job is taken and the model is being loaded: parent and child die at once.
    killed = workers[parent_of(child)]
    os.killpg(killed.handle.pid, signal.SIGKILL)
    died = time.monotonic()
    assert JobStatus.DONE not in jobs_of(stack), "it was killed too late to be in the middle"
    assert wait_for_taker(stack, besides=child) != child
    assert time.monotonic() - died < TAKEN_AGAIN_SECONDS
    stack.wait("all requests are claimed", lambda view: len(view.state.claims) == 4, 60)
    assert len(stack.claimed()) == 4
    assert outputs_agree(stack)


def flush(stack: Stack) -> None:
    """FLUSHALL, without asking anybody."""
    with socket.create_connection(("127.0.0.1", stack.devnet.redis.port), timeout=5) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(16) == b"+OK\r\n"


def test_a_flushed_redis__loses_nothing(stack: Stack) -> None:
    stack.start(EXECUTOR)
    stack.ask(3)
    stack.until("jobs are queued", lambda: jobs_of(stack).get(JobStatus.QUEUED) == 3, START_SECONDS)
    # Messages are in Redis and nobody has read one. First they are wiped, then Redis itself is gone for a moment.
    flush(stack)
    stack.devnet.redis.stop()
    stack.devnet.redis.start()
    stack.start(WORKER)
    stack.wait("all requests are claimed", lambda view: len(view.state.claims) == 3, START_SECONDS)
    flush(stack)
    stack.ask(1)
    stack.wait("the last request is claimed", lambda view: len(view.state.claims) == 4, 60)
    assert outputs_agree(stack)


def test_a_daemon_killed_after_it_leased__claims_once_when_it_is_back(stack: Stack) -> None:
    daemon = stack.start(EXECUTOR)
    stack.ask(2)
    stack.wait("leases are taken", lambda view: len(view.state.leases) == 2, START_SECONDS)
    os.killpg(daemon.handle.pid, signal.SIGKILL)
    stack.start(WORKER)
    stack.start(EXECUTOR)
    stack.wait("all requests are claimed", lambda view: len(view.state.claims) == 2, START_SECONDS)
    assert len(stack.claimed()) == 2
    assert outputs_agree(stack)


def test_a_challenged_claim__is_opened_supplied_served_and_acquitted(stack: Stack) -> None:
    stack.start(EXECUTOR)
    stack.start(WORKER)
    stack.ask(1)
    stack.wait("the request is claimed", lambda view: len(view.state.claims) == 1, START_SECONDS)
    (claim,) = stack.view().state.claims.values()
    griefer = Sender(stack.devnet.client, stack.devnet.key(Account.WATCHTOWER), MemoryStore(), poll_seconds=0.05)
    disputes, deposit = Disputes(stack.devnet.deployment), 10**18

    assert griefer.send(disputes.challenge(stack.view().witness(claim.id), deposit)).succeeded
    stack.wait("the trace is open", lambda view: view.dispute(claim.id).opened_at > 0, 30)
    _, lowered = load_program(stack.blobs, stack.registration.record.graph_root)
    refs = leaves_of_every_bundle(stack)
    graph = lowered.graph
    proofs = [StepProof(graph.steps[ref.step].record, graph.step_path(ref.step)) for ref in refs]
    assert griefer.send(disputes.demand(stack.view().witness(claim.id), refs, proofs, deposit)).succeeded
    remote = RemoteBlobs(stack.devnet.blobs_url, [stack.devnet.blobs_url])
    root = stack.view().dispute(claim.id).trace_root
    assert [tensor.spec for tensor in remote.get_tensors(root)] == [step.result for step in lowered.graph.steps]
    remote.close()
    stack.wait("all leaves are supplied", lambda view: not missing(view, claim.id), 30)

    stack.wait("nothing was proven", lambda view: bool(view.to_conclude(view.now)), 120)
    assert griefer.send(disputes.conclude(stack.view().witness(claim.id))).succeeded
    assert stack.view().claim(claim.id).certainty is Certainty.PROVISIONAL
    assert stack.view().dispute(claim.id).status is DisputeStatus.ACQUITTED


def test_an_output_claimed_by_root__is_served_and_supplied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_stack(tmp_path, monkeypatch.setenv, Features) as stack:
        stack.start(EXECUTOR)
        stack.start(WORKER)
        stack.ask(1)
        stack.wait("the request is claimed", lambda view: len(view.state.claims) == 1, START_SECONDS)
        (claim,) = stack.view().state.claims.values()
        _, lowered = load_program(stack.blobs, stack.registration.record.graph_root)
        remote = RemoteBlobs(stack.devnet.blobs_url, [stack.devnet.blobs_url])
        output = remote.get_tensor(TensorRoot(claim.output), lowered.graph.output)
        remote.close()

        griefer = Sender(stack.devnet.client, stack.devnet.key(Account.WATCHTOWER), MemoryStore(), poll_seconds=0.05)
        disputes, deposit = Disputes(stack.devnet.deployment), 10**18
        assert griefer.send(disputes.challenge(stack.view().witness(claim.id), deposit)).succeeded
        stack.wait("the trace is open", lambda view: view.dispute(claim.id).opened_at > 0, 30)
        last = len(lowered.graph.steps)
        witness, ref = stack.view().witness(claim.id), LeafRef(last, 0, 0)
        assert griefer.send(disputes.demand(witness, [ref], [lowered.graph.step_proof(last)], deposit)).succeeded
        stack.wait("the output is supplied", lambda view: not missing(view, claim.id), 30)
        ((_, opening),) = stack.view().dispute(claim.id).pages[0].supplied
        assert opening.leaves == output.data


def missing(view: View, claim: object) -> bool:
    return any(page.missing for page in view.dispute(claim).pages)  # type: ignore[arg-type]


def leaves_of_every_bundle(stack: Stack) -> list[LeafRef]:
    """A leaf of a result, and one of an input, of a weight and of an earlier result."""
    _, lowered = load_program(stack.blobs, stack.registration.record.graph_root)
    found = {Source.INPUT: None, Source.WEIGHT: None, Source.STEP: None}
    refs = [LeafRef(1, 0, 1)]
    for number, step in enumerate(lowered.graph.steps):
        for slot, operand in enumerate(step.operands, start=1):
            if found[operand.source] is None:
                found[operand.source] = LeafRef(number, slot, 0)  # type: ignore[assignment]
                refs.append(LeafRef(number, slot, 0))
    assert len(refs) == 4
    return refs


def test_an_eager_executor__claims_with_traces_that_it_serves(stack: Stack) -> None:
    settings = replace(stack.settings(Account.EXECUTOR), journal_url=f"sqlite:///{stack.devnet.folder}/executor.db")
    stack.set_key(Account.EXECUTOR)
    stop = threading.Event()
    daemon = threading.Thread(target=run_executor, args=(settings, stop, Options(eager=True)))
    daemon.start()
    try:
        stack.start(WORKER)
        stack.ask(1)
        stack.wait("the request is claimed", lambda view: len(view.state.claims) == 1, START_SECONDS)
    finally:
        stop.set()
        daemon.join()
    (claim,) = stack.view().state.claims.values()
    assert claim.eager
    assert claim.trace_root is not None
    trace = stack.blobs.get_tensors(claim.trace_root)
    _, lowered = load_program(stack.blobs, stack.registration.record.graph_root)
    assert [tensor.spec for tensor in trace] == [step.result for step in lowered.graph.steps]
    assert np.allclose(np.frombuffer(trace[-1].data, ">f4"), np.frombuffer(claim.output, ">f4"), atol=1e-6)
