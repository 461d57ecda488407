"""The zoo's animals: what they are asked depends on the seed alone, differs from seed to seed, and is answered."""

from __future__ import annotations

import pytest
import torch

from tests.zoo import ZOO


@pytest.mark.parametrize("name", ZOO)
def test_a_request__comes_from_its_seed(name: str) -> None:
    specimen = ZOO[name]
    for size in specimen.sizes:
        first, again, other = (specimen.request(seed, size) for seed in (3, 3, 4))
        assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
        assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))
        assert all(part.shape[0] == 1 for part in first)


@pytest.mark.parametrize("name", ["minilm", "plain_encoder", "tabular", "lstm", "unet"])
def test_a_model__tells_its_requests_apart(name: str) -> None:
    specimen = ZOO[name]
    with torch.inference_mode():
        outputs = specimen.module(*specimen.batch(4))
    assert outputs.isfinite().all()
    assert len(outputs.unique(dim=0)) == 4
