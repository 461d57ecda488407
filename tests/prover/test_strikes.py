"""Models that cannot be judged are struck, where it pays; models that can be never are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from executor.models import LoadedModel
from executor.serving import serving
from prover.disputer import Disputer
from prover.position import Wait
from prover.sources import Sources
from prover.strikes import BYTE_GAS, RISING, STRIKE_GAS, Malformed, Strike, StrikePosition, decide_strike
from prover.strikes import require_honest_strike as require_honest
from prover.watcher import Watchtower
from rollup.blobs import BlobReader, Blobs, FolderStore, open_blobs
from rollup.chain.claims import Claims
from rollup.chain.models import Models
from rollup.codec import model_id
from rollup.errors import BadEncoding, Doubt, Insolvent
from rollup.graph import Op
from rollup.package import load_records, store_records
from rollup.processes import free_port
from rollup.tensor import DType, TensorSpec
from rollup.types import Address, Model, StepPlace
from tests.chain_fixture import CHALLENGER, KEEPER, REGISTRANT_BOND_WEI, Anvil
from tests.prover.arena import ETHER, FIRST_LIAR, Arena
from tests.prover.desk import Shelf

ME = Address(b"\1" * 20)
BASE_FEE_WEI = 10
# A watchtower of its own, and how long it waits until it asks again.
STRANGER, RETRY_SECONDS = 8, 2


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """A chain of its own: what a strike pays is all that its watchtower ever got."""
    with Anvil() as chain:
        yield Arena(chain, tmp_path_factory.mktemp("strikes"))


def spoilt_records(model: LoadedModel) -> tuple[int, list[bytes]]:
    """The model's own but for one step: its relu says that it makes whole numbers."""
    steps = model.network.graph.steps
    number = next(number for number, step in enumerate(steps) if step.op is Op.RELU)
    wrong = replace(steps[number], result=TensorSpec(DType.I64, steps[number].result.shape))
    return number, [wrong.record if place == number else step.record for place, step in enumerate(steps)]


def malformed(blobs: Blobs, model: LoadedModel) -> Model:
    """A model with such a graph, whose records somebody serves."""
    root = store_records(blobs, model.record.graph_header, spoilt_records(model)[1])
    return replace(model.record, graph_root=root)


def place_of(model: LoadedModel) -> tuple[Model, StepPlace]:
    shelf = Shelf()
    record = malformed(Blobs(shelf), model)
    found = Malformed(BlobReader(shelf))
    found.look_for(model_id(record), record)
    return record, found.places[model_id(record)]


def position(model: LoadedModel) -> StrikePosition:
    record, place = place_of(model)
    return StrikePosition(model_id(record), record, place, 10**15, BASE_FEE_WEI, ME)


# The records of a graph.


def test_records__are_read_back_by_root_and_header(model: LoadedModel) -> None:
    shelf = Shelf()
    for records in ([step.record for step in model.network.graph.steps], spoilt_records(model)[1], [b"", b"x", b""]):
        header = b"".join(count.to_bytes(4, "big") for count in (1, 2, len(records))).ljust(32, b"\0")
        root = store_records(Blobs(shelf), header, records)
        assert load_records(BlobReader(shelf), root, header) == tuple(records)


def test_records__of_another_graph_or_cut_short__are_refused(model: LoadedModel) -> None:
    header, records = model.record.graph_header, spoilt_records(model)[1]
    shelf = Shelf()
    root = store_records(Blobs(shelf), header, records)
    (name,) = shelf.blobs
    for data in (shelf.blobs[name][:-1], b"", shelf.blobs[name] + b"\0\0\0\0", b"\xff" * 9):
        shelf.blobs[name] = data
        with pytest.raises(BadEncoding):
            load_records(BlobReader(shelf), root, header)


def test_records__of_a_graph_that_a_program_makes__are_those_of_its_root(model: LoadedModel) -> None:
    records = [step.record for step in model.network.graph.steps]
    assert store_records(Blobs(Shelf()), model.record.graph_header, records) == model.record.graph_root


# What is looked for.


def test_malformed__a_step_without_a_meaning__is_found_and_told_once(model: LoadedModel) -> None:
    shelf = Shelf()
    record = malformed(Blobs(shelf), model)
    found = Malformed(BlobReader(shelf))
    with capture_logs() as logs:
        for _ in range(3):
            found.look_for(model_id(record), record)
    place = found.places[model_id(record)]
    assert (place.step, place.element) == (spoilt_records(model)[0], 0)
    (entry,) = logs
    assert (entry["event"], entry["log_level"]) == ("watchtower.malformed_model", "warning")
    assert entry["reason"] == "RELU does not give I64 of F32"
    # For its program and for its records, once each.
    assert len(shelf.asked) == 2


def test_malformed__a_model_that_can_be_judged__is_looked_through_once_and_left_alone(model: LoadedModel) -> None:
    found = Malformed(BlobReader(Shelf()))
    found.look_at(model_id(model.record), model.record, model.network.graph)
    found.look_for(model_id(model.record), model.record)
    assert found.places == {}


def test_malformed__a_model_of_which_only_the_program_is_served__is_looked_through(model: LoadedModel) -> None:
    shelf = Shelf()
    shelf.blobs[model.record.graph_root] = model.network.program.to_json()
    found = Malformed(BlobReader(shelf))
    for _ in range(2):
        found.look_for(model_id(model.record), model.record)
    assert found.places == {}
    assert shelf.asked == [model.record.graph_root]


def test_malformed__another_program_under_the_root__hides_no_records(model: LoadedModel) -> None:
    shelf = Shelf()
    record = malformed(Blobs(shelf), model)
    for text in (model.network.program.to_json(), b"{}", b"["):
        shelf.blobs[record.graph_root] = text
        found = Malformed(BlobReader(shelf))
        found.look_for(model_id(record), record)
        assert list(found.places) == [model_id(record)]


def test_malformed__records_that_nobody_serves__are_asked_for_again(model: LoadedModel) -> None:
    shelf = Shelf()
    found, record = Malformed(BlobReader(shelf)), malformed(Blobs(Shelf()), model)
    found.look_for(model_id(record), record)
    assert found.places == {}
    malformed(Blobs(shelf), model)
    found.look_for(model_id(record), record)
    assert list(found.places) == [model_id(record)]


# What is decided.


def test_decide__without_a_key_or_a_bond__waits(model: LoadedModel) -> None:
    seen = position(model)
    for poor, why in ((replace(seen, me=None), "without a key"), (replace(seen, bond_wei=0), "nothing is at stake")):
        move = decide_strike(poor)
        assert isinstance(move, Wait)
        assert why in move.reason


def test_decide__strikes_from_the_first_wei_on_that_its_half_pays_more_than_it_costs(model: LoadedModel) -> None:
    seen = position(model)
    cost = (STRIKE_GAS + BYTE_GAS * len(seen.place.record)) * BASE_FEE_WEI * RISING
    assert isinstance(decide_strike(replace(seen, bond_wei=2 * cost + 1)), Wait)
    assert decide_strike(replace(seen, bond_wei=2 * cost + 2)) == Strike(seen.model, seen.place)


# What is never done.


def shown_wrongly(model: LoadedModel) -> Sequence[tuple[Strike, StrikePosition]]:
    seen = position(model)
    graph = model.network.graph
    sound = replace(seen, model=model_id(model.record), record=model.record)
    shown = graph.step_proof(0)
    return (
        (Strike(sound.model, StepPlace(0, 0, shown.record, shown.path)), sound),
        (Strike(sound.model, seen.place), sound),
        (Strike(seen.model, replace(seen.place, step=seen.place.step + 1)), seen),
        (Strike(sound.model, seen.place), seen),
        (Strike(seen.model, seen.place), replace(seen, me=None)),
    )


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (0, "can be judged"),
        (1, "the record shown is not"),
        (2, "the record shown is not"),
        (3, "not mine"),
        (4, "not mine"),
    ],
)
def test_rules__a_strike_that_is_not_honest__is_refused(model: LoadedModel, case: int, sentence: str) -> None:
    seen = position(model)
    require_honest(Strike(seen.model, seen.place), seen)
    move, against = shown_wrongly(model)[case]
    with pytest.raises(Doubt, match=sentence):
        require_honest(move, against)


# The whole of it.


def test_story_a_malformed_model_that_a_claim_names__is_struck_once_and_pays(arena: Arena) -> None:
    record = malformed(arena.blobs, arena.model)
    models, id_ = Models(arena.deployment), model_id(record)
    arena.anvil.sender(KEEPER).send(models.register(record, REGISTRANT_BOND_WEI))
    claim = arena.claimed_on(record)
    with capture_logs() as logs:
        arena.look(3)
    at = arena.anvil.snapshot()
    assert models.bond_of(at, id_) == 0
    assert not models.is_open(at, id_)
    assert arena.vault_of(CHALLENGER) == REGISTRANT_BOND_WEI // 2
    assert [entry["move"] for entry in logs if entry["event"] == "watchtower.move"] == ["Strike"]
    # What was asked before plays on.
    assert arena.certainty(claim).name == "PROVISIONAL"
    assert models.is_open(at, model_id(arena.model.record))


def test_story_a_model_that_a_stranger_registered_by_hand__is_struck_by_what_its_executor_serves(arena: Arena) -> None:
    """The watchtower has nothing of its own: it asks the address that was announced on chain."""
    theirs = arena.folder / "theirs"
    record = replace(malformed(open_blobs(theirs), arena.model), min_bond_gas=arena.model.record.min_bond_gas + 4)
    arena.anvil.sender(KEEPER).send(Models(arena.deployment).register(record, REGISTRANT_BOND_WEI))
    arena.claimed_on(record)
    url = f"http://127.0.0.1:{free_port()}"
    arena.anvil.sender(FIRST_LIAR).send(Claims(arena.deployment).announce_endpoint(url))
    urls = list(arena.view.state.endpoints.values())
    assert urls == [url]
    stranger = arena.anvil.sender(STRANGER)
    sources = Sources(FolderStore(arena.folder / "empty"), lambda: urls, True)
    tower = Watchtower(sources, Disputer(arena.client, arena.deployment, stranger), ETHER)
    tower.step(arena.view)
    assert Models(arena.deployment).is_open(arena.anvil.snapshot(), model_id(record))
    with serving(BlobReader(FolderStore(theirs)), url):
        arena.anvil.warp(RETRY_SECONDS)
        tower.step(arena.view)
        sources.close()
    at = arena.anvil.snapshot()
    assert Models(arena.deployment).bond_of(at, model_id(record)) == 0
    assert not Models(arena.deployment).is_open(at, model_id(record))
    assert arena.vault_of(STRANGER) == REGISTRANT_BOND_WEI // 2


def test_story_a_watchtower_without_a_key__tells_and_strikes_nothing(arena: Arena) -> None:
    record = replace(malformed(arena.blobs, arena.model), min_bond_gas=arena.model.record.min_bond_gas + 1)
    arena.anvil.sender(KEEPER).send(Models(arena.deployment).register(record, REGISTRANT_BOND_WEI))
    arena.claimed_on(record)
    tower = arena.watchtower(None)
    with capture_logs() as logs:
        tower.step(arena.view)
    assert "watchtower.malformed_model" in [entry["event"] for entry in logs]
    assert Models(arena.deployment).bond_of(arena.anvil.snapshot(), model_id(record)) == REGISTRANT_BOND_WEI


@pytest.mark.parametrize("trouble", [Insolvent("no ether for gas"), Doubt("not sure")])
def test_story_a_strike_that_cannot_be_sent__is_told_and_stops_nothing(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    more = 2 if isinstance(trouble, Doubt) else 3
    record = replace(malformed(arena.blobs, arena.model), min_bond_gas=arena.model.record.min_bond_gas + more)
    arena.anvil.sender(KEEPER).send(Models(arena.deployment).register(record, REGISTRANT_BOND_WEI))
    arena.claimed_on(record)
    tower = arena.watchtower(CHALLENGER)

    def fail(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(tower._disputer, "strike", fail)
    with capture_logs() as logs:
        tower.step(arena.view)
    told = [entry for entry in logs if model_id(record).hex() in (entry.get("claim"), entry.get("model"))]
    assert str(trouble) in str(told[-1])
    assert Models(arena.deployment).bond_of(arena.anvil.snapshot(), model_id(record)) == REGISTRANT_BOND_WEI
