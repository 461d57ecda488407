"""Blobs from a stranger's server: a real one on this machine that answers in every wrong way."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rollup.blobs import RemoteBlobs
from rollup.errors import BadEncoding, BadInput, NotFound, Unavailable
from rollup.tensor import DType, Tensor, TensorSpec

TENSOR = Tensor(TensorSpec(DType.U8, (100,)), bytes(range(100)))


class Host(ThreadingHTTPServer):
    daemon_threads = True
    manner = "honest"


class Stranger(BaseHTTPRequestHandler):
    """Serves what the server's `manner` says."""

    server: Host

    def do_GET(self) -> None:
        manner = self.server.manner
        if manner == "honest" and self.path == f"/blobs/0x{TENSOR.root.hex()}":
            self.answer(200, TENSOR.spec.header + TENSOR.data)
        elif manner == "liar":
            self.answer(200, TENSOR.spec.header + bytes(100))
        elif manner == "redirects":
            self.answer(302, b"")
        elif manner == "floods":
            self.flood(0)
        elif manner == "dribbles":
            self.flood(0.05)
        else:
            self.answer(404, b"")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/secrets")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def flood(self, seconds: float) -> None:
        self.send_response(200)
        self.end_headers()
        size = 1 if seconds else 65536
        try:
            while True:
                self.wfile.write(bytes(size))
                time.sleep(seconds)
        except OSError:
            self.close_connection = True

    def log_message(self, *_arguments) -> None:
        """Quiet."""


@pytest.fixture
def server():
    server = Host(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ask(server):
    endpoint = f"http://127.0.0.1:{server.server_port}"
    blobs = RemoteBlobs(f"{endpoint}/", [endpoint], timeout_seconds=1, max_bytes=10_000)

    def ask(manner: str) -> Tensor:
        server.manner = manner
        return blobs.get_tensor(TENSOR.root)

    yield ask
    blobs.close()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://169.254.169.254",
        "http://127.0.0.1:1",
        "https://allowed.example:8443",
        "http://allowed.example@evil.example",
        "file:///etc/passwd",
        "http://",
        "nonsense",
        "http://allowed.example:99999",
    ],
)
def test_endpoint__that_is_not_allowed__is_never_asked(endpoint):
    with pytest.raises(BadInput, match="endpoint"):
        RemoteBlobs(endpoint, ["https://allowed.example"])


def test_get__of_other_bytes__is_refused(ask):
    with pytest.raises(BadEncoding, match="hashes to"):
        ask("liar")


def test_get__of_an_endless_answer__is_cut_off(ask):
    with pytest.raises(BadEncoding, match="sent more than 10000 bytes"):
        ask("floods")


def test_get__of_an_endlessly_slow_answer__is_cut_off(ask):
    before = time.monotonic()
    with pytest.raises(Unavailable, match="took over 1 s"):
        ask("dribbles")
    assert time.monotonic() - before < 5


def test_get__follows_no_redirect(ask):
    with pytest.raises(Unavailable, match="answered 302"):
        ask("redirects")


def test_get__of_what_is_not_served__is_not_found(ask):
    with pytest.raises(NotFound, match=r"has no blob"):
        ask("sleeper")


def test_get__from_nobody__is_unavailable():
    with pytest.raises(Unavailable, match="does not serve"):
        RemoteBlobs("http://127.0.0.1:1", ["http://127.0.0.1:1"]).get_tensor(TENSOR.root)


def test_get__from_an_honest_server__is_the_tensor(ask):
    assert ask("honest").data == TENSOR.data
