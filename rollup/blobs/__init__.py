"""Blobs: files named by the hash of what is in them, and verified whenever they are read.

Tensors, bundles, graphs' programs and numerics lie in a folder, in object storage, or behind somebody's
GET {endpoint}/blobs/{hash}.
"""

from rollup.blobs.content import BlobReader, Blobs, BlobSource, BlobStore
from rollup.blobs.folder import FolderStore
from rollup.blobs.objects import ObjectStore
from rollup.blobs.open import open_blobs
from rollup.blobs.remote import HttpSource, RemoteBlobs

__all__ = [
    "BlobReader",
    "BlobSource",
    "BlobStore",
    "Blobs",
    "FolderStore",
    "HttpSource",
    "ObjectStore",
    "RemoteBlobs",
    "open_blobs",
]
