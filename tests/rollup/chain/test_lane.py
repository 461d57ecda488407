"""The sequencer's sight of a real chain, and batches put there once."""

import time

import pytest

from rollup.admission import Account
from rollup.chain.lane import LaneReader, LaneWriter
from rollup.chain.models import Models
from rollup.chain.vault import Vault
from rollup.codec import request_id
from rollup.errors import BadInput, NotFound, Reverted
from rollup.inputs import inputs_root, split_inputs
from rollup.sequencer.post import placements_of, terms_of
from rollup.types import EmptyReason, ModelId, Signed
from tests.chain_fixture import REGISTRANT_BOND_WEI, SEQUENCER
from tests.toy_lane import ALICE, BOB, MODEL, MODEL_ID, ask, picture


@pytest.fixture
def lane(anvil, deployment) -> LaneWriter:
    """A lane with the toy model, and wei for Alice."""
    sender = anvil.sender(0)
    sender.send(Models(deployment).register(MODEL, REGISTRANT_BOND_WEI))
    sender.send(Vault(deployment).deposit(ALICE.address, 10**15, "once"))
    return LaneWriter(anvil.client(), deployment, anvil.sender(SEQUENCER))


def posts(deployment, key=ALICE, *nonces: int, **changes):
    """Terms and signed requests, as they are posted."""
    deadline = int(time.time()) // 60 * 60 + 3600
    changes = {"fee_wei": 10**9, "deadline": deadline, **changes}
    asked = [ask(key, nonce, domain=deployment.domain, **changes) for nonce in nonces]
    signed = [
        Signed(each.request.requester, each.request.nonce, each.inputs, each.request.inputs_root, each.signature)
        for each in asked
    ]
    return terms_of(asked[0].request), signed, asked


def test_circumstances__of_an_unknown_model__are_not_found(lane):
    with pytest.raises(NotFound, match="no model 0x3f3f"):
        lane.circumstances(ModelId(b"?" * 32), ALICE.address)


def test_circumstances__of_a_retired_model__are_refused(lane, anvil, deployment):
    models = Models(deployment)
    assert models.bond_of(anvil.snapshot(), MODEL_ID) == REGISTRANT_BOND_WEI
    anvil.sender(0).send(models.retire(MODEL_ID))
    assert not models.is_open(anvil.snapshot(), MODEL_ID)
    with pytest.raises(BadInput, match="takes no more requests"):
        lane.circumstances(MODEL_ID, ALICE.address)


def test_circumstances__are_those_of_the_chain(lane, anvil):
    found = lane.circumstances(MODEL_ID, ALICE.address)
    assert (found.model, found.account, found.min_fee_wei) == (MODEL, Account(0, 10**15), 10**9)
    assert found.now == anvil.client().head().timestamp


def test_inputs__have_the_root_that_the_registry_computes(lane, anvil, deployment):
    data = picture(0.5, -0.25, 1.0, -0.0).data
    committed = Models(deployment).commit_inputs(anvil.snapshot(), MODEL_ID, data)
    assert committed == inputs_root(split_inputs(MODEL.inputs, data))
    with pytest.raises(BadInput, match="input element 0 is nan"):
        split_inputs(MODEL.inputs, picture(float("nan")).data)
    with pytest.raises(Reverted, match="InputOutOfRange"):
        Models(deployment).commit_inputs(anvil.snapshot(), MODEL_ID, picture(float("nan")).data)


def test_post__what_inbox_does_not_take_at_all__is_reverted(lane, deployment):
    terms, signed, _ = posts(deployment, ALICE, 0, deadline=int(time.time()))
    with pytest.raises(Reverted, match="DeadlineOutOfRange"):
        lane.post(terms, signed)
    terms, signed, _ = posts(deployment, ALICE, 0, fee_wei=1)
    with pytest.raises(Reverted, match="FeeTooLow"):
        lane.post(terms, signed)


def test_post__by_another_key__is_reverted(lane, anvil, deployment):
    terms, signed, _ = posts(deployment, ALICE, 0)
    with pytest.raises(Reverted, match="NotTheSequencer"):
        LaneWriter(anvil.client(), deployment, anvil.sender(0)).post(terms, signed)
    assert LaneReader(anvil.client(), deployment).sequencer() == anvil.sender(SEQUENCER).address


def test_post__places_each_request_once__and_says_which_are_empty(lane, anvil, deployment):
    terms, signed, asked = posts(deployment, ALICE, 0, 1, 3)
    _, others, strangers = posts(deployment, BOB, 0)
    posted = lane.post(terms, [*signed, *others])
    assert lane.post(terms, [*signed, *others]) == posted, "asked again, it is the same"
    assert lane.lane_length() == 4
    placements = placements_of(posted, deployment.domain)
    reasons = [placements[request_id(each.request, deployment.domain)].reason for each in [*asked, *strangers]]
    assert reasons == [EmptyReason.NONE, EmptyReason.NONE, EmptyReason.STALE_NONCE, EmptyReason.UNFUNDED]
    assert lane.account(ALICE.address).nonce == 2


def test_post__of_many__fits_into_a_transaction(lane, anvil, deployment):
    terms, signed, _ = posts(deployment, ALICE, *range(100))
    lane.post(terms, signed)
    block = anvil.rpc("eth_getBlockByNumber", "latest", False)
    assert int(block["gasUsed"], 16) // 100 < 50_000
