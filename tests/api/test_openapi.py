"""The document says what is answered, and whatever is sent is answered as the document says."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.schemas import to_hex
from rollup.codec import request_id
from tests.api.stage import body_of
from tests.toy_lane import DOMAIN, ask

PROBLEM = "application/problem+json"
URL = "/v1/requests"
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80) | st.binary(max_size=80).map(to_hex),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
GOOD = ask()
FIELDS = [(name,) for name in body_of(GOOD)] + [("request", name) for name in body_of(GOOD)["request"]]
# The stage is the same for all examples: what is refused leaves nothing behind, and what is taken is one request.
on_one_stage = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def document(stage) -> dict[str, Any]:
    told: dict[str, Any] = stage.app.openapi()
    return told


def post(http, content: str | bytes):
    return http.post(URL, content=content, headers={"Content-Type": "application/json"})


def segment(text: str) -> str:
    """One segment of a path, as the server is to read it: unquoted, "." and ".." are steps that clients take."""
    return quote(text, safe="").replace(".", "%2E")


def answers_of(document: dict[str, Any], method: str, path: str) -> set[int]:
    return {int(status) for status in document["paths"][path][method]["responses"]}


def require_documented(document, answer, method: str, path: str) -> None:
    assert answer.status_code in answers_of(document, method, path)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == answer.status_code
    assert answer.json()["detail"]


def test_document__tells_what_each_route_takes_and_answers(document):
    operations = [(path, method, what) for path, of in document["paths"].items() for method, what in of.items()]
    assert len(operations) >= 16
    for path, method, what in operations:
        assert what["description"], f"{method} {path} says nothing"
        for status, response in what["responses"].items():
            kinds = response["content"]
            is_problem = int(status) >= 400 and path != "/v1/health"
            assert (PROBLEM in kinds) == is_problem, f"{method} {path} {status}"
    assert "HTTPValidationError" not in document["components"]["schemas"]


@given(body=JUNK)
@on_one_stage
def test_submit__junk__is_one_problem(http, document, body):
    answer = post(http, json.dumps(body))
    require_documented(document, answer, "post", URL)


@given(content=st.binary(max_size=200))
@on_one_stage
def test_submit__bytes__are_one_problem(http, document, content):
    answer = post(http, content)
    require_documented(document, answer, "post", URL)


@given(place=st.sampled_from(FIELDS), junk=JUNK)
@on_one_stage
def test_submit__with_one_field_of_junk__is_one_problem(http, document, place, junk):
    body = body_of(GOOD)
    holder = body["request"] if len(place) == 2 else body
    holder[place[-1]] = junk
    answer = post(http, json.dumps(body))
    if answer.status_code == 201:
        assert answer.json()["request"] == to_hex(request_id(GOOD.request, DOMAIN)), "the same request, said otherwise"
    else:
        require_documented(document, answer, "post", URL)


@example(text=".", path="requests")
@example(text="..", path="requests")
@given(
    text=st.text(min_size=1, max_size=80),
    path=st.sampled_from(["requests", "trainings", "generations", "models", "claims", "disputes", "accounts"]),
)
@on_one_stage
def test_read__junk__is_a_problem(http, text, path):
    answer = http.get(f"/v1/{path}/{segment(text)}")
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("path", ["requests", "claims"])
def test_read__a_path_that_has_no_such_method__is_a_problem_that_names_the_others(http, path):
    answer = http.delete(f"/v1/{path}/{to_hex(bytes(32))}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.headers["content-type"] == PROBLEM
