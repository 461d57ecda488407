"""Acceptance of requests: durable, in line, one per nonce, one body per key."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from rollup.admission import Due
from rollup.errors import BadInput, Conflict, NotFound
from rollup.journal import Idempotency, Placement, RequestStatus, SignedRequest, open_journal
from rollup.types import Address, BundleRoot, EmptyReason, ModelId, Request, RequestBatchId, RequestId

ALICE = Address(b"\xaa" * 20)
BATCH = RequestBatchId(b"b" * 32)
WISH = Request(ALICE, 0, 0, ModelId(b"m" * 32), BundleRoot(b"i" * 32), bytes(32), bytes(32), 2**95, 1, 0, 9, ALICE, 5)


def signed(nonce: int, requester: Address = ALICE) -> SignedRequest:
    return SignedRequest(replace(WISH, nonce=nonce, requester=requester), b"inputs", b"s" * 65)


def id_of(number: int) -> RequestId:
    return RequestId(number.to_bytes(32, "big"))


def agree(_open) -> None:
    """A check that has nothing against any request."""


@pytest.fixture
def requests(tmp_path: Path):
    journal = open_journal(tmp_path / "journal.db")
    yield journal.requests
    journal.close()


def test_accept__what_the_check_refuses__takes_no_place(requests):
    def refuse(_open):
        raise BadInput("too small a fee")

    with pytest.raises(BadInput, match="too small a fee"):
        requests.accept(id_of(1), signed(0), 5, refuse)
    with pytest.raises(NotFound, match="no request"):
        requests.read(id_of(1))
    assert requests.accept(id_of(1), signed(0), 5, agree).n == 0


def test_accept__a_second_request_with_a_nonce__is_refused(requests):
    requests.accept(id_of(1), signed(0), 5, agree)
    with pytest.raises(Conflict, match="something else under this name"):
        requests.accept(id_of(2), signed(0), 5, agree)


def test_accept__a_key_with_another_body__is_refused(requests):
    requests.accept(id_of(1), signed(0), 5, agree, Idempotency("key", b"1" * 32))
    with pytest.raises(Conflict, match="'key' came before with another body"):
        requests.accept(id_of(2), signed(1), 5, agree, Idempotency("key", b"2" * 32))
    stranger = signed(1, Address(b"\xbb" * 20))
    assert requests.accept(id_of(3), stranger, 5, agree, Idempotency("key", b"2" * 32)).n == 1


def test_accept__the_same_again__answers_as_at_first(requests):
    first = requests.accept(id_of(1), signed(0), 5, agree, Idempotency("key", b"1" * 32))
    assert requests.accept(id_of(1), signed(0), 6, agree, Idempotency("key", b"1" * 32)) == first
    assert requests.accept(id_of(1), signed(0), 7, agree) == first
    assert requests.read(id_of(1)) == first
    assert first.signed.request == replace(WISH, nonce=0)


def test_accept__shows_the_check_what_is_open(requests):
    requests.accept(id_of(1), signed(0), 5, agree)
    requests.accept(id_of(2), signed(0, Address(b"\xbb" * 20)), 5, agree)
    seen = []
    requests.accept(id_of(3), signed(1), 5, lambda before: seen.extend(before))
    assert seen == [Due(0, WISH.fee_wei + WISH.tip_wei)]


def test_accept__by_many_at_once__gives_every_place_once(tmp_path):
    journal = open_journal(tmp_path / "shared.db")
    with ThreadPoolExecutor(4) as pool:
        accepted = pool.map(lambda i: journal.requests.accept(id_of(i), signed(i), 5, agree).n, range(24))
        assert sorted(accepted) == list(range(24))
    journal.close()


def test_start_line_at__never_moves_back(requests):
    requests.start_line_at(7)
    assert requests.accept(id_of(1), signed(0), 5, agree).n == 7
    requests.start_line_at(3)
    assert requests.accept(id_of(2), signed(1), 5, agree).n == 8


def test_begin_post__of_what_does_not_wait__changes_nothing(requests):
    requests.accept(id_of(1), signed(0), 5, agree)
    with pytest.raises(Conflict, match="1 of 2 requests are not waiting"):
        requests.begin_post([id_of(1), id_of(2)])
    assert requests.read(id_of(1)).status is RequestStatus.ACCEPTED


def test_undo_post__puts_requests_back_under_a_new_key_to_come(requests):
    requests.accept(id_of(1), signed(0), 5, agree)
    key = requests.begin_post([id_of(1)])
    assert [request.post_key for request in requests.find(RequestStatus.POSTING, 9)] == [key]
    requests.undo_post(key)
    assert requests.begin_post([id_of(1)]) != key


def test_place__tells_taken_from_empty(requests):
    for number in (0, 1):
        requests.accept(id_of(number), signed(number), 5, agree)
    requests.place(
        {
            id_of(0): Placement(BATCH, 0, EmptyReason.NONE),
            id_of(1): Placement(BATCH, 1, EmptyReason.UNFUNDED),
            id_of(9): Placement(BATCH, 2, EmptyReason.NONE),
        }
    )
    assert requests.read(id_of(0)).status is RequestStatus.POSTED
    empty = requests.read(id_of(1))
    assert (empty.status, empty.empty_reason) == (RequestStatus.EMPTY, EmptyReason.UNFUNDED)
    assert requests.dues_of(ALICE) == []


def test_drop__frees_the_nonce(requests):
    requests.accept(id_of(1), signed(0), 5, agree)
    requests.drop([id_of(1)])
    assert requests.accept(id_of(2), signed(0), 5, agree).status is RequestStatus.ACCEPTED
