"""Windows over height and width: how many there are, and the shapes of pooling."""

from __future__ import annotations

from collections.abc import Mapping

from rollup.call import Call, Function
from rollup.errors import BadGraph
from rollup.shapes.made import FLOATS, Made, Rule, Specs, along, apart, require, require_dtypes, require_flag, texts
from rollup.tensor import TensorSpec


def windows(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool = False) -> int:
    """Places of a window along one axis. Raises BadGraph if it never fits.

    With `ceil` a last window may end outside, if it begins inside the axis or in the padding before it.
    """
    if kernel < 1 or stride < 1 or dilation < 1 or padding < 0:
        raise BadGraph(f"window {kernel} by {stride}, padding {padding}, dilation {dilation} is no window")
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise BadGraph(f"a window of {dilation * (kernel - 1) + 1} does not fit into {size + 2 * padding}")
    last = -(-room // stride) if ceil else room // stride
    return last if ceil and last * stride >= size + padding else last + 1


def _max_pool2d(call: Call, specs: Specs) -> Made:
    return _pooled(call, specs, call.option("dilation"))


def _avg_pool2d(call: Call, specs: Specs) -> Made:
    divisor = call.number("divisor")
    require_flag(call, "include")
    require(1 <= divisor < 2**24, f"cannot divide by {divisor}")
    made = _pooled(call, specs, (1, 1))
    for counts in specs[1:]:
        require_dtypes(specs, FLOATS)
        fits = counts.shape == made.spec.shape[2:] and divisor == 1
        require(fits, f"takes counts {list(made.spec.shape[2:])} and divisor 1, got {texts([counts])} and {divisor}")
    return made


def _pooled(call: Call, specs: Specs, dilation: tuple[int, ...]) -> Made:
    x, *others = specs
    require_dtypes([x], FLOATS)
    require(len(x.shape) == 4, f"takes [N,C,H,W], got {texts([x])}")
    kernel, stride, padding = (call.option(name) for name in ("kernel", "stride", "padding"))
    # Else a window could lie in the padding alone, and its maximum would be -Inf.
    inside = all(2 * p <= k and (d == 1 or p == 0) for p, k, d in zip(padding, kernel, dilation, strict=True))
    require(inside, f"padding {padding} is above half of {kernel}, or dilated")
    ceil = require_flag(call, "ceil")
    places = [windows(x.shape[2 + i], kernel[i], stride[i], padding[i], dilation[i], ceil) for i in (0, 1)]
    spec = TensorSpec(x.dtype, (*x.shape[:2], *places))
    return Made(spec, (along(x, 2, 3), *(apart(other) for other in others)))


RULES: Mapping[Function, Rule] = {
    Function.MAX_POOL2D: _max_pool2d,
    Function.AVG_POOL2D: _avg_pool2d,
}
