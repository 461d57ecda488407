"""What is told of requests, claims, disputes, models, accounts and the system, while a story goes on."""

import struct
from dataclasses import replace

import pytest

from api.answers import output_state
from api.schemas import to_hex
from rollup import events
from rollup.codec import family_id, model_id
from rollup.errors import Doubt, Unavailable
from rollup.tensor import DType, TensorSpec
from rollup.types import Certainty
from tests.api.stage import DEPLOYMENT, body_of
from tests.rollup.story import HONEST, MODEL, USER
from tests.toy_lane import ALICE, ask


def test_request__through_its_life__is_told_with_place_and_certainty(http, stage):
    story = stage.story
    batch = story.posted([b"", b""])
    _, id_ = story.view.state.request_batches[batch].requests
    url = f"/v1/requests/{to_hex(id_)}"

    def told(*names):
        state = http.get(url).json()
        return tuple(state[name] for name in names)

    assert told("status", "certainty", "lane", "index", "claim") == ("ordered", "none", 1, 1, None)
    _, claim = story.claimed(batch, [0, 1])
    assert told("status", "certainty", "seconds_left") == ("claimed", "provisional", 10)
    story.after(4)
    story.challenged(claim)
    assert told("status", "certainty", "seconds_left") == ("claimed", "challenged", None)
    story.opened(claim)
    story.fallen(claim)
    assert told("status", "certainty", "attempts") == ("ordered", "refuted", 1)
    [second] = story.claimed(batch, [1])
    assert told("status", "certainty") == ("claimed", "provisional")
    assert told("claim")[0]["id"] == to_hex(second)


def test_claim__is_told_with_its_output_decoded(http, stage):
    batch = stage.story.posted([b""])
    [claim] = stage.story.claimed(batch, [0], eager=True)
    told = http.get(f"/v1/claims/{to_hex(claim)}").json()
    values = list(struct.unpack(">2f", b"o" * 8))
    assert told["output"] == {"dtype": "f32", "shape": [1, 2], "data": to_hex(b"o" * 8), "values": values, "root": None}
    assert told["overflow"] is None
    assert told["executor"] == to_hex(HONEST)
    assert told["trace_root"] == to_hex(b"t" * 32)
    assert told["bond_wei"] == str(10**18), "wei are text: no float can hold them"


def test_claim__of_an_overflow__is_told_with_its_place(http, stage):
    story = stage.story
    id_ = story.requested()
    claim = story.claimed_undefined(story.view.request(id_).batch, 0)
    told = http.get(f"/v1/claims/{to_hex(claim)}").json()
    assert (told["output"], told["overflow"]) == (None, {"step": 2, "element": 5})
    assert http.get(f"/v1/requests/{to_hex(id_)}").json()["status"] == "claimed"
    story.after(10)
    story.tell(events.Finalised, story.view.claim(claim).batch, 1, USER)
    told = http.get(f"/v1/requests/{to_hex(id_)}").json()
    assert (told["status"], told["certainty"], told["seconds_left"]) == ("undefined", "undefined", None)


def test_dispute__is_told_with_its_phase(http, stage):
    story = stage.story
    [claim] = story.claimed(story.posted([b""]), [0])
    url = f"/v1/disputes/{to_hex(claim)}"
    assert http.get(url).status_code == 404
    story.challenged(claim)
    assert http.get(url).json()["phase"] == "opening"
    story.opened(claim)
    story.demanded(claim, 3)
    story.supplied(claim, 0, 1)
    told = http.get(url).json()
    assert (told["status"], told["phase"], told["demanded"], told["missing"]) == ("opened", "collecting", 3, 2)
    assert told["challenger"] == to_hex(USER)


def test_final__ends_with_the_callback_s_fate(http, stage):
    story = stage.story
    id_ = story.requested(callback=True)
    [claim] = story.claimed(story.view.request(id_).batch, [0])
    story.after(10)
    story.tell(events.Finalised, story.view.claim(claim).batch, 1, USER)
    story.called_back(claim, Certainty.FINAL, heard=False)
    told = http.get(f"/v1/requests/{to_hex(id_)}").json()
    assert (told["status"], told["claim"]["callback"], told["seconds_left"]) == ("final", "failed", None)


def test_models__come_in_pages_with_a_limit(http, stage):
    assert http.get("/v1/models?limit=101").status_code == 422
    assert http.get("/v1/models?offset=-1").status_code == 422
    page = http.get("/v1/models?limit=1").json()
    assert page["next"] is None
    [model] = page["models"]
    assert model == http.get(f"/v1/models/{to_hex(stage.story.model)}").json()
    assert model["windows"] == {"challenge": 10, "open": 8, "collect": 6, "supply": 4, "prove": 12}
    assert model["weights_root"] == to_hex(MODEL.weights_root)
    assert http.get("/v1/models?offset=1").json() == {"models": [], "next": None}
    assert http.get(f"/v1/models/{to_hex(b'?' * 32)}").status_code == 404


def test_buckets__of_a_model_are_itself__of_a_family_its_models(http, stage):
    story = stage.story
    other = replace(MODEL, min_bond_gas=MODEL.min_bond_gas + 1)
    story.tell(events.Registered, model_id(other), USER, other)
    buckets = (story.model, model_id(other))
    story.tell(events.FamilyRegistered, family_id(buckets), USER, buckets)

    def told(id_):
        return [bucket["id"] for bucket in http.get(f"/v1/models/{to_hex(id_)}/buckets").json()["buckets"]]

    assert told(story.model) == [to_hex(story.model)]
    assert told(family_id(buckets)) == [to_hex(bucket) for bucket in buckets]
    assert http.get(f"/v1/models/{to_hex(b'?' * 32)}/buckets").status_code == 404


def test_account__counts_what_waits_to_be_posted(http):
    url = f"/v1/accounts/{to_hex(ALICE.address)}"
    before = http.get(url).json()
    assert (before["next_nonce"], before["balance_wei"], before["reserved_wei"]) == (0, str(10**9), "0")
    assert before["deposit"] == {
        "to": to_hex(DEPLOYMENT.vault),
        "data": "0xf340fa01" + "00" * 12 + ALICE.address.hex(),
    }
    http.post("/v1/requests", json=body_of(ask()))
    after = http.get(url).json()
    assert (after["next_nonce"], after["reserved_wei"]) == (1, "1010")


@pytest.mark.parametrize(("fault", "says"), [(Unavailable("not read yet"), "not read"), (Doubt("differs"), "differs")])
def test_reads__without_a_view__are_unavailable(http, stage, fault, says):
    stage.fault = fault
    answer = http.get("/v1/models")
    assert answer.status_code == 503
    assert says in answer.json()["detail"]


def test_an_unforeseen_error__tells_nothing_of_itself(http, stage):
    stage.fault = ZeroDivisionError("secret of the house")
    answer = http.get("/v1/models")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_system_health_and_documentation(http):
    system = http.get("/v1/system").json()
    assert system["contracts"]["inbox"] == to_hex(DEPLOYMENT.inbox)
    assert system["min_fee_wei"] == "1000"
    health = http.get("/v1/health")
    assert (health.status_code, health.json()["status"], health.json()["redis"]) == (200, "ok", "away")
    assert http.get("/docs").status_code == 200
    paths = http.get("/openapi.json").json()["paths"]
    assert {"/v1/requests", "/v1/requests/{request_id}", "/v1/requests/{request_id}/events"} <= paths.keys()
    assert http.get("/v1/nothing").headers["content-type"] == "application/problem+json"


def test_output__what_json_has_no_number_for__is_text():
    data = struct.pack(">4f", float("nan"), float("inf"), float("-inf"), 1.5)
    told = output_state(TensorSpec(DType.F32, (4,)), data)
    assert told.values == ["NaN", "Infinity", "-Infinity", 1.5]
    assert output_state(TensorSpec(DType.BF16, (2,)), b"\x3f\x80\xc0\x00").values == [1.0, -2.0]
    assert output_state(TensorSpec(DType.F16, (1,)), b"\x3c\x00").values == [1.0]
    assert output_state(TensorSpec(DType.I64, (1,)), b"\xff" * 8).values == [-1]
    assert output_state(TensorSpec(DType.F32, (100,)), b"r" * 32).root == to_hex(b"r" * 32)
