"""Orders: the id binds request and inputs, whoever wrote the blob."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from executor.orders import Order, get_order, input_tensors, put_order
from rollup.blobs import Blobs, open_blobs
from rollup.codec import Domain, request_id
from rollup.errors import BadEncoding, NotFound
from rollup.tensor import Bundle, DType, Tensor, TensorSpec
from rollup.types import ZERO_WORD, Address, BundleRoot, InputSpec, ModelId, Request

DOMAIN = Domain(31337, Address(b"i" * 20), Address(b"c" * 20))
SPECS = (TensorSpec(DType.F32, (1, 3)), TensorSpec(DType.I64, (1, 2)))
INPUTS = tuple(InputSpec(spec.header, 0, 0) for spec in SPECS)
TENSORS = tuple(Tensor(spec, bytes(range(spec.byte_length))) for spec in SPECS)
INLINE = b"".join(tensor.data for tensor in TENSORS)
ROOT = Bundle([tensor.root for tensor in TENSORS]).root
REQUEST = Request(
    Address(b"a" * 20), 7, 0, ModelId(b"m" * 32), ROOT, ZERO_WORD, ZERO_WORD, 5, 1, 2, 99, Address(b"b" * 20), 3
)
ID = request_id(REQUEST, DOMAIN)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(tmp_path)


def test_an_order_for_another_request__is_refused(blobs: Blobs) -> None:
    put_order(blobs, ID, Order(replace(REQUEST, fee_wei=6), INLINE))
    with pytest.raises(BadEncoding, match=f"under 0x{ID.hex()} is for another request"):
        get_order(blobs, ID, DOMAIN)


def test_an_order_of_another_system__is_refused(blobs: Blobs) -> None:
    put_order(blobs, ID, Order(REQUEST, INLINE))
    with pytest.raises(BadEncoding, match="is for another request"):
        get_order(blobs, ID, replace(DOMAIN, chain_id=1))


def test_bytes_that_are_no_request__are_refused(blobs: Blobs) -> None:
    blobs.put_named(ID, b"\xff" * 40)
    with pytest.raises(BadEncoding, match="are no request"):
        get_order(blobs, ID, DOMAIN)


def test_a_missing_order__is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        get_order(blobs, ID, DOMAIN)


@pytest.mark.parametrize(
    ("inline", "sentence"), [(INLINE[:-1], "have 27 bytes, the model takes 28"), (INLINE[::-1], "do not hash to")]
)
def test_other_inline_inputs__are_refused(blobs: Blobs, inline: bytes, sentence: str) -> None:
    with pytest.raises(BadEncoding, match=sentence):
        input_tensors(blobs, Order(REQUEST, inline), INPUTS)


def test_inputs_by_root_of_another_shape__are_refused(blobs: Blobs) -> None:
    blobs.put_tensors(list(TENSORS))
    with pytest.raises(BadEncoding, match="are 2 tensors, the model takes 1"):
        input_tensors(blobs, Order(REQUEST, b""), INPUTS[:1])
    with pytest.raises(BadEncoding):
        input_tensors(blobs, Order(REQUEST, b""), INPUTS[::-1])


def test_an_order__is_read_back_with_its_inputs(blobs: Blobs) -> None:
    put_order(blobs, ID, Order(REQUEST, INLINE))
    order = get_order(blobs, ID, DOMAIN)
    assert order == Order(REQUEST, INLINE)
    assert [tensor.root for tensor in input_tensors(blobs, order, INPUTS)] == [tensor.root for tensor in TENSORS]


def test_inputs_by_root__are_read_from_blobs(blobs: Blobs) -> None:
    assert blobs.put_tensors(list(TENSORS)) == BundleRoot(ROOT)
    received = input_tensors(blobs, Order(REQUEST, b""), INPUTS)
    assert [tensor.data for tensor in received] == [tensor.data for tensor in TENSORS]
