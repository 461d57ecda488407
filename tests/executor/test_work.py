"""Workers: batches, poison, stale tokens and missing things, against a real journal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from executor.models import LoadedModel, Models
from executor.orders import Order, put_order
from executor.registration import Registration, Terms, prepare
from executor.runner import Runner
from executor.tensors import canonical_bytes
from executor.work import LEASE_SECONDS, Tools, Worker
from rollup.blobs import open_blobs
from rollup.codec import Domain, model_id, request_id
from rollup.errors import Unavailable
from rollup.journal import Jobs, JobStatus, Work, open_journal
from rollup.tensor import Bundle, Tensor, TensorSpec
from rollup.types import ZERO_ADDRESS, ZERO_WORD, Address, BundleRoot, Model, ModelId, Request, RequestId, Windows
from tests.executor.test_models import package

DOMAIN = Domain(31337, Address(b"i" * 20), Address(b"c" * 20))
MAX_ATTEMPTS = 3


class Bench:
    """One model, a journal, and workers to be put in front of it."""

    def __init__(self, folder: Path, hi: float = 1.0, scale: float = 1.0) -> None:
        self.blobs = open_blobs(folder / "blobs")
        terms = Terms(0, hi, 1, Windows(1, 1, 1, 1, 1))
        self.registration: Registration = prepare(self.blobs, package(scale=scale), terms)
        self.model = model_id(self.registration.record)
        self.jobs: Jobs = open_journal(folder / "journal.db", MAX_ATTEMPTS).jobs
        self.models = Models(self.blobs)
        self.now = 1000.0
        self.pictures: dict[RequestId, torch.Tensor] = {}

    def record_of(self, id_: ModelId) -> Model:
        assert id_ == self.model
        return self.registration.record

    def worker(self, name: str = "w") -> Worker:
        tools = Tools(self.jobs, self.blobs, self.models, DOMAIN, self.record_of)
        return Worker(tools, name, lambda: self.now)

    def order(self, nonce: int, inputs: bytes | None = None) -> RequestId:
        """Orders and journals one request; `inputs` other than the model's own are somebody's mistake."""
        picture = torch.from_numpy(np.random.default_rng(nonce).random((1, 1, 8, 8), dtype=np.float32))
        data = canonical_bytes(picture) if inputs is None else inputs
        root = Bundle([Tensor(self.spec, data).root]).root if len(data) == 256 else BundleRoot(ZERO_WORD)
        request = Request(ZERO_ADDRESS, nonce, 0, self.model, root, ZERO_WORD, ZERO_WORD, 1, 0, 0, 9, ZERO_ADDRESS, 0)
        id_ = request_id(request, DOMAIN)
        put_order(self.blobs, id_, Order(request, data))
        self.jobs.add([Work(id_, self.model, nonce)])
        self.pictures[id_] = picture
        return id_

    @property
    def loaded(self) -> LoadedModel:
        return self.models.load(self.registration.record)

    @property
    def spec(self) -> TensorSpec:
        return self.loaded.network.program.inputs[0]

    def statuses(self, ids: list[RequestId]) -> list[JobStatus]:
        return [self.jobs.read(id_).status for id_ in ids]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_an_unknown_id__wakes_nobody(bench: Bench) -> None:
    assert bench.worker().execute(RequestId(b"?" * 32)) == 0


def test_inputs_that_do_not_fit__fail_alone(bench: Bench) -> None:
    bad, good = bench.order(0, b"short"), bench.order(1)
    for _ in range(MAX_ATTEMPTS + 1):
        bench.worker().execute(good)
    assert bench.statuses([bad, good]) == [JobStatus.QUARANTINED, JobStatus.DONE]
    assert "inputs have 5 bytes, the model takes 256" in (bench.jobs.read(bad).error or "")


def test_a_job_that_kills_its_worker__takes_nobody_with_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [bench.order(nonce) for nonce in range(4)]
    poison = canonical_bytes(bench.pictures[ids[1]])
    honest = Runner.run

    class Killed(BaseException):
        """As by the kernel: nothing is journalled."""

    def run(self: Runner, requests: list[list[bytes]]) -> list[bytes]:
        if [poison] in requests:
            raise Killed
        return honest(self, requests)

    assert bench.loaded
    monkeypatch.setattr(Runner, "run", run)
    for life in range(3 * MAX_ATTEMPTS):
        try:
            bench.worker(f"life {life}").execute(ids[0])
        except Killed:
            bench.now += LEASE_SECONDS
    assert bench.statuses(ids) == [JobStatus.DONE, JobStatus.QUARANTINED, JobStatus.DONE, JobStatus.DONE]


def test_an_error_of_the_run__is_journalled_and_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [bench.order(nonce) for nonce in range(2)]

    def run(self: Runner, requests: list[list[bytes]]) -> list[bytes]:
        raise RuntimeError("out of memory")

    assert bench.loaded
    with monkeypatch.context() as patch:
        patch.setattr(Runner, "run", run)
        bench.worker().execute(ids[0])
    assert bench.jobs.read(ids[0]).error == "RuntimeError: out of memory"
    assert bench.statuses(ids) == [JobStatus.QUARANTINED] * 2


def test_a_worker_taken_for_dead__cannot_write(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    (id_,) = [bench.order(0)]
    honest = Runner.run

    def run(self: Runner, requests: list[list[bytes]]) -> list[bytes]:
        # While the first worker is stopped its lease ends, and the second does the job.
        bench.now += LEASE_SECONDS + 1
        monkeypatch.setattr(Runner, "run", honest)
        assert bench.worker("second").execute(id_) == 1
        return [b"stale" * 8]

    assert bench.loaded
    monkeypatch.setattr(Runner, "run", run)
    assert bench.worker("first").execute(id_) == 0
    job = bench.jobs.read(id_)
    assert (job.status, job.worker) == (JobStatus.DONE, "second")
    assert job.output != b"stale" * 8


def test_missing_services__hand_the_jobs_back_unharmed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = bench.order(0)
    worker = bench.worker()

    def load(self: Models, record: Model) -> LoadedModel:
        raise Unavailable("object storage is away")

    with monkeypatch.context() as patch:
        patch.setattr(Models, "load", load)
        with pytest.raises(Unavailable):
            worker.execute(id_)
    assert (bench.jobs.read(id_).status, bench.jobs.read(id_).attempts) == (JobStatus.QUEUED, 0)
    assert worker.execute(id_) == 1


def test_all_jobs_of_a_model__run_as_one_batch_with_their_own_outputs(bench: Bench) -> None:
    ids = [bench.order(nonce) for nonce in range(70)]
    assert bench.worker().execute(ids[-1]) == 70
    assert set(bench.statuses(ids)) == {JobStatus.DONE}
    for id_ in ids:
        output = np.frombuffer(bench.jobs.read(id_).output or b"", ">f4")
        expected = bench.loaded.runner.module(bench.pictures[id_])[0].numpy()
        assert np.allclose(output, expected, rtol=1e-4, atol=1e-6)


def test_another_model__is_left_alone(bench: Bench) -> None:
    other = Work(RequestId(b"o" * 32), ModelId(b"x" * 32), 0)
    id_ = bench.order(0)
    bench.jobs.add([other])
    bench.worker().execute(id_)
    assert bench.jobs.read(other.request_id).status is JobStatus.QUEUED


def test_a_request_that_overflows__is_journalled_as_the_entry_that_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, hi=3e38, scale=100.0)
    huge = canonical_bytes(torch.full((1, 1, 8, 8), 3e38))
    ids = [bench.order(0, huge), bench.order(1)]
    assert bench.worker().execute(ids[0]) == 2
    over, plain = (bench.jobs.read(id_) for id_ in ids)
    assert (over.undefined, plain.undefined) == (True, False)
    assert len(over.output or b"") == 40
    assert len(plain.output or b"") == bench.loaded.network.graph.output.byte_length
