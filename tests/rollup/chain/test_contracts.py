"""The wrappers against the real contracts, and the view against what the contracts themselves say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup.chain.claims import Claim
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.errors import Reverted
from rollup.types import (
    ZERO_ADDRESS,
    Address,
    BundleRoot,
    Certainty,
    ClaimId,
    DisputeStatus,
    EmptyReason,
    ModelId,
    TraceOpening,
)
from tests.chain_fixture import CHALLENGER, EXECUTOR, KEEPER, REGISTRANT_BOND_WEI, SEQUENCER, USER, Anvil, anvil_key
from tests.rollup.chain.world import ENTRY, FEE, INPUTS, TIP, World
from tests.rollup.story import MODEL, WINDOWS

USER_ADDRESS, EXECUTOR_ADDRESS = anvil_key(USER).address, anvil_key(EXECUTOR).address


@pytest.fixture
def world(anvil: Anvil, deployment: Deployment) -> World:
    return World(anvil, deployment)


def require_same(world: World, id_: ClaimId) -> None:
    """The view and ClaimChain agree on a claim."""
    claim = world.view.claim(id_)
    made = world.view.claims_of(claim)
    certainty, seconds_left = world.claims.certainty_of(world.now, made.batch, claim.index)
    assert claim.certainty is certainty
    if certainty is Certainty.PROVISIONAL:
        assert max(0, claim.final_from - world.view.now) == seconds_left
    request = world.view.request(claim.request)
    counts = world.claims.attempts_of(world.now, request.batch, request.index)
    assert counts == (request.refutations, request.rejections)
    assert world.claims.contested(world.now, id_).final_at == claim.final_at
    dispute = world.disputes.dispute_of(world.now, id_)
    if id_ in world.view.state.disputes:
        mine = world.view.dispute(id_)
        assert (mine.status, mine.challenger, mine.bond_wei, mine.challenged_at, mine.opened_at, mine.trace_root) == (
            dispute.status, dispute.challenger, dispute.bond_wei, dispute.challenged_at, dispute.opened_at,
            dispute.trace_root,
        )  # fmt: skip
    else:
        assert dispute.status is DisputeStatus.NONE


def test_refusals__come_back_by_name_and_values(world: World) -> None:
    with pytest.raises(Reverted) as caught:
        world.do(USER, world.models.register(replace(MODEL, windows=replace(WINDOWS, prove=0)), REGISTRANT_BOND_WEI))
    assert (caught.value.name, caught.value.values) == ("WindowTooShort", {"period": 4, "received": 0, "minimum": 1})
    with pytest.raises(Reverted, match="UnknownModel"):
        world.models.terms(world.now, ModelId(b"m" * 32))
    with pytest.raises(Reverted, match=r"InputOutOfRange\(element 3, "):
        world.models.commit_inputs(world.now, world.model, INPUTS[:12] + bytes.fromhex("40000000"))
    with pytest.raises(Reverted, match=r"InsufficientBalance\(account 0x.*, available 0, required 7\)"):
        world.do(USER, world.vault.withdraw(USER_ADDRESS, 7, "once"))


def test_models__what_was_registered_is_read_back(world: World) -> None:
    assert world.models.model(world.now, world.model) == MODEL == world.view.model(world.model)
    assert world.models.id_of(world.now, MODEL) == world.model
    assert world.models.exists(world.now, world.model)
    assert world.models.registrant_of(world.now, world.model) == anvil_key(0).address
    terms = world.models.terms(world.now, world.model)
    assert (terms.output_bytes, terms.min_bond_gas, terms.windows) == (8, MODEL.min_bond_gas, WINDOWS)


def test_vault__deposits_can_be_withdrawn(world: World) -> None:
    payee = Address(b"p" * 20)
    world.do(USER, world.vault.deposit(USER_ADDRESS, 100, "first"))
    world.do(USER, world.vault.deposit(USER_ADDRESS, 100, "second"))
    world.do(USER, world.vault.withdraw(payee, 150, "once"))
    assert world.vault.balance_of(world.now, USER_ADDRESS) == 50
    assert world.client.balance(payee) == 150
    assert world.vault.burned(world.now) == 0


def test_inbox__a_posted_batch__is_taken_but_for_what_is_not_signed(world: World) -> None:
    world.do(USER, world.vault.deposit(USER_ADDRESS, 10 * (FEE + TIP), "once"))
    ids = world.posted(3, first_nonce=0)
    batch = list(world.view.state.request_batches.values())[-1]
    assert [id_ is None for id_ in ids] == [False, False, True]
    assert batch.reasons[2] is EmptyReason.BAD_SIGNATURE
    for id_ in ids[:2]:
        assert id_ is not None
        request = world.view.request(id_)
        assert world.inbox.request_id_of(world.now, request.request) == id_
        assert request.request.inputs_root == world.models.commit_inputs(world.now, world.model, request.inputs)
    assert world.inbox.nonce_of(world.now, USER_ADDRESS) == 2
    assert world.inbox.lane_length(world.now, 1) == 3
    assert world.inbox.is_ordered(world.now, batch.id)
    assert world.claims.claimed_bits(world.now, batch.id, 0) == 0b100


def test_inbox__a_request_that_nobody_claims__is_refunded(world: World) -> None:
    request = world.requested()
    batch = world.view.batch_of(request)
    world.warp(1_000)
    assert world.view.open_requests(world.view.now) == []
    world.do(KEEPER, world.inbox.refund(batch.batch, 0, request.request, batch.tree.path(0)))
    assert world.vault.balance_of(world.now, USER_ADDRESS) == FEE + TIP
    assert world.view.request(request.id).refunded


def test_claims__a_batch_of_the_sequencers_lane__is_claimed_and_final_at_once(world: World) -> None:
    world.do(USER, world.vault.deposit(USER_ADDRESS, 10 * (FEE + TIP), "once"))
    ids = world.posted(4, first_nonce=0)
    request = world.view.request(ids[0])  # type: ignore[arg-type]
    batch = world.view.batch_of(request).batch
    bond = world.claims.minimum_bond(world.now, batch, 0, payer=EXECUTOR_ADDRESS) * 2
    world.do(EXECUTOR, world.claims.lease(batch, 0, "first", value_wei=3 * 10**12))
    lease = world.claims.lease_of(world.now, request.batch, 0)
    held = world.view.lease_on(request, world.view.now)
    assert held is not None
    assert (lease.lessee, lease.until, lease.deposit_wei) == (EXECUTOR_ADDRESS, held.until, 3 * 10**12)
    claim = Claim(batch, 0, 3, (0, 2), (ENTRY, ENTRY), False, bond)
    world.do(EXECUTOR, world.claims.claim(claim, value_wei=2 * bond))
    made = list(world.view.state.claim_batches.values())[-1]
    assert [id_ is None for id_ in made.claims] == [False, True, False]
    world.warp(WINDOWS.challenge)
    world.do(KEEPER, world.claims.finalise(batch, made.batch))
    for id_ in made.claims:
        if id_ is not None:
            require_same(world, id_)
            assert world.view.claim(id_).certainty is Certainty.FINAL
    assert world.vault.balance_of(world.now, EXECUTOR_ADDRESS) == 2 * (bond + FEE + 10**12)
    assert world.vault.balance_of(world.now, anvil_key(KEEPER).address) == 2 * TIP


def test_disputes__silence__refutes_and_the_request_is_claimed_again(world: World) -> None:
    request = world.requested()
    liar = world.claimed(request)
    require_same(world, liar)
    bond = world.disputes.challenge_bond(world.now, world.view.claim(liar).bond_wei, payer=EXECUTOR_ADDRESS)
    world.do(CHALLENGER, world.disputes.challenge(world.view.witness(liar), value_wei=2 * bond))
    require_same(world, liar)
    world.warp(WINDOWS.open)
    assert [dispute.claim for dispute in world.view.to_conclude(world.view.now)] == [liar]
    world.do(CHALLENGER, world.disputes.conclude(world.view.witness(liar)))
    require_same(world, liar)
    assert world.view.claim(liar).certainty is Certainty.REFUTED
    again = world.claimed(world.view.request(request.id), SEQUENCER)
    require_same(world, again)
    assert world.view.live_claim(world.view.request(request.id)) == world.view.claim(again)


def test_disputes__an_opened_trace_in_which_nothing_is_proven__acquits(world: World) -> None:
    id_ = world.claimed(world.requested())
    bond = world.disputes.challenge_bond(world.now, world.view.claim(id_).bond_wei, payer=EXECUTOR_ADDRESS)
    world.do(CHALLENGER, world.disputes.challenge(world.view.witness(id_), value_wei=2 * bond))
    opening = TraceOpening(0, BundleRoot(b"t" * 32))
    world.do(EXECUTOR, world.disputes.open(world.view.claims_of(world.view.claim(id_)).batch, [opening]))
    require_same(world, id_)
    world.warp(WINDOWS.collect + WINDOWS.prove)
    world.do(KEEPER, world.disputes.conclude(world.view.witness(id_)))
    require_same(world, id_)
    assert world.view.claim(id_).final_at == world.view.dispute(id_).course.final_from
    world.warp(WINDOWS.prove)
    assert [claim.id for claim in world.view.to_finalise_contested(world.view.now)] == [id_]
    world.do(KEEPER, world.claims.finalise_contested(world.view.witness(id_)))
    require_same(world, id_)
    assert world.view.claim(id_).certainty is Certainty.FINAL


def test_endpoints__are_known_by_executor(world: World) -> None:
    world.do(EXECUTOR, world.claims.announce_endpoint("http://127.0.0.1:1"))
    assert world.view.state.endpoints == {EXECUTOR_ADDRESS: "http://127.0.0.1:1"}


def test_intents__of_the_same_call__share_a_key_but_for_their_turn(world: World) -> None:
    same = [world.vault.deposit(USER_ADDRESS, 1, "a") for _ in range(2)]
    assert same[0] == same[1]
    assert isinstance(same[0], Intent)
    others = [world.vault.deposit(USER_ADDRESS, 1, "b"), world.vault.deposit(USER_ADDRESS, 2, "a")]
    others += [world.vault.deposit(ZERO_ADDRESS, 1, "a")]
    assert len({intent.key for intent in [*same, *others]}) == 4
