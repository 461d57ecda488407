"""A deployed system with an architecture, its scorer and a scorer of texts: a training and a text on a real chain."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from rollup.chain.client import Which
from rollup.chain.generations import Generations
from rollup.chain.scores import PropertyJudge, Scores
from rollup.chain.trainings import ScoreCall, Trainings
from rollup.codec import model_id
from rollup.config import Deployment
from rollup.finality import decide
from rollup.properties.draw import Draw, draw_seed
from rollup.properties.ids import commitment_of
from rollup.properties.pool import Pool, item_key, key_hash, mask_item
from rollup.properties.types import Generation, Training, TrainingId
from rollup.settlement import Settler
from rollup.tensor import Bundle, Tensor, TensorSpec
from rollup.types import BundleRoot, ClaimBatchId, RequestId
from rollup.view import OrderedGeneration, OrderedTraining
from tests.chain_fixture import EXECUTOR, KEEPER, REGISTRANT_BOND_WEI, USER, Anvil, anvil_key
from tests.rollup.chain.world import World
from tests.rollup.properties.examples import (
    GENERATION,
    SCORER,
    TRAINING,
    architecture_model,
    text_scorer_model,
)

POOL_KEY = bytes(range(32))
TOKENS = bytes(31) + b"\7"
BOND = 10**17


class PropertyWorld(World):
    """Every deed waits for its receipt and for the view."""

    def __init__(self, anvil: Anvil, deployment: Deployment) -> None:
        super().__init__(anvil, deployment)
        self.trainings, self.generations = Trainings(deployment), Generations(deployment)
        self.scores, self.judge = Scores(deployment), PropertyJudge(deployment)
        self.settler = Settler(deployment)
        for model in (SCORER, architecture_model(), text_scorer_model()):
            self.do(0, self.models.register(model, REGISTRANT_BOND_WEI))
        random = Random("property world")
        specs = [TensorSpec.from_header(item.header) for item in SCORER.inputs]
        self.items = [[Tensor(spec, random.randbytes(spec.byte_length)) for spec in specs] for _ in range(12)]
        self.masked = [mask_item(POOL_KEY, index, item)[0] for index, item in enumerate(self.items)]
        self.pool = Pool.of(POOL_KEY, [Bundle([tensor.root for tensor in item]).root for item in self.masked])

    def block_hash(self, which: Which) -> bytes:
        return self.client.block(which).hash

    # Trainings.

    def training(self) -> OrderedTraining:
        terms = replace(TRAINING.terms, pool_root=self.pool.root, key_hash=key_hash(POOL_KEY))
        turn = str(self.trainings.nonce_of(self.now, anvil_key(USER).address))
        self.do(USER, self.trainings.request(terms, turn))
        return self.view.trainings()[-1]

    def known(self, id_: TrainingId) -> Training:
        return self.view.training(id_).training

    def opened(self, id_: TrainingId) -> None:
        training = self.known(id_)
        self.anvil.mine(2)
        draw = Draw(draw_seed(id_, self.block_hash(training.requested_block + 1)), 12, 4)
        items = [self.pool.opened(index, item_key(POOL_KEY, index)) for index in draw.opened]
        self.do(USER, self.trainings.open(training, items))

    def committed(self, id_: TrainingId, who: int = EXECUTOR) -> int:
        number = len(self.view.training(id_).commits)
        commitment = commitment_of(id_, anvil_key(who).address, weights(number), salt(number))
        self.do(who, self.trainings.commit(self.known(id_), commitment))
        return number

    def revealed(self, id_: TrainingId) -> None:
        self.warp(self.known(id_).terms.commit)
        self.do(USER, self.trainings.reveal(self.known(id_), POOL_KEY))

    def score(
        self, id_: TrainingId, number: int, scores: Sequence[float], who: int = EXECUTOR, swapped: int | None = None
    ) -> ClaimBatchId:
        """Scores of the sealed items; in the place of item `swapped` another one is claimed."""
        roots = self.sealed_roots(id_)
        if swapped is not None:
            roots[swapped] = roots[swapped - 1]
        packed = struct.pack(f">{len(scores)}f", *scores)
        call = ScoreCall(number, weights(number), salt(number), tuple(roots), packed, BOND)
        self.do(who, self.trainings.score(self.known(id_), call, value_wei=BOND))
        claim = self.view.training(id_).commits[number].claim
        assert claim is not None
        return claim

    def sealed_roots(self, id_: TrainingId) -> list[BundleRoot]:
        draw = self.view.training(id_).draw
        return [Bundle([tensor.root for tensor in self.items[index]]).root for index in draw.sealed]

    # Texts.

    def generation(self) -> OrderedGeneration:
        deadline = self.client.head().timestamp + 500
        turn = str(self.generations.nonce_of(self.now, anvil_key(USER).address))
        self.do(USER, self.generations.request(replace(GENERATION.terms, deadline=deadline), turn))
        return self.view.generations()[-1]

    def text(self, id_: RequestId) -> Generation:
        return self.view.generation(id_).generation

    def taken(self, id_: RequestId, who: int = EXECUTOR) -> None:
        turn = str(self.view.generation(id_).attempts)
        self.do(who, self.generations.take(self.text(id_), turn, value_wei=10**15))

    def generated(self, id_: RequestId, who: int = EXECUTOR) -> ClaimBatchId:
        turn = str(self.view.generation(id_).attempts)
        said = (TOKENS, bytes(16))
        self.do(who, self.generations.claim(self.text(id_), said, BOND, turn, value_wei=BOND))
        claim = self.view.generation(id_).claim
        assert claim is not None
        return claim

    # The keeper.

    def kept(self) -> list[str]:
        """Makes every move of properties that is due; their names."""
        moves = decide(self.view, self.view.now, refunds=True)
        for move in moves:
            self.do(KEEPER, self.settler.intent(self.view, move))  # type: ignore[arg-type]
        return [type(move).__name__ for move in moves]


def weights(number: int) -> BundleRoot:
    return BundleRoot(bytes([number + 1]) * 32)


def salt(number: int) -> bytes:
    return bytes([number + 100]) * 32


TEXT_SCORER_ID = model_id(text_scorer_model())
