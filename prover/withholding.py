"""What of claims of scores nobody serves, and at which items it is asked for: all of it, or nothing.

One dispute makes 256 leaves public; a larger network is shown in several, side by side. All follows from the chain and
from what is served now, so a watchtower that was killed goes on where it stood. Decides no move (strategy.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from prover.inputs import Inputs, Paper
from prover.position import Stake
from prover.scores import ScoreCase
from prover.sources import Sources
from prover.withheld import Withheld, all_leaves_of, bundle_of, dealt, leaves_of, supplied_tensors
from rollup.clock import Phase
from rollup.errors import Doubt, NotFound, Refused, RollupError
from rollup.graph import Graph, Source
from rollup.package import load_program
from rollup.types import MAX_DEMAND_LEAVES, BundleRoot, ClaimBatchId, ClaimId, LeafRef, Model
from rollup.view import MadeScores, Page, View

# Disputes of one claim that hidden weights are asked for in: 4 MiB of them.
MAX_DISPUTES = 16


class Withholding:
    """One look after another; after each, `found` are the items at which something is to be asked for."""

    def __init__(self, sources: Sources, inputs: Inputs) -> None:
        self._sources, self._inputs = sources, inputs
        # Whoever withholds something must not know at which items it will be asked for it.
        self._chosen: dict[ClaimBatchId, list[int]] = {}
        self.found: dict[ClaimId, Withheld] = {}

    def new_look(self, active: Collection[ClaimBatchId]) -> None:
        self.found = {}
        self._chosen = {id_: items for id_, items in self._chosen.items() if id_ in active}

    def take_supplied(self, view: View, paper: Paper) -> None:
        """Puts what was supplied on chain where everybody's blobs are looked for."""
        scores = paper.scores
        if not scores.contested:
            return
        model = scores.claim.model
        with suppress(RollupError):
            graph = load_program(self._sources.all, model.graph_root)[1].graph
            pages = [page for item in scores.contested for page in _pages(view, scores, item)]
            self._keep(graph, Source.WEIGHT, model.weights_root, len(graph.weights), pages)
            for item in scores.contested:
                root = scores.claim.scoring.items[item]
                self._keep(graph, Source.INPUT, root, len(graph.inputs), _pages(view, scores, item))

    def weights(self, view: View, paper: Paper) -> None:
        """Weights of a claim. Raises NotFound without the program, which names them; Doubt where they are too many."""
        scores, model = paper.scores, paper.scores.claim.model
        graph = load_program(self._sources.all, model.graph_root)[1].graph
        leaves = all_leaves_of(graph, Source.WEIGHT, self._missing_weights(graph, model))
        asked = _asked(view, scores)
        wanted = [ref for ref in leaves if ref not in asked]
        rooms = list(_rooms(view, scores))
        given: dict[int, tuple[LeafRef, ...]] = {item: () for item, _ in rooms}
        try:
            if len(leaves) > MAX_DISPUTES * MAX_DEMAND_LEAVES:
                limit = MAX_DISPUTES * MAX_DEMAND_LEAVES
                raise Doubt(f"nobody serves {len(leaves)} leaves of the weights, at most {limit} are demanded")
            given |= dealt(wanted, rooms, self._free(scores, -(-len(wanted) // MAX_DEMAND_LEAVES)))
        finally:
            # Disputes go on, whatever comes of the others.
            stake = Stake(len(given) - len(rooms), len(wanted))
            for item, part in given.items():
                self._ask(scores, item, Withheld(graph, "the weights", part, stake))

    def inputs(self, view: View, case: ScoreCase, unseen: Sequence[int]) -> None:
        """One item that is not the pool's, or whose inputs nobody serves. One is enough: either nobody answers, which
        refutes, or somebody has the others too.
        """
        scores, graph = case.paper.scores, case.known.graph
        unserved = [item for item in case.replaced if not self._is_claimed_served(case, item)] or list(unseen)
        leaves = leaves_of(graph, Source.INPUT, range(len(graph.inputs)))
        disputed = sorted(scores.disputed & set(unserved))
        asked = not disputed and not _asked(view, scores).isdisjoint(leaves)
        for item in disputed[:1] or ([] if asked else self._free(scores, 1, unserved)):
            stake = Stake(0 if disputed else 1, len(leaves))
            self._ask(scores, item, Withheld(graph, f"the inputs of item {item}", leaves, stake))

    def _ask(self, scores: MadeScores, item: int, withheld: Withheld) -> None:
        self.found[scores.claim.claim_id(item)] = withheld

    def _missing_weights(self, graph: Graph, model: Model) -> set[int]:
        count = len(graph.weights)
        try:
            roots = self._sources.all.get_bundle(model.weights_root).roots
        except NotFound:
            return set(range(count))
        missing = set()
        for index, (root, spec) in enumerate(zip(roots, graph.weights, strict=False)):
            try:
                self._sources.all.get_tensor(root, spec)
            except NotFound:
                missing.add(index)
        return missing

    def _is_claimed_served(self, case: ScoreCase, item: int) -> bool:
        with suppress(Refused):
            self._inputs.claimed(case.paper, item)
            return True
        return False

    def _free(self, scores: MadeScores, most: int, among: Sequence[int] | None = None) -> Iterator[int]:
        """Items that nobody has challenged yet, at most `most` of them, in an order that only this watchtower knows."""
        places = set(range(scores.claim.count) if among is None else among) - scores.contested
        chosen = [item for item in self._chosen.get(scores.id, []) if item in places][:most]
        rest = sorted(places - set(chosen))
        chosen += secrets.SystemRandom().sample(rest, min(most - len(chosen), len(rest)))
        self._chosen[scores.id] = chosen
        yield from chosen

    def _keep(self, graph: Graph, source: Source, root: BundleRoot, count: int, pages: Sequence[Page]) -> None:
        tensors = supplied_tensors(graph, source, root, count, pages)
        for tensor in tensors.values():
            self._sources.found.put_tensor(tensor)
        bundle = bundle_of(tensors, count, root)
        if bundle is not None:
            self._sources.found.put_bundle(bundle)


def _rooms(view: View, scores: MadeScores) -> Iterator[tuple[int, int]]:
    """Items in dispute, and how many more leaves may be demanded of each."""
    for item in sorted(scores.disputed):
        dispute = view.dispute(scores.claim.claim_id(item))
        is_open = dispute.course.phase(view.now) in (Phase.OPENING, Phase.COLLECTING)
        yield item, MAX_DEMAND_LEAVES - sum(len(page.refs) for page in dispute.pages) if is_open else 0


def _asked(view: View, scores: MadeScores) -> set[LeafRef]:
    """Leaves that were demanded of any item."""
    return {ref for item in scores.contested for page in _pages(view, scores, item) for ref in page.refs}


def _pages(view: View, scores: MadeScores, item: int) -> tuple[Page, ...]:
    return view.dispute(scores.claim.claim_id(item)).pages
