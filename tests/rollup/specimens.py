"""One program of a single call for every function, in several forms, and what torch makes of the same operands.

References take a batch of any size: tests hold programs against them one request at a time, and side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from executor.tensors import spec_of, torch_dtype
from rollup.call import SIGNATURES, Call, Function, Ref, f32_bits
from rollup.graph import Source
from rollup.program import Program, Weight
from rollup.tensor import DType

Options = int | Sequence[int]
EPS = f32_bits(1e-5)
_SHAPE = (1, 3, 4, 5)


@dataclass(frozen=True)
class Specimen:
    """A call over inputs, each of one request, and weights. `reference` takes the operands and makes its result."""

    function: Function
    inputs: tuple[Tensor, ...]
    reference: Callable[..., Tensor]
    weights: tuple[Tensor, ...] = ()
    options: Mapping[str, Options] = field(default_factory=dict)
    # Differences allowed, relative to the greatest magnitude of the result.
    within: float = 2e-5
    name: str = ""

    @property
    def title(self) -> str:
        dtype = str(self.inputs[0].dtype).removeprefix("torch.")
        return " ".join(filter(None, (self.function.value, self.name, dtype, *map(str, self.options.values()))))

    @property
    def program(self) -> Program:
        refs = [Ref(Source.INPUT, place) for place in range(len(self.inputs))]
        refs += [Ref(Source.WEIGHT, place) for place in range(len(self.weights))]
        named = tuple(Weight(f"w{place}", spec_of(weight)) for place, weight in enumerate(self.weights))
        return Program(tuple(map(spec_of, self.inputs)), named, (call_of(self.function, refs, self.options),))


def call_of(function: Function, refs: Sequence[Ref], options: Mapping[str, Options]) -> Call:
    """A call whose options are given in any order, a single integer as itself."""
    given = {name: (values,) if isinstance(values, int) else tuple(values) for name, values in options.items()}
    return Call(function, tuple(refs), tuple((name, given[name]) for name, _ in SIGNATURES[function].options), "here")


def numbers(*shape: int, scale: float = 1.0) -> Tensor:
    """The same for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape) + len(shape))) * scale


def whole(*shape: int, low: int = -9, high: int = 10) -> Tensor:
    return torch.randint(low, high, shape, generator=torch.Generator().manual_seed(sum(shape)))


def _pairs() -> list[Specimen]:
    x, bent = numbers(*_SHAPE), numbers(4, 1) + 3
    names = ("add", "sub", "mul", "div", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge")
    made = [Specimen(Function(name), (x,), getattr(torch, name), (bent,)) for name in names]
    made += [
        Specimen(Function(name), (whole(*_SHAPE), whole(1, 3, 1, 5)), getattr(torch, name))
        for name in names
        if name != "div"
    ]
    made += [Specimen(Function(name), (x.bfloat16(),), getattr(torch, name), (bent.bfloat16(),)) for name in names]
    made.append(Specimen(Function.POW, (x.abs(),), torch.pow, (bent,)))
    logic = ("logical_and", "logical_or", "logical_xor")
    made += [Specimen(Function(name), (x > 0, x > 0.5), getattr(torch, name)) for name in logic]
    made.append(Specimen(Function.WHERE, (x > 0, x), torch.where, (bent,)))
    return made


def _singles() -> list[Specimen]:
    x = numbers(*_SHAPE, scale=2)
    names = (
        *("relu", "neg", "abs", "floor", "ceil", "round", "trunc", "sign", "exp", "tanh", "sigmoid", "erf", "sin"),
        *("cos", "expm1", "logical_not", "log", "sqrt", "rsqrt", "log1p"),
    )
    inputs: dict[str, Tensor] = {"logical_not": x > 0, **dict.fromkeys(("log", "sqrt", "rsqrt", "log1p"), x.abs())}
    made = [Specimen(Function(name), (inputs.get(name, x),), getattr(torch, name)) for name in names]
    made.append(Specimen(Function.SILU, (x,), functional.silu))
    made.append(Specimen(Function.GELU, (x,), functional.gelu, options={"approximate": 0}))
    tanh = Specimen(Function.GELU, (x,), lambda x: functional.gelu(x, approximate="tanh"), options={"approximate": 1})
    clamped = {"low": f32_bits(-0.5), "high": f32_bits(float("inf"))}
    made += [tanh, Specimen(Function.CLAMP, (x,), lambda x: x.clamp(min=-0.5), options=clamped)]
    made.append(Specimen(Function.CLAMP, (whole(*_SHAPE),), lambda x: x.clamp(-2, 3), options={"low": -2, "high": 3}))
    for source in (x, whole(*_SHAPE), x > 0):
        for dtype in DType:
            if dtype is not DType.U8:
                to = Specimen(Function.TO, (source,), _converted(dtype), options={"dtype": dtype})
                made.append(to)
    return made


def _converted(dtype: DType) -> Callable[[Tensor], Tensor]:
    return lambda x: x.to(torch_dtype(dtype))


def _activations() -> list[Specimen]:
    bits = f32_bits
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    rows: list[tuple[Function, Callable[[Tensor], Tensor], dict[str, Options]]] = [
        (Function.HARDSIGMOID, functional.hardsigmoid, {}),
        (Function.HARDSWISH, functional.hardswish, {}),
        (Function.MISH, functional.mish, {}),
        (Function.LOG_SIGMOID, functional.logsigmoid, {}),
        (Function.LEAKY_RELU, lambda x: functional.leaky_relu(x, 0.1), {"slope": bits(0.1)}),
        (
            Function.ELU,
            lambda x: functional.elu(x, 1.5),
            {"alpha": bits(1.5), "scale": bits(1.0), "input_scale": bits(1.0)},
        ),
        (Function.ELU, functional.selu, {"alpha": bits(alpha), "scale": bits(scale), "input_scale": bits(1.0)}),
        (Function.SOFTPLUS, lambda x: functional.softplus(x, 2.0, 15.0), {"beta": bits(2.0), "threshold": bits(15.0)}),
    ]
    made = []
    for function, reference, options in rows:
        # At 100 an exponential would overflow.
        x = torch.cat([numbers(*_SHAPE, scale=4), torch.full((1, 1, 4, 5), 100.0), torch.full((1, 1, 4, 5), -100.0)], 1)
        made.append(Specimen(function, (x,), reference, options=options))
        made.append(Specimen(function, (x.bfloat16(),), reference, options=options, within=8e-3))
    return made


def _rows(width: int = 37) -> list[Specimen]:
    x = numbers(1, 3, width, scale=2) + 0.5
    gain, bias = numbers(width), numbers(width + 1)[1:]
    eps: dict[str, Options] = {"eps": EPS}
    made = [
        Specimen(Function.SOFTMAX, (x,), lambda x: x.softmax(-1)),
        Specimen(Function.LOG_SOFTMAX, (x,), lambda x: x.log_softmax(-1)),
        Specimen(
            Function.LAYER_NORM, (x,), lambda x, g, b: functional.layer_norm(x, (width,), g, b), (gain, bias), eps
        ),
        Specimen(Function.LAYER_NORM, (x,), lambda x, g: functional.layer_norm(x, (width,), g), (gain,), eps),
        Specimen(Function.RMS_NORM, (x,), lambda x, g: functional.rms_norm(x, (width,), g, 1e-5), (gain,), eps),
        Specimen(Function.VAR, (x,), lambda x: x.var(-1), options={"correction": 1, "keepdim": 0}),
        Specimen(Function.STD, (x,), lambda x: x.std(-1, False, True), options={"correction": 0, "keepdim": 1}),
    ]
    reductions: list[tuple[Function, Callable[[Tensor, bool], Tensor]]] = [
        (Function.SUM, lambda x, keep: x.sum(-1, keep)),
        (Function.MEAN, lambda x, keep: x.mean(-1, keep)),
        (Function.VECTOR_NORM, lambda x, keep: x.norm(dim=-1, keepdim=keep)),
        (Function.AMAX, lambda x, keep: x.amax(-1, keep)),
        (Function.ARGMAX, lambda x, keep: x.argmax(-1, keep)),
        (Function.LOGSUMEXP, lambda x, keep: x.logsumexp(-1, keep)),
    ]
    for function, reference in reductions:
        for keep in (0, 1):
            made.append(Specimen(function, (x,), _kept(reference, bool(keep)), options={"keepdim": keep}))
    counted = Specimen(Function.SUM, (x > 0,), lambda x: x.sum(-1), options={"keepdim": 0})
    summed = Specimen(Function.SUM, (whole(1, 3, width),), lambda x: x.sum(-1), options={"keepdim": 0})
    return [*made, counted, summed]


def _kept(reference: Callable[[Tensor, bool], Tensor], keep: bool) -> Callable[[Tensor], Tensor]:
    return lambda x: reference(x, keep)


def wide_rows() -> list[Specimen]:
    """Rows cut into blocks of one length, and into blocks and a rest (16,411 is prime)."""
    return [specimen for width in (50257, 16411) for specimen in _rows(width)]


def _norms() -> list[Specimen]:
    x, wide = numbers(1, 8, 5, 6), numbers(1, 8, 64, 65) + 5
    gain, bias, mean, variance = (numbers(9 + place)[:8] for place in range(4))
    variance = variance.abs() + 0.1
    rstd = (variance.double() + 1e-5).rsqrt().float()
    grouped: list[Specimen] = [
        Specimen(Function.GROUP_NORM, (picture,), _grouped(groups), (gain, bias), {"groups": groups, "eps": EPS})
        for picture, groups in ((x, 4), (x, 8), (wide, 2))
    ]
    bare = Specimen(Function.GROUP_NORM, (x,), _grouped(1), options={"groups": 1, "eps": EPS})

    def normed(x: Tensor, mean: Tensor, variance: Tensor, _: Tensor, *affine: Tensor) -> Tensor:
        gain, bias = (*affine, None, None)[:2]
        return functional.batch_norm(x, mean, variance, gain, bias)

    statistics = (mean, variance, rstd)
    batch = [
        Specimen(Function.BATCH_NORM, (x,), normed, (*statistics, *affine), {"eps": EPS})
        for affine in ((), (gain,), (gain, bias))
    ]
    return [*grouped, bare, *batch]


def _grouped(groups: int) -> Callable[..., Tensor]:
    return lambda x, *affine: functional.group_norm(x, groups, *affine)


def _contractions() -> list[Specimen]:
    picture = numbers(1, 6, 7, 9)
    conv: dict[str, Options] = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}
    grown: dict[str, Options] = {
        **{"stride": (2, 3), "padding": (1, 2), "output_padding": (1, 0), "dilation": (1, 2), "groups": 2},
    }
    kernels, turned, bias = numbers(4, 3, 3, 2), numbers(6, 2, 3, 4), numbers(4)
    same: dict[str, Options] = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    return [
        Specimen(
            Function.CONV2D, (picture,), lambda x, w: functional.conv2d(x, w, padding=1), (numbers(6, 6, 3, 3),), same
        ),
        Specimen(
            Function.CONV2D,
            (picture,),
            lambda x, w, b: functional.conv2d(x, w, b, (2, 1), (1, 0), (1, 2), 2),
            (kernels, bias),
            conv,
        ),
        Specimen(
            Function.CONV_TRANSPOSE2D,
            (picture,),
            lambda x, w, b: functional.conv_transpose2d(x, w, b, (2, 3), (1, 2), (1, 0), 2, (1, 2)),
            (turned, bias),
            grown,
        ),
        Specimen(Function.LINEAR, (numbers(1, 3, 8),), functional.linear, (numbers(5, 8), numbers(5))),
        Specimen(Function.MATMUL, (numbers(1, 2, 3, 5), numbers(1, 1, 5, 4)), torch.matmul),
        Specimen(Function.MATMUL, (numbers(1, 3, 5),), torch.matmul, (numbers(5, 4),)),
        Specimen(Function.MATMUL, (numbers(1, 1, 3, 5),), torch.matmul, (numbers(4, 5, 2),)),
        Specimen(Function.CUMSUM, (numbers(1, 3, 8),), lambda x, _: x.cumsum(-1), (torch.ones(8, 8).tril(),)),
        Specimen(Function.CUMSUM, (whole(1, 3, 8),), lambda x, _: x.cumsum(-1), (torch.ones(8, 8).tril(),)),
    ]


def wide_contractions() -> list[Specimen]:
    """Sums cut into blocks of one length, and into blocks and a rest (27,155 is no multiple of a small number)."""
    made = []
    for width in (30_000, 27_155):
        weights = (numbers(5, width), numbers(5))
        made.append(Specimen(Function.LINEAR, (numbers(1, 3, width),), functional.linear, weights))
        made.append(Specimen(Function.LINEAR, (numbers(1, 3, width),), functional.linear, weights[:1]))
    halves = (numbers(1, 2, 15_000).bfloat16(), *(weight.bfloat16() for weight in (numbers(5, 15_000), numbers(5))))
    return [*made, Specimen(Function.LINEAR, halves[:1], functional.linear, halves[1:], within=1e-2)]


def _windows() -> list[Specimen]:
    x = numbers(1, 3, 8, 9)
    sides: dict[str, Options] = {"kernel": (3, 2), "stride": (2, 2), "padding": (1, 1)}
    counts = functional.avg_pool2d(torch.ones(1, 1, 8, 9), (3, 2), 2, (1, 1), True, False, 1)[0, 0]
    made = [
        Specimen(
            Function.MAX_POOL2D,
            (x,),
            lambda x, ceil=ceil: functional.max_pool2d(x, (3, 2), 2, 1, ceil_mode=bool(ceil)),
            options={**sides, "dilation": (1, 1), "ceil": ceil},
        )
        for ceil in (0, 1)
    ]
    same: dict[str, Options] = {"kernel": (3, 3), "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "ceil": 0}
    made.append(Specimen(Function.MAX_POOL2D, (x,), lambda x: functional.max_pool2d(x, 3, 1, 1), options=same))
    plain: dict[str, Options] = {**sides, "ceil": 0, "include": 1, "divisor": 6}
    counted: dict[str, Options] = {**sides, "ceil": 1, "include": 0, "divisor": 1}
    made.append(Specimen(Function.AVG_POOL2D, (x,), lambda x: functional.avg_pool2d(x, (3, 2), 2, 1), options=plain))
    over = Specimen(
        Function.AVG_POOL2D, (x,), lambda x, _: functional.avg_pool2d(x, (3, 2), 2, 1, True, False), (counts,), counted
    )
    return [*made, over]


def _pictures() -> list[Specimen]:
    x = numbers(1, 3, 5, 6)
    made = []
    for function, mode in ((Function.UPSAMPLE_BILINEAR2D, "bilinear"), (Function.UPSAMPLE_BICUBIC2D, "bicubic")):
        for corners in (False, True):
            matrices = tuple(_resizing(size, wide, mode, corners) for size, wide in ((5, 9), (6, 11)))
            options: dict[str, Options] = {"corners": int(corners)}
            made.append(Specimen(function, (x,), _resized(mode, corners), matrices, options))
    places = tuple(
        functional.interpolate(torch.arange(float(n)).reshape(1, 1, n), m)[0, 0].long() for n, m in ((5, 9), (6, 11))
    )
    nearest = Specimen(Function.UPSAMPLE_NEAREST2D, (x,), _resized("nearest", None), places, {"exact": 0})
    return [*made, nearest]


def _resized(mode: str, corners: bool | None) -> Callable[..., Tensor]:
    return lambda x, *_: functional.interpolate(x, (9, 11), mode=mode, align_corners=corners)


def _resizing(size: int, wide: int, mode: str, corners: bool) -> Tensor:
    """The matrix by which one axis is resized: what becomes of each unit vector."""
    units = torch.eye(size).reshape(size, 1, size, 1).expand(size, 1, size, 2)
    return functional.interpolate(units, (wide, 2), mode=mode, align_corners=corners)[:, 0, :, 0].T.contiguous()


def _moves() -> list[Specimen]:
    x, index = numbers(1, 4, 5, 3), torch.tensor([3, 0, 0, 4, 2, 1])
    picked = whole(1, 4, 8, 3, low=0, high=5)
    padding: dict[str, Options] = {"fill": f32_bits(1.5), "low": (0, 1, -2, 0), "high": (0, 0, 3, 1)}
    piece: dict[str, Options] = {"dim": 2, "start": 1, "stop": 5, "step": 3}
    token = numbers(1, 1, 5, 3)
    return [
        Specimen(Function.VIEW, (x,), lambda x: x.reshape(-1, 2, 30), options={"shape": (1, 2, 30)}),
        Specimen(Function.VIEW, (x,), lambda x: x.reshape(-1, 5, 3), options={"shape": (4, 5, 3)}, name="merged"),
        Specimen(Function.PERMUTE, (x,), lambda x: x.permute(2, 0, 3, 1), options={"dims": (2, 0, 3, 1)}),
        Specimen(
            Function.EXPAND, (x[:, :1],), lambda x: x.expand(-1, 6, 5, 3), options={"shape": (1, 6, 5, 3)}, name="one"
        ),
        Specimen(Function.SLICE, (x,), lambda x: x[:, :, 1:5:3], options=piece),
        Specimen(Function.CAT, (x, x), lambda *xs: torch.cat(xs, 2), options={"dim": 2}),
        Specimen(
            Function.CAT,
            (x,),
            lambda x, token: torch.cat([x, token.expand(len(x), -1, -1, -1)], 1),
            (token,),
            {"dim": 1},
            name="constant",
        ),
        Specimen(Function.FLIP, (x,), lambda x: x.flip(1, 3), options={"dims": (1, 3)}),
        Specimen(Function.PAD, (x,), lambda x: functional.pad(x, (0, 1, -2, 3, 1, 0), value=1.5), options=padding),
        Specimen(Function.PAD, (picked,), lambda x: functional.pad(x, (1, 0), value=7), options=_beside(7, 4)),
        Specimen(Function.EMBEDDING, (whole(1, 7, low=0, high=9),), functional.embedding, (numbers(9, 5),)),
        Specimen(Function.INDEX_SELECT, (x,), lambda x, i: x.index_select(2, i), (index,), {"dim": 2}),
        Specimen(Function.GATHER, (x, picked), lambda x, i: x.gather(2, i), options={"dim": 2}),
    ]


def _beside(fill: int, rank: int) -> dict[str, Options]:
    return {"fill": fill, "low": (*(0,) * (rank - 1), 1), "high": (0,) * rank}


def _attention() -> list[Specimen]:
    q, k, v = numbers(1, 2, 5, 4), numbers(1, 2, 7, 4), numbers(1, 2, 7, 3)
    seen = numbers(5, 7) > -0.5
    seen[:, 0] = True
    low = torch.where(seen, 0.3, float("-inf"))
    options: dict[str, Options] = {"causal": 0, "scale": f32_bits(0.5)}
    attend = functional.scaled_dot_product_attention
    made = [Specimen(Function.SDPA, (q, k, v), attend, weights, options) for weights in ((), (seen,), (low,))]
    # A mask of each request's own keys, as tokenizers give it.
    keys = numbers(1, 1, 1, 7) > -1
    made.append(Specimen(Function.SDPA, (q, k, v, keys), attend, options=options, name="padded keys"))
    triangle = torch.ones(7, 7).tril().bool()
    causal: dict[str, Options] = {"causal": 1, "scale": f32_bits(0.5)}
    made.append(Specimen(Function.SDPA, (k, k, v), attend, (triangle,), causal))
    halves = tuple(x.bfloat16() for x in (q, k, v))
    return [*made, Specimen(Function.SDPA, halves, attend, (seen,), options, within=2e-2)]


def _recurrent() -> list[Specimen]:
    kinds = {Function.LSTM: torch.nn.LSTM, Function.GRU: torch.nn.GRU, Function.RNN_TANH: torch.nn.RNN}
    made = []
    for function, kind in kinds.items():
        for both, bias, packed in ((1, True, 1), (0, False, 0)):
            torch.manual_seed(1)
            net = kind(5, 4, 2, batch_first=True, bidirectional=bool(both), bias=bias).requires_grad_(False)
            states = [numbers(1, 2 + 2 * both, 4)] * (2 if function is Function.LSTM else 1)
            options: dict[str, Options] = {"layers": 2, "bidirectional": both, "packed": packed}
            weights = (*states, *net.parameters())
            made.append(Specimen(function, (numbers(1, 6, 5),), _unrolled(net, len(states), packed), weights, options))
    torch.manual_seed(1)
    net = torch.nn.RNN(5, 4, nonlinearity="relu", batch_first=True).requires_grad_(False)
    options = {"layers": 1, "bidirectional": 0, "packed": 0}
    weights = (numbers(1, 1, 4), *net.parameters())
    return [*made, Specimen(Function.RNN_RELU, (numbers(1, 6, 5),), _unrolled(net, 1, 0), weights, options)]


def _unrolled(net: torch.nn.Module, states: int, packed: int) -> Callable[..., Tensor]:
    def reference(x: Tensor, *others: Tensor) -> Tensor:
        outputs: Tensor
        first = [state.expand(len(x), -1, -1).transpose(0, 1).contiguous() for state in others[:states]]
        outputs, last = net(x, tuple(first) if states == 2 else first[0])
        if not packed:
            return outputs
        ends = last if states == 2 else (last,)
        return torch.cat([outputs.flatten(1), *(end.transpose(0, 1).flatten(1) for end in ends)], 1)

    return reference


def specimens() -> list[Specimen]:
    """At least one of every function but `full`, which has no operands."""
    simple = (*_pairs(), *_singles(), *_activations(), *_rows(), *_norms(), *_contractions(), *_windows())
    return [*simple, *_pictures(), *_moves(), *_attention(), *_recurrent()]
