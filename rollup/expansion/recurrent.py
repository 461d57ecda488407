"""Recurrent networks in primitive calls, unrolled over time.

What a layer takes of its input is computed for all times at once; then one cell after another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rollup.call import Call, Function, Ref
from rollup.expansion.writer import Expand, Writer
from rollup.shapes.recurrent import Recurrent, plan_of

States = tuple[Ref, ...]


@dataclass(frozen=True)
class _Gates:
    """What a cell adds up of its input and of its last state, gates side by side, each `width` wide."""

    writer: Writer
    taken: Ref
    carried: Ref
    width: int

    def summed(self, first: int, count: int = 1) -> Ref:
        return self.writer.call(Function.ADD, self.cut(self.taken, first, count), self.cut(self.carried, first, count))

    def cut(self, x: Ref, first: int, count: int = 1) -> Ref:
        return self.writer.cut(x, 2, first * self.width, (first + count) * self.width)


# The next states, the output first.
Cell = Callable[[_Gates, States], States]


def _elman(function: Function) -> Cell:
    def cell(gates: _Gates, _: States) -> States:
        return (gates.writer.call(function, gates.summed(0)),)

    return cell


def _lstm(gates: _Gates, states: States) -> States:
    writer = gates.writer
    enter_forget = writer.call(Function.SIGMOID, gates.summed(0, 2))
    new = writer.call(Function.TANH, gates.summed(2))
    leave = writer.call(Function.SIGMOID, gates.summed(3))
    kept = writer.call(Function.MUL, gates.cut(enter_forget, 1), states[1])
    memory = writer.call(Function.ADD, kept, writer.call(Function.MUL, gates.cut(enter_forget, 0), new))
    return writer.call(Function.MUL, leave, writer.call(Function.TANH, memory)), memory


def _gru(gates: _Gates, states: States) -> States:
    writer = gates.writer
    reset_update = writer.call(Function.SIGMOID, gates.summed(0, 2))
    carried = writer.call(Function.MUL, gates.cut(reset_update, 0), gates.cut(gates.carried, 2))
    new = writer.call(Function.TANH, writer.call(Function.ADD, gates.cut(gates.taken, 2), carried))
    # (1 - z) new + z old
    change = writer.call(Function.MUL, gates.cut(reset_update, 1), writer.call(Function.SUB, states[0], new))
    return (writer.call(Function.ADD, new, change),)


_CELLS: Mapping[Function, Cell] = {
    Function.RNN_TANH: _elman(Function.TANH),
    Function.RNN_RELU: _elman(Function.RELU),
    Function.LSTM: _lstm,
    Function.GRU: _gru,
}


def _recurrent(writer: Writer, call: Call, operands: Sequence[Ref]) -> Ref:
    plan = plan_of(call, [writer.value(ref).spec for ref in operands])
    layer_input, last = operands[0], []
    for layer in range(plan.layers):
        sides = [_direction(writer, call, operands, layer_input, (layer, side)) for side in range(plan.directions)]
        layer_input = writer.cat([outputs for outputs, _ in sides], dim=2)
        last += [states for _, states in sides]
    return _packed(writer, plan, layer_input, last) if call.number("packed") else layer_input


def _direction(
    writer: Writer, call: Call, operands: Sequence[Ref], x: Ref, place: tuple[int, int]
) -> tuple[Ref, States]:
    """Outputs of all times, and the last states, of one direction (1 is backwards) of one layer."""
    plan = plan_of(call, [writer.value(ref).spec for ref in operands])
    first, row = plan.first_parameter(*place), place[0] * plan.directions + place[1]
    enter, carry, *biases = operands[first : first + plan.parameters]
    taken = writer.call(Function.LINEAR, x, enter, *biases[:1])
    states = tuple(writer.cut(state, 1, row, row + 1) for state in operands[1 : 1 + plan.states])
    times = list(range(writer.shape(x)[1]))
    outputs: dict[int, Ref] = {}
    for time in reversed(times) if place[1] else times:
        carried = writer.call(Function.LINEAR, states[0], carry, *biases[1:])
        gates = _Gates(writer, writer.cut(taken, 1, time, time + 1), carried, plan.hidden)
        states = _CELLS[call.function](gates, states)
        outputs[time] = states[0]
    return writer.cat([outputs[time] for time in times], dim=1), states


def _packed(writer: Writer, plan: Recurrent, outputs: Ref, last: Sequence[States]) -> Ref:
    """Outputs, then each kind of state over all layers and directions, flattened for each request."""
    batch, times, width = writer.shape(outputs)
    parts = [writer.view(outputs, batch, times * width)]
    for kind in range(plan.states):
        rows = writer.cat([states[kind] for states in last], dim=1)
        parts.append(writer.view(rows, batch, plan.carried * plan.hidden))
    return writer.cat(parts, dim=1)


RULES: Mapping[Function, Expand] = dict.fromkeys(_CELLS, _recurrent)
