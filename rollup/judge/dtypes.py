"""Which dtypes an operator takes and gives (PROTOCOL.md, 5, "Dtypes"): a step of others has no meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.tensor import DType

FLOATS = frozenset({DType.F32, DType.F16, DType.BF16})
INTEGERS = frozenset({DType.I64, DType.I32})
BOOL = frozenset({DType.BOOL})
ANY = frozenset(DType)


@dataclass(frozen=True)
class Signature:
    """Sets of dtypes: of the result, and of the operands, of which the last set counts for all that follow.

    `apart`: slots (0 the result, 1.. the operands) besides which all have one dtype; None if none needs to.
    """

    result: frozenset[DType]
    operands: tuple[frozenset[DType], ...]
    apart: frozenset[int] | None = None

    def fits(self, dtypes: Sequence[DType]) -> bool:
        """Whether a result and operands may have these, in the order of slots."""
        result, *operands = dtypes
        allowed = (self.operands[min(place, len(self.operands) - 1)] for place in range(len(operands)))
        if result not in self.result or any(own not in some for own, some in zip(operands, allowed, strict=True)):
            return False
        return self.apart is None or len({own for slot, own in enumerate(dtypes) if slot not in self.apart}) == 1


@dataclass(frozen=True)
class Dtypes:
    """The signatures of an operator, any of which is enough; `text` says them in docs/operators.md."""

    text: str
    signatures: tuple[Signature, ...]

    def fit(self, dtypes: Sequence[DType]) -> bool:
        return any(signature.fits(dtypes) for signature in self.signatures)


_FLOATING = Signature(FLOATS, (FLOATS,))
FLOATING = Dtypes("floats, mixed", (_FLOATING,))
NUMBERS = Dtypes("floats, mixed; or all i64; or all i32", (_FLOATING, Signature(INTEGERS, (INTEGERS,), frozenset())))
ONE_FLOATING = Dtypes("one floating dtype", (Signature(FLOATS, (FLOATS,), frozenset()),))
LABELS = Dtypes("floats to i64", (Signature(frozenset({DType.I64}), (FLOATS,)),))
TRUTHS = Dtypes("bool", (Signature(BOOL, (BOOL,)),))
COMPARED = Dtypes("one dtype, any, to bool", (Signature(BOOL, (ANY,), frozenset({0})),))
CHOSEN = Dtypes("c bool; a, b and the result of one dtype, any", (Signature(ANY, (BOOL, ANY), frozenset({1})),))
LOOKED_UP = Dtypes(
    "index i64 or i32; a and the result of one dtype, any", (Signature(ANY, (INTEGERS, ANY), frozenset({1})),)
)
MOVED = Dtypes("one dtype, any", (Signature(ANY, (ANY,), frozenset()),))
CONVERTED = Dtypes("any to any", (Signature(ANY, (ANY,)),))
