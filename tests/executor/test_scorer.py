"""Scorers: the same weights as their architecture's, and what each score is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.network import Network
from executor.runner import Runner
from executor.scorer import Score, scorer_of
from rollup.errors import BadInput
from rollup.graph import Op
from rollup.package import Package
from rollup.tensor import Bundle, DType
from tests.digits import DigitNet
from tests.executor.nets import Labels


class Tokens(nn.Module):
    """Logits f32 [N, 5, 7] of tokens i64 [N, 5]."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.logits = nn.Embedding(7, 6), nn.Linear(6, 7)

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.logits(torch.tanh(self.table(tokens)))
        return logits


def scored(module: nn.Module, score: Score, inputs: Sequence[Tensor], targets: Tensor) -> Tensor:
    """What the scorer of `module` makes of stacked items, f32 [n]."""
    captured = capture(module.eval(), [tensor[:1] for tensor in inputs])
    package = Package(scorer_of(captured.program, score), captured.committed)
    runner = Runner(Network.from_package(package))
    with torch.inference_mode():
        return runner.forward([*inputs, targets])


def test_scorer_of__labels__have_no_accuracy() -> None:
    captured = capture(Labels().eval(), [torch.zeros(1, 1, 8, 8)])
    with pytest.raises(BadInput, match=r"an output of i64 \[1\] has no accuracy"):
        scorer_of(captured.program, Score.ACCURACY)


def test_scorer_of__one_number__has_no_likelihood() -> None:
    captured = capture(nn.Sequential(nn.Linear(3, 1), nn.Flatten(0)).eval(), [torch.zeros(1, 3)])
    with pytest.raises(BadInput, match=r"an output of f32 \[1\] has no likelihood"):
        scorer_of(captured.program, Score.LIKELIHOOD)


@pytest.mark.parametrize("score", Score)
def test_scorer_of__same_weights_in_the_same_order(score: Score) -> None:
    captured = capture(DigitNet().eval(), [torch.zeros(1, 1, 8, 8)])
    scorer = scorer_of(captured.program, score)
    assert scorer.weights == captured.program.weights
    # As the chain has them: one root for both.
    assert (
        Bundle([tensor.root for tensor in captured.committed]).root
        == Bundle([tensor.root for tensor in Package(scorer, captured.committed).weights]).root
    )
    assert scorer.inputs[:-1] == captured.program.inputs
    assert (scorer.output.spec.dtype, scorer.output.shape) == (DType.F32, (1,))


def test_scorer_of__accuracy__is_one_where_the_greatest_logit_is_the_target() -> None:
    torch.manual_seed(1)
    net, pictures = DigitNet().eval(), torch.rand(20, 1, 8, 8)
    labels = net(pictures).argmax(1)
    labels[::3] = (labels[::3] + 1) % 10
    right = (net(pictures).argmax(1) == labels).float()
    assert torch.equal(scored(net, Score.ACCURACY, [pictures], labels), right)


def test_scorer_of__likelihood__is_minus_the_cross_entropy() -> None:
    torch.manual_seed(2)
    net, pictures, labels = DigitNet().eval(), torch.rand(20, 1, 8, 8), torch.randint(0, 10, (20,))
    with torch.no_grad():
        expected = -nn.functional.cross_entropy(net(pictures), labels, reduction="none")
    torch.testing.assert_close(scored(net, Score.LIKELIHOOD, [pictures], labels), expected)


def test_scorer_of__squared_error__is_the_mean_over_the_output() -> None:
    torch.manual_seed(3)
    net, pictures, targets = DigitNet().eval(), torch.rand(20, 1, 8, 8), torch.rand(20, 10)
    with torch.no_grad():
        expected = (net(pictures) - targets).square().mean(1)
    torch.testing.assert_close(scored(net, Score.SQUARED_ERROR, [pictures], targets), expected)


def test_scorer_of__rows_of_logits__are_averaged() -> None:
    torch.manual_seed(4)
    net, tokens = Tokens().eval(), torch.randint(0, 7, (9, 5))
    targets = torch.randint(0, 7, (9, 5))
    with torch.no_grad():
        logits = net(tokens)
    accuracy = (logits.argmax(-1) == targets).float().mean(1)
    torch.testing.assert_close(scored(net, Score.ACCURACY, [tokens], targets), accuracy)
    likelihood = -nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    torch.testing.assert_close(scored(net, Score.LIKELIHOOD, [tokens], targets), likelihood.reshape(9, 5).mean(1))


def test_scorer_of__batch_norm__constants_are_the_architectures_own() -> None:
    """What capture adds to the weights of an architecture stands in both lists."""
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 3)).eval()
    captured = capture(net, [torch.zeros(1, 1, 8, 8)])
    scorer = scorer_of(captured.program, Score.ACCURACY)
    assert scorer.weights == captured.program.weights
    assert Op.ARGMAX in {step.op for step in Network.from_package(Package(scorer, captured.committed)).graph.steps}
