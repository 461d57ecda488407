"""The act of a network that is trained to order: a DAO pays, two methods make it, and somebody only claims to.

The trainers and the watchtower are the product's own processes. The others act in a thread of their own: the act has
clocks to meet while others are played.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np

from api.client import AnhClient, Offer
from api.schemas import to_hex
from executor.tensors import from_canonical
from rollup.chain.anvil import development_secret
from rollup.chain.inbox import Inbox
from rollup.chain.sender import Sender
from rollup.chain.trainings import Trainings
from rollup.chain.transactions import MemoryStore
from rollup.codec import model_id
from rollup.devnet import Account, Devnet
from rollup.errors import Refused, Reverted
from rollup.events import FaultProven
from rollup.properties.aggregate import ONE
from rollup.properties.scores import derived
from rollup.properties.types import TrainingId, TrainingStatus
from rollup.tensor import Tensor
from rollup.types import ZERO_ADDRESS, ZERO_WORD, Address, BundleRoot, Certainty, ModelId, RequestId, Windows, Wish
from rollup.view import OrderedTraining, View
from tests.stories.academy import ETHER, HOGWILD, OPEN, POOL, SGD, TERMS, Academy, hire, open_academy
from tests.stories.acts import PICTURE, Outcome, Say, is_final, names_of
from tests.stories.books import Books
from tests.stories.bounty import BountyStatus
from tests.stories.braggart import Braggart, commit_of, sealed_items
from tests.stories.dao import FIRST_MEMBER, PAID_WEI, POOL_KEEPER, Dao, Project

# Time for a watchtower that has much else to do on this machine.
WINDOWS = Windows(challenge=15, open=15, collect=4, supply=10, prove=10)
# In place of the academy's terms.
CHANGES: dict[str, Any] = {"open": 20, "commit": 45, "reveal": 15, "claim": 20, "min_bond_wei": ETHER // 10}
# Accounts of the development chain.
SGD_TRAINER, HOGWILD_TRAINER, BRAGGART = 34, 35, 36
FEE_WEI, TIP_WEI, ASK_WITHIN_SECONDS = 10**15, 10**14, 600


class Schooling:
    """Registers what is to be trained; the rest happens beside all else."""

    def __init__(self, net: Devnet, say: Say) -> None:
        self._net, self._say = net, say
        self._dao = Dao(net)
        self.names: dict[Address, str] = {
            net.address(SGD_TRAINER): "trainer (SGD)",
            net.address(HOGWILD_TRAINER): "trainer (Hogwild)",
            net.address(BRAGGART): "braggart",
            self._dao.members[0].address: "a member of the DAO",
        }
        trainers = [hire(net, "sgd", SGD_TRAINER, SGD), hire(net, "hogwild", HOGWILD_TRAINER, HOGWILD)]
        # Here, since a module is captured by one thread at a time.
        academy = open_academy(net, POOL_KEEPER, WINDOWS)
        self._thread = ThreadPoolExecutor(1)
        self._outcome = self._thread.submit(self._play, academy, trainers)

    def finish(self) -> Outcome:
        """Raises whatever broke the act off."""
        self._thread.shutdown()
        return self._outcome.result()

    def _client(self) -> AnhClient:
        return AnhClient(self._net.api_url, bytes.fromhex(development_secret(FIRST_MEMBER)))

    def _play(self, academy: Academy, trainers: Sequence[Address]) -> Outcome:
        project = self._dao.start(academy, trainers, CHANGES)
        self.names[project.bounty.address] = "the DAO's bounty"
        academy.wait("the drawn items are open", lambda view: _has_come(view, project, TrainingStatus.COMMITTING), 30)
        self._say(f"the bounty has its money: {OPEN} of {POOL} items are shown, two executors train")
        braggart = Braggart(academy, Sender(self._net.client, self._net.key(BRAGGART), MemoryStore()))
        braggart.commit(project.id)
        # The keeper's daemon reveals when nobody can commit any more.
        seconds = CHANGES["commit"] + CHANGES["reveal"]
        academy.wait("the key", lambda view: _has_come(view, project, TrainingStatus.REVEALED), seconds)
        braggart.claim(project.id)
        academy.wait("all have claimed", lambda view: len(_claimed(view.training(project.id))) == 3, CHANGES["claim"])
        refused = self._is_refused(project)
        self._refute(project, braggart)
        view = academy.wait("the network", lambda view: view.training(project.id).status is TrainingStatus.TRAINED, 60)
        self._dao.share(project)
        fair = self._is_fair(project, view, trainers) and self._has_fallen(project, view)
        good = refused and fair and self._are_told(project, trainers)
        self._tell(project, trainers)
        asked, right = self._asked(project)
        names = names_of(academy.look(), [asked]) | _names_of_scores(view, project.id)
        differ, weights = _differing(project, trainers)
        figures = {"weights": weights, "weights_that_differ": differ, "scores": self._scores(project, trainers)}
        return Outcome(
            "training bounty", good and right, names, "two methods, one score each; the best one paid", figures
        )

    def _asked(self, project: Project) -> tuple[RequestId, bool]:
        """A member asks the network about a sealed item; the request, and whether the answer was right."""
        academy, member = project.academy, self._dao.members[0]
        picture, target = sealed_items(academy, project.training)[0]
        wish = project.bounty.wish(academy.snapshot(), picture.data, FEE_WEI, academy.look().now + ASK_WITHIN_SECONDS)
        member.send(Inbox(self._net.deployment).request(replace(wish, tip_wei=TIP_WEI), "final"))
        view = academy.wait("the request", lambda view: bool(_asked_of(view, wish.model)), 15)
        (asked,) = _asked_of(view, wish.model)
        view = academy.wait("its answer", lambda view: is_final(view, asked), 90)
        logits = np.frombuffer(view.claim(view.request(asked).claims[-1]).output, ">f4")
        (digit,) = np.frombuffer(target.data, ">i8")
        self._say(f"the trained network, final by now, reads a sealed {digit} as a {np.argmax(logits)}")
        return asked, bool(np.argmax(logits) == digit)

    # What the chain says.

    def _is_refused(self, project: Project) -> bool:
        """Scores stand and nobody's fell yet: the network has a name, and is given to nobody."""
        academy, inbox = project.academy, Inbox(self._net.deployment)
        at, view = academy.snapshot(), academy.look()
        made = commit_of(view.training(project.id), self._net.address(SGD_TRAINER))
        early = model_id(derived(view.model(academy.architecture), made.weights_root))
        until = view.now + ASK_WITHIN_SECONDS
        wish = Wish(early, bytes(PICTURE.byte_length), BundleRoot(ZERO_WORD), FEE_WEI, 0, 0, until, ZERO_ADDRESS, 0)
        picture = Tensor(PICTURE, wish.inputs)
        with closing(self._client()) as client:
            refusals = [
                refusal(lambda: project.bounty.wish(at, wish.inputs, FEE_WEI, until)),
                refusal(lambda: self._dao.members[0].submit(inbox.request(wish, "early"))),
                refusal(lambda: client.ask(early, [picture], Offer(FEE_WEI, 0, ASK_WITHIN_SECONDS))),
            ]
        certainty = project.bounty.model(at)[1]
        self._say(f"asked before it is final, the network is {certainty.name}: {', '.join(refusals)}")
        return refusals == ["NotFinal", "UnknownModel", "NotFound"] and certainty is Certainty.PROVISIONAL

    def _refute(self, project: Project, braggart: Braggart) -> None:
        """The braggart answers whoever doubts it, and falls."""

        def play(view: View) -> bool:
            known = view.training(project.id)
            claim = view.scores_of(commit_of(known, braggart.address))
            assert claim is not None
            if claim.certainty is Certainty.PROVISIONAL:
                braggart.answer(known, claim)
            return claim.certainty is Certainty.REFUTED

        project.academy.wait("the braggart's fall", play, 60)
        self._say("a perfect score for a network that has learned nothing: refuted by the watchtower, and slashed")

    def _is_fair(self, project: Project, view: View, trainers: Sequence[Address]) -> bool:
        """Two networks that share next to no weight have what was asked for, and the better one is paid."""
        known = view.training(project.id)
        commits = [commit_of(known, trainer) for trainer in trainers]
        scores = [view.scores_of(commit) for commit in commits]
        differ, weights = _differing(project, trainers)
        at = project.academy.snapshot()
        model, certainty = Trainings(self._net.deployment).trained(at, project.id)
        return (
            all(claim is not None and claim.certainty is Certainty.FINAL and not claim.contested for claim in scores)
            and known.winner == max(commits, key=lambda commit: (commit.total, -commit.number)).number
            and known.paid_wei + known.refunded_wei == sum(PAID_WEI)
            and known.paid_wei > TERMS["fee_wei"]
            and differ > 0.99 * weights
            and (model, certainty) == (known.model, Certainty.FINAL)
            # All that was not paid for the network is the members' again.
            and project.bounty.status(at) is BountyStatus.CLOSED
            and at.balance(project.bounty.address) == 0
        )

    def _has_fallen(self, project: Project, view: View) -> bool:
        """The braggart's claim is refuted, and nobody but the watchtower doubted it or proved anything."""
        lie = view.scores_of(commit_of(view.training(project.id), self._net.address(BRAGGART)))
        assert lie is not None
        items = {lie.claim.claim_id(item) for item in lie.contested}
        books = Books(self._net.client, self._net.deployment)
        books.read()
        provers = {event.sender for event in books.said(FaultProven) if event.id in items}
        doubters = {view.dispute(item).challenger for item in items}
        return lie.certainty is Certainty.REFUTED and doubters == provers == {self._net.address(Account.WATCHTOWER)}

    def _are_told(self, project: Project, trainers: Sequence[Address]) -> bool:
        """Whether the API has every epoch of both."""
        with closing(self._client()) as client:
            curves = {curve["executor"]: curve["points"] for curve in client.training(project.id)["curves"]}
        epochs = [[point["epoch"] for point in curves.get(to_hex(trainer), [])] for trainer in trainers]
        return all(told and told == list(range(len(told))) for told in epochs)

    def _scores(self, project: Project, trainers: Sequence[Address]) -> dict[str, float]:
        """Of each trainer, by name: its mean over the sealed items."""
        known = project.training
        return {self.names[at]: commit_of(known, at).total / ONE / known.draw.sealed_count for at in trainers}

    def _tell(self, project: Project, trainers: Sequence[Address]) -> None:
        known, (differ, weights) = project.training, _differing(project, trainers)
        scores = ", ".join(f"{name} {score:.1%}" for name, score in self._scores(project, trainers).items())
        self._say(f"{differ:,} of {weights:,} weights differ; of {known.draw.sealed_count} sealed items: {scores}")
        winner = self.names[known.commits[known.winner].executor]
        self._say(f"paid {known.paid_wei / ETHER:.3f} ether: {winner}; {known.refunded_wei / ETHER:.3f} go back")


def refusal(call: Callable[[], object]) -> str:
    """The name of the error by which a call is refused, the chain's own if there is one; empty if it is not."""
    try:
        call()
    except Reverted as error:
        return error.name
    except Refused as error:
        return type(error).__name__
    return ""


def _has_come(view: View, project: Project, status: TrainingStatus) -> bool:
    return view.training(project.id).status is status


def _claimed(known: OrderedTraining) -> list[bytes]:
    return [commit.claim for commit in known.commits if commit.claim is not None]


def _asked_of(view: View, model: ModelId) -> list[RequestId]:
    return [id_ for id_ in view.state.requests if view.request(id_).request.model == model]


def _differing(project: Project, trainers: Sequence[Address]) -> tuple[int, int]:
    """How many weights of two trainers' networks differ, and how many there are."""
    roots = [commit_of(project.training, trainer).weights_root for trainer in trainers]
    first, second = (list(map(from_canonical, project.academy.blobs.get_tensors(root))) for root in roots)
    differ = sum(int((a != b).sum()) for a, b in zip(first, second, strict=True))
    return differ, sum(weight.numel() for weight in first)


def _names_of_scores(view: View, id_: TrainingId) -> frozenset[bytes]:
    """Every name under which a training, its claims of scores and their disputes appear in events."""
    names: set[bytes] = {id_}
    for commit in view.training(id_).commits:
        claim = view.scores_of(commit)
        if claim is not None:
            names |= {claim.id, *(claim.claim.claim_id(item) for item in claim.contested)}
    return frozenset(names)
