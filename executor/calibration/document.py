"""What a calibration found, and the document that says so: JSON whose digest stands in the numerics header.

Whoever doubts a factor reads how it was measured: devices, threads, batch sizes, samples, and each step's worst errors.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import torch

from executor.calibration.plan import Plan
from executor.network import Network
from executor.reach import Reach
from rollup.errors import BadEncoding, BadInput
from rollup.graph import FACTOR_ONE, Numerics
from rollup.numerics import DIGEST_BYTES, Arithmetic, Profile, Rounding

FORMAT = "anh.calibration.v1"
# What the numerics header can say of the number of judged elements.
MAX_JUDGED = 2**32 - 1


@dataclass(frozen=True)
class StepErrors:
    """Worst error of each step in units of its scale, zero where no factor bounds it; over how many runs and elements.

    `constant`: those of the probe with constant rows.
    """

    natural: tuple[float, ...]
    constant: tuple[float, ...]
    runs: int
    elements: int


@dataclass(frozen=True)
class Calibration:
    """What was measured, and what is registered from it.

    `output_band`, `slash_band`: absolute, in units of the output (or of the logits under labels). `document`: the JSON
    whose digest is in the numerics header.
    """

    numerics: Numerics
    errors: StepErrors
    output_band: float
    slash_band: float
    reach: Reach
    document: bytes = b""

    @property
    def natural(self) -> tuple[float, ...]:
        return self.errors.natural

    @property
    def constant(self) -> tuple[float, ...]:
        return self.errors.constant

    @property
    def document_name(self) -> bytes:
        """The name of its blob: the digest in the numerics header, filled up with zeros."""
        return self.numerics.profile.digest.ljust(32, b"\0")


def with_document(found: Calibration, network: Network, plan: Plan, samples: int) -> Calibration:
    """The same with its document, and the numerics that name it."""
    text = json.dumps(_document(found, network, plan, samples), separators=(",", ":"), sort_keys=True).encode()
    judged = min(found.errors.elements, MAX_JUDGED)
    profile = replace(found.numerics.profile, samples=judged, digest=sha256(text).digest()[:DIGEST_BYTES])
    return replace(found, numerics=replace(found.numerics, profile=profile), document=text)


def _document(found: Calibration, network: Network, plan: Plan, samples: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "graph": "0x" + network.graph.root.hex(),
        "torch": torch.__version__,
        "devices": [device_name(device) for device in plan.devices],
        "threads": list(plan.threads),
        "batch_sizes": list(plan.sizes(network, samples)),
        "samples": samples,
        "runs": found.errors.runs,
        "elements": found.errors.elements,
        "profile": plan.profile.arithmetic.name.lower(),
        "blocked": plan.profile.blocked,
        "rounding": plan.profile.rounding.name.lower(),
        "output_band": found.output_band,
        "slash_band": found.slash_band,
        "reach_sound": float(found.reach.sound.max()),
        "reach_calibrated": float(found.reach.calibrated.max()),
        "steps": _steps(found, network),
    }


def _steps(found: Calibration, network: Network) -> list[dict[str, Any]]:
    """Those that a factor bounds."""
    rows = zip(network.graph.steps, found.natural, found.constant, found.numerics.factors, strict=True)
    return [
        {
            "step": number,
            "op": step.op.name.lower(),
            "origin": step.origin,
            "natural": natural,
            "constant": constant,
            "factor": factor / FACTOR_ONE,
        }
        for number, (step, natural, constant, factor) in enumerate(rows)
        if factor
    ]


def read_document(text: bytes, network: Network) -> Calibration:
    """What was found where a model was calibrated before, say on other devices.

    Raises BadEncoding for a text that is no such document, BadInput for that of another model.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise BadEncoding(f"a calibration's format is {FORMAT}, got {str(document['format'])[:40]}")
        if document["graph"] != "0x" + network.graph.root.hex():
            raise BadInput(f"the calibration is of the graph {str(document['graph'])[:66]}, not of this one")
        return _read(document, text, network)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadEncoding(f"the calibration cannot be read: {error!r:.120}") from error


def _read(document: dict[str, Any], text: bytes, network: Network) -> Calibration:
    count = len(network.graph.steps)
    natural, constant, factors = [0.0] * count, [0.0] * count, [0] * count
    for row in document["steps"]:
        number = int(row["step"])
        natural[number], constant[number] = float(row["natural"]), float(row["constant"])
        factors[number] = round(row["factor"] * FACTOR_ONE)
    profile = Profile(
        Arithmetic[document["profile"].upper()],
        bool(document["blocked"]),
        Rounding[document["rounding"].upper()],
        samples=min(int(document["elements"]), MAX_JUDGED),
        digest=sha256(text).digest()[:DIGEST_BYTES],
    )
    errors = StepErrors(tuple(natural), tuple(constant), int(document["runs"]), int(document["elements"]))
    reach = Reach(np.array([float(document["reach_sound"])]), np.array([float(document["reach_calibrated"])]))
    bands = float(document["output_band"]), float(document["slash_band"])
    return Calibration(Numerics(tuple(factors), profile), errors, *bands, reach, text)


def device_name(device: str) -> str:
    """What a device calls itself."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_processor()} ({torch.backends.cpu.get_cpu_capability()})"


def _processor() -> str:
    """The model's name where Linux says it, else the architecture."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
