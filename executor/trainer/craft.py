"""What a trainer does with its hands: lays out the job, judges what came of it, scores the sealed items.

Sends nothing: what it gives is what calls are made of. Raises Refused where the training is to be left alone, Retry
where it may go on later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from executor.models import Models
from executor.scoring import require_scorer, scores_of
from executor.tensors import from_canonical
from executor.trainer.desk import Desk
from executor.trainer.materials import Materials, Sealed, Sources, hold_data, hold_sealed, load_architecture
from executor.trainer.pledge import Pledge
from executor.trainer.policy import Policy
from executor.training.recipe import Recipe
from rollup.blobs import Blobs
from rollup.errors import BadInput
from rollup.properties.aggregate import judge
from rollup.properties.pool import item_key
from rollup.properties.scores import derived
from rollup.properties.stray import RevealedPool, prove_stray
from rollup.properties.types import StrayElement, TrainingTerms
from rollup.tensor import Tensor
from rollup.types import BundleRoot, Model
from rollup.view import OrderedTraining


@dataclass(frozen=True)
class Assignment:
    """A training, and what the registry holds of the models that it names."""

    training: OrderedTraining
    architecture: Model
    scorer: Model

    @property
    def terms(self) -> TrainingTerms:
        return self.training.training.terms


@dataclass(frozen=True)
class Scored:
    """What a claim of scores says: the sealed items, in order, and their scores, f32 one after another."""

    items: tuple[BundleRoot, ...]
    scores: bytes


class Unsound(BadInput):
    """A pool in which item `index` has a key that does not follow from the pool's."""

    def __init__(self, pool: Sealed, index: int) -> None:
        super().__init__(f"the key of item {index} does not follow from the pool's")
        self.shown = pool.pool.shown(index)


class Strayed(BadInput):
    """A pool whose sealed item `shown.item` is out of range."""

    def __init__(self, shown: StrayElement) -> None:
        super().__init__(f"sealed item {shown.item} is out of range in tensor {shown.tensor}, element {shown.element}")
        self.shown = shown


class Craft:
    """`recipe`: the operator's own, which is followed in place of what requesters suggest."""

    def __init__(
        self, blobs: Blobs, models: Models, sources: Sources, policy: Policy, recipe: bytes | None = None
    ) -> None:
        self._blobs, self._models, self._sources, self._policy = blobs, models, sources, policy
        self._recipe = recipe

    def prepare(self, given: Assignment, desk: Desk) -> None:
        """Fetches and checks everything, and lays out the job."""
        self._policy.require_terms(given.terms)
        require_scorer(given.scorer, given.architecture)
        recipe = self._recipe or self._sources.recipe(given.terms.recipe)
        if recipe is None:
            raise BadInput("neither the requester nor the operator has a recipe")
        self._policy.require_recipe(Recipe.from_json(recipe))
        self._models.load(given.scorer)
        sealed = hold_sealed(self._sources, given.terms, given.scorer)
        data = hold_data(self._sources, given.terms.data_root, given.scorer, self._policy.most_data_bytes)
        materials = Materials(load_architecture(self._sources, given.architecture), data, self._opened(given, sealed))
        desk.prepare(materials, recipe)

    def pledge(self, given: Assignment, desk: Desk) -> Pledge:
        """What the job's weights are committed with, durable. Raises BadInput if they promise too little."""
        trained = desk.trained()
        self._require_sound(given, trained)
        weights_root = self._blobs.put_tensors(trained)
        opened = self._opened(given, self._sealed(given))
        scores = self._scores(given, weights_root, opened)
        self._policy.require_promising(given.terms.property, scores, given.training.draw.sealed_count)
        pledge = Pledge.to(weights_root)
        desk.keep(pledge)
        return pledge

    def score(self, given: Assignment, pledge: Pledge) -> Scored:
        """The sealed items, which are here to be opened, and their scores.

        Raises BadInput if the property is missed, Unsound or Strayed if the pool is at fault.
        """
        sealed, key = self._sealed(given), given.training.pool_key
        for index in sealed.pool.unsound(key)[:1]:
            raise Unsound(sealed, index)
        items = [self._item(given, sealed, item) for item in range(given.training.draw.sealed_count)]
        roots = tuple(self._blobs.put_tensors(list(item)) for item in items)
        scores = self._scores(given, pledge.weights_root, items)
        outcome = judge(given.terms.property, scores)
        if not outcome.holds:
            raise BadInput(f"the scores of {outcome.count} sealed items miss the property: an honest miss")
        return Scored(roots, scores)

    def _item(self, given: Assignment, sealed: Sealed, item: int) -> tuple[Tensor, ...]:
        """Sealed item `item`, unmasked. Raises Strayed for one that is out of range."""
        draw, key = given.training.draw, given.training.pool_key
        index = draw.sealed_index(item)
        try:
            return sealed.item(index, item_key(key, index))
        except BadInput as error:
            revealed = RevealedPool(given.terms, draw, key, given.scorer.inputs)
            shown = prove_stray(revealed, sealed.pool, item, sealed.hidden(index))
            if shown is None:
                raise
            raise Strayed(shown) from error

    def _require_sound(self, given: Assignment, trained: Sequence[Tensor]) -> None:
        """What has run away may still score well, and is condemned by whoever looks at it."""
        own = self._models.load(given.scorer).network.weights
        for place, (before, after) in enumerate(zip(own, map(from_canonical, trained), strict=True)):
            # A mask of infinities stays what it was.
            if before.is_floating_point() and bool(((before != after) & ~before.isnan() & ~after.isfinite()).any()):
                raise BadInput(f"weight {place} is not finite after training: nobody could judge what is made of it")

    def _sealed(self, given: Assignment) -> Sealed:
        pool = self._sources.hold_pool(given.terms.pool_root, given.terms.pool_count)
        return Sealed(self._sources, pool, given.scorer.inputs)

    def _opened(self, given: Assignment, sealed: Sealed) -> tuple[tuple[Tensor, ...], ...]:
        places = zip(given.training.draw.opened, given.training.opened, strict=True)
        return tuple(sealed.item(index, item.key) for index, item in places)

    def _scores(self, given: Assignment, weights: BundleRoot, items: Sequence[Sequence[Tensor]]) -> bytes:
        loaded = self._models.load(derived(given.scorer, weights))
        return b"".join(scores_of(loaded, self._blobs, [[tensor.data for tensor in item] for item in items]))
