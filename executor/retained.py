"""Retained runs: traces of claimed runs that an executor kept, because no later run need come near them.

A kernel that is not deterministic, or an input crafted against the order of summation, can leave what a recomputation
or a replay gives by more than the output band. Kept as blobs, found again by model, inputs and claimed output.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from executor.replay import Results
from executor.tensors import from_canonical, to_canonical
from rollup.blobs import BlobReader, Blobs
from rollup.errors import BadEncoding, NotFound
from rollup.types import BundleRoot, GraphRoot

_TAG = b"anh.v1.retained"
# Of one run: a larger one is not kept.
MAX_RUN_BYTES = 2**30


def name_of(graph: GraphRoot, inputs: Sequence[bytes], claimed: bytes) -> bytes:
    """The blob that says which trace a claimed run had. All are canonical bytes."""
    parts = b"".join(sha256(part).digest() for part in (*inputs, claimed))
    return sha256(_TAG + graph + parts).digest()


def keep(blobs: Blobs, name: bytes, results: Results) -> bool:
    """Stores the results of all steps under a name; whether they were few enough bytes."""
    if sum(result.numel() * result.element_size() for result in results) > MAX_RUN_BYTES:
        return False
    blobs.put_named(name, blobs.put_tensors([to_canonical(result) for result in results]))
    return True


def find(blobs: BlobReader, name: bytes) -> Results | None:
    """The results that were kept under a name; None if none were. Raises what a reader raises of damaged blobs."""
    try:
        root = blobs.get_named(name, _root, 32)
    except NotFound:
        return None
    return [from_canonical(tensor) for tensor in blobs.get_tensors(root)]


def _root(data: bytes) -> BundleRoot:
    if len(data) != 32:
        raise BadEncoding(f"a retained run names a trace by 32 bytes, got {len(data)}")
    return BundleRoot(data)
