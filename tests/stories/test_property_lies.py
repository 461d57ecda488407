"""Trainers who lie about what their networks can do: each falls on chain, by the watchtower's process alone."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from rollup.devnet import Account, Devnet, run_folder
from rollup.types import Certainty
from tests.stories.exam import SEALED, THRESHOLD, Exam, start_watchtower

FLATTERER, ONE_SHORT, BORROWER, HONEST = range(4)
NEEDED = round(THRESHOLD * SEALED)


@pytest.mark.timeout(300)
def test_trainers_who_lie__are_refuted_and_the_honest_one_is_left_alone() -> None:
    with Devnet(run_folder()) as net:
        exam = Exam(net)
        start_watchtower(net)
        exam.ask()
        poor = exam.noisy(lambda right: round(0.87 * SEALED) <= right <= round(0.92 * SEALED))
        garbage = exam.noisy(lambda right: right == NEEDED - 1)
        weights = (poor.record, garbage.record, exam.scorer, exam.good.record)
        for pupil, record in enumerate(weights):
            exam.commit(pupil, record.weights_root)
        exam.reveal()

        # It has 0.90, and says 0.97: misses are claimed as met, from the last on.
        truth = exam.truth(poor)
        missed = [item for item, score in enumerate(truth.scores) if score == 0.0]
        kept = missed[: SEALED - round(0.97 * SEALED)]
        flattered = replace(truth, scores=tuple(0.0 if item in kept else 1.0 for item in range(SEALED)))
        assert truth.mean < THRESHOLD <= flattered.mean
        # One digit short of the threshold, and one score edited.
        short = exam.truth(garbage)
        edited = short.scores.index(0.0)
        one_more = replace(short, scores=tuple(1.0 if item == edited else was for item, was in enumerate(short.scores)))
        # The scores of a network that it did not commit.
        borrowed = replace(exam.truth(exam.good), weights=exam.scorer.weights_root)

        said = (flattered, one_more, borrowed, exam.truth(exam.good))
        made = [exam.claim(pupil, scores) for pupil, scores in enumerate(said)]
        opened = (poor, garbage, exam.good)
        items = [exam.answer(pupil, made[pupil], network) for pupil, network in enumerate(opened)]
        assert items[FLATTERER] in set(missed) - set(kept)
        assert items[ONE_SHORT] == edited

        ids = [scores.id for scores in made]
        liars = ids[:HONEST]
        exam.wait("their fall", lambda view: all(view.scores(id_).certainty is Certainty.REFUTED for id_ in liars))
        honest = exam.look().scores(ids[HONEST])
        assert honest.certainty is Certainty.PROVISIONAL
        assert honest.contested == frozenset()
        assert honest.claim.claims.bond_wei == made[BORROWER].claim.claims.bond_wei


@pytest.mark.timeout(300)
def test_a_watchtower__killed_between_challenge_and_proof__wins_when_it_is_started_again() -> None:
    with Devnet(run_folder()) as net:
        exam = Exam(net)
        watchtower = start_watchtower(net)
        exam.ask()
        poor = exam.noisy(lambda right: round(0.87 * SEALED) <= right <= round(0.92 * SEALED))
        exam.commit(FLATTERER, poor.record.weights_root)
        exam.reveal()
        truth = exam.truth(poor)
        made = exam.claim(FLATTERER, replace(truth, scores=(1.0,) * SEALED))
        exam.wait("a challenge", lambda view: bool(view.scores(made.id).disputed))
        os.killpg(watchtower.handle.pid, signal.SIGKILL)
        watchtower.handle.wait()
        # Its trace is opened while nobody watches; all that the next one knows is the chain.
        item = exam.answer(FLATTERER, made, poor)
        opened = exam.look().dispute(made.claim.claim_id(item))
        assert opened.challenger == net.address(Account.WATCHTOWER)
        start_watchtower(net)
        view = exam.wait("its fall", lambda view: view.scores(made.id).certainty is Certainty.REFUTED)
        assert view.scores(made.id).contested == {item}
        assert truth.scores[item] == 0.0
