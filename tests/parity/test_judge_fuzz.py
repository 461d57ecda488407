"""Both judges on the same random cases: the contract, compiled and called on a real chain, and its Python twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.chain.artifacts import abi_of, load
from rollup.errors import Unavailable
from tests.chain_fixture import Anvil
from tests.parity import faults, moves
from tests.parity.faults import Case
from tests.parity.generate import judged
from tests.parity.spoil import spoilt_proof, spoilt_record

MAKERS = [
    faults.contract_case,
    faults.pair_case,
    faults.relu_case,
    faults.amax_case,
    faults.argmax_case,
    moves.movement_case,
    moves.link_case,
]
seeds = st.integers(0, 2**64 - 1)


class Contract:
    """StepJudge on a chain of its own."""

    def __init__(self, anvil: Anvil) -> None:
        self._anvil = anvil
        self._abi = abi_of("StepJudge")
        sender = anvil.rpc("eth_accounts")[0]
        code = "0x" + load()["StepJudge"].bytecode.hex()
        sent = anvil.rpc("eth_sendTransaction", {"from": sender, "data": code, "gas": hex(16_000_000)})
        self._address = anvil.rpc("eth_getTransactionReceipt", sent)["contractAddress"]

    def judged(self, case: Case) -> tuple[int, int]:
        """Verdict, and 1 if the contract reverts."""
        data = "0x" + self._abi.encode_call("judge", case.committed, case.proof).hex()
        try:
            answer = self._anvil.rpc("eth_call", {"to": self._address, "data": data}, "latest")
        except Unavailable as error:
            if "execution reverted" not in str(error):
                raise
            return 0, 1
        return int(answer, 16), 0


@pytest.fixture(scope="module")
def contract() -> Iterator[Contract]:
    with Anvil() as chain:
        yield Contract(chain)


@pytest.mark.parametrize("make", MAKERS, ids=[make.__name__ for make in MAKERS])
@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_judge__random_case__is_judged_alike(make: Callable[[Random], Case], contract: Contract, seed: int) -> None:
    case = make(Random(seed))
    assert contract.judged(case) == judged(case)


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_judge__spoilt_proof__is_judged_alike(contract: Contract, seed: int) -> None:
    random = Random(seed)
    case = spoilt_proof(random, random.choice(MAKERS)(random))
    assert contract.judged(case) == judged(case)


@settings(max_examples=200, deadline=None)
@given(seed=seeds)
def test_judge__record_that_nobody_checked__is_judged_alike(contract: Contract, seed: int) -> None:
    random = Random(seed)
    case = spoilt_record(random, random.choice(MAKERS)(random))
    assert contract.judged(case) == judged(case)
