"""Proofs about trained weights: that one is not finite and was not so before. Whatever is made of it would acquit.

`is_broken` is the pure twin of what Trainings makes of a proof, and decides before anyone sends it. Knows no chain and
no torch: it reads tensors that somebody fetched and verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from prover.fault_proof import TensorBundle
from rollup.blobs import BlobReader
from rollup.errors import BadEncoding
from rollup.judge import floats
from rollup.properties.types import BrokenWeight
from rollup.tensor import Bundle, DType, Tensor, TensorSpec, root_of_bundle, root_of_opening
from rollup.types import LEAF_BYTES, BundleRoot, Opening

# Bits of the exponent, all of which are set in what is not finite (IEEE 754-2019, 3.4).
_EXPONENTS = {DType.F32: (">u4", 0x7F800000), DType.F16: (">u2", 0x7C00), DType.BF16: (">u2", 0x7F80)}


@dataclass(frozen=True)
class Trained:
    """What the chain holds of a claim's weights: `own` are those of the scorer as registered; `count` tensors."""

    own: BundleRoot
    claimed: BundleRoot
    count: int


class ServedBundle:
    """A bundle as somebody serves it, tensor by tensor."""

    def __init__(self, blobs: BlobReader, root: BundleRoot, specs: Sequence[TensorSpec]) -> None:
        self._blobs, self._root, self._specs = blobs, root, specs

    def tensor(self, index: int) -> Tensor:
        """Raises NotFound if it is not served, BadEncoding if it is another one."""
        return self._blobs.get_tensor(self._bundle.roots[index], self._specs[index])

    def path(self, index: int) -> tuple[bytes, ...]:
        return self._bundle.path(index)

    @cached_property
    def _bundle(self) -> Bundle:
        bundle = self._blobs.get_bundle(self._root)
        if len(bundle.roots) != len(self._specs):
            raise BadEncoding(f"bundle 0x{self._root.hex()} has {len(bundle.roots)} weights, not {len(self._specs)}")
        return bundle


def prove_broken(specs: Sequence[TensorSpec], own: TensorBundle, claimed: TensorBundle) -> BrokenWeight | None:
    """Proof of the first claimed element that is not finite and not what the scorer's own is; None if there is none.

    Raises NotFound where a tensor that is needed for it is not served.
    """
    for index, spec in enumerate(specs):
        if spec.dtype not in _EXPONENTS or _finite(claimed.tensor(index)).all():
            continue
        broken = np.flatnonzero(_broken(own.tensor(index), claimed.tensor(index)))
        if broken.size:
            element = int(broken[0])
            openings = (bundle.tensor(index).open(element, 1, bundle.path(index)) for bundle in (own, claimed))
            return BrokenWeight(spec.header, index, element, *openings)
    return None


def is_broken(trained: Trained, shown: BrokenWeight) -> bool:
    """Whether the chain refutes the claim by it. Raises BadEncoding where the chain would refuse to look."""
    spec = TensorSpec.from_header(shown.header)
    if not 0 <= shown.element < spec.elements:
        raise BadEncoding(f"element {shown.element} is outside 0..{spec.elements - 1} of weight {shown.tensor}")
    if spec.dtype not in _EXPONENTS:
        return False
    own = _opened(spec, shown, shown.own, trained.own, trained.count)
    claimed = _opened(spec, shown, shown.claimed, trained.claimed, trained.count)
    return not floats.is_finite(claimed) and not floats.is_nan(own) and claimed != own


def _opened(spec: TensorSpec, shown: BrokenWeight, opening: Opening, expected: BundleRoot, count: int) -> int:
    """The opened element, as bits of an f32."""
    first, last = spec.leaves_of(shown.element, 1)
    root = root_of_opening(spec, opening, first, last)
    if root_of_bundle(root, shown.tensor, count, opening.bundle_path) != expected:
        raise BadEncoding(f"the opened weight is not under 0x{expected.hex()}")
    start = shown.element * spec.dtype.width - first * LEAF_BYTES
    return floats.widen(int.from_bytes(opening.leaves[start : start + spec.dtype.width], "big"), spec.dtype)


def _finite(tensor: Tensor) -> NDArray[np.bool_]:
    """Of each element, in order, whether it is finite."""
    kind, exponent = _EXPONENTS[tensor.spec.dtype]
    found: NDArray[np.bool_] = (np.frombuffer(tensor.data, kind) & exponent) != exponent
    return found


def _broken(own: Tensor, claimed: Tensor) -> NDArray[np.bool_]:
    """Of each element, in order, whether it is not finite, and was a number before, and another."""
    kind, exponent = _EXPONENTS[own.spec.dtype]
    was, is_now = np.frombuffer(own.data, kind), np.frombuffer(claimed.data, kind)
    is_nan = ((was & exponent) == exponent) & ((was & (exponent & -exponent) - 1) != 0)
    found: NDArray[np.bool_] = ~_finite(claimed) & ~is_nan & (was != is_now)
    return found
