"""A pixel of 3e38 into a network with a ReLU6: real processes claim that it overflows, and that becomes final."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from executor.registration import Terms
from executor.tensors import canonical_bytes
from rollup.codec import Overflow
from rollup.devnet import Account, Part
from rollup.types import Certainty, Windows
from rollup.view import View
from tests.executor.nets import Clamped
from tests.executor.stack import EXECUTOR, WORKER, Stack, running_stack

START_SECONDS = 90.0
# Short, since the test waits until all is final.
TERMS = Terms(0.0, 3e38, 1_000_000, Windows(challenge=15, open=8, collect=4, supply=8, prove=8))


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with running_stack(tmp_path, monkeypatch.setenv, Clamped, TERMS) as running:
        yield running


@pytest.mark.timeout(300)
def test_a_bright_pixel__is_claimed_undefined_beside_ordinary_answers_and_becomes_final(stack: Stack) -> None:
    pictures = np.random.default_rng(7).random((2, 1, 1, 8, 8), dtype=np.float32)
    pictures[1, 0, 0, 3, 4] = 3e38
    for part in (EXECUTOR, WORKER, Part("keeper", Account.KEEPER)):
        stack.start(part)
    stack.ask_for([canonical_bytes(torch.from_numpy(picture)) for picture in pictures])

    def ends(view: View) -> list[Certainty]:
        return sorted(claim.certainty for claim in view.state.claims.values())

    stack.wait("both are final", lambda view: ends(view) == [Certainty.FINAL, Certainty.UNDEFINED], START_SECONDS + 60)
    (over,) = (claim for claim in stack.view().state.claims.values() if claim.undefined)
    assert stack.view().request(over.request).inputs == canonical_bytes(torch.from_numpy(pictures[1]))
    assert Overflow.decode(over.output).step == 1
    assert over.trace_root is not None
    assert len(stack.blobs.get_bundle(over.trace_root).roots) > 2
