"""Contractions in float64: matrix products over strided rows, in blocks that bound what is held at once.

The axes of the result fall into those along which both operands move (a batch of matrices), one of them (rows,
columns) or neither. A sum of n products in float64 errs by less than n * 2^-52 of the sum of their magnitudes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from executor.operators.places import axes_of, blocks, strided
from executor.operators.rounding import cut
from rollup.graph import Step
from rollup.numerics import Arithmetic, Profile

# Elements of an operand, and of a result, that are worked on at once: 16 MiB in float64.
BLOCK = 2**21


def terms_of(step: Step) -> int:
    """Terms of a contraction, its bias included."""
    return step.attributes[0] + (len(step.operands) == 3)


@dataclass(frozen=True)
class Product:
    """A contraction as a batch of matrix products: a [batch.., rows.., K], b [batch.., columns.., K].

    `order` brings the axes batch.., rows.., columns.. back to those of the record. `bias` has the record's axes.
    """

    a: Tensor
    b: Tensor
    bias: Tensor | None
    axes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    dims: tuple[int, ...]

    @classmethod
    def of(cls, step: Step, operands: Sequence[Tensor]) -> Product:
        terms = step.attributes[0]
        dims, *strides = axes_of(step, 1, 4)
        moved = [tuple(bool(places[axis]) for places in strides[:2]) for axis in range(step.rank)]
        batch = tuple(axis for axis, move in enumerate(moved) if move == (True, True))
        columns = tuple(axis for axis, move in enumerate(moved) if move == (False, True))
        # An axis along which nothing moves repeats rows.
        rows = tuple(axis for axis in range(step.rank) if axis not in batch + columns)
        a, b = (
            strided(operand, [*(dims[axis] for axis in axes), terms], [*(terms * places[axis] for axis in axes), 1])
            for operand, axes, places in zip(operands, (batch + rows, batch + columns), strides, strict=False)
        )
        bias = strided(operands[2], dims, strides[2]) if len(operands) == 3 else None
        return cls(a, b, bias, (batch, rows, columns), tuple(dims))

    def whole(self) -> Tensor:
        """All elements at once, in the operands' dtype; differentiable."""
        batch, rows, columns = ([self.dims[axis] for axis in axes] for axes in self.axes)
        a = self.a.reshape(*batch, prod(rows), -1)
        b = self.b.reshape(*batch, prod(columns), -1)
        total = torch.matmul(a, b.transpose(-1, -2)).reshape(*batch, *rows, *columns)
        total = total.permute(self._order)
        return total if self.bias is None else total + self.bias

    def part(self, place: tuple[slice, ...]) -> Product:
        """The contraction of a block of the result, `place` being slices over the record's axes."""
        slices = (*place, *(slice(None) for _ in range(len(self.dims) - len(place))))
        batch, rows, columns = self.axes
        return Product(
            self.a[tuple(slices[axis] for axis in batch + rows)],
            self.b[tuple(slices[axis] for axis in batch + columns)],
            None if self.bias is None else self.bias[slices],
            self.axes,
            tuple(len(range(*part.indices(dim))) for part, dim in zip(slices, self.dims, strict=True)),
        )

    def parts(self) -> Iterator[tuple[tuple[slice, ...], Product]]:
        """Blocks of the result, with their places, none needing more than `BLOCK` elements of anything."""
        widest = max(prod(self.a.shape), prod(self.b.shape), prod(self.dims))
        limit = max(1, BLOCK * prod(self.dims) // widest)
        for place in blocks(self.dims, limit):
            yield place, self.part(place)

    def mapped(self, function: Callable[[Tensor], Tensor]) -> Product:
        """The same over `function` of each operand and of the bias."""
        bias = None if self.bias is None else function(self.bias)
        return Product(function(self.a), function(self.b), bias, self.axes, self.dims)

    def read(self, profile: Profile) -> Product:
        """The same over the factors as the profile's hardware multiplies them. A bias is added as it is."""
        return Product(as_read(self.a, profile), as_read(self.b, profile), self.bias, self.axes, self.dims)

    def leading(self, terms: int) -> Product:
        """The first `terms` of each row, without the bias."""
        return Product(self.a[..., :terms], self.b[..., :terms], None, self.axes, self.dims)

    @property
    def _order(self) -> list[int]:
        """Where each axis of the record lies among batch.., rows.., columns.."""
        places = [axis for axes in self.axes for axis in axes]
        return [places.index(axis) for axis in range(len(self.dims))]


def as_read(operand: Tensor, profile: Profile) -> Tensor:
    """A factor as the profile's hardware multiplies it. A float64 one is cut for its value only: gradients pass."""
    if profile.arithmetic is not Arithmetic.TF32 or operand.dtype not in (torch.float32, torch.float64):
        return operand
    if operand.dtype is torch.float32:
        return cut(operand, profile.rounding)
    return operand + (cut(operand.detach().float(), profile.rounding).double() - operand.detach())
