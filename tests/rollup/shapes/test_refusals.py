"""What has no result: every refusal is one sentence."""

from __future__ import annotations

import pytest

from rollup.call import Call, Function, Value, f32_bits
from rollup.errors import BadEncoding, BadGraph
from rollup.shapes import result_of
from rollup.tensor import DType, TensorSpec
from tests.rollup.programs import INPUT
from tests.rollup.specimens import EPS, Options, call_of

NAN = 0x7FC00000


def spec(*shape: int, dtype: DType = DType.F32) -> TensorSpec:
    return TensorSpec(dtype, shape)


def refused(function: Function, specs: list[TensorSpec], options: dict[str, Options]) -> str:
    call: Call = call_of(function, [INPUT] * len(specs), options)
    with pytest.raises(BadGraph) as refusal:
        result_of(call, [Value(one, batched=place == 0) for place, one in enumerate(specs)])
    return str(refusal.value)


PICTURE = spec(1, 4, 8, 8)
I64, BOOL, F16 = DType.I64, DType.BOOL, DType.F16
CONV: dict[str, Options] = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
GROWN: dict[str, Options] = {**CONV, "output_padding": (0, 0)}
POOL: dict[str, Options] = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0), "ceil": 0}
MAX: dict[str, Options] = {**POOL, "dilation": (1, 1)}
AVERAGE: dict[str, Options] = {**POOL, "include": 1, "divisor": 4}
CELL: dict[str, Options] = {"layers": 1, "bidirectional": 0, "packed": 0}
SDPA: dict[str, Options] = {"causal": 0, "scale": f32_bits(1.0)}
X, H = spec(1, 5, 3), spec(1, 1, 2)
ELMAN = [spec(2, 3), spec(2, 2)]

Case = tuple[Function, list[TensorSpec], dict[str, Options]]
CASES: dict[str, Case] = {
    # Contractions.
    "takes [N,C,H,W] and [O,C/g,h,w], got [1, 4] and": (Function.CONV2D, [spec(1, 4), spec(2, 4, 3, 3)], CONV),
    "0 groups do not divide": (Function.CONV2D, [PICTURE, spec(2, 4, 3, 3)], {**CONV, "groups": 0}),
    "takes a bias of 2, got [3]": (Function.CONV2D, [PICTURE, spec(2, 4, 3, 3), spec(3)], CONV),
    "window 3 by 0": (Function.CONV2D, [PICTURE, spec(2, 4, 3, 3)], {**CONV, "stride": (0, 1)}),
    "takes f32/f16/bf16, all alike, got ['f32', 'f16']": (
        Function.CONV2D,
        [PICTURE, spec(2, 4, 3, 3, dtype=F16)],
        CONV,
    ),
    "takes [N,C,H,W] and [C,O/g,h,w]": (Function.CONV_TRANSPOSE2D, [spec(4), spec(4, 2, 3, 3)], GROWN),
    "1 groups do not divide 4 channels": (Function.CONV_TRANSPOSE2D, [PICTURE, spec(3, 2, 3, 3)], GROWN),
    "padding 3 (+0) and dilation 1 do not suit a kernel 3": (
        Function.CONV_TRANSPOSE2D,
        [PICTURE, spec(4, 2, 3, 3)],
        {**GROWN, "padding": (3, 0)},
    ),
    "padding 0 (+1)": (Function.CONV_TRANSPOSE2D, [PICTURE, spec(4, 2, 3, 3)], {**GROWN, "output_padding": (1, 0)}),
    "padding 1 leaves nothing of 1": (
        Function.CONV_TRANSPOSE2D,
        [spec(1, 4, 1, 1), spec(4, 2, 2, 2)],
        {**GROWN, "padding": (1, 1)},
    ),
    "takes [..,K] and [O,K], got [1, 4] and [3, 5]": (Function.LINEAR, [spec(1, 4), spec(3, 5)], {}),
    "takes [..,M,K] and [..,K,O], got [1, 4] and [4]": (Function.MATMUL, [spec(1, 4), spec(4)], {}),
    "cannot broadcast [2] and [3]": (Function.MATMUL, [spec(2, 4, 4), spec(3, 4, 4)], {}),
    # Element by element.
    "cannot broadcast [1, 4] and [3]": (Function.ADD, [spec(1, 4), spec(3)], {}),
    "takes f32/f16/bf16/i64/i32, all alike, got ['bool', 'bool']": (Function.ADD, [spec(1, dtype=BOOL)] * 2, {}),
    "takes f32/f16/bf16, all alike, got ['i64', 'i64']": (Function.DIV, [spec(1, dtype=I64)] * 2, {}),
    "takes f32/f16/bf16, all alike, got ['i64']": (Function.EXP, [spec(1, dtype=I64)], {}),
    "takes bool, all alike": (Function.LOGICAL_AND, [spec(1), spec(1)], {}),
    "takes a bool condition, got f32": (Function.WHERE, [spec(1)] * 3, {}),
    "all alike, got ['f32', 'i64']": (Function.WHERE, [spec(1, dtype=BOOL), spec(1), spec(1, dtype=I64)], {}),
    "cannot clamp to 2.0..1.0": (Function.CLAMP, [spec(1)], {"low": f32_bits(2.0), "high": f32_bits(1.0)}),
    "-1 are not the f32 bits of a f32": (Function.CLAMP, [spec(1)], {"low": -1, "high": 0}),
    f"{NAN} are not the f32 bits": (Function.CLAMP, [spec(1)], {"low": NAN, "high": 0}),
    f"{f32_bits(0.1)} are not the f32 bits of a f16": (
        Function.CLAMP,
        [spec(1, dtype=F16)],
        {"low": 0, "high": f32_bits(0.1)},
    ),
    f"{f32_bits(1e6)} are not the f32 bits of a f16": (
        Function.CLAMP,
        [spec(1, dtype=F16)],
        {"low": 0, "high": f32_bits(1e6)},
    ),
    f"{f32_bits(0.1)} are not the f32 bits of a bf16": (
        Function.CLAMP,
        [spec(1, dtype=DType.BF16)],
        {"low": 0, "high": f32_bits(0.1)},
    ),
    "2147483648 is no i32": (Function.CLAMP, [spec(1, dtype=DType.I32)], {"low": 0, "high": 2**31}),
    "option approximate is 0 or 1, got 2": (Function.GELU, [spec(1)], {"approximate": 2}),
    "there is no dtype of code 9": (Function.TO, [spec(1)], {"dtype": 9}),
    # Rows.
    "takes rows, got []": (Function.SOFTMAX, [spec()], {}),
    "option keepdim is 0 or 1, got -1": (Function.AMAX, [spec(1, 3)], {"keepdim": -1}),
    "cannot divide by 3 - 3": (Function.VAR, [spec(1, 3)], {"correction": 3, "keepdim": 0}),
    "takes weights of 3, got [4]": (Function.LAYER_NORM, [spec(1, 3), spec(4)], {"eps": EPS}),
    "eps is not negative, got -1.0": (Function.RMS_NORM, [spec(1, 3)], {"eps": f32_bits(-1.0)}),
    "eps is not negative, got inf": (Function.RMS_NORM, [spec(1, 3)], {"eps": f32_bits(float("inf"))}),
    "3 groups do not divide the channels of [1, 4, 8, 8]": (Function.GROUP_NORM, [PICTURE], {"groups": 3, "eps": EPS}),
    "takes [N,C,..], got [4]": (Function.BATCH_NORM, [spec(4)] * 4, {"eps": EPS}),
    # Windows.
    "a window of 9 does not fit into 8": (Function.MAX_POOL2D, [PICTURE], {**MAX, "kernel": (9, 2)}),
    "padding (2, 0) is above half of (2, 2)": (Function.MAX_POOL2D, [PICTURE], {**MAX, "padding": (2, 0)}),
    "cannot divide by 0": (Function.AVG_POOL2D, [PICTURE], {**AVERAGE, "divisor": 0}),
    "takes counts [4, 4] and divisor 1, got [4, 5] and 1": (
        Function.AVG_POOL2D,
        [PICTURE, spec(4, 5)],
        {**AVERAGE, "divisor": 1},
    ),
    "takes counts [4, 4] and divisor 1, got [4, 4] and 4": (Function.AVG_POOL2D, [PICTURE, spec(4, 4)], AVERAGE),
    # Movement.
    "cannot view (1, 4, 8, 8) as (255,)": (Function.VIEW, [PICTURE], {"shape": (255,)}),
    "does not order the dimensions": (Function.PERMUTE, [PICTURE], {"dims": (0, 1, 2)}),
    "cannot expand (1, 4, 8, 8) to (1, 5, 8, 8)": (Function.EXPAND, [PICTURE], {"shape": (1, 5, 8, 8)}),
    "has no dimension 4": (Function.SLICE, [PICTURE], {"dim": 4, "start": 0, "stop": 1, "step": 1}),
    "cannot take 0:1:0 of 4": (Function.SLICE, [PICTURE], {"dim": 1, "start": 0, "stop": 1, "step": 0}),
    "cannot join [1, 4, 8, 8] and [1, 4, 8] along dimension 1": (Function.CAT, [PICTURE, spec(1, 4, 8)], {"dim": 1}),
    "or dtypes differ": (Function.CAT, [spec(1, 4), spec(1, 4, dtype=I64)], {"dim": 1}),
    "cannot turn round the dimensions (1, 1)": (Function.FLIP, [PICTURE], {"dims": (1, 1)}),
    "do not pad every dimension": (Function.PAD, [spec(1, 4)], {"fill": 0, "low": (1,), "high": (0, 0)}),
    "leave nothing of (1, 4)": (Function.PAD, [spec(1, 4)], {"fill": 0, "low": (0, -2), "high": (0, -2)}),
    "2 is no bool": (Function.PAD, [spec(1, dtype=BOOL)], {"fill": 2, "low": (1,), "high": (0,)}),
    "-1 is no u8": (Function.FULL, [], {"dtype": DType.U8, "shape": (1,), "fill": -1}),
    "takes an index of i64 or i32, got f32": (Function.EMBEDDING, [spec(1, 4), spec(9, 3)], {}),
    "takes a table [V,D], got [9]": (Function.EMBEDDING, [spec(1, 4, dtype=I64), spec(9)], {}),
    "takes an index of one dimension": (Function.INDEX_SELECT, [PICTURE, spec(1, 4, dtype=I64)], {"dim": 1}),
    "differs from [1, 4] in dimension 1 only": (Function.GATHER, [spec(1, 4), spec(2, 4, dtype=I64)], {"dim": 1}),
    # Fused.
    "takes [..,T,E], [..,S,E] and [..,S,V]": (Function.SDPA, [spec(1, 4, 3), spec(1, 4, 2), spec(1, 4, 2)], SDPA),
    "takes a mask that broadcasts to [1, 4, 4], got [2, 4, 4]": (
        Function.SDPA,
        [*[spec(1, 4, 3)] * 3, spec(2, 4, 4, dtype=BOOL)],
        SDPA,
    ),
    "takes a mask of bool or its own dtype, got I64": (
        Function.SDPA,
        [*[spec(1, 4, 3)] * 3, spec(4, 4, dtype=I64)],
        SDPA,
    ),
    "takes the bool lower triangle [4, 4] as its mask, got none": (
        Function.SDPA,
        [spec(1, 4, 3)] * 3,
        {**SDPA, "causal": 1},
    ),
    "a scale is finite, got nan": (Function.SDPA, [spec(1, 4, 3)] * 3, {**SDPA, "scale": NAN}),
    "has 1 to 64 layers, got 0": (Function.RNN_TANH, [X, H, *ELMAN], {**CELL, "layers": 0}),
    "takes 2 or 4 parameters, got 3": (Function.RNN_TANH, [X, H, *ELMAN, spec(2)], CELL),
    "takes [N,T,I], got [5, 3]": (Function.RNN_TANH, [spec(5, 3), H, *ELMAN], CELL),
    "takes states [1 or 1,1,2], got [1, 2, 2]": (Function.RNN_TANH, [X, spec(1, 2, 2), *ELMAN], CELL),
    "layer 0 takes parameters [(6, 3), (6, 2)], got [2, 3] and [2, 2]": (Function.GRU, [X, H, *ELMAN], CELL),
    "takes [N,C,H,W] and two indices": (Function.UPSAMPLE_NEAREST2D, [PICTURE, spec(9, 8), spec(9)], {"exact": 0}),
    "takes [N,C,H,W], [oH,H] and [oW,W]": (
        Function.UPSAMPLE_BILINEAR2D,
        [PICTURE, spec(9, 7), spec(9, 8)],
        {"corners": 0},
    ),
    "takes rows and a f32 triangle [K,K], got [1, 4] and [3, 3]": (Function.CUMSUM, [spec(1, 4), spec(3, 3)], {}),
    "option slope is finite, got inf": (Function.LEAKY_RELU, [spec(1)], {"slope": f32_bits(float("inf"))}),
    "beta is above 0, got 0.0": (Function.SOFTPLUS, [spec(1)], {"beta": 0, "threshold": 0}),
}


@pytest.mark.parametrize("sentence", CASES)
def test_what_has_no_result__is_refused_by_a_sentence(sentence: str) -> None:
    assert sentence in refused(*CASES[sentence])


def test_a_result_that_no_header_describes__is_refused() -> None:
    call = call_of(Function.FULL, [], {"dtype": DType.F32, "shape": (0,), "fill": 0})
    with pytest.raises(BadEncoding, match="dimension 0"):
        result_of(call, [])
