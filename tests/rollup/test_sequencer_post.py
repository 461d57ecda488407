"""Posting: in line, once, through every interruption; also through a kill -9 between any two steps."""

import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rollup.codec import request_id
from rollup.errors import BadInput, NotYet, Reverted, Unavailable
from rollup.journal import Journal, RequestStatus, SignedRequest, open_journal
from rollup.sequencer import Poster
from rollup.sequencer.post import MAX_CALLDATA_BYTES
from rollup.types import EmptyReason, RequestId
from tests.toy_lane import ALICE, BOB, DOMAIN, NOW, ToyLane, ask


@pytest.fixture
def journal(tmp_path: Path):
    journal = open_journal(tmp_path / "journal.db")
    yield journal
    journal.close()


@pytest.fixture
def lane() -> ToyLane:
    return ToyLane()


@pytest.fixture
def told() -> list[tuple[RequestId, RequestStatus]]:
    return []


@pytest.fixture
def poster(journal: Journal, lane: ToyLane, told: list[tuple[RequestId, RequestStatus]]) -> Poster:
    return Poster(journal.requests, lane, DOMAIN, lambda id_, status: told.append((id_, status)))


def accept(journal: Journal, *signed: SignedRequest) -> None:
    for each in signed:
        journal.requests.accept(request_id(each.request, DOMAIN), each, NOW, lambda _open: None)


def status_of(journal: Journal, signed: SignedRequest) -> RequestStatus:
    return journal.requests.read(request_id(signed.request, DOMAIN)).status


def test_post__with_nothing_waiting__does_nothing(poster, lane):
    assert poster.post_once(NOW) == 0
    assert lane.posted == []


def test_post__goes_in_line_and_batches_equal_terms(poster, lane, journal):
    line = [ask(), ask(BOB), ask(nonce=1), ask(BOB, 1, fee_wei=2000), ask(nonce=2)]
    accept(journal, *line)
    assert [poster.post_once(NOW) for _ in range(4)] == [3, 1, 1, 0]
    assert [len(each.requests) for each in lane.posted] == [3, 1, 1]
    ordered = [(signed.requester, signed.nonce) for each in lane.posted for signed in each.requests]
    assert ordered == [(each.request.requester, each.request.nonce) for each in line]
    assert all(status_of(journal, each) is RequestStatus.POSTED for each in line)


def test_post__that_the_chain_does_not_answer__is_continued_under_the_same_key(poster, lane, journal):
    accept(journal, ask())
    lane.trouble = [Unavailable("no answer"), Unavailable("no answer")]
    for _ in range(2):
        with pytest.raises(Unavailable):
            poster.post_once(NOW)
    accept(journal, ask(nonce=1))
    assert poster.post_once(NOW) == 1, "what was bound to the first transaction, and nothing else"
    assert poster.post_once(NOW) == 1
    assert [each.requests[0].nonce for each in lane.posted] == [0, 1]


def test_post__that_is_in_flight__is_awaited(poster, lane, journal):
    accept(journal, ask())
    lane.trouble = [NotYet("not mined")]
    assert poster.post_once(NOW) == 0
    assert status_of(journal, ask()) is RequestStatus.POSTING
    assert poster.post_once(NOW) == 1


def test_post__whose_answer_was_lost__is_not_posted_twice(poster, lane, journal):
    accept(journal, ask())
    lane.trouble, lane.early = [Unavailable("lost after it was mined")], False
    with pytest.raises(Unavailable):
        poster.post_once(NOW)
    assert poster.post_once(NOW) == 1
    assert len(lane.posted) == 1


def test_post__too_large_for_a_transaction__is_halved(poster, lane, journal):
    accept(journal, *[ask(nonce=nonce) for nonce in range(4)])
    lane.trouble = [BadInput("takes 20000000 gas"), BadInput("takes 17000000 gas")]
    assert [poster.post_once(NOW) for _ in range(5)] == [0, 0, 1, 2, 1]
    assert [signed.nonce for each in lane.posted for signed in each.requests] == [0, 1, 2, 3]


def test_post__of_one_that_fits_into_no_transaction__drops_it(poster, lane, journal, told):
    accept(journal, ask(), ask(BOB))
    lane.trouble = [BadInput("takes 20000000 gas")] * 2
    assert [poster.post_once(NOW) for _ in range(3)] == [0, 0, 1]
    assert status_of(journal, ask()) is RequestStatus.DROPPED
    assert status_of(journal, ask(BOB)) is RequestStatus.POSTED
    assert told[0] == (request_id(ask().request, DOMAIN), RequestStatus.DROPPED)


def test_post__whose_terms_are_refused__drops_the_batch(poster, lane, journal):
    accept(journal, ask(), ask(nonce=1), ask(BOB, tip_wei=11))
    lane.trouble = [Reverted("DeadlineOutOfRange", {"received": 1})]
    assert [poster.post_once(NOW) for _ in range(2)] == [0, 1]
    assert status_of(journal, ask(nonce=1)) is RequestStatus.DROPPED
    assert status_of(journal, ask(BOB, tip_wei=11)) is RequestStatus.POSTED


def test_post__refused_for_the_sequencer_itself__stops_and_keeps_everything(poster, lane, journal):
    accept(journal, ask())
    lane.trouble = [Reverted("NotTheSequencer", {"received": b"x"})]
    with pytest.raises(Reverted, match="NotTheSequencer"):
        poster.post_once(NOW)
    assert status_of(journal, ask()) is RequestStatus.ACCEPTED


def test_post__past_a_deadline__drops_only_those(poster, lane, journal):
    accept(journal, ask(deadline=NOW + 30), ask(BOB))
    lane.now = NOW + 21
    assert poster.post_once(NOW) == 1
    assert status_of(journal, ask(deadline=NOW + 30)) is RequestStatus.DROPPED
    assert status_of(journal, ask(BOB)) is RequestStatus.POSTED


def test_post__of_what_the_chain_logs_empty__is_told_so(poster, lane, journal, told):
    accept(journal, ask(), ask(BOB))
    lane.balances[ALICE.address] = 0
    assert poster.post_once(NOW) == 2
    empty = journal.requests.read(request_id(ask().request, DOMAIN))
    assert (empty.status, empty.empty_reason, empty.batch_index) == (RequestStatus.EMPTY, EmptyReason.UNFUNDED, 0)
    assert [status for _, status in told] == [RequestStatus.EMPTY, RequestStatus.POSTED]


def test_post__stays_below_the_limit_of_calldata(poster, lane, journal):
    accept(journal, *[replace(ask(nonce=nonce), inputs=bytes(4090)) for nonce in range(30)])
    poster.post_once(NOW)
    [first] = lane.posted
    # Eleven words each, and the inputs padded to 4,096 bytes.
    each = 11 * 32 + 4096
    assert MAX_CALLDATA_BYTES - each < len(first.requests) * each <= MAX_CALLDATA_BYTES


def test_post__waits_a_little_for_company(lane, journal):
    patient = Poster(journal.requests, lane, DOMAIN, lambda *_: None, interval_seconds=3.0)
    accept(journal, ask())
    assert [patient.post_once(100.0), patient.post_once(102.9)] == [0, 0]
    accept(journal, ask(nonce=1))
    assert patient.post_once(103.0) == 2
    accept(journal, ask(nonce=2))
    assert patient.post_once(103.5) == 0, "the next one waits anew"
    assert patient.post_once(106.5) == 1


def test_post__does_not_wait_where_nobody_can_join(lane, journal):
    patient = Poster(journal.requests, lane, DOMAIN, lambda *_: None, interval_seconds=3.0)
    accept(journal, ask(), ask(BOB, fee_wei=2000))
    assert [patient.post_once(100.0), patient.post_once(100.0)] == [1, 0]
    assert patient.post_once(103.0) == 1
    accept(journal, *[replace(ask(nonce=nonce), inputs=bytes(4090)) for nonce in range(1, 31)])
    assert patient.post_once(103.1) > 0, "it is full"


def test_post__before_a_deadline__does_not_wait(lane, journal):
    patient = Poster(journal.requests, lane, DOMAIN, lambda *_: None, interval_seconds=3.0)
    accept(journal, ask(deadline=NOW + 24))
    assert patient.post_once(100.0) == 0
    lane.now = NOW + 1
    assert patient.post_once(100.1) == 1


# A poster over a lane on disk that kills its own process at the step it is told.
DOOMED = """
import os, pickle, signal, sys
from pathlib import Path
from rollup.journal import open_journal
from rollup.sequencer import Poster
from tests.toy_lane import DOMAIN, ToyLane

folder, step = Path(sys.argv[1]), sys.argv[2]
journal = open_journal(folder / "journal.db")
lane = pickle.loads((folder / "lane").read_bytes())

def die_at(name):
    if name == step:
        os.kill(os.getpid(), signal.SIGKILL)

class LaneOnDisk:
    earliest_deadline = staticmethod(lane.earliest_deadline)

    @staticmethod
    def post(terms, requests):
        die_at("bound, not sent")
        said = lane.post(terms, requests)
        (folder / "new").write_bytes(pickle.dumps(lane))
        os.replace(folder / "new", folder / "lane")
        die_at("sent, not recorded")
        return said

begin = journal.requests.begin_post
def begin_post(ids):
    die_at("chosen, not bound")
    return begin(ids)
journal.requests.begin_post = begin_post

Poster(journal.requests, LaneOnDisk, DOMAIN, lambda *_: die_at("recorded, not told")).post_once(0)
"""


@pytest.mark.parametrize(
    "step", ["chosen, not bound", "bound, not sent", "sent, not recorded", "recorded, not told", "never"]
)
def test_post__killed_between_two_steps__loses_nothing_and_posts_once(journal, lane, tmp_path, step):
    line = [ask(nonce=nonce) for nonce in range(3)]
    accept(journal, *line)
    (tmp_path / "lane").write_bytes(pickle.dumps(lane))
    doomed = subprocess.run([sys.executable, "-c", DOOMED, str(tmp_path), step], env=os.environ, timeout=60)
    assert doomed.returncode == (0 if step == "never" else -signal.SIGKILL)
    survived = pickle.loads((tmp_path / "lane").read_bytes())
    heir = Poster(journal.requests, survived, DOMAIN, lambda *_: None)
    while heir.post_once(NOW):
        pass
    assert [signed.nonce for each in survived.posted for signed in each.requests] == [0, 1, 2]
    assert {status_of(journal, each) for each in line} == {RequestStatus.POSTED}
