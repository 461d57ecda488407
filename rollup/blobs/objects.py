"""Blobs in object storage (S3 and whatever else fsspec names by URL). Knows nothing of what is in them.

Object stores show an object only when it is whole, so no temporary name is needed.
"""

from __future__ import annotations

import fsspec

from rollup.errors import BadEncoding, NotFound, Unavailable


class ObjectStore:
    """One object per blob under `url`, such as `s3://bucket/anh`. Raises Unavailable if its driver is missing."""

    def __init__(self, url: str) -> None:
        try:
            self._files, self._prefix = fsspec.url_to_fs(url)
        except (ImportError, ValueError, OSError) as error:
            raise Unavailable(f"object storage {url} cannot be opened: {error}") from error

    def read(self, name: bytes, limit: int) -> bytes:
        path = self._path(name)
        try:
            size = self._files.info(path)["size"]
            if size > limit:
                raise BadEncoding(f"blob 0x{name.hex()} has {size} bytes, above {limit}")
            return bytes(self._files.cat_file(path))
        except FileNotFoundError:
            raise NotFound(f"no blob 0x{name.hex()} in {self._prefix}") from None
        except OSError as error:
            raise Unavailable(f"blob 0x{name.hex()} cannot be read: {error}") from error

    def write(self, name: bytes, data: bytes) -> None:
        try:
            self._files.pipe_file(self._path(name), data)
        except OSError as error:
            raise Unavailable(f"blob 0x{name.hex()} of {len(data)} bytes cannot be written: {error}") from error

    def exists(self, name: bytes) -> bool:
        return bool(self._files.exists(self._path(name)))

    def _path(self, name: bytes) -> str:
        return f"{self._prefix}/{name.hex()}"
