"""The program: what executors run, as a checked list of calls that can be stored and read back as JSON.

Data only: reading one can run nothing. All limits hold before anything of a tensor's size is allocated, and every
fault is named at once. Knows nothing of the weights' values, nor of steps: rollup/lowering makes its graph.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rollup.call import SIGNATURES, Call, Function, Ref, Value
from rollup.errors import BadEncoding, BadGraph
from rollup.graph import Source
from rollup.shapes import result_of
from rollup.tensor import MAX_RANK, DType, TensorSpec

FORMAT = "anh.program.v1"
MAX_PROGRAM_BYTES = 8 * 2**20
MAX_CALLS = 65_536
MAX_INPUTS = 64
MAX_WEIGHTS = 16_384
MAX_NAME = 256
# Elements of one value, for one request: a program of one line shall not ask for a terabyte.
MAX_VALUE_ELEMENTS = 2**30
# Elements of all results together, for one request.
MAX_RESULT_ELEMENTS = 2**32
BATCH_MARK = "N"


@dataclass(frozen=True)
class Weight:
    """A named parameter; its place in the list is its place in the weights' bundle."""

    name: str
    spec: TensorSpec


@dataclass(frozen=True)
class Program:
    """Calls over inputs and weights; the last call makes the output. Raises BadGraph that names every fault.

    Inputs are batched, with one request at shape[0] = 1.
    """

    inputs: tuple[TensorSpec, ...]
    weights: tuple[Weight, ...]
    calls: tuple[Call, ...]
    results: tuple[Value, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        faults = list(self._count_faults())
        if faults:
            raise BadGraph("; ".join(faults))
        results = self._infer(faults)
        if not faults and not results[-1].batched:
            faults.append("the output does not depend on an input")
        if not faults and sum(value.spec.elements for value in results) > MAX_RESULT_ELEMENTS:
            faults.append(f"all results together have more than {MAX_RESULT_ELEMENTS} elements")
        if faults:
            raise BadGraph("; ".join(faults))
        object.__setattr__(self, "results", tuple(results))

    def _count_faults(self) -> Sequence[str]:
        counts = (
            ("inputs", len(self.inputs), 1, MAX_INPUTS),
            ("weights", len(self.weights), 0, MAX_WEIGHTS),
            ("calls", len(self.calls), 1, MAX_CALLS),
        )
        faults = [
            f"{got} {name}, not {least} to {most}" for name, got, least, most in counts if not least <= got <= most
        ]
        for place, spec in enumerate(self.inputs):
            if spec.shape[:1] != (1,) or spec.elements > MAX_VALUE_ELEMENTS:
                faults.append(f"input {place} of shape {spec.shape} is not one request of at most {MAX_VALUE_ELEMENTS}")
        names = [weight.name for weight in self.weights]
        if len(set(names)) != len(names):
            faults.append(f"weights share a name: {sorted({name for name in names if names.count(name) > 1})}")
        return faults

    def _infer(self, faults: list[str]) -> list[Value]:
        """Result of every call; a call after a faulty one that it needs is not judged."""
        known: list[Value | None] = []
        for number, call in enumerate(self.calls):
            known.append(None)
            try:
                operands = [self._value(ref, number, known) for ref in call.operands]
                if None not in operands:
                    known[number] = _limited(result_of(call, [value for value in operands if value is not None]))
            except (BadGraph, BadEncoding) as error:
                faults.append(f"call {number} ({call.origin or call.function}): {call.function} {error}")
        return [value for value in known if value is not None]

    def _value(self, ref: Ref, number: int, known: Sequence[Value | None]) -> Value | None:
        size = {Source.INPUT: len(self.inputs), Source.WEIGHT: len(self.weights), Source.STEP: number}[ref.source]
        if not 0 <= ref.index < size:
            raise BadGraph(f"names {ref.source.name.lower()} {ref.index} of {size}")
        if ref.source is Source.STEP:
            return known[ref.index]
        if ref.source is Source.INPUT:
            return Value(self.inputs[ref.index], batched=True)
        return Value(self.weights[ref.index].spec, batched=False)

    def value(self, ref: Ref) -> Value:
        """What `ref` names."""
        value = self._value(ref, len(self.calls), self.results)
        assert value is not None
        return value

    @cached_property
    def output(self) -> Value:
        return self.results[-1]

    @property
    def batchable(self) -> bool:
        """Whether requests can be run side by side; else one at a time."""
        return not self.mixing

    @cached_property
    def mixing(self) -> str:
        """Why requests cannot be run side by side; empty if they can."""
        for number, (call, value) in enumerate(zip(self.calls, self.results, strict=True)):
            if value.place is None:
                return f"call {number} ({call.origin or call.function}): {call.function} mixes requests"
        return "" if self.output.leads else "the output's requests do not lie one after another"

    def to_json(self) -> bytes:
        """Canonical JSON: the same program has one text."""
        document = {
            "format": FORMAT,
            "inputs": [_spec_json(spec, batched=True) for spec in self.inputs],
            "weights": [{"name": weight.name, **_spec_json(weight.spec, batched=False)} for weight in self.weights],
            "calls": [_call_json(call) for call in self.calls],
        }
        return json.dumps(document, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Program:
        """Raises BadEncoding for a text that is no program, BadGraph for a program that cannot be judged."""
        if len(text) > MAX_PROGRAM_BYTES:
            raise BadEncoding(f"a program has at most {MAX_PROGRAM_BYTES} bytes, got {len(text)}")
        try:
            document = _object(json.loads(text), ("format", "inputs", "weights", "calls"))
        except (ValueError, RecursionError) as error:
            raise BadEncoding(f"a program is not JSON: {error}") from error
        if document["format"] != FORMAT:
            raise BadEncoding(f"a program's format is {FORMAT}, got {str(document['format'])[:40]!r}")
        return cls(
            tuple(_spec(item, batched=True) for item in _list(document["inputs"], MAX_INPUTS)),
            tuple(_weight(item) for item in _list(document["weights"], MAX_WEIGHTS)),
            tuple(_call(item) for item in _list(document["calls"], MAX_CALLS)),
        )


def _limited(value: Value) -> Value:
    if value.spec.elements > MAX_VALUE_ELEMENTS:
        raise BadGraph(f"makes {value.spec.elements} elements, at most {MAX_VALUE_ELEMENTS}")
    return value


def _spec_json(spec: TensorSpec, batched: bool) -> dict[str, Any]:
    shape = [BATCH_MARK, *spec.shape[1:]] if batched else list(spec.shape)
    return {"dtype": spec.dtype.name.lower(), "shape": shape}


def _call_json(call: Call) -> dict[str, Any]:
    return {
        "function": call.function.value,
        "operands": [[ref.source.name.lower(), ref.index] for ref in call.operands],
        "options": {name: list(values) for name, values in call.options},
        "origin": call.origin,
    }


def _object(item: Any, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(item, dict) or tuple(item) != keys:
        raise BadEncoding(f"expected an object of {keys}, got {str(item)[:80]}")
    return item


def _list(item: Any, most: int) -> list[Any]:
    if not isinstance(item, list) or len(item) > most:
        raise BadEncoding(f"expected a list of at most {most}, got {str(item)[:80]}")
    return item


def _name(item: Any) -> str:
    if not isinstance(item, str) or len(item) > MAX_NAME:
        raise BadEncoding(f"expected a text of at most {MAX_NAME} characters, got {str(item)[:80]}")
    return item


def _integers(item: Any) -> tuple[int, ...]:
    values = _list(item, MAX_RANK)
    # bool is an int in Python; JSON's true is no number.
    if not all(type(value) is int and -(2**63) <= value < 2**63 for value in values):
        raise BadEncoding(f"expected integers of 64 bits, got {values}")
    return tuple(values)


def _spec(item: Any, batched: bool) -> TensorSpec:
    document = _object(item, ("dtype", "shape"))
    shape = _list(document["shape"], MAX_RANK)
    if batched:
        if shape[:1] != [BATCH_MARK]:
            raise BadEncoding(f"an input's shape begins with {BATCH_MARK!r}, got {shape}")
        shape = [1, *shape[1:]]
    return TensorSpec(_member(DType, document["dtype"]), _integers(shape))


def _weight(item: Any) -> Weight:
    document = _object(item, ("name", "dtype", "shape"))
    return Weight(
        _name(document["name"]), _spec({"dtype": document["dtype"], "shape": document["shape"]}, batched=False)
    )


def _call(item: Any) -> Call:
    document = _object(item, ("function", "operands", "options", "origin"))
    function = _member(Function, document["function"])
    options = _object(document["options"], tuple(name for name, _ in SIGNATURES[function].options))
    return Call(
        function,
        tuple(_ref(operand) for operand in _list(document["operands"], SIGNATURES[function].most)),
        tuple((name, _integers(values)) for name, values in options.items()),
        _name(document["origin"]),
    )


def _ref(item: Any) -> Ref:
    pair = _list(item, 2)
    if len(pair) != 2 or type(pair[1]) is not int:
        raise BadEncoding(f"expected a source and an index, got {pair}")
    return Ref(_member(Source, pair[0]), pair[1])


def _member(enum: Any, name: Any) -> Any:
    """Member of `enum` by its name in lower case."""
    if not isinstance(name, str) or name != name.lower() or name.upper() not in enum.__members__:
        raise BadEncoding(f"{str(name)[:40]!r} is no {enum.__name__}")
    return enum[name.upper()]
