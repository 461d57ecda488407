"""The front door: every bad request is one clear error, and a receipt stands for what is durable."""

from dataclasses import replace
from pathlib import Path

import pytest

from rollup.blobs import Blobs, open_blobs
from rollup.chain.keys import recover
from rollup.chain.signatures import KeySigner
from rollup.errors import BadInput, BadSignature, Conflict, NotFound, Unavailable
from rollup.journal import Idempotency, Journal, RequestStatus, SignedRequest, open_journal
from rollup.receipts import receipt_digest
from rollup.sequencer import Sequencer
from rollup.types import Address
from tests.toy_lane import (
    ALICE,
    BOB,
    DOMAIN,
    LARGE_INPUT,
    LARGE_MODEL,
    MIN_FEE_WEI,
    NOW,
    SEQUENCER,
    ToyLane,
    ask,
    picture,
)


class DeadChain(ToyLane):
    """Answers nothing."""

    def circumstances(self, model, requester):
        raise Unavailable("the chain does not answer eth_getBlock: ConnectionError")


class HalfMined(ToyLane):
    """Shows an empty account once, as a node may do while it takes in a block."""

    looks = 0

    def circumstances(self, model, requester):
        self.looks += 1
        found = super().circumstances(model, requester)
        return replace(found, account=replace(found.account, balance_wei=0)) if self.looks == 1 else found


@pytest.fixture
def journal(tmp_path: Path):
    journal = open_journal(tmp_path / "journal.db")
    yield journal
    journal.close()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(tmp_path / "blobs")


@pytest.fixture
def chain() -> ToyLane:
    return ToyLane()


@pytest.fixture
def sequencer(journal: Journal, blobs: Blobs, chain: ToyLane) -> Sequencer:
    return Sequencer(journal.requests, blobs, chain, KeySigner(SEQUENCER), DOMAIN)


@pytest.mark.parametrize(
    ("signed", "error", "says"),
    [
        (ask(fee_wei=MIN_FEE_WEI - 1), BadInput, "fee 999 wei is below the minimum of 1000 wei"),
        (ask(deadline=NOW), BadInput, f"deadline {NOW} is outside"),
        (ask(deadline=NOW - 3600), BadInput, "deadline .* is outside"),
        (ask(model=b"?" * 32), NotFound, "no model 0x3f3f.* is registered"),
        (ask(nonce=1), Conflict, "nonce 1 is not the next .* which is 0"),
        (ask(kind=7), BadInput, "only requests of kind 0"),
        (ask(tensor=picture(float("nan"))), BadInput, "input element 0 is nan, outside -1.0 to 1.0"),
        (replace(ask(), inputs=b"\0" * 12), BadInput, "inputs have 12 bytes, the model takes 16"),
        (replace(ask(), inputs=picture(0.9).data), BadInput, "the request names 0x"),
        (replace(ask(), inputs=b""), NotFound, "no inputs came with the request"),
        (replace(ask(), signature=ask(nonce=5).signature), BadSignature, "not by the requester"),
        (replace(ask(), signature=b"\0" * 65), BadSignature, "ends in 27 or 28"),
        (replace(ask(BOB), request=ask(ALICE).request), BadSignature, "not by the requester"),
        (ask(domain=replace(DOMAIN, chain_id=1)), BadSignature, "signed for another chain"),
        (ask(domain=replace(DOMAIN, inbox=Address(b"j" * 20))), BadSignature, "another Inbox"),
        (ask(fee_wei=10**10), BadInput, "has 1000000000 wei free in the Vault"),
    ],
)
def test_accept__a_bad_request__is_refused_and_not_journalled(sequencer, journal, signed, error, says):
    with pytest.raises(error, match=says):
        sequencer.accept(signed)
    assert journal.requests.find(RequestStatus.ACCEPTED, 10) == []
    assert sequencer.accept(ask()).receipt.n == 0, "and nothing was lost by it"


def test_accept__with_a_dead_chain__is_unavailable(journal, blobs):
    sequencer = Sequencer(journal.requests, blobs, DeadChain(), KeySigner(SEQUENCER), DOMAIN)
    with pytest.raises(Unavailable, match="the chain does not answer"):
        sequencer.accept(ask())


def test_accept__a_key_with_another_body__is_refused(sequencer):
    sequencer.accept(ask(), Idempotency("key", b"1" * 32))
    with pytest.raises(Conflict, match="'key' came before with another body"):
        sequencer.accept(ask(nonce=1), Idempotency("key", b"2" * 32))


def test_accept__what_the_vault_cannot_cover__is_refused(sequencer, chain):
    chain.balances[ALICE.address] = 2 * (MIN_FEE_WEI + 10) + 1
    sequencer.accept(ask())
    sequencer.accept(ask(nonce=1))
    with pytest.raises(BadInput, match="has 1 wei free in the Vault, fee and tip are 1010 wei"):
        sequencer.accept(ask(nonce=2))


def test_accept__on_a_block_half_mined__looks_again_before_it_refuses(journal, blobs):
    chain = HalfMined()
    Sequencer(journal.requests, blobs, chain, KeySigner(SEQUENCER), DOMAIN).accept(ask())
    assert chain.looks == 2


def test_accept__gives_places_in_order_and_signs_them(sequencer):
    receipts = [sequencer.accept(ask(key, nonce)) for key, nonce in ((ALICE, 0), (BOB, 0), (ALICE, 1))]
    assert [signed.receipt.n for signed in receipts] == [0, 1, 2]
    for signed in receipts:
        assert recover(receipt_digest(signed.receipt, DOMAIN), signed.signature) == SEQUENCER.address
        assert signed.receipt.issued_at == NOW


def test_accept__the_same_again__gives_the_same_receipt(sequencer, chain):
    first = sequencer.accept(ask(), Idempotency("key", b"1" * 32))
    chain.now += 10_000
    chain.balances.clear()
    assert sequencer.accept(ask(), Idempotency("key", b"1" * 32)) == first
    assert sequencer.accept(ask()) == first


def test_accept__large_inputs__are_kept_as_blobs(sequencer, journal, blobs):
    tensor = picture(0.25, spec=LARGE_INPUT)
    signed = ask(tensor=tensor)
    receipt = sequencer.accept(signed).receipt
    assert journal.requests.read(receipt.request).signed.inputs == b""
    assert [each.data for each in blobs.get_tensors(signed.request.inputs_root)] == [tensor.data]
    again = ask(nonce=1, tensor=tensor)
    sequencer.accept(SignedRequest(again.request, b"", again.signature))


def test_accept__large_inputs_of_one_who_cannot_pay__are_not_kept(sequencer, blobs, chain):
    chain.balances.clear()
    signed = ask(tensor=picture(0.25, spec=LARGE_INPUT))
    with pytest.raises(BadInput, match="deposit first"):
        sequencer.accept(signed)
    assert LARGE_MODEL.inputs[0].header == LARGE_INPUT.header
    assert not blobs.exists(signed.request.inputs_root)
