"""Programs made at random: whatever has shapes has a graph, which validates and whose elements can be judged."""

from __future__ import annotations

from random import Random

import pytest

from rollup.call import Call, Function, Ref, Value, f32_bits
from rollup.errors import BadEncoding, BadGraph
from rollup.expansion import expand
from rollup.functions import FUSED
from rollup.graph import Op, Source
from rollup.judge.elements import elements_needed
from rollup.lowering import lower
from rollup.program import Program, Weight
from rollup.shapes import result_of
from rollup.tensor import DType, TensorSpec
from tests.rollup.programs import f32
from tests.rollup.specimens import EPS, Options, call_of

INPUTS = (f32(1, 4, 6), TensorSpec(DType.I64, (1, 3)), f32(1, 2, 4, 4))
WEIGHTS = (f32(6, 6), f32(6), f32(4, 2, 3, 3), f32(3, 4, 4), f32(1), f32(6, 24), f32(6, 6), TensorSpec(DType.I64, (2,)))
REFS = [*(Ref(Source.INPUT, i) for i in range(len(INPUTS))), *(Ref(Source.WEIGHT, i) for i in range(len(WEIGHTS)))]
FUNCTIONS = [function for function in Function if function is not Function.FULL]
LENGTH = 12
SEEDS = 50


def options_of(random: Random, function: Function, value: Value) -> dict[str, Options]:
    """Options that often suit `value`."""
    rank = len(value.shape)
    dim = random.randrange(max(rank, 1))
    size = value.shape[dim] if rank else 1
    start = random.randrange(size)
    window: dict[str, Options] = {"stride": (1, 2), "padding": (1, 1), "dilation": (1, 1)}
    dims = random.sample(range(rank), rank)
    merged = (*value.shape[: max(rank - 2, 0)], value.spec.elements)[-7:]
    per_function: dict[Function, dict[str, Options]] = {
        Function.CONV2D: {**window, "groups": 1},
        Function.CONV_TRANSPOSE2D: {**window, "output_padding": (0, 1), "groups": 1},
        Function.MAX_POOL2D: {**window, "kernel": (2, 3), "ceil": random.randrange(2)},
        Function.AVG_POOL2D: {
            "kernel": (2, 2),
            "stride": (2, 2),
            "padding": (0, 0),
            "ceil": 0,
            "include": 1,
            "divisor": 4,
        },
        Function.CLAMP: {"low": f32_bits(-1.0), "high": f32_bits(1.0)},
        Function.TO: {"dtype": random.choice(list(DType))},
        Function.GELU: {"approximate": random.randrange(2)},
        Function.VAR: {"correction": 1, "keepdim": random.randrange(2)},
        Function.STD: {"correction": 0, "keepdim": random.randrange(2)},
        Function.GROUP_NORM: {"groups": random.choice((1, 2)), "eps": EPS},
        Function.VIEW: {"shape": merged if value.spec.elements == _product(merged) else (value.spec.elements,)},
        Function.PERMUTE: {"dims": dims},
        Function.EXPAND: {"shape": [side if side > 1 else random.choice((1, 3)) for side in value.shape]},
        Function.SLICE: {
            "dim": dim,
            "start": start,
            "stop": random.randint(start + 1, size),
            "step": random.choice((1, 2)),
        },
        Function.FLIP: {"dims": dims[: random.randint(1, max(rank, 1))]},
        Function.PAD: {"fill": 0, "low": [random.choice((0, 1)) for _ in dims], "high": [0] * rank},
        Function.SDPA: {"causal": 0, "scale": f32_bits(0.5)},
        Function.ELU: {"alpha": f32_bits(1.5), "scale": f32_bits(1.0), "input_scale": f32_bits(1.0)},
        Function.SOFTPLUS: {"beta": f32_bits(2.0), "threshold": f32_bits(20.0)},
        Function.LEAKY_RELU: {"slope": f32_bits(0.1)},
    }
    cell: dict[str, Options] = {"layers": 1, "bidirectional": 0, "packed": random.randrange(2)}
    common: dict[str, Options] = {"keepdim": random.randrange(2), "eps": EPS, "dim": dim, "exact": 0, "corners": 0}
    return {**common, **cell, **per_function.get(function, {})}


def _product(shape: tuple[int, ...]) -> int:
    result = 1
    for size in shape:
        result *= size
    return result


def random_program(seed: int) -> Program:
    """Calls tried until LENGTH of them have results that depend on a request."""
    random = Random(seed)
    values = [*(Value(spec, True) for spec in INPUTS), *(Value(spec, False) for spec in WEIGHTS)]
    refs, calls = list(REFS), list[Call]()
    while len(calls) < LENGTH:
        function = random.choice(FUNCTIONS)
        # Late values are taken more often, so that programs are deep.
        chosen = [min(random.randrange(len(refs)) + random.randrange(LENGTH), len(refs) - 1) for _ in range(4)]
        chosen = chosen[: random.randint(1, 4)]
        try:
            call = call_of(function, [refs[place] for place in chosen], options_of(random, function, values[chosen[0]]))
            value = result_of(call, [values[place] for place in chosen])
        except (BadGraph, BadEncoding):
            continue
        if not value.batched or value.spec.elements > 5000:
            continue
        refs.append(Ref(Source.STEP, len(calls)))
        calls.append(call)
        values.append(value)
    return Program(INPUTS, tuple(Weight(f"w{i}", spec) for i, spec in enumerate(WEIGHTS)), tuple(calls))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_random_program__has_a_graph_that_can_be_judged(seed: int) -> None:
    program = random_program(seed)
    lowered = lower(program)
    assert lowered.graph.output == program.output.spec
    assert len(lowered.results) == len(lowered.covered) == len(lowered.program.calls)
    for call, step in zip(lowered.program.results, lowered.results, strict=True):
        assert lowered.graph.steps[step].result == call.spec
    for one in lowered.graph.steps:
        elements_needed(one, one.result.elements - 1)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_random_program__survives_its_json_and_its_expansion(seed: int) -> None:
    program = random_program(seed)
    assert Program.from_json(program.to_json()) == program
    expanded = expand(program)
    assert expanded.batchable == program.batchable
    assert not FUSED & {call.function for call in expanded.calls}
    assert lower(expanded).graph.root == lower(program).graph.root


def test_random_programs__use_most_functions() -> None:
    used = {call.function for seed in range(SEEDS) for call in random_program(seed).calls}
    assert len(used) >= 50
    operators = {step.op for seed in range(SEEDS) for step in lower(random_program(seed)).graph.steps}
    assert {Op.CONTRACT, Op.NORM, Op.SOFTMAX, Op.SPREAD, Op.PAD, Op.CAST, Op.WHERE} <= operators
