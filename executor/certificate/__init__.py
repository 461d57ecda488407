"""How far any run inside the sound bounds can lie from exact arithmetic, written behind a program in calls of its own.

Running error analysis (Wilkinson; Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 3.3): each
value is followed by a bound of its error, made from the values as they were committed. All terms are sums of
magnitudes, so that a run inside its bounds makes of the errors themselves nearly what they are. Only functions that
the judge decides wherever their operands are finite: none with a domain that crafted weights could leave. f32 alone,
summed with 24 bits.
"""

from __future__ import annotations

from executor.certificate.errors import DOUBLED, UNIT_ROUNDOFF, Errors, terms_of
from executor.certificate.rules import EXACT_ALONE, RULES
from rollup.call import Call, Ref
from rollup.errors import BadInput
from rollup.expansion.writer import Writer
from rollup.graph import Source
from rollup.program import Program
from rollup.shapes.made import FLOATS
from rollup.tensor import DType

# A run inside its bounds may take so much off the error of the output by rounding errors down.
MAX_LOSS = 0.25
# Roundings besides its terms that an error's own call and those beside it bring.
_BESIDE = 16


def write_error(writer: Writer, program: Program) -> Ref:
    """Writes behind the calls of `program` in `writer`, which are its first, a bound of |output - exact|, in its shape.

    Raises BadInput that names a call whose error cannot be written, or a program too long for errors to be told.
    """
    errors = Errors(writer)
    loss = 0.0
    for number, call in enumerate(program.calls):
        writer.origin = f"error of {call.origin or call.function}"
        try:
            loss += _follow(errors, call, Ref(Source.STEP, number))
        except BadInput as error:
            raise BadInput(f"call {number} ({call.origin or call.function}): {call.function} {error}") from error
    if loss > MAX_LOSS:
        raise BadInput(f"errors add up over {loss / UNIT_ROUNDOFF:.0f} roundings, too many to be certified")
    output = Ref(Source.STEP, len(program.calls) - 1)
    if not errors.has(output):
        raise BadInput("the output is exact: there is no error to be certified")
    # What is scored adds the error to the output once more, which rounds.
    return errors.add(writer.scaled(errors.of(output), DOUBLED), errors.part(output, 4))


def _follow(errors: Errors, call: Call, result: Ref) -> float:
    """Writes the error of one call's result, unless it is exact; returns the part that may be lost of it."""
    if not any(errors.has(operand) for operand in call.operands) and _is_exact(errors.writer, call, result):
        return 0.0
    rule = RULES.get(call.function)
    if rule is None:
        raise BadInput("has no certified error")
    dtype = errors.writer.value(result).dtype
    if dtype is not DType.F32:
        raise BadInput(f"makes {dtype.name.lower()}: f32 alone can be certified")
    errors.put(result, rule(errors, call, result))
    return (terms_of(errors.writer, call) + _BESIDE) * UNIT_ROUNDOFF


def _is_exact(writer: Writer, call: Call, result: Ref) -> bool:
    """Of exact operands: what is the same in every run, but for subnormals."""
    values = (writer.value(result), *(writer.value(ref) for ref in call.operands))
    return call.function in EXACT_ALONE or not any(value.dtype in FLOATS for value in values)
