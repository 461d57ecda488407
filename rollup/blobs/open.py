"""From a place, as settings name it, to blobs."""

from __future__ import annotations

from pathlib import Path

from rollup.blobs.content import MAX_BLOB_BYTES, Blobs
from rollup.blobs.folder import FolderStore
from rollup.blobs.objects import ObjectStore


def open_blobs(place: str | Path, max_bytes: int = MAX_BLOB_BYTES) -> Blobs:
    """Blobs in a local folder (a path) or in object storage (a URL with a scheme, such as `s3://bucket/anh`)."""
    if "://" in str(place):
        return Blobs(ObjectStore(str(place)), max_bytes)
    return Blobs(FolderStore(Path(place)), max_bytes)
