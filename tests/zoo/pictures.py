"""Models of pictures, and models that make some."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from tests.zoo.specimen import Inputs, Specimen, lively

Channels = tuple[int, int]


def scene(generator: Generator, size: int, channels: int = 3) -> Tensor:
    """f32 [1, channels, size, size], normalised: shading, an object of one colour, grain, a border of pure black."""
    coarse = torch.randn(1, channels, 5, 5, generator=generator)
    smooth = functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
    row, column, extent = (int(torch.randint(size // 4, size // 2, (1,), generator=generator)) for _ in range(3))
    smooth[..., row : row + extent, column : column + extent] = torch.randn(1, channels, 1, 1, generator=generator)
    picture = smooth + 0.05 * torch.randn(1, channels, size, size, generator=generator)
    picture[..., : size // 16, :] = -2.0
    return picture.clamp(-2.2, 2.6)


def colour(generator: Generator, size: int) -> Inputs:
    return (scene(generator, size),)


def grey(generator: Generator, size: int) -> Inputs:
    return (scene(generator, size, channels=1),)


def latent(generator: Generator, size: int) -> Inputs:
    """f32 [1, 4, size, size]."""
    return (torch.randn(1, 4, size, size, generator=generator),)


def resnet18() -> nn.Module:
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(embedding_size=64, hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2], layer_type="basic")
    config.num_labels = 1000
    return Logits(ResNetForImageClassification(config))


def mobilenet_v2() -> nn.Module:
    from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

    config = MobileNetV2Config()
    config.num_labels = 1001
    return Logits(MobileNetV2ForImageClassification(config))


def vit() -> nn.Module:
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(hidden_size=192, num_hidden_layers=4, num_attention_heads=3, intermediate_size=768)
    config.num_labels = 100
    return Logits(ViTForImageClassification(config))


def convnext() -> nn.Module:
    from transformers import ConvNextConfig, ConvNextForImageClassification

    config = ConvNextConfig(hidden_sizes=[32, 64, 128, 256], depths=[1, 1, 2, 1])
    config.num_labels = 10
    return Logits(ConvNextForImageClassification(config))


class Logits(nn.Module):
    """f32 [N, classes] of a published classifier of pictures."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model: Any = lively(model)

    def forward(self, picture: Tensor) -> Tensor:
        logits: Tensor = self.model(pixel_values=picture).logits
        return logits


class Block(nn.Module):
    """Two convolutions with group-norm and SiLU, around which the picture also goes by itself."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(inner, outer, 3, padding=1), nn.Conv2d(outer, outer, 3, padding=1)
        self.norms = nn.ModuleList([nn.GroupNorm(8, outer), nn.GroupNorm(8, outer)])
        self.around = nn.Conv2d(inner, outer, 1) if inner != outer else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = functional.silu(self.norms[0](self.first(x)))
        y = functional.silu(self.norms[1](self.second(y)))
        around: Tensor = self.around(x)
        return y + around


class UNet(nn.Module):
    """f32 [N, 2, 32, 32], a mask's log-odds: down by stride and by mean pool, up by both ways of going up."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.deep, self.deepest = Block(3, 16), Block(16, 32), Block(32, 32)
        self.down = nn.Conv2d(16, 16, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(32, 32, 2, stride=2)
        self.join, self.leave = Block(64, 16), Block(32, 16)
        self.head = nn.Conv2d(16, 2, 1)

    def forward(self, picture: Tensor) -> Tensor:
        high = self.enter(picture)
        middle = self.deep(self.down(high))
        low = self.deepest(functional.avg_pool2d(middle, 2))
        middle = self.join(torch.cat([self.up(low), middle], 1))
        wide = functional.interpolate(middle, scale_factor=2, mode="bilinear", align_corners=False)
        masks: Tensor = self.head(self.leave(torch.cat([wide, high], dim=1)))
        return masks


class SqueezeExcite(nn.Module):
    """f32 [N, 10]: channels weighed by what the whole picture holds, as in MobileNetV3."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish(inplace=True))
        self.depth = nn.Conv2d(16, 16, 5, padding=2, groups=16)
        self.squeeze, self.excite = nn.Conv2d(16, 8, 1), nn.Conv2d(8, 16, 1)
        self.head = nn.Linear(16, 10)

    def forward(self, picture: Tensor) -> Tensor:
        x = functional.relu6(self.depth(self.stem(picture)))
        weights = functional.hardsigmoid(
            self.excite(functional.relu(self.squeeze(functional.adaptive_avg_pool2d(x, 1))))
        )
        x *= weights
        logits: Tensor = self.head(x.mean([2, 3]))
        return logits


class Autoencoder(nn.Module):
    """f32 [N, 1, 32, 32] in 0..1, the picture through 16 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.shrink = nn.Sequential(
            nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(8, 16, 4, 2, 1), nn.ELU()
        )
        self.narrow = nn.Sequential(nn.Flatten(), nn.Linear(16 * 64, 16), nn.Tanh(), nn.Linear(16, 16 * 64), nn.PReLU())
        self.grow = nn.Sequential(
            nn.Unflatten(1, (16, 8, 8)),
            nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1),
            nn.Softplus(),
            nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, picture: Tensor) -> Tensor:
        whole: Tensor = self.grow(self.narrow(self.shrink(picture)))
        return whole


class Mixer(nn.Module):
    """f32 [N, 10]: patches mixed along both axes by plain layers (MLP-Mixer)."""

    def __init__(self, patches: int = 64, width: int = 48) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, stride=4)
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(3)])
        self.across = nn.Sequential(nn.Linear(patches, 96), nn.GELU(approximate="tanh"), nn.Linear(96, patches))
        self.along = nn.Sequential(nn.Linear(width, 96), nn.Mish(), nn.Linear(96, width))
        self.head = nn.Linear(width, 10)

    def forward(self, picture: Tensor) -> Tensor:
        x = self.stem(picture).flatten(2).transpose(1, 2)
        x = x + self.across(self.norms[0](x).transpose(1, 2)).transpose(1, 2)
        x = x + self.along(self.norms[1](x))
        logits: Tensor = self.head(self.norms[2](x).mean(dim=1))
        return logits


class VaeDecoder(nn.Module):
    """f32 [N, 3, 64, 64] of a latent picture: attention over places, nearest upsampling, pixel shuffle."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(4, 32, 3, padding=1)
        self.norm, self.out = nn.InstanceNorm2d(32, affine=True), nn.GroupNorm(4, 16, eps=1e-6)
        self.qkv, self.project = nn.Linear(32, 96), nn.Linear(32, 32)
        self.blocks = nn.ModuleList([Block(32, 32), Block(32, 16)])
        self.leave = nn.Conv2d(16, 12, 3, padding=1, padding_mode="reflect")

    def forward(self, code: Tensor) -> Tensor:
        x = self.enter(code / 0.18215)
        x = x + self._attend(self.norm(x))
        x = functional.interpolate(self.blocks[0](x), scale_factor=2.0, mode="nearest")
        x = self.leave(functional.silu(self.out(self.blocks[1](x))))
        return functional.pixel_shuffle(x, 2).clamp(-1, 1)

    def _attend(self, x: Tensor) -> Tensor:
        count, width, height, _ = x.shape
        query, key, value = self.qkv(x.flatten(2).mT).chunk(3, dim=-1)
        weights = (torch.einsum("bic,bjc->bij", query, key) * width**-0.5).softmax(dim=-1)
        rows: Tensor = self.project(weights @ value)
        return rows.mT.reshape(count, width, height, -1)


SPECIMENS = (
    Specimen("resnet18", resnet18, colour, sizes=(224,)),
    Specimen("mobilenet_v2", mobilenet_v2, colour, sizes=(224,)),
    Specimen("vit", vit, colour, sizes=(224,)),
    Specimen("convnext", convnext, colour, sizes=(64,)),
    Specimen("unet", lambda: lively(UNet()), colour, sizes=(32,)),
    Specimen("squeeze_excite", lambda: lively(SqueezeExcite()), colour, sizes=(32,)),
    Specimen("autoencoder", Autoencoder, grey, sizes=(32,)),
    Specimen("mixer", lambda: lively(Mixer()), colour, sizes=(32,)),
    Specimen("vae_decoder", lambda: lively(VaeDecoder()), latent, sizes=(16,)),
)
