"""The watchtower's hands: positions as the chain has them, each move once, and no move that is not honest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from prover.disputer import Disputer, Look, dispute_of
from prover.position import Challenge, Conclude, Opinion
from rollup.chain.disputes import Disputes
from rollup.errors import Doubt
from rollup.types import Certainty, DisputeStatus
from tests.actors import SkippedLayer
from tests.chain_fixture import CHALLENGER, KEEPER, anvil_key
from tests.prover.arena import Arena

BEYOND = Opinion(deviation=3.0, second=3.0)


@pytest.fixture
def hands(arena: Arena) -> Disputer:
    return Disputer(arena.client, arena.deployment, arena.anvil.sender(KEEPER))


@pytest.mark.parametrize(
    ("vault_wei", "account_wei", "amount_wei", "sent", "left"),
    [(0, 1000, 400, 500, 500), (600, 1000, 400, 0, 1100), (300, 1000, 400, 200, 800), (0, 450, 400, 450, 0)],
)
def test_take__an_amount_and_a_quarter__from_the_vault_first(
    vault_wei: int, account_wei: int, amount_wei: int, sent: int, left: int
) -> None:
    look = Look(None, vault_wei, account_wei)  # type: ignore[arg-type]
    assert look.take(amount_wei) == sent
    assert look.balance_wei == left


def test_position__of_any_claim__is_what_the_chain_says(arena: Arena, hands: Disputer) -> None:
    liar = arena.liar(SkippedLayer())
    claim = arena.told(liar)
    acts: list[Callable[[], None]] = [lambda: None, arena.look, lambda: liar.answer(arena.view, claim), arena.look]
    for act in acts:
        act()
        view = arena.view
        assert replace(arena.dispute(claim), cost_wei=0) == dispute_of(view, claim)
        look = hands.look(view)
        position = hands.position(view, view.claim(claim), look)
        assert position.certainty is arena.certainty(claim)
        assert position.now == view.now == look.at.block.timestamp
        payer, bond = anvil_key(KEEPER).address, view.claim(claim).bond_wei
        assert position.challenge_bond_wei == Disputes(arena.deployment).challenge_bond(look.at, bond, payer) > 0
        assert position.leaf_deposit_wei == Disputes(arena.deployment).demand_deposit(look.at, 1, payer) > 0
    assert arena.certainty(claim) is Certainty.REFUTED
    liar.close()


@pytest.mark.parametrize(("others", "times"), [(31, 1), (32, 2), (64, 4)])
def test_position__of_one_item_among_many_in_dispute__asks_for_more(
    arena: Arena, hands: Disputer, monkeypatch: pytest.MonkeyPatch, others: int, times: int
) -> None:
    """ScoreGame doubles the bond with every 32 items in dispute beside the challenged one."""
    liar = arena.liar(SkippedLayer())
    view, claim = arena.view, arena.view.claim(arena.told(liar))
    beside = SimpleNamespace(disputed=frozenset(range(claim.index + 1, claim.index + 1 + others)), window_end=0)
    alone = hands.position(view, claim, hands.look(view))
    monkeypatch.setitem(view.state.scores, claim.batch, beside)
    position = hands.position(view, claim, hands.look(view))
    assert (position.siblings, position.challenge_bond_wei) == (others, times * alone.challenge_bond_wei)
    liar.close()


def test_act__a_move_that_is_not_honest__raises_doubt_and_sends_nothing(arena: Arena, hands: Disputer) -> None:
    liar = arena.liar(SkippedLayer())
    claim = arena.told(liar)
    view, look = arena.view, hands.look(arena.view)
    position, graph = hands.position(view, view.claim(claim), look), arena.model.network.graph
    nonce = arena.client.nonce(anvil_key(KEEPER).address, "pending")
    for move, opinion in ((Challenge(claim, 1), Opinion(3.0, 0.5)), (Conclude(claim), BEYOND)):
        with pytest.raises(Doubt, match="is not an honest move"):
            hands.act(view, move, (position, opinion), look, graph)
    assert arena.client.nonce(anvil_key(KEEPER).address, "pending") == nonce
    assert arena.dispute(claim).status is DisputeStatus.NONE
    liar.close()


def test_act__the_same_move_before_the_chain_shows_it__is_one_transaction(arena: Arena, hands: Disputer) -> None:
    liar = arena.liar(SkippedLayer())
    claim = arena.told(liar)
    view, graph = arena.view, arena.model.network.graph
    nonce = arena.client.nonce(anvil_key(KEEPER).address)
    arena.anvil.rpc("evm_setAutomine", False)
    balances = []
    for _ in range(3):
        look = hands.look(view)
        position = hands.position(view, view.claim(claim), look)
        move = Challenge(claim, position.challenge_bond_wei)
        hands.act(view, move, (position, BEYOND), look, graph)
        balances.append(look.balance_wei)
    arena.anvil.rpc("evm_setAutomine", True)
    arena.anvil.mine()
    assert arena.client.nonce(anvil_key(KEEPER).address) == nonce + 1
    assert arena.dispute(claim).challenger == anvil_key(KEEPER).address
    # Money that is on its way is not spent twice.
    assert len(set(balances)) == 1
    assert balances[0] < hands.look(view).balance_wei
    liar.close()


def test_act__where_somebody_was_faster__is_refused_and_may_be_tried_anew(arena: Arena, hands: Disputer) -> None:
    liar = arena.liar(SkippedLayer())
    claim = arena.told(liar)
    view, look = arena.view, hands.look(arena.view)
    position = hands.position(view, view.claim(claim), look)
    arena.look()
    assert arena.dispute(claim).challenger == anvil_key(CHALLENGER).address
    hands.act(view, Challenge(claim, position.challenge_bond_wei), (position, BEYOND), look, arena.model.network.graph)
    assert hands._sent == {}
    liar.close()


def test_look__without_a_key__asks_for_no_money_and_sends_nothing(arena: Arena) -> None:
    eyes = Disputer(arena.client, arena.deployment, None)
    liar = arena.liar(SkippedLayer())
    claim = arena.told(liar)
    view, look = arena.view, eyes.look(arena.view)
    position = eyes.position(view, view.claim(claim), look)
    assert (position.me, position.balance_wei, position.challenge_bond_wei) == (None, 0, 0)
    with pytest.raises(Doubt, match="move without a key"):
        eyes.act(view, Challenge(claim, 0), (position, BEYOND), look, arena.model.network.graph)
    liar.close()
