"""Shapes of recurrent networks, and how their operands are laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollup.call import Call, Function
from rollup.shapes.made import FLOATS, Made, Rule, Specs, along, apart, require, require_dtypes, require_flag, texts
from rollup.tensor import TensorSpec

# Gates of each cell, and the states that it carries from step to step.
GATES = {Function.RNN_TANH: 1, Function.RNN_RELU: 1, Function.LSTM: 4, Function.GRU: 3}
STATES = {Function.RNN_TANH: 1, Function.RNN_RELU: 1, Function.LSTM: 2, Function.GRU: 1}
MAX_LAYERS = 64


@dataclass(frozen=True)
class Recurrent:
    """A recurrent call's plan: `parameters` are those of one direction of one layer, 2 or with biases 4."""

    layers: int
    directions: int
    hidden: int
    states: int
    parameters: int

    @property
    def carried(self) -> int:
        """Rows of h0, and of c0."""
        return self.layers * self.directions

    @property
    def outputs(self) -> int:
        return self.directions * self.hidden

    def first_parameter(self, layer: int, direction: int) -> int:
        """Place among the call's operands."""
        return 1 + self.states + self.parameters * (layer * self.directions + direction)


def plan_of(call: Call, specs: Specs) -> Recurrent:
    """The plan of a recurrent call. Raises BadGraph if its operands are no such network's."""
    layers, directions = call.number("layers"), 1 + require_flag(call, "bidirectional")
    states = STATES[call.function]
    require(1 <= layers <= MAX_LAYERS, f"has 1 to {MAX_LAYERS} layers, got {layers}")
    parameters = len(specs) - 1 - states
    cells = layers * directions
    fits = parameters in (2 * cells, 4 * cells)
    require(fits, f"takes {2 * cells} or {4 * cells} parameters, got {parameters}")
    hidden = specs[2 + states].shape[-1:] or (1,)
    return Recurrent(layers, directions, hidden[0], states, parameters // cells)


def _recurrent(call: Call, specs: Specs) -> Made:
    x, plan = specs[0], plan_of(call, specs)
    require_dtypes(specs, FLOATS)
    require(len(x.shape) == 3, f"takes [N,T,I], got {texts([x])}")
    batch, times, _ = x.shape
    for state in specs[1 : 1 + plan.states]:
        fits = state.shape in ((batch, plan.carried, plan.hidden), (1, plan.carried, plan.hidden))
        require(fits, f"takes states [{batch} or 1,{plan.carried},{plan.hidden}], got {texts([state])}")
    _require_parameters(call, specs, plan)
    shape: tuple[int, ...] = (batch, times, plan.outputs)
    if require_flag(call, "packed"):
        shape = (batch, times * plan.outputs + plan.states * plan.carried * plan.hidden)
    carried = tuple(along(state, 1, 2) for state in specs[1 : 1 + plan.states])
    weights = tuple(apart(spec) for spec in specs[1 + plan.states :])
    return Made(TensorSpec(x.dtype, shape), (along(x, 1, 2), *carried, *weights))


def _require_parameters(call: Call, specs: Specs, plan: Recurrent) -> None:
    gated = GATES[call.function] * plan.hidden
    for layer in range(plan.layers):
        width = specs[0].shape[2] if layer == 0 else plan.outputs
        expected = [(gated, width), (gated, plan.hidden), (gated,), (gated,)][: plan.parameters]
        for direction in range(plan.directions):
            first = plan.first_parameter(layer, direction)
            given = specs[first : first + plan.parameters]
            fits = [spec.shape for spec in given] == expected
            require(fits, f"layer {layer} takes parameters {expected}, got {texts(given)}")


RULES: Mapping[Function, Rule] = dict.fromkeys(GATES, _recurrent)
