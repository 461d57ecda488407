"""What a commitment binds to: weights and salt, durable before anybody learns of the commitment.

Whoever loses the salt cannot claim; whoever shows it before the key is revealed shows what others may guess at.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rollup.errors import BadEncoding
from rollup.properties.ids import commitment_of
from rollup.properties.types import TrainingId
from rollup.types import Address, BundleRoot

_WORD = 32


@dataclass(frozen=True)
class Pledge:
    """Weights that are committed, or are about to be."""

    weights_root: BundleRoot
    salt: bytes = field(repr=False)

    @classmethod
    def to(cls, weights_root: BundleRoot) -> Pledge:
        return cls(weights_root, secrets.token_bytes(_WORD))

    def commitment(self, training: TrainingId, executor: Address) -> bytes:
        return commitment_of(training, executor, self.weights_root, self.salt)

    def write(self, path: Path) -> None:
        """Durable when it returns, and readable by its owner only."""
        draft = path.with_suffix(".new")
        with suppress(FileNotFoundError):
            draft.unlink()
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump({"weights_root": self.weights_root.hex(), "salt": self.salt.hex()}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @classmethod
    def read(cls, path: Path) -> Pledge | None:
        """None if there is none. Raises BadEncoding, without quoting it, for a file that is none."""
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            root, salt = bytes.fromhex(record["weights_root"]), bytes.fromhex(record["salt"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise BadEncoding(f"{path} is no pledge") from None
        if len(root) != _WORD or len(salt) != _WORD:
            raise BadEncoding(f"{path} is no pledge: root and salt have {_WORD} bytes each")
        return cls(BundleRoot(root), salt)
