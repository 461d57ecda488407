"""Where blobs come from: liars, sluggards and private addresses among the endpoints cost little and hide nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from prover.sources import Endpoint, FirstOf, Sources, require_public
from rollup.blobs import Blobs, FolderStore
from rollup.errors import BadInput, NotFound, Unavailable
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import NumericsRoot, TensorRoot
from tests.actors import serve_blobs
from tests.prover.desk import Shelf

SPEC = TensorSpec(DType.F32, (2,))
TENSOR, OTHER = Tensor(SPEC, b"12345678"), Tensor(SPEC, b"abcdefgh")
PATIENCE = 0.4


def holding(folder: Path, *tensors: Tensor) -> FolderStore:
    store = FolderStore(folder)
    Blobs(store).put_tensors(list(tensors))
    return store


class Served:
    """A folder behind an address."""

    def __init__(self, folder: Path) -> None:
        self.server = serve_blobs(folder)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def honest(tmp_path: Path) -> Iterator[str]:
    holding(tmp_path / "honest", TENSOR)
    served = Served(tmp_path / "honest")
    yield served.url
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def liar(tmp_path: Path) -> Iterator[str]:
    """Serves another tensor under the same name."""
    path = tmp_path / "liar" / TENSOR.root.hex()[:2] / TENSOR.root.hex()
    path.parent.mkdir(parents=True)
    path.write_bytes(OTHER.spec.header + OTHER.data)
    served = Served(tmp_path / "liar")
    yield served.url
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def dripping() -> Iterator[str]:
    """Answers with one byte of a header now and then, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    is_over = Event()

    def drip() -> None:
        while not is_over.is_set():
            with suppress(OSError), listener.accept()[0] as connection:
                connection.send(b"HTTP/1.1 200 OK\r\nX: ")
                while not is_over.wait(0.05):
                    connection.send(b"x")

    thread = Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    is_over.set()
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def sources(own: Path, *urls: str, is_private_allowed: bool = True) -> Sources:
    made = Sources(FolderStore(own), lambda: urls, is_private_allowed)
    made.new_look(PATIENCE)
    return made


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8545", "http://10.1.2.3", "http://169.254.169.254/latest", "http://[::1]:80", "http://0.0.0.0"],
)
def test_require_public__inside_a_private_network__is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="inside a private network"):
        require_public(url)


def test_require_public__a_host_that_is_not_found__is_unavailable() -> None:
    with pytest.raises(Unavailable):
        require_public("http://no-such-host.invalid")


def test_require_public__a_global_address__passes() -> None:
    require_public("http://8.8.8.8:8000")


def test_an_endpoint_in_a_private_network__is_not_asked(tmp_path: Path, honest: str) -> None:
    with pytest.raises(NotFound, match=f"nobody serves blob 0x{TENSOR.root.hex()}"):
        sources(tmp_path / "own", honest, is_private_allowed=False).all.get_tensor(TENSOR.root)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "nonsense", "http://127.0.0.1?x=", "http://u:p@127.0.0.1"])
def test_an_endpoint_that_is_no_http_address__is_passed_over(tmp_path: Path, honest: str, url: str) -> None:
    assert sources(tmp_path / "own", url, honest).all.get_tensor(TENSOR.root).data == TENSOR.data


def test_nobody_has_it__is_not_found(tmp_path: Path, honest: str) -> None:
    with pytest.raises(NotFound):
        sources(tmp_path / "own", honest).all.get_tensor(OTHER.root)


def test_a_wrong_answer__is_followed_by_the_next_endpoint(tmp_path: Path, liar: str, honest: str) -> None:
    both = sources(tmp_path / "own", liar, honest)
    assert both.all.get_tensor(TENSOR.root, SPEC).data == TENSOR.data
    with pytest.raises(NotFound):
        both.of(liar).get_tensor(TENSOR.root, SPEC)


def test_a_wrong_answer__among_what_is_verified_together__is_followed_by_the_next_endpoint(
    tmp_path: Path, liar: str, honest: str
) -> None:
    both = sources(tmp_path / "own", liar, honest)
    found = both.all.get_served([(OTHER.root, SPEC), (TENSOR.root, SPEC)])
    assert [tensor and tensor.data for tensor in found] == [None, TENSOR.data]
    assert both.of(liar).get_served([(TENSOR.root, SPEC)]) == [None]


def test_what_lies_at_home__is_asked_of_nobody(tmp_path: Path) -> None:
    holding(tmp_path / "own", TENSOR)
    alone = Sources(FolderStore(tmp_path / "own"), lambda: pytest.fail("somebody was asked"))
    assert alone.of(None).get_tensor(TENSOR.root).data == TENSOR.data
    Blobs(FolderStore(tmp_path / "own")).put_tensor(OTHER)
    assert Sources(FolderStore(tmp_path / "own"), lambda: []).all.get_tensor(OTHER.root).data == OTHER.data


def test_an_endpoint_that_drips__costs_its_share_of_a_look_and_no_more(
    tmp_path: Path, dripping: str, honest: str
) -> None:
    both = sources(tmp_path / "own", dripping, honest)
    start = time.monotonic()
    assert both.all.get_tensor(TENSOR.root).data == TENSOR.data
    first = time.monotonic() - start
    assert PATIENCE <= first < 3 * PATIENCE
    # Its share is spent, and whoever wasted time is asked last.
    start = time.monotonic()
    for _ in range(5):
        assert both.all.get_tensor(TENSOR.root).data == TENSOR.data
    with pytest.raises(NotFound):
        both.of(dripping).get_tensor(TENSOR.root)
    assert time.monotonic() - start < PATIENCE


def test_many_that_drip__cost_a_look_no_more_than_a_few(tmp_path: Path, dripping: str) -> None:
    urls = [f"{dripping}/{number}" for number in range(20)]
    many = sources(tmp_path / "own", *urls)
    start = time.monotonic()
    for _ in range(3):
        with pytest.raises(NotFound):
            many.all.get_tensor(TENSOR.root)
    assert time.monotonic() - start < 6 * PATIENCE


def test_a_new_look__gives_everybody_a_share_again(honest: str) -> None:
    endpoint = Endpoint(honest, True)
    endpoint.new_look(0)
    with pytest.raises(Unavailable, match="spent its share"):
        endpoint.read(TENSOR.root, 100)
    endpoint.new_look(PATIENCE)
    assert endpoint.read(TENSOR.root, 100) == TENSOR.spec.header + TENSOR.data


def test_first_of__asks_for_every_kind_of_blob() -> None:
    empty, full = Shelf(), Shelf()
    blobs = Blobs(full)
    root = blobs.put_tensors([TENSOR, OTHER])
    blobs.put_named(b"n" * 32, b"program")
    both = FirstOf(lambda: [empty, full])
    assert [tensor.data for tensor in both.get_tensors(root)] == [TENSOR.data, OTHER.data]
    assert both.get_named(b"n" * 32, bytes.upper) == b"PROGRAM"
    assert both.read(b"n" * 32) == b"program"
    with pytest.raises(NotFound):
        both.get_numerics(NumericsRoot(b"m" * 32))
    with pytest.raises(NotFound):
        both.get_tensor(TensorRoot(b"t" * 32))
