"""ATen's operators as calls of a program: one short handler each, by family. What is not in HANDLERS is decomposed by
PyTorch into what is, or cannot be captured.

Handlers get the operator's arguments by the names of its schema. Shapes are those of one request.
"""

from __future__ import annotations

from executor.aten import (
    activations,
    arcs,
    arithmetic,
    complexes,
    contractions,
    einsum,
    fourier,
    indexing,
    integers,
    joining,
    movement,
    norms,
    ordering,
    pooling,
    recurrent,
    reductions,
    resampling,
    scans,
    scattering,
    volumes,
)
from executor.aten.complexes import Complex as Complex
from executor.emitter import Handler

HANDLERS: dict[str, Handler] = {
    name: handler
    for family in (
        activations,
        arcs,
        arithmetic,
        contractions,
        einsum,
        indexing,
        integers,
        joining,
        movement,
        norms,
        ordering,
        pooling,
        recurrent,
        reductions,
        resampling,
        scans,
        scattering,
        volumes,
    )
    for name, handler in family.HANDLERS.items()
}
# Of what takes or gives complex numbers.
COMPLEX_HANDLERS: dict[str, complexes.Handler] = {**complexes.HANDLERS, **fourier.HANDLERS}
