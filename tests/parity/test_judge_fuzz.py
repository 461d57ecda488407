"""Both judges on the same random cases: the contract, compiled and called on a real chain, and its Python twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.fault_proof import Evidence
from rollup.chain.artifacts import FAMILIES, abi_of, load
from rollup.chain.sender import Intent, Sender
from rollup.errors import Refused, Unavailable
from rollup.judge.opening import require_leaf
from rollup.judge.reads import Run
from rollup.types import Committed, LeafRef, Opening, StepProof
from tests.chain_fixture import Anvil
from tests.parity import generate
from tests.parity.faults import Case
from tests.parity.generate import judged
from tests.parity.spoil import flipped, spoilt_proof, spoilt_record
from tests.parity.toy import network, wide_linear

MAKERS = {name: make for name, (make, _) in generate.MAKERS.items()}
seeds = st.integers(0, 2**64 - 1)


def created(sender: Sender, name: str, arguments: bytes) -> bytes:
    """Address of a new contract."""
    receipt = sender.send(Intent(f"create:{name}", None, load()[name].bytecode + arguments))
    assert receipt.contract is not None
    return receipt.contract


class Contract:
    """StepJudge on a chain of its own."""

    def __init__(self, anvil: Anvil) -> None:
        self._anvil = anvil
        self._abi = abi_of("StepJudge")
        sender = anvil.sender(0)
        families = [created(sender, name, b"").rjust(32, b"\0") for name in FAMILIES]
        self._address = "0x" + created(sender, "StepJudge", b"".join(families)).hex()

    def judged(self, case: Case) -> tuple[int, int]:
        """Verdict, and 1 if the contract reverts."""
        answer = self._call("judge", case.committed, case.proof)
        return (0, 1) if answer is None else (int(answer, 16), 0)

    def has_leaf(self, committed: Committed, ref: LeafRef, shown: StepProof, opening: Opening) -> bool:
        """Whether the contract takes the opening for the leaf."""
        places = (ref.step, shown.record, shown.path, ref.slot, ref.leaf)
        return self._call("requireLeaf", committed, *places, opening) is not None

    def _call(self, function: str, *arguments: object) -> str | None:
        """What the contract answers; None if it reverts."""
        data = "0x" + self._abi.encode_call(function, *arguments).hex()
        try:
            return str(self._anvil.rpc("eth_call", {"to": self._address, "data": data}, "latest"))
        except Unavailable as error:
            if "execution reverted" not in str(error):
                raise
            return None


@pytest.fixture(scope="module")
def contract() -> Iterator[Contract]:
    with Anvil() as chain:
        yield Contract(chain)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@settings(max_examples=50, deadline=None)
@given(seed=seeds)
def test_judge__random_case__is_judged_alike(make: Callable[[Random], Case], contract: Contract, seed: int) -> None:
    case = make(Random(seed))
    assert contract.judged(case) == judged(case)


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_judge__spoilt_proof__is_judged_alike(contract: Contract, seed: int) -> None:
    random = Random(seed)
    case = spoilt_proof(random, random.choice(list(MAKERS.values()))(random))
    assert contract.judged(case) == judged(case)


def twin_has_leaf(committed: Committed, ref: LeafRef, shown: StepProof, opening: Opening) -> bool:
    try:
        require_leaf(committed, ref, shown, opening)
    except Refused:
        return False
    return True


def any_leaf(random: Random, evidence: Evidence) -> tuple[LeafRef, StepProof, Opening]:
    """A leaf of a step's tensors, or of an output that is claimed by its root."""
    count = len(evidence.graph.steps)
    number = random.randrange(count if evidence.claimed is None else count + 1)
    shown = evidence.graph.step_proof(number)
    if evidence.claimed is not None and number == count:
        return LeafRef(number, 0, 0), shown, evidence.claimed.open_leaves(0, 0)
    slot = random.randrange(len(evidence.graph.steps[number].operands) + 1)
    leaf = random.randrange(evidence.tensor(number, slot).spec.leaf_count)
    return LeafRef(number, slot, leaf), shown, evidence.open(number, Run(slot, leaf * 256, 1))


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_require_leaf__any_leaf_in_any_place__is_taken_alike(contract: Contract, seed: int) -> None:
    random = Random(seed)
    evidence = random.choice([network(), wide_linear()])
    ref, shown, opening = any_leaf(random, evidence)
    assert contract.has_leaf(evidence.committed, ref, shown, opening)
    assert twin_has_leaf(evidence.committed, ref, shown, opening)
    others = [
        replace(ref, leaf=ref.leaf + random.choice([1, 2, 100])),
        replace(ref, slot=random.randrange(5)),
        replace(ref, step=random.randrange(12)),
    ]
    spoilt = replace(opening, leaves=flipped(random, opening.leaves))
    for other, opened in ((random.choice(others), opening), (ref, spoilt)):
        taken = contract.has_leaf(evidence.committed, other, shown, opened)
        assert taken == twin_has_leaf(evidence.committed, other, shown, opened)


@settings(max_examples=200, deadline=None)
@given(seed=seeds)
def test_judge__record_that_nobody_checked__is_judged_alike(contract: Contract, seed: int) -> None:
    random = Random(seed)
    case = spoilt_record(random, random.choice(list(MAKERS.values()))(random))
    assert contract.judged(case) == judged(case)
