"""The blob server: blobs by their names, and nothing else of the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from executor.serving import serving
from rollup.blobs import Blobs, RemoteBlobs, open_blobs
from rollup.errors import BadInput, Unavailable
from rollup.processes import free_port
from rollup.tensor import DType, Tensor, TensorSpec

TENSOR = Tensor(TensorSpec(DType.F32, (3,)), bytes(range(12)))


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    blobs = open_blobs(tmp_path / "blobs")
    blobs.put_tensor(TENSOR)
    (tmp_path / "secret").write_text("secret")
    return blobs


@pytest.fixture
def url(blobs: Blobs) -> Iterator[str]:
    address = f"http://127.0.0.1:{free_port()}"
    with serving(blobs, address):
        yield address


@pytest.mark.parametrize("address", ["ftp://127.0.0.1:1", "http://127.0.0.1", "127.0.0.1:80"])
def test_an_address_that_is_none__is_refused(blobs: Blobs, address: str) -> None:
    with pytest.raises(BadInput, match=r"served at http://host:port"), serving(blobs, address):
        pass


def test_a_port_that_is_taken__is_an_error_and_no_exit(blobs: Blobs, url: str) -> None:
    with pytest.raises(Unavailable, match="cannot be served"), serving(blobs, url):
        pass


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/blobs/",
        "/blobs/../secret",
        "/blobs/..%2f..%2fsecret",
        "/blobs/%2e%2e/secret",
        "/blobs/0x" + "00" * 32,
        "/blobs/0x" + "00" * 31,
        "/blobs/0x" + "zz" * 32,
        "/blobs/0x" + "AA" * 32,
        "/blobs/0x" + "00" * 32 + "/../../secret",
        "/blobs/0x" + "00" * 32 + "\n",
    ],
)
def test_a_path_that_names_no_blob__is_not_found(url: str, path: str) -> None:
    raw = httpx.URL(url).copy_with(raw_path=path.replace("\n", "%0a").encode())
    with httpx.Client() as client:
        response = client.send(client.build_request("GET", raw))
    assert response.status_code == 404
    assert response.content == b""


def test_other_methods__are_refused(url: str) -> None:
    for method in ("POST", "PUT", "DELETE", "HEAD"):
        assert httpx.request(method, f"{url}/blobs/0x{TENSOR.root.hex()}").status_code == 405


def test_a_blob__is_served_as_it_lies(url: str) -> None:
    response = httpx.get(f"{url}/blobs/0x{TENSOR.root.hex()}")
    assert response.status_code == 200
    assert response.content == TENSOR.spec.header + TENSOR.data


def test_a_strangers_reader__gets_it_verified(url: str) -> None:
    remote = RemoteBlobs(url, [url])
    assert remote.get_tensor(TENSOR.root).data == TENSOR.data
    remote.close()
