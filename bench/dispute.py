"""Gas and transactions of a whole dispute over one element of a contraction, as sent: calldata floor and all.

It measures nothing itself: `tests/contracts/bench/Dispute.t.sol` plays the disputes on the real contracts, each call a
transaction of its own, in a model of 100 steps with 4,096 columns of weights.
"""

from typing import Any

from bench._forge import figures


def run() -> dict[str, Any]:
    """Transactions of a lazy and of an eager dispute; gas by transaction and in total, by reduction length `k`."""
    return dict(sorted(figures("Dispute.t.sol").items(), key=lambda figure: not figure[0].startswith("transactions")))
