"""The SDK against the real routes: what it signs is taken, what it is told it checks."""

import time

import pytest

from api.client import AnhClient, Offer
from api.schemas import to_hex
from rollup import events
from rollup.blobs import open_blobs
from rollup.chain.signatures import KeySigner
from rollup.codec import family_id, model_id
from rollup.errors import BadInput, BadSignature, Conflict, Doubt, NotFound, NotYet, Overloaded, Unavailable
from rollup.processes import free_port
from rollup.sequencer import Sequencer
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import ModelId, RequestId
from tests.api.stage import InProcess, Stage, serving
from tests.toy_lane import ALICE, BOB, DOMAIN, LARGE_MODEL, LARGE_MODEL_ID, MODEL, MODEL_ID, ask, picture

OFFER = Offer(fee_wei=1000, tip_wei=1)
TENSORS = [[picture(0.1 * number)] for number in range(3)]


@pytest.fixture
def client(stage: Stage):
    stage.lane.now = int(time.time())
    client = AnhClient("http://stage", b"a" * 32, InProcess(stage.app))
    yield client
    client.close()


def test_ask__for_an_unknown_model__is_not_found(client):
    with pytest.raises(NotFound, match="no model 0x3f3f"):
        client.ask(ModelId(b"?" * 32), TENSORS[0], OFFER)


def test_ask__for_too_little__is_bad_input(client):
    with pytest.raises(BadInput, match="fee 1 wei is below"):
        client.ask(MODEL_ID, TENSORS[0], Offer(fee_wei=1))


def test_submit__for_somebody_else__is_a_bad_signature(client):
    with pytest.raises(BadSignature, match="not by the requester"):
        client.submit(ask(BOB, deadline=client.account()["next_nonce"] + 2**32).request, [picture(0.5)])


def test_submit__a_used_nonce__is_a_conflict(client, stage):
    client.ask(MODEL_ID, TENSORS[0], OFFER)
    with pytest.raises(Conflict, match="nonce 0 is not the next"):
        client.submit(ask(ALICE, deadline=stage.lane.now + 600).request, [picture(0.5)])


def test_submit__answered_with_another_s_receipt__is_doubted(client, stage, tmp_path):
    journal = stage.journal.requests
    impostor = Sequencer(journal, open_blobs(tmp_path / "none"), stage.lane, KeySigner(BOB), DOMAIN)
    object.__setattr__(stage.window, "sequencer", impostor)
    with pytest.raises(Doubt, match=f"signed by {to_hex(BOB.address)}"):
        client.ask(MODEL_ID, TENSORS[0], OFFER)


def test_ask__nobody__is_unavailable():
    with pytest.raises(Unavailable, match="the server does not answer"):
        AnhClient(f"http://127.0.0.1:{free_port()}", b"a" * 32).account()


def test_calls__above_the_limit__say_when_to_come_back(client, stage):
    def refuse(_caller):
        raise Overloaded("too many", 7.5)

    object.__setattr__(stage.window.counter, "take", refuse)
    with pytest.raises(Overloaded, match="too many") as refusal:
        client.account()
    assert refusal.value.retry_after_seconds == 8


def family_of(stage: Stage) -> ModelId:
    """The stage's two models under one id."""
    for model in (LARGE_MODEL, MODEL):
        stage.story.tell(events.Registered, model_id(model), ALICE.address, model)
    buckets = (LARGE_MODEL_ID, MODEL_ID)
    stage.story.tell(events.FamilyRegistered, family_id(buckets), ALICE.address, buckets)
    return family_id(buckets)


def test_ask__a_family_for_a_shape_it_has_not__is_bad_input(client, stage):
    odd = Tensor(TensorSpec(DType.F32, (1, 3)), bytes(12))
    with pytest.raises(BadInput, match="no bucket of 0x"):
        client.ask(family_of(stage), [odd], OFFER)


def test_ask__a_family__asks_the_bucket_of_its_inputs_shapes(client, stage):
    id_ = client.ask(family_of(stage), TENSORS[0], OFFER)
    assert stage.journal.requests.read(id_).signed.request.model == MODEL_ID


def test_ask_all__shares_terms_and_counts_nonces(client, stage):
    ids = client.ask_all(MODEL_ID, TENSORS, OFFER)
    accepted = [stage.journal.requests.read(id_) for id_ in ids]
    assert [(each.n, each.signed.request.nonce) for each in accepted] == [(0, 0), (1, 1), (2, 2)]
    assert len({each.signed.request.deadline for each in accepted}) == 1
    assert client.request(ids[2])["status"] == "accepted"
    assert stage.journal.requests.read(client.ask(MODEL_ID, TENSORS[0], OFFER)).signed.request.nonce == 3


def test_wait__gives_the_end_or_says_that_there_is_none(client, stage):
    id_ = client.ask(MODEL_ID, TENSORS[0], OFFER)
    stage.journal.requests.drop([id_])
    assert client.wait(id_, 10)["status"] == "dropped"
    with pytest.raises(NotFound):
        client.wait(RequestId(b"?" * 32), 1)


def test_wait__for_what_does_not_end__is_over_in_time(stage):
    with serving(stage.app) as url:
        client = AnhClient(url, b"a" * 32)
        before = time.monotonic()
        with pytest.raises(NotYet, match=r"has no end after 0\.5 s"):
            client.wait(stage.story.requested(), 0.5)
        assert time.monotonic() - before < 3
        client.close()
