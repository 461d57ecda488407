"""The bench of texts: a check is cheaper than a generation, and a check that costs as much shows."""

from __future__ import annotations

import pytest

from bench._property import generation
from tests.executor.generation.decoders import decoder_of


def test_figures__show_a_check_that_is_made_as_dear_as_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = decoder_of("characters", False, generation.NEW_TOKENS)
    monkeypatch.setattr(generation, "PROMPT", decoder.rows.prompt)
    monkeypatch.setattr(generation, "VOCABULARY", decoder.rows.vocabulary)
    monkeypatch.setattr(generation, "ROUNDS", 3)
    monkeypatch.setattr(generation, "_decoder", lambda: (decoder, decoder.runner))
    honest = generation.figures(threads=1)
    assert honest["generation_ratio"] <= 1 / 8
    assert (honest["rounds"], honest["incremental"]) == (3, True)

    class Slow:
        def run(self, requests: list[list[bytes]]) -> None:
            for _ in range(generation.NEW_TOKENS):
                decoder.runner.run(requests)

    monkeypatch.setattr(generation, "_decoder", lambda: (decoder, Slow()))
    assert generation.figures(threads=1)["generation_ratio"] > 4 * honest["generation_ratio"]
