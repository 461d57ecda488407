"""Complex numbers, which a program holds as two real values, and Fourier transforms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from executor.capture import capture
from rollup.call import Function
from rollup.errors import BadGraph
from tests.executor.capture.forms import Form, normal, require_agreement
from tests.executor.capture.forms import Function as Expression
from tests.executor.capture.judged import require_judged

HANN = torch.hann_window(8)


def paired(real: Tensor, imag: Tensor) -> Tensor:
    return torch.view_as_real(torch.complex(real, imag))


def spectrum(x: Tensor) -> Tensor:
    """complex64 [1, 5, 7] of the signal that all of x is."""
    return torch.stft(x.reshape(1, 24), 8, 4, window=HANN, return_complex=True)


class Rotary(nn.Module):
    """f32 [N, T, 6], neighbours turned by the angle of their place, as Llama's first code has it."""

    def __init__(self) -> None:
        super().__init__()
        angles = torch.outer(torch.arange(9.0), torch.tensor([1.0, 0.1, 0.01]))
        self.register_buffer("turns", torch.polar(torch.ones_like(angles), angles))

    def forward(self, x: Tensor) -> Tensor:
        pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
        turns = self.get_buffer("turns")[: x.shape[1]]
        return torch.view_as_real(pairs * turns).flatten(2)


class Spectral(nn.Module):
    """f32 [N, C, L]: a product with learnt weights for each of the lowest frequencies (Li et al., 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(4, 2, 3, dtype=torch.cfloat))

    def forward(self, x: Tensor) -> Tensor:
        low = torch.zeros(x.shape[0], 2, 4, dtype=torch.cfloat)
        low[:, :, :3] = torch.einsum("bix,iox->box", torch.fft.rfft(x)[:, :, :3], self.weights)
        result: Tensor = torch.fft.irfft(low, n=x.shape[-1])
        return result


NUMBERS: dict[str, Expression] = {
    "products": lambda x: (torch.complex(x, x.flip(1)) * torch.complex(x.flip(2), x) * 2 * 1j).imag,
    "quotients": lambda x: paired(x, x) / 2 + torch.view_as_real(torch.complex(x, x.flip(1)) / torch.complex(x + 5, x)),
    "sums": lambda x: torch.view_as_real(torch.complex(x, x) + x - torch.complex(x.flip(1), x) + 2 - 1j),
    "sizes and angles": lambda x: torch.complex(x, x.flip(1)).abs() + torch.complex(x, x.flip(1)).angle(),
    "of sizes and angles": lambda x: torch.view_as_real(torch.polar(x.abs(), x) + torch.exp(1j * x)),
    "conjugates": lambda x: (torch.complex(x, x.flip(1)).conj() * torch.complex(x, x) - torch.complex(x, x)).imag,
    "matrices": lambda x: torch.view_as_real(torch.complex(x, x.flip(1)) @ torch.complex(x, x).mT),
    "moved": lambda x: torch.view_as_real(
        torch.cat([torch.complex(x, x * 2)[:, 1:], torch.complex(-x, x)], 1).mT.sum(1)
    ),
    "looked up": lambda x: torch.view_as_real(torch.complex(x, -x)[:, [0, 2]]).mean(1),
}
TRANSFORMS: dict[str, Expression] = {
    "of real values": lambda x: torch.view_as_real(torch.fft.rfft(x)).sum(1) + torch.fft.rfft(x[:, :, :5]).abs().sum(),
    "there and back": lambda x: torch.fft.irfft(torch.fft.rfft(x)[..., :3] * 2, n=6)
    + torch.fft.irfft(torch.fft.rfft(x[..., :5]), n=5).mean()
    + torch.fft.ifft(torch.fft.fft(x, dim=1) * 2, dim=1).real,
    "of pictures": lambda x: torch.fft.fft2(x).real
    + torch.fft.irfft2(torch.fft.rfft2(x, norm="ortho"), norm="forward"),
    "longer, shifted": lambda x: torch.fft.fftshift(torch.fft.fft(x, n=8)).abs() + torch.fft.hfft(x + 1j * x, n=8),
    "windows": lambda x: spectrum(x).abs().pow(2).log1p(),
    "windows and back": lambda x: torch.istft(spectrum(x), 8, 4, window=HANN),
}  # fmt: skip


@pytest.mark.parametrize("form", [*NUMBERS.values(), *TRANSFORMS.values()], ids=[*NUMBERS, *TRANSFORMS])
def test_complex_numbers__are_captured_as_two_values_and_judged(form: Expression) -> None:
    x = normal(4, 6)
    captured = require_agreement(form, x)
    assert captured.program.batchable
    require_judged(captured, [x[0]])


@pytest.mark.parametrize("layer", [Rotary(), Spectral()], ids=["rotary", "spectral"])
def test_layers_of_complex_numbers__are_captured_and_judged(layer: nn.Module) -> None:
    x = normal(4, 6)
    require_judged(require_agreement(lambda layer, x: layer(x), x, layers=[layer]), [x[0]])


def test_a_transform__is_one_product() -> None:
    calls = require_agreement(lambda x: torch.fft.fft(x).real, normal(4, 6)).program.calls
    assert [call.function for call in calls].count(Function.LINEAR) == 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (lambda x: torch.fft.rfft(x), "returns complex numbers: return their parts"),
        (lambda x: torch.fft.rfft(x.double()).abs(), "torch.complex128 is not supported"),
        (lambda x: torch.fft.rfft(x).sqrt().abs(), "aten.sqrt.default is not supported of complex numbers"),
        (lambda x: torch.cat([x, torch.complex(x, x)]).abs(), "real values beside complex ones"),
        (lambda x: torch.fft.rfft(x.repeat(1, 2048)).abs(), "a Fourier transform of 8192 elements by"),
    ],
)
def test_what_has_no_such_form__is_refused_by_name(form: Expression, said: str) -> None:
    with pytest.raises(BadGraph, match=said):
        capture(Form(form).eval(), [torch.rand(1, 4) + 1])
