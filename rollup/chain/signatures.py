"""The sequencer's key as the sequencer knows it: signs digests, and says who signed one."""

from __future__ import annotations

from rollup.chain.keys import Key, recover
from rollup.types import Address


class KeySigner:
    """Signer over a key in memory. Knows nothing of what is signed."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self.address = key.address

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r | s | v; the same for the same digest."""
        return self._key.sign_digest(digest)

    def recover(self, digest: bytes, signature: bytes) -> Address:
        """Raises BadSignature if nobody can have signed."""
        return recover(digest, signature)
