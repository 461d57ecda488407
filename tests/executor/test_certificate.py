"""Certified errors: no run inside its bounds errs by more, and whoever amplifies roundings wins nothing by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.certificate import write_error
from executor.network import Network, operands_of
from executor.operators import evaluate_rounded
from executor.reach import MovableRun, attack
from executor.scorer import Score, scorer_of
from executor.trace import is_inside, recompute
from rollup.call import Function
from rollup.errors import BadInput
from rollup.expansion.writer import Writer
from rollup.graph import Numerics
from rollup.package import Package
from rollup.program import Program
from rollup.tensor import DType
from rollup.tensor import Tensor as Committed
from tests.digits import DigitNet


class Residual(nn.Module):
    """f32 [N, 5] of a picture f32 [N, 2, 8, 8]: norms over a batch, gates, pools, pads and a product of two halves."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(2, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.second, self.logits = nn.Conv2d(6, 6, 3, padding=1, groups=3), nn.Linear(9, 5)
        nn.init.uniform_(self.norm.running_mean, -1, 1)  # type: ignore[arg-type]
        nn.init.uniform_(self.norm.running_var, 0.5, 2)  # type: ignore[arg-type]

    def forward(self, picture: Tensor) -> Tensor:
        x = nn.functional.hardswish(self.norm(self.first(picture)))
        x = x + nn.functional.silu(self.second(x))
        x = nn.functional.avg_pool2d(nn.functional.pad(x, (1, 1, 0, 0)), 2)
        gates, values = torch.sigmoid(x[:, :3]), torch.tanh(x[:, 3:])
        logits: Tensor = self.logits((gates * values).amax(-1).flatten(1)[:, :9])
        return logits


class Rows(nn.Module):
    """f32 [N, 4] of numbers f32 [N, 6] and a kind i64 [N, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds, self.mix = nn.Embedding(5, 6), nn.Linear(12, 12)
        self.left, self.right = nn.Linear(12, 12), nn.Linear(12, 12)
        self.logits = nn.Linear(3, 4)

    def forward(self, numbers: Tensor, kind: Tensor) -> Tensor:
        x = torch.cat([numbers / 3 - 0.5, self.kinds(kind[:, 0])], 1)
        x = nn.functional.leaky_relu(self.mix(x), 0.2) + torch.where(kind == 2, x, -x)
        products = self.left(x).view(-1, 3, 4) @ nn.functional.gelu(self.right(x)).view(-1, 4, 3)
        logits: Tensor = self.logits(torch.maximum(products.mean(1), products.sum(2)))
        return logits


class Amplifier(nn.Module):
    """Ten logits of a picture, each first lifted by 10^8 and then put down again: nothing but rounding is left."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.lift, self.lower = nn.Linear(64, 10), nn.Linear(10, 10), nn.Linear(10, 10)
        with torch.no_grad():
            for layer, bias in ((self.lift, 1e8), (self.lower, -1e8)):
                layer.weight.copy_(torch.eye(10))
                layer.bias.fill_(bias)

    def forward(self, picture: Tensor) -> Tensor:
        logits: Tensor = self.lower(self.lift(self.read(picture.flatten(1))))
        return logits


Made = Callable[[], tuple[nn.Module, list[Tensor]]]


def digit_net() -> tuple[nn.Module, list[Tensor]]:
    return DigitNet(), [torch.rand(1, 1, 8, 8)]


def residual() -> tuple[nn.Module, list[Tensor]]:
    return Residual(), [torch.randn(1, 2, 8, 8)]


def rows() -> tuple[nn.Module, list[Tensor]]:
    return Rows(), [torch.randn(1, 6), torch.tensor([[2]])]


def amplifier() -> tuple[nn.Module, list[Tensor]]:
    return Amplifier(), [torch.rand(1, 1, 8, 8)]


def programs(net: nn.Module, inputs: Sequence[Tensor]) -> tuple[Network, Network]:
    """The network, and the same with its certified error as output."""
    captured = capture(net.eval(), inputs)
    return networks(captured.program, captured.committed)


def networks(program: Program, weights: Sequence[Committed]) -> tuple[Network, Network]:
    plain, certified = (Network.from_package(Package(each, tuple(weights))) for each in (program, erring(program)))
    return plain, certified


def erring(program: Program) -> Program:
    writer = Writer(program)
    for call in program.calls:
        writer.copy(call)
    write_error(writer, program)
    return Program(program.inputs, program.weights, tuple(writer.calls))


def unbounded(network: Network) -> Numerics:
    """Without factors: every step at its sound bound."""
    return Numerics((0,) * len(network.graph.steps))


def followed(network: Network, inputs: Sequence[Tensor], results: Sequence[Tensor]) -> Tensor:
    """The output of a run whose first steps made `results`."""
    made = list(results)
    for step in network.graph.steps[len(made) :]:
        made.append(evaluate_rounded(step, operands_of(step, inputs, network.weights, made)))
    return made[-1]


@pytest.mark.parametrize(
    ("net", "inputs", "named"),
    [
        (nn.Sequential(nn.Linear(4, 4), nn.Softmax(-1)), torch.zeros(1, 4), "softmax has no certified error"),
        (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), torch.zeros(1, 4), "layer_norm has no certified error"),
        (nn.Linear(4, 4).bfloat16(), torch.zeros(1, 4).bfloat16(), "f32 alone can be certified"),
        (nn.Flatten(), torch.zeros(1, 4, 1), "the output is exact"),
    ],
)
def test_write_error__what_cannot_be_certified__is_named(net: nn.Module, inputs: Tensor, named: str) -> None:
    captured = capture(net.eval(), [inputs])
    with pytest.raises(BadInput, match=named):
        erring(captured.program)


def test_write_error__division_by_what_is_not_exact__is_refused() -> None:
    class Divided(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x / (x + 1)

    with pytest.raises(BadInput, match="by what is not exact has no certified error"):
        erring(capture(Divided().eval(), [torch.zeros(1, 4)]).program)


@pytest.mark.parametrize("divisor", [0.0, 1e-40, 1e-31])
def test_write_error__divisor_that_the_judge_cannot_decide__overflows(divisor: float) -> None:
    """Divisors may be weights, which are the executor's to choose."""

    class Divided(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.divisor = nn.Parameter(torch.full((4,), divisor))

        def forward(self, x: Tensor) -> Tensor:
            return x / self.divisor

    _, certified = programs(Divided(), [torch.zeros(1, 4)])
    assert bool(followed(certified, [torch.ones(1, 4)], []).isinf().all())


@pytest.mark.parametrize("made", [digit_net, residual, rows, amplifier])
def test_write_error__worst_run_inside_the_bounds__lies_within_it(made: Made) -> None:
    torch.manual_seed(5)
    net, inputs = made()
    plain, certified = programs(net, inputs)
    numerics = unbounded(plain)
    exact = MovableRun(plain, numerics, inputs).results[-1].detach()
    honest = followed(certified, inputs, recompute(plain, inputs))
    assert certified.graph.steps[: len(plain.graph.steps)] == plain.graph.steps
    for element in range(exact.numel()):
        direction = torch.zeros(exact.shape)
        direction.view(-1)[element] = 1.0
        for sign in (1, -1):
            results = attack(plain, numerics, inputs, sign * direction)
            assert is_inside(plain, numerics, inputs, results)
            moved = (results[-1].double() - exact).abs()
            error = followed(certified, inputs, results)
            assert bool((moved <= error / 2).all()), (moved, error)
            # It is made of magnitudes: what the run may move the output by hardly moves the error.
            torch.testing.assert_close(error, honest, rtol=0.05, atol=0)


STEEPEST: list[tuple[Callable[[Tensor], Tensor], float]] = [
    (torch.relu, 1.0),
    (torch.tanh, 0.0),
    (torch.sigmoid, 0.0),
    (torch.erf, 0.0),
    (nn.functional.gelu, 1.4),
    (nn.functional.silu, 2.4),
    (nn.functional.hardswish, 3.0),
    (nn.functional.hardsigmoid, 0.0),
    (lambda x: nn.functional.leaky_relu(x, 3.0), -1.0),
    (lambda x: x / -0.25, 1.0),
    (lambda x: x * 7, 1.0),
    (lambda x: x.view(1, 1, 1) @ x.new_full((1, 1, 1), 5.0), 1.0),
    (lambda x: x.new_full((1, 1, 1), 5.0) @ x.view(1, 1, 1), 1.0),
    (lambda x: torch.maximum(x, x.new_full((1, 1), -3.0)), 1.0),
    (lambda x: torch.cat([x, x.new_full((1, 3), 2.0)], 1).mean(1), 1.0),
    (lambda x: nn.functional.embedding(torch.zeros(1, dtype=torch.int64), x), 1.0),
]


class Lifted(nn.Module):
    """A function of a number that is off by what 10^4 is rounded by."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.lift, self.lower, self.function = nn.Linear(1, 1), nn.Linear(1, 1), function
        with torch.no_grad():
            for layer, bias in ((self.lift, 1e4), (self.lower, -1e4)):
                layer.weight.fill_(1.0)
                layer.bias.fill_(bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.lower(self.lift(x)))


@pytest.mark.parametrize(("function", "place"), STEEPEST)
def test_write_error__function_where_it_is_steepest__passes_its_operands_error_on(
    function: Callable[[Tensor], Tensor], place: float
) -> None:
    inputs = [torch.full((1, 1), place)]
    require_tight(*programs(Lifted(function), inputs), inputs)


def test_write_error__cast_that_no_capture_makes__passes_its_operands_error_on() -> None:
    inputs = [torch.ones(1, 1)]
    captured = capture(Lifted(torch.relu).eval(), inputs)
    writer = Writer(captured.program)
    for call in captured.program.calls:
        last = writer.copy(call)
    writer.call(Function.TO, last, dtype=DType.F32)
    program = Program(captured.program.inputs, captured.program.weights, tuple(writer.calls))
    require_tight(*networks(program, captured.committed), inputs)


def require_tight(plain: Network, certified: Network, inputs: Sequence[Tensor]) -> None:
    """The error holds in the worst runs inside the bounds, and is not many times too large."""
    numerics = unbounded(plain)
    exact = MovableRun(plain, numerics, inputs).results[-1].detach()
    for sign in (1, -1):
        results = attack(plain, numerics, inputs, torch.full(exact.shape, float(sign)))
        moved, error = (results[-1].double() - exact).abs(), followed(certified, inputs, results)
        assert bool((error / 12 < moved).all())
        assert bool((moved <= error / 2).all())


def test_write_error__norm_that_has_no_bound__overflows() -> None:
    """Where a mean is far greater than a deviation, a kernel's variance may have lost all its digits."""
    net, inputs = residual()
    net.load_state_dict({**net.state_dict(), "norm.running_mean": torch.full((6,), 3e3)})
    plain, certified = programs(net, inputs)
    assert bool(followed(certified, inputs, recompute(plain, inputs)).isinf().all())


@pytest.mark.parametrize("seed", range(3))
def test_write_error__weights_of_any_magnitude__bound_all_runs(seed: int) -> None:
    """Rows of weights from the least normal number to 10^12, as a liar may choose them."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.Hardtanh(-1e15, 1e15), nn.Linear(8, 3))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(10.0 ** torch.randint(-38, 13, parameter.shape).float())
    inputs = [torch.randn(1, 6)]
    plain, certified = programs(net, inputs)
    numerics = unbounded(plain)
    exact = MovableRun(plain, numerics, inputs).results[-1].detach()
    for _ in range(20):
        results = attack(plain, numerics, inputs, torch.randn(exact.shape))
        error = followed(certified, inputs, results)
        assert bool(((results[-1].double() - exact).abs() <= error).all())


def test_amplified_roundings__win_any_label_without_a_certificate_and_none_with_it() -> None:
    torch.manual_seed(6)
    net, inputs = amplifier()
    captured = capture(net.eval(), inputs)
    plain = Network.from_package(Package(captured.program, captured.committed))
    scorers = [
        Network.from_package(Package(scorer_of(captured.program, Score.ACCURACY, certified), captured.committed))
        for certified in (False, True)
    ]
    numerics = unbounded(plain)
    for label in range(10):
        direction = torch.full((1, 10), -1.0)
        direction[0, label] = 1.0
        results = attack(plain, numerics, inputs, direction)
        target = [*inputs, torch.tensor([label])]
        assert [float(followed(scorer, target, results)) for scorer in scorers] == [1.0, 0.0]


@pytest.mark.parametrize("score", Score)
def test_certified_score__of_the_worst_run__is_never_better_than_the_exact_one(score: Score) -> None:
    torch.manual_seed(7)
    net, inputs = digit_net()
    captured = capture(net.eval(), inputs)
    plain = Network.from_package(Package(captured.program, captured.committed))
    scorer = Network.from_package(Package(scorer_of(captured.program, score, certified=True), captured.committed))
    numerics = unbounded(plain)
    exact = MovableRun(plain, numerics, inputs).results[-1].detach()
    for label in range(10):
        direction = torch.full((1, 10), -1.0)
        direction[0, label] = 1.0
        # For squared errors the target is what the run is moved towards.
        target = exact.float() + direction if score is Score.SQUARED_ERROR else torch.tensor([label])
        results = attack(plain, numerics, inputs, direction)
        claimed = float(followed(scorer, [*inputs, target], results))
        if score is Score.SQUARED_ERROR:
            assert 0 <= claimed - float((exact - target.double()).square().mean()) < 1e-3
        elif score is Score.LIKELIHOOD:
            assert 0 <= float(exact.log_softmax(1)[0, label]) - claimed < 1e-3
        else:
            assert claimed == float(int(exact.argmax()) == label)
