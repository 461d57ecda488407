"""The judge's contract on a chain of its own: what it takes, as a transaction, to judge a proof."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.chain.artifacts import abi_of
from rollup.chain.deploy import demo_system, deploy
from rollup.types import Committed, FaultProof
from tests.chain_fixture import SEQUENCER, Anvil, anvil_key

SENDER = 1
# Of a transaction of the largest kind (EIP-7825 caps them at 2^24).
MAX_GAS = 2**24


@dataclass(frozen=True)
class Cost:
    """Gas of the whole transaction, its calldata at the floor price included; bytes of its calldata."""

    gas: int
    calldata_bytes: int


class Court:
    """StepJudge, deployed with all its families."""

    def __init__(self, anvil: Anvil) -> None:
        self._anvil, self._abi = anvil, abi_of("StepJudge")
        deployment = deploy(anvil.client(), anvil.sender(0), demo_system(anvil_key(SEQUENCER).address))
        self._address = "0x" + deployment.step_judge.hex()

    def cost(self, committed: Committed, proof: FaultProof) -> Cost:
        """Of `judge(committed, proof)` as a transaction. Raises Unavailable if it reverts, or takes more than 2^24."""
        data = self._abi.encode_call("judge", committed, proof)
        call = {
            "from": "0x" + anvil_key(SENDER).address.hex(),
            "to": self._address,
            "data": "0x" + data.hex(),
            "gas": hex(MAX_GAS),
        }
        gas = int(self._anvil.rpc("eth_estimateGas", call, "latest"), 16)
        return Cost(gas, len(data))
