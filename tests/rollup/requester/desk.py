"""A requester's files: items of three pixels and a class of four, the scorer's record, a description."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from rollup.call import f32_bits
from rollup.tensor import DType, TensorSpec
from rollup.types import (
    ZERO_WORD,
    BundleRoot,
    GraphRoot,
    InputSpec,
    Model,
    NumericsRoot,
    Windows,
)

PIXELS, CLASSES = 3, 4
SPECS = (
    InputSpec(TensorSpec(DType.F32, (1, PIXELS)).header, f32_bits(0.0), f32_bits(1.0)),
    InputSpec(TensorSpec(DType.I64, (1,)).header, 0, CLASSES - 1),
)
SCORER = Model(
    GraphRoot(ZERO_WORD), ZERO_WORD, BundleRoot(ZERO_WORD), NumericsRoot(ZERO_WORD), ZERO_WORD, SPECS,
    TensorSpec(DType.F32, (1,)).header, 0, 0, 1, Windows(20, 10, 10, 10, 10),
)  # fmt: skip
DESCRIPTION: dict[str, Any] = {
    "architecture": "0x" + "11" * 32,
    "scorer": "0x" + "22" * 32,
    "data": "data.safetensors",
    "pool": "pool.safetensors",
    "open_count": 2,
    "threshold": 0.75,
    "fee_wei": 10**18,
    "open": 30,
    "commit": 60,
    "reveal": 30,
    "claim": 30,
}


def write_items(path: Path, count: int, **changes: Any) -> Path:
    """`count` items; `changes` are tensors that replace what is drawn."""
    drawn = np.random.default_rng(count)
    tensors: dict[str, Any] = {
        "input_0": drawn.random((count, PIXELS), dtype=np.float32),
        "targets": drawn.integers(0, CLASSES, count),
    }
    save_file({**tensors, **changes}, path)
    return path


def write_description(folder: Path, **changes: Any) -> Path:
    """A description with its files beside it; a value of None leaves a name out."""
    write_items(folder / "data.safetensors", 9)
    write_items(folder / "pool.safetensors", 8)
    given = {name: value for name, value in {**DESCRIPTION, **changes}.items() if value is not None}
    path = folder / "training.toml"
    path.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in given.items()))
    return path


def _toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def narrower(scorer: Model, hi: int) -> Model:
    """A scorer that takes fewer classes."""
    return replace(scorer, inputs=(scorer.inputs[0], replace(scorer.inputs[1], hi=hi)))
