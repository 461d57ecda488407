"""The whole watchtower on a real chain: every liar ends as it should, and the honest are left alone."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from rollup.chain.client import Client
from rollup.errors import Retry
from rollup.events import Demanded
from rollup.types import Certainty, ClaimId, DisputeStatus
from tests.actors import LIES, FourBitWeights, Griefer, Liar, NoData, SkippedLayer
from tests.chain_fixture import CHALLENGER, KEEPER, anvil_key
from tests.prover.arena import ETHER, FIRST_LIAR, WINDOWS, Arena, Honest, Nan, SlightlyOff, drawn

SERVING = [lie for lie in LIES if lie.serves and lie.name != "silence"]


def told(arena: Arena, liar: Liar) -> ClaimId:
    claim = arena.told(liar)
    arena.look()
    assert arena.dispute(claim).status is DisputeStatus.CHALLENGED
    assert arena.view.dispute(claim).challenger == anvil_key(CHALLENGER).address
    return claim


@pytest.mark.parametrize("lie", [*SERVING, Nan], ids=lambda lie: lie.name)
def test_a_liar_who_serves_its_trace__is_challenged_proven_and_slashed(arena: Arena, lie: type) -> None:
    liar = arena.liar(lie())
    before = arena.vault_of(CHALLENGER)
    claim = told(arena, liar)
    liar.answer(arena.view, claim)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    # A quarter for the challenger, and its own bond came back; what it sent along is in the Vault as well.
    assert arena.vault_of(CHALLENGER) - before >= arena.view.claim(claim).bond_wei // 4
    liar.close()


def test_a_silent_liar__is_concluded_when_its_time_is_over_and_not_before(arena: Arena) -> None:
    liar = arena.liar(next(lie for lie in LIES if lie.name == "silence")())
    claim = told(arena, liar)
    arena.anvil.warp(WINDOWS.open // 2)
    arena.look()
    assert arena.certainty(claim) is Certainty.CHALLENGED
    arena.anvil.warp(WINDOWS.open)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    liar.close()


def test_a_liar_who_serves_nothing__is_asked_once_on_chain_and_starves(arena: Arena) -> None:
    liar = arena.liar(NoData())
    claim = told(arena, liar)
    liar.answer(arena.view, claim)
    arena.look(4)
    (page,) = arena.view.dispute(claim).pages
    assert len(page.refs) == sum(step.result.leaf_count for step in arena.model.network.graph.steps)
    assert page.demander == anvil_key(CHALLENGER).address
    arena.anvil.warp(WINDOWS.collect + WINDOWS.supply)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    liar.close()


def test_a_liar_who_supplies_what_is_demanded__is_proven_from_the_leaves_on_chain(arena: Arena) -> None:
    liar = arena.liar(NoData())
    claim = told(arena, liar)
    liar.answer(arena.view, claim)
    arena.look(2)
    trace = NoData().trace(arena.model, drawn(arena.model, arena._asked))
    assert trace is not None
    arena.supplied(claim, trace, FIRST_LIAR)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    assert arena.dispute(claim).supplied == arena.dispute(claim).demanded > 0
    liar.close()


@pytest.mark.parametrize("keeper_is_first", [False, True])
def test_a_lie_inside_the_slashing_band__is_rejected_when_the_prove_window_is_over(
    arena: Arena, keeper_is_first: bool
) -> None:
    liar = arena.liar(SlightlyOff())
    claim = told(arena, liar)
    liar.answer(arena.view, claim)
    arena.look(2)
    assert arena.dispute(claim).status is DisputeStatus.OPENED
    assert arena.dispute(claim).demanded == 0
    arena.anvil.warp(WINDOWS.collect + WINDOWS.prove)
    if keeper_is_first:
        arena.keeper_concludes(claim)
        assert arena.dispute(claim).status is DisputeStatus.ACQUITTED
    arena.look()
    assert arena.certainty(claim) is Certainty.REJECTED
    liar.close()


def test_an_eager_lie_inside_the_slashing_band__is_challenged_and_rejected(arena: Arena) -> None:
    claim = arena.told_eagerly(SlightlyOff())
    arena.look()
    assert arena.dispute(claim).status is DisputeStatus.OPENED
    arena.anvil.warp(WINDOWS.collect + WINDOWS.prove)
    arena.look()
    assert arena.certainty(claim) is Certainty.REJECTED


def test_a_chain_that_does_not_answer__loses_nothing(arena: Arena) -> None:
    liar = arena.liar(SkippedLayer())
    claim = arena.told(liar)
    view, client = arena.view, arena.client
    dead = Client("http://127.0.0.1:9", arena.deployment.chain_id, timeout_seconds=1.0)
    arena.tower._disputer._client = dead
    with pytest.raises(Retry):
        arena.tower.step(view)
    arena.tower._disputer._client = client
    arena.look()
    assert arena.dispute(claim).status is DisputeStatus.CHALLENGED
    liar.close()


def test_a_block_that_a_reorg_takes_away_in_the_middle_of_a_look__is_a_retry(arena: Arena) -> None:
    arena.anvil.mine()
    view = arena.view
    arena.anvil.rpc("anvil_reorg", 1, [])
    with pytest.raises(Retry, match="reorganised"):
        arena.tower.step(view)
    arena.look()


def test_an_honest_claim__is_left_alone(arena: Arena) -> None:
    liar = arena.liar(Honest())
    claim = arena.told(liar)
    with capture_logs() as logs:
        arena.look(3)
    assert arena.certainty(claim) is Certainty.PROVISIONAL
    assert arena.dispute(claim).status is DisputeStatus.NONE
    assert [entry for entry in logs if entry.get("claim") == claim.hex()] == []
    liar.close()


def test_an_honest_claim_that_a_griefer_challenges__is_neither_demanded_nor_proven(arena: Arena) -> None:
    honest, griefer = arena.liar(Honest()), Griefer(anvil_key(KEEPER), arena.place)
    claim = arena.told(honest)
    arena.look()
    griefer.challenge(arena.view, claim)
    # Opened, and not served: its endpoint is down.
    honest.close()
    honest.answer(arena.view, claim)
    arena.look(2)
    assert arena.view.dispute(claim).status is DisputeStatus.OPENED
    assert not any(isinstance(event, Demanded) and event.id == claim for event in arena.view._events)
    arena.anvil.warp(WINDOWS.collect + WINDOWS.prove)
    arena.look()
    arena.keeper_concludes(claim)
    arena.look()
    assert arena.dispute(claim).status is DisputeStatus.ACQUITTED


def test_an_eager_liar__is_slashed_in_one_transaction_without_a_challenge(arena: Arena) -> None:
    claim = arena.told_eagerly(SkippedLayer())
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    dispute = arena.dispute(claim)
    assert dispute.status is DisputeStatus.REFUTED
    assert not any(dispute.challenger)


def test_an_eager_claim_whose_trace_is_not_served__is_challenged_and_starves(arena: Arena) -> None:
    claim = arena.told_eagerly(NoData())
    arena.look(3)
    assert arena.dispute(claim).demanded > 0
    arena.anvil.warp(WINDOWS.collect + WINDOWS.supply)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED


def test_an_honest_eager_claim__is_left_alone(arena: Arena) -> None:
    claim = arena.told_eagerly(Honest())
    arena.look(2)
    assert arena.dispute(claim).status is DisputeStatus.NONE


def test_several_liars_at_once__are_all_challenged_in_one_look(arena: Arena) -> None:
    liars = [arena.liar(FourBitWeights(), number) for number in range(3)]
    claims = [arena.told(liar) for liar in liars]
    arena.look()
    assert [arena.dispute(claim).status for claim in claims] == [DisputeStatus.CHALLENGED] * 3
    for liar, claim in zip(liars, claims, strict=True):
        liar.answer(arena.view, claim)
    arena.look()
    assert [arena.certainty(claim) for claim in claims] == [Certainty.REFUTED] * 3
    for liar in liars:
        liar.close()


def test_killed_after_its_challenge__a_new_watchtower_goes_on_from_the_chain(arena: Arena) -> None:
    liar = arena.liar(SkippedLayer())
    claim = told(arena, liar)
    arena.tower = arena.watchtower(CHALLENGER)
    liar.answer(arena.view, claim)
    arena.tower = arena.watchtower(CHALLENGER)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    liar.close()


def test_a_challenge_that_a_reorg_drops__is_made_again(arena: Arena) -> None:
    liar = arena.liar(SkippedLayer())
    claim = told(arena, liar)
    arena.anvil.rpc("anvil_reorg", 1, [])
    assert arena.view.claim(claim).certainty is Certainty.PROVISIONAL
    arena.look(2)
    assert arena.dispute(claim).status is DisputeStatus.CHALLENGED
    liar.answer(arena.view, claim)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    liar.close()


def test_without_a_key__it_says_what_it_finds_and_sends_nothing(arena: Arena) -> None:
    liar = arena.liar(SkippedLayer())
    claim = arena.told(liar)
    watcher = arena.watchtower(None)
    with capture_logs() as logs:
        watcher.step(arena.view)
        watcher.step(arena.view)
    found, *others = (entry for entry in logs if entry.get("claim") == claim.hex())
    assert found["event"] == "watchtower.beyond_reach"
    assert [entry["reason"] for entry in others] == ["watching only, without a key"]
    assert min(found["deviation"], found["second"]) > 1
    assert arena.dispute(claim).status is DisputeStatus.NONE
    liar.close()


def test_a_claim_that_cannot_be_watched__is_tried_again_ever_more_rarely(arena: Arena) -> None:
    liar = arena.liar(SkippedLayer())
    claim = arena.told(liar)
    arena.look()
    blind = arena.watchtower(CHALLENGER)
    weights = arena.folder / "blobs"
    hidden = weights.rename(arena.folder / "hidden")
    with capture_logs() as logs:
        for _ in range(3):
            blind.step(arena.view)
    (said,) = (entry for entry in logs if entry.get("claim") == claim.hex())
    assert "not watchable: nobody serves blob" in said["reason"]
    due, pause = blind._claims._pauses.until[claim]
    assert due == arena.view.now + pause // 2
    hidden.rename(weights)
    arena.anvil.warp(pause)
    blind.step(arena.view)
    assert claim not in blind._claims._pauses.until
    liar.close()


def test_a_balance_below_a_challenge_bond__is_said_once_before_anybody_asks_for_it(arena: Arena) -> None:
    poor = arena.watchtower(9)
    # After many quiet blocks a challenge costs nothing.
    arena.anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    arena.anvil.mine()
    arena.anvil.rpc("anvil_setBalance", "0x" + anvil_key(9).address.hex(), hex(10**17))
    with capture_logs() as logs:
        poor.step(arena.view)
        poor.step(arena.view)
    (warning,) = (entry for entry in logs if entry["event"] == "watchtower.poor")
    assert warning["balance_wei"] < warning["challenge_bond_wei"]
    arena.anvil.rpc("anvil_setBalance", "0x" + anvil_key(9).address.hex(), hex(10_000 * ETHER))
