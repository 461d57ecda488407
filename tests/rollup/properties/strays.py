"""A pool of zeros in which one sealed item holds something else."""

from __future__ import annotations

import struct
from dataclasses import replace

from rollup.properties.draw import Draw
from rollup.properties.pool import Pool, mask_item
from rollup.properties.stray import RevealedPool, prove_stray
from rollup.properties.types import StrayElement
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import InputSpec
from tests.rollup.properties.examples import TRAINING

POOL_KEY = bytes(range(32))
# Two leaves, the second of them short; both tensors from 0 to 1.
SPECS = (TensorSpec(DType.F32, (1, 300)), TensorSpec(DType.F32, (1, 1)))
INPUTS = tuple(InputSpec(spec.header, 0, 0x3F800000) for spec in SPECS)
DRAW = Draw(b"seed" * 8, 12, 4)
ITEM = 5
NAN = struct.pack(">f", float("nan"))


def pool_with(tensor: int, element: int, raw: bytes) -> tuple[RevealedPool, Pool, list[Tensor]]:
    """Sealed item 5 holds `raw` at an element of a tensor; and its masked tensors."""
    items = [[Tensor(spec, bytes(spec.byte_length)) for spec in SPECS] for _ in range(12)]
    changed = items[DRAW.sealed_index(ITEM)]
    data = bytearray(changed[tensor].data)
    data[4 * element : 4 * element + 4] = raw
    changed[tensor] = Tensor(SPECS[tensor], bytes(data))
    hidden = [mask_item(POOL_KEY, index, item) for index, item in enumerate(items)]
    pool = Pool.of(POOL_KEY, [root for _, root in hidden])
    terms = replace(TRAINING.terms, pool_root=pool.root)
    return RevealedPool(terms, DRAW, POOL_KEY, INPUTS), pool, hidden[DRAW.sealed_index(ITEM)][0]


def stray_element(tensor: int = 0, element: int = 299, raw: bytes = NAN) -> tuple[RevealedPool, StrayElement]:
    """What is shown of that item, out of range."""
    revealed, pool, hidden = pool_with(tensor, element, raw)
    shown = prove_stray(revealed, pool, ITEM, hidden)
    assert shown is not None
    return revealed, shown
