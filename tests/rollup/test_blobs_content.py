"""Blobs are what their names say, or are refused; in a folder and in object storage alike."""

import uuid
from pathlib import Path

import pytest

from rollup.blobs import Blobs, FolderStore, ObjectStore, open_blobs
from rollup.errors import BadEncoding, NotFound, Unavailable
from rollup.graph import Numerics
from rollup.merkle import sha256
from rollup.properties.pool import Pool
from rollup.tensor import Bundle, DType, Tensor, TensorSpec
from rollup.types import BundleRoot, TensorRoot

TENSOR = Tensor(TensorSpec(DType.F32, (3, 200)), bytes(range(240)) * 10)
OTHER = Tensor(TensorSpec(DType.F32, (3, 200)), bytes(2400))
NUMERICS = Numerics((0, 256, 4096))


@pytest.fixture(params=["folder", "objects"])
def store(request, tmp_path: Path):
    return FolderStore(tmp_path) if request.param == "folder" else ObjectStore(f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def blobs(store):
    return Blobs(store, max_bytes=4096)


def test_get__of_what_is_not_there__is_not_found(blobs):
    with pytest.raises(NotFound, match=f"no blob 0x{TENSOR.root.hex()}"):
        blobs.get_tensor(TENSOR.root)


def test_get_tensor__with_another_content__is_refused(blobs, store):
    store.write(TENSOR.root, OTHER.spec.header + OTHER.data)
    with pytest.raises(BadEncoding, match=f"hashes to 0x{OTHER.root.hex()}"):
        blobs.get_tensor(TENSOR.root)


def test_get_tensor__with_a_lying_header__is_refused(blobs, store):
    store.write(TENSOR.root, TensorSpec(DType.F32, (2**20, 2**10)).header + TENSOR.data)
    with pytest.raises(BadEncoding, match="has 4294967296 bytes, got 2400"):
        blobs.get_tensor(TENSOR.root)
    with pytest.raises(BadEncoding, match="expected"):
        blobs.get_tensor(blobs.put_tensor(OTHER), TensorSpec(DType.F32, (600, 2)))


def test_get_tensor__larger_than_its_spec__is_refused_before_it_is_read(blobs):
    root = blobs.put_tensor(TENSOR)
    with pytest.raises(BadEncoding, match="has 2432 bytes, above 36"):
        blobs.get_tensor(root, TensorSpec(DType.F32, (1,)))


def test_get_served__of_what_is_absent_or_wrong__is_none(blobs, store):
    third = Tensor(TENSOR.spec, b"\7" * 2400)
    store.write(OTHER.root, TENSOR.spec.header + TENSOR.data)
    store.write(third.root, TensorSpec(DType.F32, (600,)).header + third.data)
    blobs.put_tensor(TENSOR)
    absent = TensorRoot(bytes(32))
    roots = (absent, OTHER.root, TENSOR.root, third.root)
    served = blobs.get_served([(root, TENSOR.spec) for root in roots])
    assert [None if tensor is None else tensor.data for tensor in served] == [None, None, TENSOR.data, None]
    assert blobs.get_served([]) == []


def test_put__above_the_limit__is_refused(blobs):
    with pytest.raises(BadEncoding, match="4097 bytes is above 4096"):
        blobs.put_named(bytes(32), bytes(4097))
    with pytest.raises(BadEncoding, match="name has 32 bytes, got 31"):
        blobs.put_named(bytes(31), b"")


def test_get_bundle__of_broken_roots__is_refused(blobs, store):
    bundle = Bundle([TENSOR.root, OTHER.root])
    store.write(bundle.root, TENSOR.root + OTHER.root[:31])
    with pytest.raises(BadEncoding, match="63 bytes, no list of 32-byte roots"):
        blobs.get_bundle(bundle.root)


def test_get_named__asks_the_caller_whether_it_is_right(blobs):
    def check(data: bytes) -> bytes:
        if sha256(data) != sha256(b"right"):
            raise BadEncoding("not the program")
        return data

    blobs.put_named(sha256(b"right"), b"right")
    blobs.put_named(sha256(b"other"), b"wrong")
    assert blobs.get_named(sha256(b"right"), check) == b"right"
    with pytest.raises(BadEncoding, match="not the program"):
        blobs.get_named(sha256(b"other"), check)


def test_round_trip(blobs):
    root = blobs.put_tensors([TENSOR, OTHER])
    assert [tensor.data for tensor in blobs.get_tensors(root)] == [TENSOR.data, OTHER.data]
    assert blobs.get_tensor(TENSOR.root, TENSOR.spec).spec == TENSOR.spec
    assert blobs.get_bundle(blobs.put_bundle(Bundle([]))).roots == ()
    assert blobs.get_numerics(blobs.put_numerics(NUMERICS)) == NUMERICS
    assert blobs.exists(TENSOR.root)
    assert not blobs.exists(bytes(32))


def test_get_numerics__of_another_model__is_refused(blobs, store):
    store.write(NUMERICS.root, NUMERICS.header + (5).to_bytes(4, "big"))
    with pytest.raises(BadEncoding, match="hashes to"):
        blobs.get_numerics(NUMERICS.root)


def test_write__that_fails__leaves_nothing(tmp_path):
    (tmp_path / "00").write_bytes(b"a file where the folder should be")
    with pytest.raises(Unavailable, match="of 4 bytes cannot be written"):
        open_blobs(tmp_path).put_named(bytes(32), b"data")
    blobs = open_blobs(str(tmp_path))
    blobs.put_named(b"\1" * 32, b"data")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["00", "01" * 32]


def test_open_blobs__without_a_driver__is_unavailable():
    with pytest.raises(Unavailable, match="s4://bucket"):
        open_blobs("s4://bucket/anh")


def test_get_tensor__of_a_corrupted_file__is_refused(tmp_path):
    blobs = open_blobs(tmp_path)
    root: TensorRoot = blobs.put_tensor(TENSOR)
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadEncoding, match="hashes to"):
        blobs.get_tensor(root)


def test_get_pool__with_another_content__is_refused(blobs, store):
    pool, other = (Pool.of(bytes([key]) * 32, [BundleRoot(bytes([item]) * 32) for item in range(6)]) for key in (1, 2))
    store.write(pool.root, other.encoded)
    with pytest.raises(BadEncoding, match=f"hashes to 0x{other.root.hex()}"):
        blobs.get_pool(pool.root)


def test_get_pool__larger_than_any_pool__is_refused_before_it_is_read(blobs, store):
    store.write(bytes(32), bytes(64 * 2113))
    with pytest.raises(BadEncoding, match=f"has {64 * 2113} bytes, above {64 * 2112}"):
        blobs.get_pool(bytes(32))


def test_pool__put__can_be_had_by_its_root(blobs):
    pool = Pool.of(bytes(32), [BundleRoot(bytes([item]) * 32) for item in range(6)])
    assert blobs.get_pool(blobs.put_pool(pool)) == pool
    assert blobs.read(pool.root) == pool.encoded


def test_recipe__with_another_content_or_too_long__is_refused(blobs, store):
    store.write(sha256(b"recipe"), b"other")
    with pytest.raises(BadEncoding, match=f"hashes to 0x{sha256(b'other').hex()}"):
        blobs.get_recipe(sha256(b"recipe"))
    with pytest.raises(BadEncoding, match="1048577 bytes is above 1048576"):
        blobs.put_recipe(bytes(2**20 + 1))


def test_recipe__put__can_be_had_by_its_digest(blobs):
    assert blobs.get_recipe(blobs.put_recipe(b"adam, 20 epochs")) == b"adam, 20 epochs"
