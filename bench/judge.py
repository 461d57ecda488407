"""Gas of the judge: of its inner parts, and of whole proofs about the dearest elements of real models.

The parts are measured in forge by `tests/contracts/bench/JudgeBench.t.sol`, whose log this reads: no calldata, and a
contraction's gas is that of the whole exact sum, set-up included, divided by its products. `by_operator` is
`StepJudge.judge` as a transaction on a chain, calldata floor and all, for the element of every operator that opens most
in the models as people run them.
"""

import warnings

from torch import nn

from bench._forge import figures
from bench._judge.court import Court
from bench._judge.families import by_operator, dearest_of_layer
from bench._subjects import captured, full_size
from tests.chain_fixture import Anvil


def per_product(logged: dict[str, int], kind: str) -> dict[str, float]:
    """Gas per multiply-accumulate by K, from the gas of whole sums logged as `kind K`."""
    sums = {int(key.split()[1]): gas for key, gas in logged.items() if key.startswith(f"{kind} ")}
    return {str(length): round(sums[length] / length, 2) for length in sorted(sums)}


def run() -> dict[str, object]:
    """The published figures, in gas; `gas_per_mac` is the worst over K of rows without zeros."""
    logged = figures("JudgeBench.t.sol")
    dense = per_product(logged, "dense")
    return {
        "gas_per_mac": max(dense.values()),
        "gas_per_mac_by_k": dense,
        "gas_per_mac_half_zero_by_k": per_product(logged, "half_zero"),
        "gas_verdict": logged["verdict"],
        "gas_merkle_20": logged["merkle 20"],
        **_proofs(),
    }


def _proofs() -> dict[str, object]:
    with warnings.catch_warnings(), Anvil() as anvil:
        # Torch's own, about its export's internals.
        warnings.simplefilter("ignore")
        court = Court(anvil)
        models, unjudged = captured(full_size())
        table = by_operator(court, models)
        return {
            "dearest_gas": max(cost["gas"] for cost in table.values()),
            "dearest_calldata_bytes": max(cost["calldata_bytes"] for cost in table.values()),
            "gas_softmax_4096": dearest_of_layer(court, nn.Softmax(dim=-1), 4096),
            "gas_layer_norm_1024": dearest_of_layer(court, nn.LayerNorm(1024), 1024),
            "by_operator": table,
            "unjudged": unjudged,
        }
