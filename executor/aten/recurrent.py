"""Recurrent layers, which a fused kernel runs over all of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod

from executor.aten.common import permuted, sliced, view
from executor.aten.joining import all_joined
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function
from rollup.errors import BadGraph


def recurrent(function: Function, emit: Emitter, args: Arguments) -> tuple[Operand | None, ...]:
    """y, then the last states: [T,B,D*H] or [B,T,D*H], and [L*D,B,H] each."""
    if args["train"]:
        raise BadGraph(f"{function} in training mode is not supported: call eval() on the module first")
    states = args["hx"] if isinstance(args["hx"], list) else [args["hx"]]
    parameters = args["params"]
    layers, bidirectional = args["num_layers"], int(args["bidirectional"])
    per_layer = 4 if args["has_biases"] else 2
    first = args["batch_first"]
    x = args["input"] if first else permuted(emit, args["input"], (1, 0, 2))
    starts = [permuted(emit, state, (1, 0, 2)) for state in states]
    cells = layers * (1 + bidirectional)
    if len(parameters) != per_layer * cells:
        size = per_layer + 1
        apart = [parameters[place * size : (place + 1) * size] for place in range(cells)]
        outputs, *last = _projected(emit, x, starts, apart, 1 + bidirectional)
        return (
            outputs if first else permuted(emit, outputs, (1, 0, 2)),
            *(permuted(emit, state, (1, 0, 2)) for state in last),
        )
    packed = bool(args["used results"] - {0})
    options = {"layers": layers, "bidirectional": bidirectional, "packed": int(packed)}
    result = emit.call(function, x, *starts, *parameters, **options)
    if packed:
        return _unpacked(emit, result, args)
    return (result if first else permuted(emit, result, (1, 0, 2)), *(None for _ in states))


def _unpacked(emit: Emitter, packed: Operand, args: Arguments) -> tuple[Operand, ...]:
    """The parts of a result that holds the outputs and then the last states, for each sequence."""
    parts: list[Operand] = []
    start = 0
    for place, shape in enumerate(args["shapes of results"]):
        leading = place == 0 and args["batch_first"]
        # As the function lays it out: sequences first.
        own = shape if leading else (shape[1], shape[0], shape[2])
        length = prod(own[1:])
        part = view(emit, sliced(emit, packed, 1, slice(start, start + length)), own)
        parts.append(part if leading else permuted(emit, part, (1, 0, 2)))
        start += length
    return tuple(parts)


def _projected(
    emit: Emitter, x: Operand, starts: Sequence[Operand], cells: Sequence[Sequence[Operand]], directions: int
) -> tuple[Operand, Operand, Operand]:
    """An LSTM whose outputs are a product of its states (Sak et al., 2014), time by time: [B,T,D*P], the last of both.

    `cells`: of each direction of each layer w_ih, w_hh, biases and w_hr.
    """
    last: list[tuple[Operand, Operand]] = []
    for layer in range(0, len(cells), directions):
        sides = []
        for place in range(layer, layer + directions):
            own = [sliced(emit, start, 1, slice(place, place + 1)) for start in starts]
            outputs, *ends = _projected_side(emit, x, own, cells[place], place > layer)
            sides.append(outputs)
            last.append((ends[0], ends[1]))
        x = all_joined(emit, sides, 2)
    states, memories = (all_joined(emit, [ends[kind] for ends in last], 1) for kind in range(2))
    return x, states, memories


def _projected_side(
    emit: Emitter, x: Operand, starts: Sequence[Operand], cell: Sequence[Operand], is_backwards: bool
) -> tuple[Operand, Operand, Operand]:
    """One direction of one layer: outputs of all times, the last one and the last memory."""
    (enter, carry, *biases, project), (state, memory) = cell, starts
    taken = emit.call(Function.LINEAR, x, enter, *biases[:1])
    times, width = emit.shape(x)[1], emit.shape(project)[1]
    outputs: dict[int, Operand] = {}
    for time in reversed(range(times)) if is_backwards else range(times):
        carried = emit.call(Function.LINEAR, state, carry, *biases[1:])
        gates = emit.call(Function.ADD, sliced(emit, taken, 1, slice(time, time + 1)), carried)
        parts = [sliced(emit, gates, 2, slice(gate * width, (gate + 1) * width)) for gate in range(4)]
        new = emit.call(Function.TANH, parts[2])
        enters, forgets, leaves = (emit.call(Function.SIGMOID, parts[gate]) for gate in (0, 1, 3))
        kept = emit.call(Function.MUL, forgets, memory)
        memory = emit.call(Function.ADD, kept, emit.call(Function.MUL, enters, new))
        shown = emit.call(Function.MUL, leaves, emit.call(Function.TANH, memory))
        state = outputs[time] = emit.call(Function.LINEAR, shown, project)
    return all_joined(emit, [outputs[time] for time in range(times)], 1), state, memory


HANDLERS: dict[str, Handler] = {
    "aten.lstm.input": partial(recurrent, Function.LSTM),
    "aten.gru.input": partial(recurrent, Function.GRU),
    "aten.rnn_tanh.input": partial(recurrent, Function.RNN_TANH),
    "aten.rnn_relu.input": partial(recurrent, Function.RNN_RELU),
}
