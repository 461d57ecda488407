"""Gas of properties: every step of a training request, of a dispute about one item, of a request for a text.

It measures nothing itself: `tests/contracts/bench/Property.t.sol` plays them on the real contracts, each call a
transaction of its own. 300 items are scored and 60 opened; the text has 64 new tokens, drawn by a seed. What a griefer
and an honest executor pay for one of 2,048 items is `Scores.t.sol`'s.
"""

from typing import Any

from bench._forge import figures


def run() -> dict[str, Any]:
    """Gas by transaction: `gas_training_*`, `gas_item_*`, `gas_grief_*`, `gas_generation_*`; some are totals."""
    return dict(sorted((figures("Property.t.sol") | figures("Scores.t.sol")).items()))
