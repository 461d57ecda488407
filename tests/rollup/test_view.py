"""What follows from what a chain says: the life of requests, claims and disputes, forwards and rewound."""

from __future__ import annotations

import pytest

from rollup import events
from rollup.codec import Domain, Overflow, claim_id, entry_leaf
from rollup.errors import Doubt, NotFound
from rollup.events import Update
from rollup.merkle import keccak256, top_of_run
from rollup.types import Certainty, ClaimId, DisputeStatus, RequestId, Verdict
from rollup.view import Delivery, View
from tests.rollup.story import FAR, HONEST, LIAR, START, USER, WINDOWS, Story


@pytest.fixture
def story() -> Story:
    return Story()


def one_claim(story: Story, callback: bool = False, eager: bool = False) -> ClaimId:
    request = story.view.request(story.requested(callback))
    return story.claimed(request.batch, [0], eager=eager)[0]


# Refusals.


def test_view__of_another_chain__doubts_the_ids(story: Story) -> None:
    story.requested()
    last = story.view._events[-1]
    other = View(Domain(1, story.view._domain.inbox, story.view._domain.claim_chain))
    with pytest.raises(Doubt, match="the request is 0x"):
        other.apply(Update(None, (last,), 1, b"", 0))


def test_view__a_batch_with_another_root__is_doubted(story: Story) -> None:
    story.posted([b"", b""])
    posted = story.view._events[-1]
    assert isinstance(posted, events.Posted)
    with pytest.raises(Doubt, match="root of request batch"):
        story.tell(events.Posted, posted.batch_id, posted.batch, posted.terms, posted.requests[::-1], posted.reasons)


def test_view__a_claim_that_falls_without_a_challenge__is_doubted(story: Story) -> None:
    claim = one_claim(story)
    with pytest.raises(Doubt, match="from PROVISIONAL to REFUTED"):
        story.tell(events.Refuted, claim, story.view.claim(claim).request)


def test_view__what_is_not_known__is_not_found(story: Story) -> None:
    for look in (story.view.claim, story.view.dispute, story.view.witness):
        with pytest.raises(NotFound, match="0x6262"):
            look(ClaimId(b"b" * 32))
    with pytest.raises(NotFound):
        story.view.request(RequestId(b"b" * 32))


# Models.


def test_model__that_was_retired__is_open_again_when_a_training_adopts_it(story: Story) -> None:
    (model, *_) = story.view.state.models
    story.tell(events.Closed, model, FAR)
    assert model in story.view.state.closed
    story.tell(events.Adopted, model, False, FAR)
    assert model in story.view.state.closed
    story.tell(events.Adopted, model, True, FAR)
    assert model not in story.view.state.closed


# Requests.


def test_open_requests__of_a_posted_batch__are_those_that_were_taken(story: Story) -> None:
    batch = story.posted([b"", None, b""])
    found = story.view.open_requests(story.now, story.model)
    assert [(request.index, request.lane, request.batch) for request in found] == [(0, 1, batch), (2, 1, batch)]
    assert story.view.open_requests(FAR - 1) == found
    assert story.view.open_requests(FAR) == []


def test_open_requests__once_claimed_or_refunded__are_open_no_more(story: Story) -> None:
    batch = story.posted([b"", b"", b""])
    story.claimed(batch, [0])
    last = story.view.open_requests(story.now)[-1]
    story.tell(events.Refunded, last.id, batch, 2, 1)
    assert [request.index for request in story.view.open_requests(story.now)] == [1]


def test_lease__is_over_at_its_end(story: Story) -> None:
    request = story.view.request(story.requested())
    story.tell(events.Leased, request.batch, 0, HONEST, story.now + 20, 5)
    held = story.view.lease_on(request, story.now + 19)
    assert held is not None
    assert held.lessee == HONEST
    assert story.view.lease_on(request, story.now + 20) is None


# Claims.


def test_claim__skips_what_is_claimed_already(story: Story) -> None:
    batch = story.posted([b"", b"", b""])
    story.claimed(batch, [1])
    ids = story.claimed(batch, [0, 1, 2], LIAR)
    made = story.view.claims_of(story.view.claim(ids[0]))
    assert made.entries[1] is None
    assert [story.view.claim(id_).index for id_ in ids] == [0, 2]


def test_witness__shows_the_claim_in_both_batches(story: Story) -> None:
    batch = story.posted([b"", b"", None, b"", b""])
    for id_ in story.claimed(batch, [1, 3, 4], eager=True):
        witness = story.view.witness(id_)
        place = witness.claims.first + witness.index
        leaf = entry_leaf(witness.entry)
        claims_top = top_of_run([leaf], witness.index, witness.claims.count, witness.entry_path, keccak256)
        request = story.view.claim(id_).request
        requests_top = top_of_run([request], place, 5, witness.request_path, keccak256)
        assert (claims_top, requests_top) == (witness.claims.root, witness.requests.root)
        assert story.view.claim(id_).output == b"o" * 8
        assert story.view.claim(id_).trace_root == b"t" * 32
        assert id_ == claim_id(story.view.claim(id_).batch, witness.index)


def test_claim__unchallenged__may_be_final_from_the_end_of_its_window(story: Story) -> None:
    claim = one_claim(story)
    end = START + WINDOWS.challenge
    assert story.view.to_finalise(end - 1) == []
    made = story.view.to_finalise(end)[0]
    story.tell(events.Finalised, made.id, 1, HONEST)
    assert story.view.claim(claim).certainty is Certainty.FINAL
    assert story.view.to_finalise(end) == []
    assert story.view.certainty(story.view.request(story.view.claim(claim).request)) is Certainty.FINAL


def test_claim__refuted__reopens_its_request_for_a_lease_of_its_own(story: Story) -> None:
    claim = one_claim(story, callback=True)
    request = story.view.claim(claim).request
    story.challenged(claim)
    assert story.view.certainty(story.view.request(request)) is Certainty.CHALLENGED
    story.opened(claim)
    story.fallen(claim)
    again = story.view.open_requests(story.now)[0]
    assert (again.id, again.refutations, again.attempts, again.scope) == (request, 1, 1, 1)
    assert story.view.live_claim(again) is None
    assert story.view.dispute(claim).status is DisputeStatus.REFUTED
    assert [made.id for made in story.view.to_announce()] == [claim]
    story.called_back(claim, Certainty.REFUTED)
    assert story.view.to_announce() == []


def test_claim__rejected__reopens_without_its_executor_and_is_over_after_three(story: Story) -> None:
    request = story.view.request(story.requested())
    for number in range(3):
        claim = story.claimed(request.batch, [0], LIAR if number == 0 else HONEST)[0]
        story.challenged(claim)
        story.opened(claim)
        story.fallen(claim, Verdict.BEYOND_CALIBRATED)
        if number == 0:
            assert story.view.open_requests(story.now, executor=LIAR) == []
            assert len(story.view.open_requests(story.now, executor=HONEST)) == 1
    assert story.view.claim(claim).certainty is Certainty.REJECTED
    assert story.view.request(request.id).rejections == 3
    assert story.view.open_requests(story.now) == []


def test_claim__with_an_eager_trace__falls_without_a_challenger(story: Story) -> None:
    claim = one_claim(story, eager=True)
    story.tell(events.Challenged, claim, story.view.claim(claim).batch, 0)
    story.fallen(claim)
    assert story.view.dispute(claim).challenger == bytes(20)
    assert story.view.claim(claim).certainty is Certainty.REFUTED


def test_finalised__leaves_a_challenged_claim_of_the_batch_alone(story: Story) -> None:
    batch = story.posted([b"", b""])
    first, second = story.claimed(batch, [0, 1])
    story.challenged(first)
    story.after(WINDOWS.challenge)
    story.tell(events.Finalised, story.view.claim(first).batch, 1, HONEST)
    assert story.view.claim(first).certainty is Certainty.CHALLENGED
    assert story.view.claim(second).certainty is Certainty.FINAL


# Disputes.


def test_dispute__nobody_opens__is_concluded_at_the_end_of_its_clock(story: Story) -> None:
    claim = one_claim(story)
    story.challenged(claim)
    end = story.now + WINDOWS.open
    assert story.view.to_conclude(end - 1) == []
    assert [dispute.claim for dispute in story.view.to_conclude(end)] == [claim]
    story.tell(events.Silenced, claim, DisputeStatus.CHALLENGED)
    assert story.view.open_disputes() == []


def test_dispute__with_demands__waits_for_them_and_is_starved_without(story: Story) -> None:
    claim = one_claim(story)
    story.challenged(claim)
    story.opened(claim)
    opened = story.now
    story.demanded(claim, 2)
    story.supplied(claim, 0, 1)
    assert story.view.dispute(claim).pages[0].missing == (0,)
    supply_end = opened + WINDOWS.collect + WINDOWS.supply
    assert story.view.to_conclude(supply_end - 1) == []
    assert len(story.view.to_conclude(supply_end)) == 1
    story.supplied(claim, 0, 0)
    assert story.view.to_conclude(supply_end) == []
    assert len(story.view.to_conclude(supply_end + WINDOWS.prove)) == 1


def test_dispute__acquitted__is_final_after_both_of_its_ends(story: Story) -> None:
    claim = one_claim(story, callback=True)
    story.challenged(claim)
    story.opened(claim)
    story.acquitted(claim, START + 50)
    assert story.view.claim(claim).certainty is Certainty.PROVISIONAL
    assert story.view.to_finalise_contested(START + 49) == []
    assert [made.id for made in story.view.to_finalise_contested(START + 50)] == [claim]
    story.tell(events.ContestedFinalised, claim, HONEST)
    assert [made.id for made in story.view.to_settle()] == [claim]


def test_dispute__acquitted__may_still_fall_until_it_is_final(story: Story) -> None:
    claim = one_claim(story)
    story.challenged(claim)
    story.opened(claim)
    story.acquitted(claim, START + 50)
    story.fallen(claim)
    assert story.view.claim(claim).certainty is Certainty.REFUTED


# Callbacks.


def test_callback__that_failed__may_be_retried_until_it_is_heard(story: Story) -> None:
    claim = one_claim(story, callback=True)
    story.tell(events.Finalised, story.view.claim(claim).batch, 1, HONEST)
    story.called_back(claim, Certainty.FINAL, heard=False)
    assert story.view.to_settle() == []
    assert [made.deliveries for made in story.view.to_retry()] == [1]
    story.called_back(claim, Certainty.FINAL)
    assert story.view.to_retry() == []
    assert story.view.claim(claim).delivery is Delivery.SENT
    assert claim not in story.view.state.active_claims


# Reorgs.


def test_rewind__to_any_block__equals_a_view_that_never_went_further(story: Story) -> None:
    batch = story.posted([b"", b"", None])
    claim = story.claimed(batch, [0, 1])[0]
    story.challenged(claim)
    story.opened(claim)
    story.fallen(claim)
    told = tuple(story.view._events)
    for keep in range(len(told) + 1):
        straight = View(story.view._domain)
        straight.apply(Update(None, told[:keep], keep, b"", START))
        rewound = View(story.view._domain)
        rewound.apply(Update(None, told, len(told), b"", START))
        rewound.apply(Update(keep, (), keep, b"", START))
        assert _contents(rewound) == _contents(straight)


def test_reorg__that_moves_a_claim__leaves_only_the_new_one(story: Story) -> None:
    request = story.view.request(story.requested())
    keep = story.block
    old = story.claimed(request.batch, [0])[0]
    story.view.apply(Update(keep, (), keep, b"", START))
    assert story.view.open_requests(START)[0].id == request.id
    story.after(1)
    new = story.claimed(request.batch, [0])[0]
    assert new != old
    assert story.view.request(request.id).claims == (new,)


def _contents(view: View) -> dict[str, object]:
    return {name: value for name, value in vars(view.state).items() if not name.startswith("_")}


def test_undefined__is_final_without_an_output__and_is_announced() -> None:
    story = Story()
    id_ = story.requested(callback=True)
    claim = story.claimed_undefined(story.view.request(id_).batch, 0)
    assert Overflow.decode(story.view.claim(claim).output) == Overflow(2, 5)
    assert story.view.claim(claim).trace_root == b"t" * 32
    story.after(10)
    story.tell(events.Finalised, story.view.claim(claim).batch, 1, USER)
    assert story.view.certainty(story.view.request(id_)) is Certainty.UNDEFINED
    assert [due.id for due in story.view.to_settle()] == [claim]
    story.called_back(claim, Certainty.UNDEFINED)
    assert not story.view.to_settle()
    assert story.view.live_claim(story.view.request(id_)) == story.view.claim(claim)
