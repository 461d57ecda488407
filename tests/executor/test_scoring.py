"""Scores that can be claimed: what is refused, and that an opened trace never gives another one."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from executor.retained import find, name_of
from executor.scorer import Score
from executor.scoring import require_scorer, scores_of, values_of
from executor.tensors import canonical_bytes
from executor.trace import recompute
from rollup.blobs import Blobs, open_blobs
from rollup.errors import BadEncoding, BadInput
from rollup.tensor import DType, TensorSpec
from rollup.types import Model
from tests.digits import trained
from tests.executor.scored import digit_items, digit_samples, digit_scorer, loaded, packed


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(tmp_path)


def architecture_of(scorer: Model) -> Model:
    return replace(scorer, inputs=scorer.inputs[:-1], output_header=TensorSpec(DType.F32, (1, 10)).header)


def test_require_scorer__wrong_output__is_refused(blobs: Blobs) -> None:
    record = digit_scorer(blobs).record
    wide = replace(record, output_header=TensorSpec(DType.F32, (1, 10)).header)
    with pytest.raises(BadInput, match=r"one f32, not f32 \[1, 10\]"):
        require_scorer(wide, architecture_of(record))
    whole = replace(record, output_header=TensorSpec(DType.I64, (1,)).header)
    with pytest.raises(BadInput, match=r"one f32, not i64 \[1\]"):
        require_scorer(whole, architecture_of(record))


def test_require_scorer__other_inputs__are_refused(blobs: Blobs) -> None:
    record = digit_scorer(blobs).record
    with pytest.raises(BadInput, match="one target more"):
        require_scorer(record, record)
    require_scorer(record, architecture_of(record))


def test_scores_of__no_items__is_refused(blobs: Blobs) -> None:
    with pytest.raises(BadInput, match="no items"):
        scores_of(digit_scorer(blobs), blobs, [])


def test_scores_of__cut_inputs__are_refused(blobs: Blobs) -> None:
    (item,) = digit_items(1)
    with pytest.raises(BadEncoding, match="the model takes"):
        scores_of(digit_scorer(blobs), blobs, [[item[0][:-4], item[1]]])


def test_scores_of__a_score_that_is_no_number__is_refused(blobs: Blobs) -> None:
    (item,) = digit_items(1)
    scorer = digit_scorer(blobs, Score.LIKELIHOOD)
    endless = [struct.pack(">64f", *[float("inf")] * 64), item[1]]
    with pytest.raises(BadInput, match="the score of item 0 is nan"):
        scores_of(scorer, blobs, [endless])


def test_values_of__wrong_length__is_refused() -> None:
    with pytest.raises(BadEncoding, match="4 bytes, got 8"):
        values_of([bytes(8)])


@pytest.mark.parametrize("score", [Score.ACCURACY, Score.LIKELIHOOD])
def test_scores_of__each__can_be_opened(blobs: Blobs, score: Score) -> None:
    scorer, items = digit_scorer(blobs, score), digit_items(40)
    for item, claimed in zip(items, scores_of(scorer, blobs, items), strict=True):
        assert scorer.trace(item, claimed).tensors


def test_scores_of__accuracy__is_that_of_the_network(blobs: Blobs) -> None:
    items = digit_items(200)
    scores = values_of(scores_of(digit_scorer(blobs), blobs, items))
    assert set(scores) == {0.0, 1.0}
    assert sum(scores) / len(scores) > 0.85


class Tie(nn.Module):
    """Logits f32 [N, 2] of a picture: the sum of its pixels, in two orders."""

    def __init__(self) -> None:
        super().__init__()
        self.forwards, self.backwards = nn.Linear(64, 1, bias=False), nn.Linear(64, 1, bias=False)
        torch.nn.init.constant_(self.forwards.weight, 0.1)
        torch.nn.init.constant_(self.backwards.weight, 0.1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        flat = picture.flatten(1)
        return torch.cat([self.forwards(flat), self.backwards(flat.flip(1))], 1)


def test_scores_of__logits_that_are_close__are_claimed_from_a_run_that_is_kept(blobs: Blobs) -> None:
    samples = [[picture, torch.zeros_like(label)] for picture, label in digit_samples(8)]
    scorer = loaded(blobs, packed(Tie(), Score.ACCURACY), samples)
    items = [[canonical_bytes(tensor) for tensor in sample] for sample in samples]
    for item, claimed in zip(items, scores_of(scorer, blobs, items), strict=True):
        kept = find(blobs, name_of(scorer.record.graph_root, item, claimed))
        assert kept is not None
        assert canonical_bytes(kept[-1]) == claimed
        assert scorer.trace(item, claimed).tensors[-1].data == claimed


def test_scores_of__logits_that_are_far_apart__cost_no_kept_run(blobs: Blobs) -> None:
    scorer, items = digit_scorer(blobs), digit_items(20)
    far = [item for item, logits in zip(items, _logits(digit_samples(20)), strict=True) if _lead(logits) > 1]
    scores = scores_of(scorer, blobs, far)
    assert len(far) > 10
    names = [name_of(scorer.record.graph_root, item, score) for item, score in zip(far, scores, strict=True)]
    assert not any(blobs.exists(name) for name in names)


def _logits(samples: list[list[torch.Tensor]]) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = trained()(torch.cat([picture for picture, _ in samples]))
    return logits


def _lead(logits: torch.Tensor) -> float:
    first, second = logits.topk(2).values
    return float(first - second)


def test_scores_of__band_that_is_too_narrow__claims_lone_runs(blobs: Blobs) -> None:
    """Bands are absolute and trained weights larger: what leaves half of the band is run alone, and kept."""
    scorer, items = digit_scorer(blobs, Score.LIKELIHOOD), digit_items(12)
    narrow = replace(scorer, record=replace(scorer.record, output_band=0))
    scores = scores_of(narrow, blobs, items)
    network = narrow.network
    for item, sample, score in zip(items, digit_samples(12), scores, strict=True):
        assert find(blobs, name_of(narrow.record.graph_root, item, score)) is not None
        distance = float(recompute(network, sample)[-1]) - values_of([score])[0]
        assert abs(distance) < 1e-4
