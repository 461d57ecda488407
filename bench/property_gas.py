"""Gas of properties: every step of a training request, of a dispute about one item, of a request for a text.

It measures nothing itself: `tests/contracts/bench/Property.t.sol` plays them on the real contracts, each call a
transaction of its own. 300 items are scored and 60 opened; the text has 64 new tokens, drawn by a seed.
"""

from typing import Any

from bench._forge import figures


def run() -> dict[str, Any]:
    """Gas by transaction: `gas_training_*`, `gas_item_*` of the dispute and in total, `gas_generation_*`."""
    return dict(sorted(figures("Property.t.sol").items()))
