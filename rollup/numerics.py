"""The numerics header: what arithmetic executors promise, and what the calibration rests on (PROTOCOL.md, 2.4).

One word: `profile:u8 | flags:u8 | 0:u16 | samples:u32 | digest:24`. Knows no bound: rollup/judge says what a promise
is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rollup.errors import BadEncoding

HEADER_BYTES = 32
DIGEST_BYTES = 24
_BLOCKED = 1
_ROUNDING_SHIFT = 1
_HEAD_BYTES = 8


class Arithmetic(IntEnum):
    """How contractions are computed; the value is the profile in a numerics header."""

    FP32 = 1
    TF32 = 2
    TENSOR_16 = 3


class Rounding(IntEnum):
    """How TF32 cuts the fraction of an operand to 10 bits; the value is bits 1 and 2 of the flags."""

    NEAREST_EVEN = 0
    NEAREST_AWAY = 1
    TOWARD_ZERO = 2


@dataclass(frozen=True)
class Profile:
    """A numerics header. Raises BadEncoding for one that a registry would refuse.

    `blocked`: contractions are summed in blocks or pairwise, so that no term passes through more than
    ceil(n / 16) + 8 roundings. `samples` elements were judged in the calibration; `digest` is the first 24 bytes of
    SHA-256 of its document, zero if there is none.
    """

    arithmetic: Arithmetic = Arithmetic.FP32
    blocked: bool = False
    rounding: Rounding = Rounding.NEAREST_EVEN
    samples: int = 0
    digest: bytes = bytes(DIGEST_BYTES)

    def __post_init__(self) -> None:
        if self.rounding and self.arithmetic is not Arithmetic.TF32:
            raise BadEncoding(f"profile {self.arithmetic} rounds no operand, got {self.rounding.name}")
        if not 0 <= self.samples < 2**32:
            raise BadEncoding(f"{self.samples} samples are outside 0..2^32-1")
        if len(self.digest) != DIGEST_BYTES:
            raise BadEncoding(f"a digest has {DIGEST_BYTES} bytes, got {len(self.digest)}")

    @property
    def header(self) -> bytes:
        """The 32-byte word."""
        flags = self.rounding << _ROUNDING_SHIFT | (_BLOCKED if self.blocked else 0)
        return bytes([self.arithmetic, flags, 0, 0]) + self.samples.to_bytes(4, "big") + self.digest

    @classmethod
    def from_header(cls, header: bytes) -> Profile:
        """Raises BadEncoding unless `header` is canonical."""
        if len(header) != HEADER_BYTES:
            raise BadEncoding(f"a numerics header has {HEADER_BYTES} bytes, got {len(header)}")
        code, rounding = header[0], header[1] >> _ROUNDING_SHIFT
        if code not in Arithmetic.__members__.values() or rounding not in Rounding.__members__.values():
            raise BadEncoding(f"profile {code} with flags {header[1]} is unknown")
        samples = int.from_bytes(header[4:_HEAD_BYTES], "big")
        blocked = bool(header[1] & _BLOCKED)
        profile = cls(Arithmetic(code), blocked, Rounding(rounding), samples, header[_HEAD_BYTES:])
        if profile.header != header:
            raise BadEncoding(f"numerics header {header.hex()} is not canonical")
        return profile


FP32 = Profile()
