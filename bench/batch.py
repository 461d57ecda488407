"""`python -m bench batch`: gas of ordering, claiming and calling back.

Whole transactions against the real contracts, with base cost and calldata's floor price (EIP-7623); 500 claims of 40
random bytes, a request with 32 bytes of inputs, and a final claim's callback that stores one word. `gas_final_callback`
is one `settle` that finalises on its way; `gas_finalise_alone` and `gas_settle_alone` are the same in two transactions.
"""

from typing import Any

from bench import _forge


def run() -> dict[str, Any]:
    """Gas and bytes by name, as the bench contract measures them."""
    return dict(sorted(_forge.figures("Batch.t.sol").items()))
