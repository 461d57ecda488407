"""What a shape rule gives, and the checks that rules share; each raises BadGraph with one sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import pack, unpack

from rollup.call import Call, f32_value
from rollup.errors import BadGraph
from rollup.tensor import DType, TensorSpec

FLOATS = frozenset({DType.F32, DType.F16, DType.BF16})
WHOLE = frozenset({DType.I64, DType.I32})
NUMBERS = FLOATS | WHOLE

# For each dimension of an operand the dimension of the result along which it runs, place by place, or None: there the
# function reads across places.
Flow = tuple[int | None, ...]


@dataclass(frozen=True)
class Made:
    """A call's result, and how each operand's dimensions become its own.

    `broadcasts`: whether an operand may have size one in a dimension where the result has more.
    """

    spec: TensorSpec
    flows: tuple[Flow, ...]
    broadcasts: bool = True


Specs = Sequence[TensorSpec]
Rule = Callable[[Call, Specs], Made]


def along(spec: TensorSpec, *crossed: int, result_rank: int | None = None) -> Flow:
    """Flow of an operand whose dimensions are the result's last ones, except those that are `crossed`."""
    rank = len(spec.shape)
    shift = 0 if result_rank is None else result_rank - rank
    return tuple(None if axis in crossed else axis + shift for axis in range(rank))


def apart(spec: TensorSpec) -> Flow:
    """Flow of an operand that every place of the result may read: a weight."""
    return (None,) * len(spec.shape)


def require(holds: bool, sentence: str) -> None:
    if not holds:
        raise BadGraph(sentence)


def require_dtypes(specs: Specs, allowed: frozenset[DType]) -> None:
    """All of one dtype, an allowed one."""
    names = [spec.dtype.name.lower() for spec in specs]
    kinds = "/".join(dtype.name.lower() for dtype in sorted(allowed))
    require(
        {spec.dtype for spec in specs} <= allowed and len(set(names)) <= 1, f"takes {kinds}, all alike, got {names}"
    )


def require_index(spec: TensorSpec) -> None:
    require(spec.dtype in WHOLE, f"takes an index of i64 or i32, got {spec.dtype.name.lower()}")


def require_axis(dim: int, spec: TensorSpec) -> None:
    require(0 <= dim < len(spec.shape), f"{list(spec.shape)} has no dimension {dim}")


def require_flag(call: Call, name: str) -> bool:
    value = call.number(name)
    require(value in (0, 1), f"option {name} is 0 or 1, got {value}")
    return bool(value)


def dtype_of(code: int) -> DType:
    require(code in DType.__members__.values(), f"there is no dtype of code {code}")
    return DType(code)


def require_element(value: int, dtype: DType) -> None:
    """`value` is an element of `dtype` as options write it: f32 bits of a float that `dtype` has, or an integer."""
    if dtype in FLOATS:
        require(0 <= value < 2**32 and _has(dtype, value), f"{value} are not the f32 bits of a {dtype.name.lower()}")
        return
    signed, bits = dtype in WHOLE, 1 if dtype is DType.BOOL else 8 * dtype.width
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    require(low <= value <= high, f"{value} is no {dtype.name.lower()}")


def _has(dtype: DType, bits: int) -> bool:
    value = f32_value(bits)
    if value != value:
        return False
    if dtype is DType.BF16:
        return bits % 2**16 == 0
    if dtype is DType.F16:
        try:
            return bool(unpack("<e", pack("<e", value))[0] == value)
        except OverflowError:
            return False
    return True


def broadcast(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The shape over which `shapes` are read together, aligned at their ends."""
    rank = max(len(shape) for shape in shapes)
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    wide = tuple(max(sizes) for sizes in zip(*padded, strict=True))
    fits = all(size in (1, most) for shape in padded for size, most in zip(shape, wide, strict=True))
    require(fits, f"cannot broadcast {' and '.join(str(list(shape)) for shape in shapes)}")
    return wide


def texts(specs: Specs) -> str:
    """Shapes, for people."""
    return " and ".join(str(list(spec.shape)) for spec in specs)
