"""A program as something that can be trained: its float weights are parameters; constants, statistics and frozen ones
are not.

Knows no recipe but the names that stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import torch
from torch import Tensor, fx, nn

from executor.runner import generate
from rollup.call import Function
from rollup.errors import BadInput
from rollup.graph import Source
from rollup.program import Program

# What capture calls the weights that the user's module does not name.
CONSTANT_PREFIX = "constant."


class Trainee:
    """`module(*inputs)` on stacked inputs gives the stacked output, and gradients flow to `parameters`.

    Weights that its code does not take stay as they are: those of another bucket of the family, a mask that a kernel
    makes itself.
    """

    def __init__(self, program: Program, weights: Sequence[Tensor], frozen: Sequence[str] = ()) -> None:
        """Raises BadInput for a frozen name that the program lacks, or if nothing is left to train."""
        names = [weight.name for weight in program.weights]
        unknown = sorted(set(frozen) - set(names))
        if unknown:
            raise BadInput(f"the recipe freezes {unknown[0]!r}, which the program does not have")
        self.program = program
        self.module: fx.GraphModule = generate(program, [weight.clone() for weight in weights])
        self._names = names
        taken, statistics = dict(self.module.named_buffers()), _statistics(program)
        self._fixed = {
            name: weight
            for place, (name, weight) in enumerate(zip(names, weights, strict=True))
            if f"weight_{place}" not in taken
            or place in statistics
            or name in frozen
            or not _is_trainable(name, weight)
        }
        self.parameters: dict[str, nn.Parameter] = {}
        for place, name in enumerate(names):
            if name not in self._fixed:
                weight = taken[f"weight_{place}"]
                self.parameters[name] = nn.Parameter(weight)
                delattr(self.module, f"weight_{place}")
                self.module.register_parameter(f"weight_{place}", self.parameters[name])
        if not self.parameters:
            raise BadInput(f"all of the {len(names)} weights are frozen or constant: there is nothing to train")

    def weights(self) -> dict[str, Tensor]:
        """All weights by name, as they are now; in the order of their bundle."""
        return {
            name: self._fixed[name] if name in self._fixed else self.parameters[name].detach() for name in self._names
        }

    def draw(self, seed: int) -> None:
        """Fresh weights: uniform within ±1/sqrt(fan-in) for matrices and kernels (PyTorch's default for its layers).

        Vectors keep what was pushed: a norm's ones and a bias's zeros are the architecture's choice.
        """
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters.values():
                if parameter.dim() >= 2:
                    bound = 1 / sqrt(parameter[0].numel())
                    parameter.copy_((2 * torch.rand(parameter.shape, generator=generator) - 1) * bound)

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Sets the parameters to those of a checkpoint. Raises BadInput for one of another program."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                if name not in weights or weights[name].shape != parameter.shape:
                    raise BadInput(f"the checkpoint has no {name!r} of shape {tuple(parameter.shape)}")
                parameter.copy_(weights[name])


def _is_trainable(name: str, weight: Tensor) -> bool:
    return weight.is_floating_point() and not name.startswith(CONSTANT_PREFIX)


def _statistics(program: Program) -> frozenset[int]:
    """Places of the weights that batch norms divide by, which are no parameters: kernels read mean and variance, steps
    the inverse root that goes with them, and no gradient would keep the two together. Fresh ones are 0 and 1.
    """
    norms = (call for call in program.calls if call.function is Function.BATCH_NORM)
    return frozenset(ref.index for call in norms for ref in call.operands[1:4] if ref.source is Source.WEIGHT)
