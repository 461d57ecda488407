"""Complex numbers as two real values side by side.

What only moves, picks, joins or sums elements does so to both parts by the handler that it has for real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from executor.aten import arcs, arithmetic, contractions, einsum, indexing, joining, movement, reductions, resampling
from executor.aten.common import Number, cast, constant, expanded, joined, pairwise, sliced, view
from executor.emitter import Arguments, Emitter, Operand
from rollup.call import Function, Ref
from rollup.errors import BadGraph


class Complex(NamedTuple):
    """Of f32, in one shape."""

    real: Operand
    imag: Operand


# Gives what a real handler gives, of two parts where it is complex.
Handler = Callable[[Emitter, Arguments], Any]


def _parts(emit: Emitter, value: Any) -> tuple[Any, Any]:
    """What an argument is for the real and for the imaginary part; indices and options are the same for both."""
    if isinstance(value, Complex):
        return value
    if isinstance(value, Ref) and emit.dtype(value).is_floating_point:
        raise BadGraph("real values beside complex ones are not supported here")
    if isinstance(value, Tensor) and value.is_complex():
        return value.real.contiguous(), value.imag.contiguous()
    if isinstance(value, Tensor) and value.is_floating_point():
        return value, torch.zeros_like(value)
    if isinstance(value, complex):
        return value.real, value.imag
    if isinstance(value, list | tuple):
        pairs = [_parts(emit, item) for item in value]
        return [real for real, _ in pairs], [imag for _, imag in pairs]
    return value, value


def pair(emit: Emitter, value: Any) -> Complex:
    """An operand or a number, real or complex, as two parts."""
    if isinstance(value, Number | complex):
        return Complex(*(constant(part, torch.float32) for part in (value.real, value.imag)))
    if isinstance(value, Complex) or (isinstance(value, Tensor) and value.is_complex()):
        return Complex(*_parts(emit, value))
    real = cast(emit, value, torch.float32)
    return Complex(real, torch.zeros(emit.shape(real)))


def _apart(handler: Handler, emit: Emitter, args: Arguments) -> Any:
    """`handler` of each part by itself."""
    pairs = {name: _parts(emit, value) for name, value in args.items() if "result" not in name}
    known = {name: value for name, value in args.items() if name not in pairs} | {"dtype of result": torch.float32}
    real, imag = (handler(emit, known | {name: pair[place] for name, pair in pairs.items()}) for place in range(2))
    if isinstance(real, tuple):
        return tuple(Complex(*pair) for pair in zip(real, imag, strict=True))
    return Complex(real, imag)


def is_zero(x: Operand) -> bool:
    return isinstance(x, Tensor) and not bool(x.any())


def _product(emit: Emitter, a: Operand, b: Operand) -> Operand:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a * b
    return constant(0.0, torch.float32) if is_zero(a) or is_zero(b) else pairwise(emit, Function.MUL, a, b)


def _total(emit: Emitter, function: Function, a: Operand, b: Operand) -> Operand:
    """a + b or a - b."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a + b if function is Function.ADD else a - b
    if is_zero(b):
        return a
    if is_zero(a):
        return b if function is Function.ADD else emit.call(Function.NEG, b)
    return pairwise(emit, function, a, b)


def _multiplied(emit: Emitter, a: Complex, b: Complex, product: Callable[..., Operand] = _product) -> Complex:
    real = _total(emit, Function.SUB, product(emit, a.real, b.real), product(emit, a.imag, b.imag))
    return Complex(real, _total(emit, Function.ADD, product(emit, a.real, b.imag), product(emit, a.imag, b.real)))


def _whole(emit: Emitter, x: Complex, args: Arguments) -> Complex:
    """Both parts in the result's shape."""
    return Complex(*(expanded(emit, part, args["shape of result"]) for part in x))


def mul(emit: Emitter, args: Arguments) -> Complex:
    return _whole(emit, _multiplied(emit, pair(emit, args["self"]), pair(emit, args["other"])), args)


def div(emit: Emitter, args: Arguments) -> Complex:
    """a / b = a conj(b) / |b|^2."""
    a, b = pair(emit, args["self"]), pair(emit, args["other"])
    if not is_zero(b.imag):
        size = _total(emit, Function.ADD, *(_product(emit, part, part) for part in b))
        a, b = _multiplied(emit, a, _conjugate(emit, b)), Complex(size, b.imag)
    return _whole(emit, Complex(*(pairwise(emit, Function.DIV, part, b.real) for part in a)), args)


def added(function: Function, emit: Emitter, args: Arguments) -> Complex:
    if args.get("alpha", 1) != 1:
        raise BadGraph("a sum of complex numbers with a factor is not supported")
    both = zip(pair(emit, args["self"]), pair(emit, args["other"]), strict=True)
    return _whole(emit, Complex(*(_total(emit, function, *pair) for pair in both)), args)


def _conjugate(emit: Emitter, x: Complex) -> Complex:
    imag = -x.imag if isinstance(x.imag, Tensor) else emit.call(Function.NEG, x.imag)
    return Complex(x.real, imag)


def conjugate(emit: Emitter, args: Arguments) -> Complex:
    return _conjugate(emit, args["self"])


def size(emit: Emitter, args: Arguments) -> Operand:
    real, imag = pair(emit, args["self"])
    return arcs.in_f32(arcs.hypot, emit, {"self": real, "other": imag, "dtype of result": torch.float32})


def angle(emit: Emitter, args: Arguments) -> Operand:
    real, imag = pair(emit, args["self"])
    return arcs.in_f32(arcs.atan2, emit, {"self": imag, "other": real, "dtype of result": torch.float32})


def of_parts(emit: Emitter, args: Arguments) -> Complex:
    return _whole(emit, Complex(args["real"], args["imag"]), args)


def polar(emit: Emitter, args: Arguments) -> Complex:
    angles = args["angle"]
    unit = [emit.call(function, angles) for function in (Function.COS, Function.SIN)]
    return _whole(emit, Complex(*(_product(emit, args["abs"], part) for part in unit)), args)


def exponential(emit: Emitter, args: Arguments) -> Complex:
    """e^a (cos b + i sin b)."""
    real, imag = args["self"]
    lengths = real.exp() if isinstance(real, Tensor) else emit.call(Function.EXP, real)
    return polar(emit, {**args, "abs": lengths, "angle": imag})


def padded(emit: Emitter, args: Arguments) -> Complex:
    if args.get("value"):
        raise BadGraph("padding of complex values is not supported, only by zeros")
    both: Complex = _apart(resampling.pad, emit, args)
    return both


def from_pairs(emit: Emitter, args: Arguments) -> Complex:
    """view_as_complex."""
    x, shape = args["self"], args["shape of result"]
    last = len(emit.shape(x)) - 1
    parts = (view(emit, sliced(emit, x, last, slice(place, place + 1)), shape) for place in range(2))
    return Complex(*parts)


def to_pairs(emit: Emitter, args: Arguments) -> Operand:
    """view_as_real."""
    parts = [view(emit, part, (*emit.shape(part), 1)) for part in _whole_of(emit, args["self"])]
    return joined(emit, parts, len(emit.shape(parts[0])) - 1)


def _whole_of(emit: Emitter, x: Complex) -> Complex:
    return Complex(*(expanded(emit, part, emit.shape(x.real)) for part in x))


def widened(emit: Emitter, args: Arguments) -> Operand | Complex:
    """A real value as a complex one; of a complex one as a real one, its real part."""
    found = pair(emit, args["self"])
    return found if args["dtype of result"].is_complex else found.real


def bilinear(handler: Handler, emit: Emitter, args: Arguments) -> Complex:
    """A product of two values, each complex or real, as sums of products of their parts."""
    names = [name for name in ("self", "mat1", "mat2", "other", "vec") if name in args]
    both = args["tensors"] if "tensors" in args else [args[name] for name in names]
    if len(both) != 2:
        raise BadGraph(f"a product of {len(both)} complex values is not supported, only of two")

    def product(emit: Emitter, a: Operand, b: Operand) -> Operand:
        if is_zero(a) or is_zero(b):
            return torch.zeros(args["shape of result"])
        given: Arguments = {"tensors": [a, b]} if "tensors" in args else dict(zip(names, (a, b), strict=True))
        made: Operand = handler(emit, {**args, **given, "dtype of result": torch.float32})
        return made

    return _multiplied(emit, pair(emit, both[0]), pair(emit, both[1]), product)


_LIFTED = {
    **movement.HANDLERS,
    **joining.HANDLERS,
    **{name: indexing.HANDLERS[name] for name in ("aten.index.Tensor", "aten.index_select.default")},
    **{name: reductions.HANDLERS[name] for name in ("aten.sum.dim_IntList", "aten.mean.dim")},
    "aten.copy.default": arithmetic.copy,
    "aten.neg.default": lambda emit, args: emit.call(Function.NEG, args["self"]),
}
_PRODUCTS = {
    **{name: contractions.matmul for name in ("matmul.default", "mm.default", "bmm.default", "mv.default")},
    "einsum.default": einsum.einsum,
}
HANDLERS: dict[str, Handler] = {
    **{name: partial(_apart, handler) for name, handler in _LIFTED.items()},
    **{f"aten.{name}": partial(bilinear, handler) for name, handler in _PRODUCTS.items()},
    **{f"aten.mul.{kind}": mul for kind in ("Tensor", "Scalar")},
    **{f"aten.div.{kind}": div for kind in ("Tensor", "Scalar")},
    **{f"aten.add.{kind}": partial(added, Function.ADD) for kind in ("Tensor", "Scalar")},
    **{f"aten.sub.{kind}": partial(added, Function.SUB) for kind in ("Tensor", "Scalar")},
    **{f"aten.{name}.default": conjugate for name in ("_conj", "conj", "conj_physical")},
    **{f"aten.{name}.default": widened for name in ("_to_copy", "clone", "resolve_conj", "resolve_neg", "contiguous")},
    **{f"aten.to.{kind}": widened for kind in ("dtype", "dtype_layout")},
    "aten.abs.default": size,
    "aten.angle.default": angle,
    "aten.constant_pad_nd.default": padded,
    "aten.exp.default": exponential,
    "aten.complex.default": of_parts,
    "aten.polar.default": polar,
    "aten.view_as_complex.default": from_pairs,
    "aten.view_as_real.default": to_pairs,
}
