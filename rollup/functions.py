"""The functions that a program may call: what each takes, its options, and what it computes. Names are ATen's.

A *primitive* function becomes steps of the graph as it is (rollup/lowering); a *fused* one is first written out in
primitive ones (rollup/expansion). Options are signed 64-bit integers; a float is the integer that its f32's bits are.
Knows nothing of shapes' rules (rollup/shapes).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Function(StrEnum):
    """What a call computes."""

    # Contractions.
    CONV2D = "conv2d"
    CONV_TRANSPOSE2D = "conv_transpose2d"
    LINEAR = "linear"
    MATMUL = "matmul"
    # Several operands, element by element.
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    DIV = "div"
    POW = "pow"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    LOGICAL_AND = "logical_and"
    LOGICAL_OR = "logical_or"
    LOGICAL_XOR = "logical_xor"
    WHERE = "where"
    # One operand, element by element.
    LOGICAL_NOT = "logical_not"
    RELU = "relu"
    NEG = "neg"
    ABS = "abs"
    CLAMP = "clamp"
    FLOOR = "floor"
    CEIL = "ceil"
    ROUND = "round"
    TRUNC = "trunc"
    SIGN = "sign"
    TO = "to"
    EXP = "exp"
    LOG = "log"
    TANH = "tanh"
    SIGMOID = "sigmoid"
    SQRT = "sqrt"
    RSQRT = "rsqrt"
    ERF = "erf"
    GELU = "gelu"
    SILU = "silu"
    SIN = "sin"
    COS = "cos"
    EXPM1 = "expm1"
    LOG1P = "log1p"
    # Rows.
    SOFTMAX = "softmax"
    LOG_SOFTMAX = "log_softmax"
    LAYER_NORM = "layer_norm"
    RMS_NORM = "rms_norm"
    GROUP_NORM = "group_norm"
    BATCH_NORM = "batch_norm"
    SUM = "sum"
    MEAN = "mean"
    VAR = "var"
    STD = "std"
    VECTOR_NORM = "vector_norm"
    AMAX = "amax"
    ARGMAX = "argmax"
    MAX_POOL2D = "max_pool2d"
    AVG_POOL2D = "avg_pool2d"
    # Movement.
    VIEW = "view"
    PERMUTE = "permute"
    EXPAND = "expand"
    SLICE = "slice"
    CAT = "cat"
    FLIP = "flip"
    PAD = "pad"
    EMBEDDING = "embedding"
    INDEX_SELECT = "index_select"
    GATHER = "gather"
    FULL = "full"
    # Fused.
    SDPA = "sdpa"
    RNN_TANH = "rnn_tanh"
    RNN_RELU = "rnn_relu"
    LSTM = "lstm"
    GRU = "gru"
    UPSAMPLE_NEAREST2D = "upsample_nearest2d"
    UPSAMPLE_BILINEAR2D = "upsample_bilinear2d"
    UPSAMPLE_BICUBIC2D = "upsample_bicubic2d"
    CUMSUM = "cumsum"
    LOGSUMEXP = "logsumexp"
    HARDSIGMOID = "hardsigmoid"
    HARDSWISH = "hardswish"
    LEAKY_RELU = "leaky_relu"
    ELU = "elu"
    SOFTPLUS = "softplus"
    MISH = "mish"
    LOG_SIGMOID = "log_sigmoid"


MAX_LIST = 192


@dataclass(frozen=True)
class Signature:
    """What a function takes and computes.

    `operands`: name and shape of each; one that ends in `?` may be left out, and then all after it are; one that ends
    in `*` is a list of one to MAX_LIST. `options`: each one's count of integers, 0 for any count up to the rank limit.
    """

    operands: tuple[str, ...]
    meaning: str
    options: tuple[tuple[str, int], ...] = ()

    @property
    def least(self) -> int:
        return sum(not name.endswith("?") for name in self.operands)

    @property
    def most(self) -> int:
        lists = sum(name.endswith("*") for name in self.operands)
        return len(self.operands) + lists * (MAX_LIST - 1)


def _options(**counts: int) -> tuple[tuple[str, int], ...]:
    return tuple(counts.items())


_X = ("x",)
_PAIR = ("a", "b")
_PICTURE = "x[N,C,H,W]"
_ROWS = ("x[..,K]",)
_KEEP = _options(keepdim=1)
_WINDOW = _options(kernel=2, stride=2, padding=2)
# Of recurrent functions: L layers of D directions, and hidden width H. Parameters are, for each layer and in it for
# each direction, w_ih[G*H,..] and w_hh[G*H,H], and b_ih[G*H] and b_hh[G*H] if there are biases; G = 1, 3 or 4 gates.
_RECURRENT = _options(layers=1, bidirectional=1, packed=1)
_CARRIED = ("x[N,T,I]", "h0[N or 1,L*D,H]")
_PACKED = "y[N,T,D*H]; packed = 1: y, then the last states [N,L*D,H], side by side as [N,...]"

_F = Function
SIGNATURES: dict[Function, Signature] = {
    _F.CONV2D: Signature(
        (_PICTURE, "w[O,C/groups,h,w]", "bias[O]?"),
        "convolution; zeros lie around the picture",
        _options(stride=2, padding=2, dilation=2, groups=1),
    ),
    _F.CONV_TRANSPOSE2D: Signature(
        (_PICTURE, "w[C,O/groups,h,w]", "bias[O]?"),
        "convolution of the picture with stride-1 zeros between its pixels, by the kernel turned by 180 degrees",
        _options(stride=2, padding=2, output_padding=2, dilation=2, groups=1),
    ),
    _F.LINEAR: Signature(("x[..,K]", "w[O,K]", "bias[O]?"), "x w^T + bias"),
    _F.MATMUL: Signature(("a[..,M,K]", "b[..,K,O]"), "a b; what stands before the matrices broadcasts"),
    **{
        function: Signature(_PAIR, meaning + "; broadcasts; one dtype")
        for function, meaning in (
            (_F.ADD, "a + b, floats, i64 or i32"),
            (_F.SUB, "a - b, floats, i64 or i32"),
            (_F.MUL, "a b, floats, i64 or i32"),
            (_F.DIV, "a / b, floats"),
            (_F.POW, "a^b, floats"),
            (_F.MAXIMUM, "the greater, floats, i64 or i32"),
            (_F.MINIMUM, "the lesser, floats, i64 or i32"),
            (_F.EQ, "a = b, any dtype, as bool"),
            (_F.NE, "a != b, any dtype, as bool"),
            (_F.LT, "a < b, any dtype, as bool"),
            (_F.LE, "a <= b, any dtype, as bool"),
            (_F.GT, "a > b, any dtype, as bool"),
            (_F.GE, "a >= b, any dtype, as bool"),
            (_F.LOGICAL_AND, "both, bool"),
            (_F.LOGICAL_OR, "either, bool"),
            (_F.LOGICAL_XOR, "one of both, bool"),
        )
    },
    _F.WHERE: Signature(("condition", "a", "b"), "a where the bool is true, else b; broadcasts; any dtype"),
    **{
        function: Signature(_X, meaning)
        for function, meaning in (
            (_F.LOGICAL_NOT, "not x, bool"),
            (_F.RELU, "max(x, 0), floats"),
            (_F.NEG, "-x, floats, i64 or i32"),
            (_F.ABS, "|x|, floats, i64 or i32"),
            (_F.FLOOR, "the next integer below, floats"),
            (_F.CEIL, "the next integer above, floats"),
            (_F.ROUND, "the nearest integer, ties to even, floats"),
            (_F.TRUNC, "the next integer towards zero, floats"),
            (_F.SIGN, "-1, 0 or 1, floats, i64 or i32"),
            (_F.EXP, "e^x, floats"),
            (_F.LOG, "natural logarithm, floats"),
            (_F.TANH, "hyperbolic tangent, floats"),
            (_F.SIGMOID, "1 / (1 + e^-x), floats"),
            (_F.SQRT, "square root, floats"),
            (_F.RSQRT, "1 / sqrt(x), floats"),
            (_F.ERF, "error function, floats"),
            (_F.SILU, "x sigmoid(x), floats"),
            (_F.SIN, "sine, floats"),
            (_F.COS, "cosine, floats"),
            (_F.EXPM1, "e^x - 1, floats"),
            (_F.LOG1P, "log(1 + x), floats"),
        )
    },
    _F.CLAMP: Signature(
        _X,
        "min(max(x, low), high); ends are f32 bits (an infinity for none), integers where x is i64 or i32",
        _options(low=1, high=1),
    ),
    _F.GELU: Signature(_X, "x Phi(x), floats; approximate: 0 by erf, 1 by tanh", _options(approximate=1)),
    _F.TO: Signature(_X, "x in the dtype of that code (PROTOCOL.md, 2.2); to integers truncates", _options(dtype=1)),
    _F.SOFTMAX: Signature(_ROWS, "e^x / sum of e^x over the last dimension"),
    _F.LOG_SOFTMAX: Signature(_ROWS, "log of softmax over the last dimension"),
    _F.LAYER_NORM: Signature(
        (*_ROWS, "gain[K]?", "bias[K]?"), "(x - mean) / sqrt(var + eps) gain + bias, last dimension", _options(eps=1)
    ),
    _F.RMS_NORM: Signature((*_ROWS, "gain[K]?"), "x / sqrt(mean of x^2 + eps) gain, last dimension", _options(eps=1)),
    _F.GROUP_NORM: Signature(
        ("x[N,C,..]", "gain[C]?", "bias[C]?"),
        "(x - mean) / sqrt(var + eps) gain + bias over each of `groups` groups of neighbouring channels",
        _options(groups=1, eps=1),
    ),
    _F.BATCH_NORM: Signature(
        ("x[N,C,..]", "mean[C]", "var[C]", "rstd[C]", "gain[C]?", "bias[C]?"),
        "(x - mean) rstd gain + bias; rstd is 1 / sqrt(var + eps) rounded once; steps read rstd, kernels var and eps",
        _options(eps=1),
    ),
    _F.SUM: Signature(_ROWS, "sum over the last dimension; integers and bool are counted in i64, as f32", _KEEP),
    _F.MEAN: Signature(_ROWS, "mean over the last dimension, floats", _KEEP),
    _F.VAR: Signature(_ROWS, "sum of (x - mean)^2 / (K - correction), floats", _options(correction=1, keepdim=1)),
    _F.STD: Signature(_ROWS, "square root of var, floats", _options(correction=1, keepdim=1)),
    _F.VECTOR_NORM: Signature(_ROWS, "square root of the sum of x^2, floats", _KEEP),
    _F.AMAX: Signature(_ROWS, "greatest of the last dimension, floats", _KEEP),
    _F.ARGMAX: Signature(_ROWS, "an index of a greatest of the last dimension, floats; i64", _KEEP),
    _F.MAX_POOL2D: Signature(
        (_PICTURE,),
        "greatest of each window; ceil = 1 keeps a last window that begins inside and ends outside",
        (*_WINDOW, *_options(dilation=2, ceil=1)),
    ),
    _F.AVG_POOL2D: Signature(
        (_PICTURE, "counts[oH,oW]?"),
        "sum of each window over `divisor`; fused: over counts, divisor 1, include is ATen's count_include_pad",
        (*_WINDOW, *_options(ceil=1, include=1, divisor=1)),
    ),
    # Shapes are those of one request.
    _F.VIEW: Signature(_X, "the same elements in another shape", _options(shape=0)),
    _F.PERMUTE: Signature(_X, "dimension i of the result is dims[i] of x", _options(dims=0)),
    _F.EXPAND: Signature(_X, "dimensions of one repeated, equal rank", _options(shape=0)),
    _F.SLICE: Signature(_X, "start:stop:step along dim, 0 <= start < stop", _options(dim=1, start=1, stop=1, step=1)),
    _F.CAT: Signature(("x*",), "side by side along dim; constants are repeated for every request", _options(dim=1)),
    _F.FLIP: Signature(_X, "backwards along each of dims", _options(dims=0)),
    _F.PAD: Signature(
        _X,
        "low[i] and high[i] elements of `fill` (f32 bits, or an integer) around dimension i; negative ones crop",
        _options(fill=1, low=0, high=0),
    ),
    _F.EMBEDDING: Signature(("index[..]", "table[V,D]"), "rows of the table, [..,D]; index i64 or i32"),
    _F.INDEX_SELECT: Signature(("x", "index[L]"), "elements index[l] along dim; index i64 or i32", _options(dim=1)),
    _F.GATHER: Signature(
        ("x", "index"), "as ATen's gather: index has x's rank and its sizes but along dim; i64 or i32", _options(dim=1)
    ),
    _F.FULL: Signature((), "a constant tensor of `fill` (f32 bits, or an integer)", _options(dtype=1, shape=0, fill=1)),
    _F.SDPA: Signature(
        ("q[..,T,E]", "k[..,S,E]", "v[..,S,V]", "mask[..,T,S]?"),
        "softmax(scale q k^T + mask) v; a bool mask is true where attended; causal = 1 says that mask[T,S] is the "
        "bool lower triangle, so that kernels may leave it out",
        _options(causal=1, scale=1),
    ),
    _F.RNN_TANH: Signature((*_CARRIED, "parameters*"), f"Elman's network with tanh; {_PACKED}", _RECURRENT),
    _F.RNN_RELU: Signature((*_CARRIED, "parameters*"), f"Elman's network with relu; {_PACKED}", _RECURRENT),
    _F.LSTM: Signature(
        (*_CARRIED, "c0[N or 1,L*D,H]", "parameters*"), f"gates i, f, g, o; {_PACKED}, h before c", _RECURRENT
    ),
    _F.GRU: Signature((*_CARRIED, "parameters*"), f"gates r, z, n; {_PACKED}", _RECURRENT),
    _F.UPSAMPLE_NEAREST2D: Signature(
        (_PICTURE, "rows[oH]", "columns[oW]"),
        "x[.., rows, columns], i64 constants; exact is whether ATen's name is nearest-exact",
        _options(exact=1),
    ),
    **{
        function: Signature(
            (_PICTURE, "rows[oH,H]", "columns[oW,W]"),
            "rows x columns^T, constants of ATen's weights",
            _options(corners=1),
        )
        for function in (_F.UPSAMPLE_BILINEAR2D, _F.UPSAMPLE_BICUBIC2D)
    },
    _F.CUMSUM: Signature(
        ("x[..,K]", "triangle[K,K]"), "running sum of the last dimension; f32 triangle[i,j] is 1 for j <= i, else 0"
    ),
    _F.LOGSUMEXP: Signature(_ROWS, "log of the sum of e^x over the last dimension", _KEEP),
    _F.HARDSIGMOID: Signature(_X, "min(max(x + 3, 0), 6) / 6"),
    _F.HARDSWISH: Signature(_X, "x min(max(x + 3, 0), 6) / 6"),
    _F.LEAKY_RELU: Signature(_X, "x above 0, else slope x", _options(slope=1)),
    _F.ELU: Signature(
        _X, "scale x above 0, else scale alpha (e^(input_scale x) - 1)", _options(alpha=1, scale=1, input_scale=1)
    ),
    _F.SOFTPLUS: Signature(
        _X, "log(1 + e^(beta x)) / beta; above threshold / beta kernels give x", _options(beta=1, threshold=1)
    ),
    _F.MISH: Signature(_X, "x tanh(log(1 + e^x))"),
    _F.LOG_SIGMOID: Signature(_X, "-log(1 + e^-x)"),
}

_FIRST_FUSED = list(Function).index(Function.SDPA)
# Always written out in primitive functions; avg_pool2d over counts, and sums of integers, are too.
FUSED = frozenset(list(Function)[_FIRST_FUSED:])
