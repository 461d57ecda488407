"""A training job on real digits: the folder, filled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from executor.capture import export_to_folder
from executor.training.job import Job
from tests.digits import DigitNet, digits


def digits_job(folder: Path, items: int = 1200, **recipe: Any) -> Job:
    """A job on the shown digits, with 200 others to check on."""
    export_to_folder(DigitNet().eval(), [torch.zeros(1, 1, 8, 8)], folder)
    data = digits()
    shown = (torch.from_numpy(data.shown[:items]), torch.from_numpy(data.shown_labels[:items]))
    check = (torch.from_numpy(data.held_out[:200]), torch.from_numpy(data.held_out_labels[:200]))
    for name, (pictures, labels) in (("shown", shown), ("check", check)):
        save_file({"input_0": pictures, "targets": labels}, folder / f"{name}.safetensors")
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return Job(folder)
