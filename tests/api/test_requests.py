"""POST /v1/requests: every bad submission is one problem, and a good one is durable before it is answered."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from api.schemas import to_hex
from rollup.codec import request_id
from rollup.errors import Unavailable
from rollup.journal import RequestStatus
from tests.api.stage import body_of
from tests.toy_lane import DOMAIN, LARGE_INPUT, MIN_FEE_WEI, NOW, ask, picture

URL = "/v1/requests"


def with_field(name: str, value: Any) -> dict[str, Any]:
    body = body_of(ask())
    body["request"][name] = value
    return body


def require_problem(answer, status: int, title: str, says: str) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["title"]) == (status, status, title)
    assert says in problem["detail"]
    assert problem["type"] == f"urn:anh:{title}"


@pytest.mark.parametrize(
    ("body", "status", "title", "says"),
    [
        ({}, 422, "BadInput", "request: Field required"),
        ({**body_of(ask()), "extra": 1}, 422, "BadInput", "extra: Extra inputs"),
        ({**body_of(ask()), "inputs": "0xzz"}, 422, "BadInput", "inputs that begin with 0x must be hex"),
        ({**body_of(ask()), "inputs": "not base64!"}, 422, "BadInput", "inputs must be 0x-hex or base64"),
        ({**body_of(ask()), "signature": "0x00"}, 422, "BadInput", "signature"),
        (with_field("requester", "0x12"), 422, "BadInput", "request.requester"),
        (with_field("fee_wei", -1), 422, "BadInput", "request.fee_wei"),
        (with_field("fee_wei", 1.5), 422, "BadInput", "request.fee_wei"),
        (with_field("fee_wei", "1e3"), 422, "BadInput", "request.fee_wei"),
        (with_field("fee_wei", str(2**96)), 422, "BadInput", "fee_wei 79228162514264337593543950336 is outside"),
        (with_field("nonce", 2**64), 422, "BadInput", "request.nonce"),
        (body_of(ask(tensor=picture(float("nan")))), 422, "BadInput", "input element 0 is nan"),
        (body_of(replace(ask(), inputs=bytes(12))), 422, "BadInput", "inputs have 12 bytes, the model takes 16"),
        (body_of(ask(model=b"?" * 32)), 404, "NotFound", "no model 0x3f3f"),
        (body_of(ask(fee_wei=MIN_FEE_WEI - 1)), 422, "BadInput", "fee 999 wei is below the minimum of 1000 wei"),
        (body_of(ask(deadline=NOW - 1)), 422, "BadInput", f"deadline {NOW - 1} is outside"),
        (body_of(replace(ask(), signature=ask(nonce=9).signature)), 401, "BadSignature", "not by the requester"),
        (body_of(ask(domain=replace(DOMAIN, chain_id=1))), 401, "BadSignature", "signed for another chain"),
        (body_of(ask(nonce=3)), 409, "Conflict", "nonce 3 is not the next"),
    ],
)
def test_submit__what_is_wrong__is_one_problem(http, stage, body, status, title, says):
    require_problem(http.post(URL, json=body), status, title, says)
    assert stage.journal.requests.find(RequestStatus.ACCEPTED, 10) == []


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"request": NaN}', "null", "[]", '"text"', "\x00", '{"request": {"nonce": 1e999}}'],
)
def test_submit__what_is_no_submission__is_one_problem(http, text):
    require_problem(http.post(URL, content=text, headers={"Content-Type": "application/json"}), 422, "BadInput", "")


def test_submit__json_nested_without_end__is_refused(http):
    answer = http.post(URL, content="[" * 1_000_000, headers={"Content-Type": "application/json"})
    require_problem(answer, 400, "HttpError", "error parsing the body")


def test_submit__with_a_dead_chain__is_unavailable(http, stage, monkeypatch):
    def dead(*_arguments):
        raise Unavailable("the chain does not answer eth_getBlock: ConnectionError")

    monkeypatch.setattr(stage.lane, "circumstances", dead)
    answer = http.post(URL, json=body_of(ask()))
    require_problem(answer, 503, "Unavailable", "the chain does not answer")
    assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.undo()
    assert http.post(URL, json=body_of(ask())).status_code == 201


def test_submit__a_key_with_another_body__is_a_conflict(http):
    headers = {"Idempotency-Key": "mine"}
    assert http.post(URL, json=body_of(ask()), headers=headers).status_code == 201
    answer = http.post(URL, json=body_of(ask(nonce=1)), headers=headers)
    require_problem(answer, 409, "Conflict", "'mine' came before with another body")


@pytest.mark.parametrize("key", ["", "x" * 129, "two words"])
def test_submit__a_bad_key__is_refused(http, key):
    require_problem(http.post(URL, json=body_of(ask()), headers={"Idempotency-Key": key}), 422, "BadInput", "header")


def test_submit__is_durable_and_repeatable(http, stage):
    signed = ask()
    first = http.post(URL, json=body_of(signed), headers={"Idempotency-Key": "mine"})
    assert first.status_code == 201
    id_ = request_id(signed.request, DOMAIN)
    assert first.headers["Location"] == f"{URL}/{to_hex(id_)}"
    assert stage.journal.requests.read(id_).signed == signed
    again = http.post(URL, json=body_of(signed), headers={"Idempotency-Key": "mine"})
    assert again.json() == first.json() == {**first.json(), "request": to_hex(id_), "n": 0, "issued_at": NOW}


def test_submit__takes_base64_and_integer_wei(http):
    body = body_of(ask())
    body["inputs"] = base64.b64encode(ask().inputs).decode()
    body["request"]["fee_wei"] = MIN_FEE_WEI
    assert http.post(URL, json=body).status_code == 201


def test_submit__large_inputs_once__then_by_root(http):
    tensor = picture(0.5, spec=LARGE_INPUT)
    body = body_of(ask(nonce=0, tensor=tensor))
    require_problem(http.post(URL, json={**body, "inputs": "0x"}), 404, "NotFound", "no inputs came with the request")
    assert http.post(URL, json=body).status_code == 201
    assert http.post(URL, json={**body_of(ask(nonce=1, tensor=tensor)), "inputs": "0x"}).status_code == 201


def test_read__until_it_is_on_chain__is_what_the_journal_says(http, stage):
    signed = ask()
    url = f"{URL}/{to_hex(request_id(signed.request, DOMAIN))}"
    require_problem(http.get(url), 404, "NotFound", "no request 0x")
    http.post(URL, json=body_of(signed))
    state = http.get(url).json()
    assert (state["status"], state["certainty"], state["n"], state["lane"]) == ("accepted", "none", 0, None)
    assert state["request"] == body_of(signed)["request"]
    stage.journal.requests.drop([request_id(signed.request, DOMAIN)])
    assert http.get(url).json()["status"] == "dropped"


@pytest.mark.parametrize("id_", ["0x12", "12" * 32, "0x" + "g" * 64, "%00", "..%2f..%2fetc"])
def test_read__what_is_no_id__is_a_problem(http, id_):
    answer = http.get(f"{URL}/{id_}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code in (404, 422)
