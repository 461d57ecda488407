"""Blobs as files in a local folder, written whole or not at all. Knows nothing of what is in them."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from rollup.errors import BadEncoding, NotFound, Unavailable


class FolderStore:
    """One file per blob, in 256 folders by the first byte of its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: bytes, limit: int) -> bytes:
        try:
            with open(self._path(name), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > limit:
                    raise BadEncoding(f"blob 0x{name.hex()} has {size} bytes, above {limit}")
                return file.read()
        except FileNotFoundError:
            raise NotFound(f"no blob 0x{name.hex()} in {self._folder}") from None
        except OSError as error:
            raise Unavailable(f"blob 0x{name.hex()} cannot be read: {error}") from error

    def write(self, name: bytes, data: bytes) -> None:
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(path, data)
        except OSError as error:
            raise Unavailable(f"blob 0x{name.hex()} of {len(data)} bytes cannot be written: {error}") from error

    def exists(self, name: bytes) -> bool:
        return self._path(name).is_file()

    def _path(self, name: bytes) -> Path:
        text = name.hex()
        return self._folder / text[:2] / text

    def _write(self, path: Path, data: bytes) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        # The rename itself is durable only when its folder is.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
