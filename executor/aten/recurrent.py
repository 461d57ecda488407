"""Recurrent layers, which a fused kernel runs over all of a sequence."""

from __future__ import annotations

from functools import partial
from math import prod

from executor.aten.common import permuted, sliced, view
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
    if len(parameters) != per_layer * layers * (1 + bidirectional):
        raise BadGraph(f"{function} with projections is not supported")
    first = args["batch_first"]
    x = args["input"] if first else permuted(emit, args["input"], (1, 0, 2))
    starts = [permuted(emit, state, (1, 0, 2)) for state in states]
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


HANDLERS: dict[str, Handler] = {
    "aten.lstm.input": partial(recurrent, Function.LSTM),
    "aten.gru.input": partial(recurrent, Function.GRU),
    "aten.rnn_tanh.input": partial(recurrent, Function.RNN_TANH),
    "aten.rnn_relu.input": partial(recurrent, Function.RNN_RELU),
}
