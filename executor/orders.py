"""Work orders: what a worker needs of a request, as a blob under the request's own id.

The blob is the ABI-encoded request and its inline inputs. Both are checked against the id, which binds them; so a
message that carries nothing but an id is enough, and whoever writes blobs cannot change what is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from rollup.blobs import Blobs
from rollup.codec import REQUEST_FIELDS, Domain, request_id, values_of
from rollup.errors import BadEncoding
from rollup.tensor import Bundle, Tensor, TensorSpec
from rollup.types import InputSpec, Request, RequestId

_ABI = [type_ for _, type_ in REQUEST_FIELDS]
_REQUEST_BYTES = 32 * len(_ABI)


@dataclass(frozen=True)
class Order:
    """A request and its inline inputs: canonical bytes of all input tensors, one after another, or empty."""

    request: Request
    inputs: bytes


def put_order(blobs: Blobs, id_: RequestId, order: Order) -> None:
    blobs.put_named(id_, encode(_ABI, values_of(order.request)) + order.inputs)


def get_order(blobs: Blobs, id_: RequestId, domain: Domain) -> Order:
    """Raises NotFound without the blob, BadEncoding if it is not what the id names."""

    def check(data: bytes) -> Order:
        order = Order(_decoded(data[:_REQUEST_BYTES]), data[_REQUEST_BYTES:])
        if request_id(order.request, domain) != id_:
            raise BadEncoding(f"the order under 0x{id_.hex()} is for another request")
        return order

    return blobs.get_named(id_, check)


def _decoded(data: bytes) -> Request:
    try:
        values = decode(_ABI, data)
    except DecodingError as error:
        raise BadEncoding(f"{len(data)} bytes are no request: {error}") from error
    parsed: list[Any] = [
        bytes.fromhex(value[2:]) if type_ == "address" else value for type_, value in zip(_ABI, values, strict=True)
    ]
    return Request(*parsed)


def input_tensors(blobs: Blobs, order: Order, specs: Sequence[InputSpec]) -> list[Tensor]:
    """The input tensors of an order, verified against the request's root.

    Raises NotFound where inputs by root are not here, BadEncoding where they do not fit the model.
    """
    root = order.request.inputs_root
    shapes = [TensorSpec.from_header(spec.header) for spec in specs]
    if order.inputs:
        tensors = _cut(order.inputs, shapes)
        if Bundle([tensor.root for tensor in tensors]).root != root:
            raise BadEncoding(f"the inline inputs do not hash to 0x{root.hex()}")
        return tensors
    roots = blobs.get_bundle(root).roots
    if len(roots) != len(shapes):
        raise BadEncoding(f"the inputs 0x{root.hex()} are {len(roots)} tensors, the model takes {len(shapes)}")
    return [blobs.get_tensor(tensor, shape) for tensor, shape in zip(roots, shapes, strict=True)]


def _cut(data: bytes, shapes: Sequence[TensorSpec]) -> list[Tensor]:
    expected = sum(shape.byte_length for shape in shapes)
    if len(data) != expected:
        raise BadEncoding(f"inputs have {len(data)} bytes, the model takes {expected}")
    tensors, start = [], 0
    for shape in shapes:
        tensors.append(Tensor(shape, data[start : start + shape.byte_length]))
        start += shape.byte_length
    return tensors
