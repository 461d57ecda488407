"""Where the positions of a text lie in each value of a scorer's program, and how each call is made for one position.

Follows the time axis through the calls by the flows of their operands, as rollup/shapes follows the requests of a
batch. A call works on each position alone, or takes an operand of all positions (keys and values of attention), whose
rows are then kept. Whatever reads across positions otherwise is refused by name: such a program is decoded by whole
passes. Knows no tensor; whether rows are independent of later tokens is measured, not proven (decoding.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from rollup.call import Call, Function, Ref, Value
from rollup.errors import BadGraph
from rollup.graph import Source
from rollup.program import Program
from rollup.shapes import RULES, result_of
from rollup.shapes.made import Flow
from rollup.tensor import TensorSpec

TOKENS = Ref(Source.INPUT, 0)


@dataclass(frozen=True)
class Time:
    """Row j of dimension `axis` can be made as soon as the token at position j + `first` is known; `size` rows."""

    axis: int
    first: int
    size: int


@dataclass(frozen=True)
class Use:
    """How a call takes an operand: its row of dimension `row` (all of it, if None), `kept` of earlier positions."""

    ref: Ref
    row: int | None
    kept: bool


@dataclass(frozen=True)
class RowCall:
    """Call `place` of the program, written for one position; `value` is what it then makes."""

    place: int
    call: Call
    value: Value
    time: Time
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class Timeline:
    """`calls` make one row of the target; `kept` are values whose rows are collected; `still` need no token."""

    calls: tuple[RowCall, ...]
    times: dict[Ref, Time]
    kept: frozenset[Ref]
    still: tuple[int, ...]


def needed_by(program: Program, targets: Collection[int]) -> list[int]:
    """Calls that some calls depend on, themselves among them, in their order."""
    needed = set(targets)
    for place in range(max(targets), -1, -1):
        if place in needed:
            needed.update(ref.index for ref in program.calls[place].operands if ref.source is Source.STEP)
    return sorted(needed)


def reads_tokens_only(program: Program, target: int) -> bool:
    """Whether no other input has a part in what call `target` makes."""
    operands = (ref for place in needed_by(program, [target]) for ref in program.calls[place].operands)
    return all(ref == TOKENS or ref.source is not Source.INPUT for ref in operands)


def follow(program: Program, target: int) -> Timeline:
    """The timeline of what call `target` needs, of all inputs the tokens alone.

    Raises BadGraph that names the call which cannot be made row by row.
    """
    walk = _Walk(program)
    for place in needed_by(program, [target]):
        walk.visit(place)
    goal = walk.times.get(Ref(Source.STEP, target))
    if goal is None:
        raise BadGraph(f"call {target} does not depend on the tokens")
    for each in walk.calls:
        if not each.time.first <= goal.first <= goal.first + goal.size <= each.time.first + each.time.size:
            raise BadGraph(f"call {each.place} has no row for some position of call {target}")
    kept = frozenset(use.ref for each in walk.calls for use in each.uses if use.kept)
    return Timeline(tuple(walk.calls), walk.times, kept, tuple(walk.still))


class _Walk:
    def __init__(self, program: Program) -> None:
        self._program = program
        self.times: dict[Ref, Time] = {TOKENS: Time(1, 0, program.inputs[0].shape[1])}
        self.calls: list[RowCall] = []
        self.still: list[int] = []

    def visit(self, place: int) -> None:
        call = self._program.calls[place]
        if not any(ref in self.times for ref in call.operands):
            self.still.append(place)
            return
        try:
            row = self._row_call(place, call)
        except BadGraph as error:
            raise BadGraph(f"call {place} ({call.origin or call.function}): {call.function} {error}") from error
        self.times[Ref(Source.STEP, place)] = row.time
        self.calls.append(row)

    def _row_call(self, place: int, call: Call) -> RowCall:
        time, uses = self._timed(place, call)
        spec = self._program.results[place].spec
        if self._is_cut(call):
            # The row is there already.
            row = replace(call, options=(*call.options[:1], ("start", (0,)), ("stop", (1,)), *call.options[3:]))
        else:
            row = _for_one(call, time.axis)
        made = result_of(row, [self._used(use) for use in uses])
        if made.spec != _cut(spec, time.axis):
            raise BadGraph(f"makes {made.spec.shape} of one position, not a row of {spec.shape}")
        return RowCall(place, row, made, time, uses)

    def _timed(self, place: int, call: Call) -> tuple[Time, tuple[Use, ...]]:
        """Where positions lie in the result, and what it takes of each operand for one."""
        shape = self._program.results[place].shape
        first = self.times.get(call.operands[0])
        if call.function is Function.VIEW and first is not None:
            time = replace(first, axis=_viewed(self._program.value(call.operands[0]).shape, first, shape))
            return time, (Use(call.operands[0], first.axis, False),)
        if first is not None and self._is_cut(call):
            start = call.number("start")
            if call.number("step") != 1:
                raise BadGraph(f"takes every {call.number('step')}th position")
            time = Time(first.axis, first.first + start, call.number("stop") - start)
            return time, (Use(call.operands[0], first.axis, False),)
        return self._flowing(call, shape)

    def _is_cut(self, call: Call) -> bool:
        """Whether a call takes some positions out of all."""
        time = self.times.get(call.operands[0]) if call.operands else None
        return call.function is Function.SLICE and time is not None and call.number("dim") == time.axis

    def _flowing(self, call: Call, shape: Sequence[int]) -> tuple[Time, tuple[Use, ...]]:
        specs = [self._program.value(ref).spec for ref in call.operands]
        flows = list(zip(call.operands, RULES[call.function](call, specs).flows, strict=True))
        ends = [self._end(ref, flow, shape) for ref, flow in flows]
        axes = [axis for axis in ends if axis is not None]
        if not axes:
            raise BadGraph("reads across positions")
        # Of queries and keys the queries' positions come first.
        axis = min(axes)
        first = max(self.times[ref].first for ref, end in zip(call.operands, ends, strict=True) if end == axis)
        time = Time(axis, first, shape[axis])
        return time, tuple(self._use(ref, flow, end, time) for (ref, flow), end in zip(flows, ends, strict=True))

    def _end(self, ref: Ref, flow: Flow, shape: Sequence[int]) -> int | None:
        """Dimension of the result along which an operand's positions run, if they do."""
        time = self.times.get(ref)
        axis = None if time is None else flow[time.axis]
        return axis if time is not None and axis is not None and shape[axis] == time.size else None

    def _use(self, ref: Ref, flow: Flow, end: int | None, result: Time) -> Use:
        time = self.times.get(ref)
        if time is None:
            row = flow.index(result.axis) if result.axis in flow else None
            repeated = row is not None and self._program.value(ref).shape[row] == 1
            return Use(ref, None if repeated else row, False)
        if end != result.axis:
            return Use(ref, None, True)
        return Use(ref, time.axis, time.first != result.first)

    def _used(self, use: Use) -> Value:
        spec = self._program.value(use.ref).spec
        return Value(spec if use.row is None else _cut(spec, use.row), batched=False)


def _viewed(shape: Sequence[int], time: Time, result: Sequence[int]) -> int:
    """Dimension of a view that holds the positions, and nothing else. Raises BadGraph if they are merged or split."""
    before = prod(shape[: time.axis])
    for axis, size in enumerate(result):
        if size == time.size and prod(result[:axis]) == before:
            return axis
    raise BadGraph(f"merges the positions of {list(shape)} into {list(result)}")


def _for_one(call: Call, axis: int) -> Call:
    """The call with every option that depends on the count of positions as it is for one."""
    return replace(call, options=tuple(_options_for_one(call, axis)))


def _options_for_one(call: Call, axis: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, values in call.options:
        if name == "shape":
            yield name, (*values[:axis], 1, *values[axis + 1 :])
        elif call.function is Function.SDPA and name == "causal":
            # One query is not a triangle: its row of the mask says what it sees.
            yield name, (0,)
        else:
            yield name, values


def _cut(spec: TensorSpec, axis: int) -> TensorSpec:
    """One row of dimension `axis`."""
    return TensorSpec(spec.dtype, (*spec.shape[:axis], 1, *spec.shape[axis + 1 :]))
