"""The acts of the story, each on a stage that is set: what happens, and what the chain must say of it afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from api.client import AnhClient, Offer
from rollup.chain.anvil import development_secret
from rollup.devnet import Devnet
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import Address, Certainty, ClaimId, RequestId
from rollup.view import View
from tests.actors import LIES, Griefer, Liar, Lie
from tests.digits import digits
from tests.stories.books import Books
from tests.stories.office import ETHER, FEE_WEI, TIP_WEI, LoanStatus
from tests.stories.stage import Stage, canonical

Say = Callable[[str], None]
REQUESTS = 100
# Accounts of the development chain from which people are drawn.
BORROWER, DEVELOPER, GRIEFER, FIRST_LIAR, FIRST_ACCOMPLICE = 5, 6, 7, 10, 20
PICTURE = TensorSpec(DType.F32, (1, 1, 8, 8))


@dataclass(frozen=True)
class Outcome:
    """What an act left: whether the chain says it ended as it should, the names it took part under, a remark, and
    numbers of its own."""

    act: str
    ended_well: bool
    names: frozenset[bytes]
    remark: str
    figures: Mapping[str, Any] = field(default_factory=dict)


def people(net: Devnet) -> dict[Address, str]:
    """The honest users of the story, for its table."""
    return {net.address(BORROWER): "borrower", net.address(DEVELOPER): "developer"}


def names_of(view: View, requests: Sequence[RequestId]) -> frozenset[bytes]:
    """Every name under which these requests appear in events."""
    names: set[bytes] = set()
    for id_ in requests:
        ordered = view.request(id_)
        names |= {id_, ordered.batch}
        for claim in ordered.claims:
            names |= {claim, view.claim(claim).batch}
    return frozenset(names)


def picture_of(digit: int) -> int:
    """A held-out picture of a digit that the network reads for sure: its place among them."""
    data = digits()
    return int(np.flatnonzero(data.held_out_labels == digit)[0])


class HonestLoan:
    """A borrower pledges a picture of a seven, and is paid when the answer is final."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._borrower = stage.place.sender(stage.net.key(BORROWER))
        (self._token,) = stage.mint([(self._borrower, digits().held_out[picture_of(7)])])
        (self._asked,) = stage.ask([(self._borrower, self._token, 5 * ETHER)])

    def finish(self, say: Say) -> Outcome:
        stage = self._stage
        view = stage.wait("the answer's callback", lambda view: _is_heard(view, self._asked), 120)
        loan = stage.office.loan_of(stage.snapshot(), self._asked)
        owner = stage.nft.owner_of(stage.snapshot(), self._token)
        say(f"the loan of 5 ether is {loan.status.name}, the token belongs to the office")
        good = loan.status is LoanStatus.LENT and owner == stage.office.address and is_final(view, self._asked)
        return Outcome("honest loan", good, names_of(view, [self._asked]), "paid out by the callback")


class Hundred:
    """A developer sends a hundred signed requests by REST, and reads the answers."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._client = AnhClient(stage.net.api_url, bytes.fromhex(development_secret(DEVELOPER)))
        self._client.deposit(stage.net.rpc_url, REQUESTS * (FEE_WEI + TIP_WEI))
        # The API reads the balance as of the block that it has followed.
        self._data = digits()
        pictures = [Tensor(PICTURE, canonical(picture)) for picture in self._data.held_out[:REQUESTS]]
        offer = Offer(fee_wei=FEE_WEI, tip_wei=TIP_WEI, life_seconds=1800)
        self._asked = self._client.ask_all(stage.model, [[picture] for picture in pictures], offer)

    def finish(self, say: Say) -> Outcome:
        stage = self._stage
        view = stage.wait("all answers final", lambda view: all(is_final(view, id_) for id_ in self._asked), 180)
        states = [self._client.wait(id_, 30) for id_ in self._asked]
        answers = [int(np.argmax(_logits(view, id_))) for id_ in self._asked]
        told = [bytes.fromhex(state["claim"]["output"]["data"].removeprefix("0x")) for state in states]
        right = float(np.mean(np.array(answers) == self._data.held_out_labels[:REQUESTS]))
        batches = {view.claim(view.request(id_).claims[-1]).batch for id_ in self._asked}
        say(f"{REQUESTS} answers in {len(batches)} claim batches, accuracy {right:.0%} on digits never shown")
        same = all(output == _output(view, id_) for output, id_ in zip(told, self._asked, strict=True))
        self._client.close()
        remark = f"accuracy {right:.0%}, {len(batches)} claim batches"
        return Outcome("100 REST requests", same and right > 0.8, names_of(view, self._asked), remark)


class Liars:
    """Six liars lease loan requests first; their accomplices want money on pictures that are worth nothing."""

    def __init__(self, stage: Stage, kinds: Sequence[type[Lie]] = LIES) -> None:
        self._stage = stage
        worthless = np.flatnonzero(digits().held_out_labels == 0)
        self._liars: list[Liar] = []
        accomplices = [stage.place.sender(stage.net.key(FIRST_ACCOMPLICE + n)) for n in range(len(kinds))]
        pictures = [digits().held_out[place] for place in worthless[: len(kinds)]]
        tokens = stage.mint(list(zip(accomplices, pictures, strict=True)))
        for number, kind in enumerate(kinds):
            folder = stage.net.folder / "liars" / str(number)
            self._liars.append(Liar(kind(), stage.net.key(FIRST_LIAR + number), stage.place, folder))
        with held_back(stage.net, "executor"), ThreadPoolExecutor() as at_once:
            loans = zip(accomplices, tokens, strict=True)
            self._asked = stage.ask([(accomplice, token, 8 * ETHER) for accomplice, token in loans])
            view = stage.look()
            list(at_once.map(lambda pair: pair[0].claim(view, pair[1]), zip(self._liars, self._asked, strict=True)))

    @property
    def names(self) -> dict[Address, str]:
        return {liar.address: f"liar ({liar.lie.name})" for liar in self._liars}

    def finish(self, say: Say, books: Books) -> list[Outcome]:
        stage, told = self._stage, set[RequestId]()

        def play(view: View) -> bool:
            for liar, request in zip(self._liars, self._asked, strict=True):
                claims = view.request(request).claims
                if claims and view.claim(claims[0]).certainty is Certainty.CHALLENGED:
                    liar.answer(view, claims[0])
                if claims and request not in told and view.claim(claims[0]).certainty is Certainty.REFUTED:
                    told.add(request)
                    say(f"{liar.lie.name}: refuted and slashed")
            return all(_is_heard(view, request) for request in self._asked)

        try:
            view = stage.wait("every lie refuted and answered again", play, 240)
        finally:
            for liar in self._liars:
                liar.close()
        books.read()
        return [self._outcome(view, liar, id_, books) for liar, id_ in zip(self._liars, self._asked, strict=True)]

    def _outcome(self, view: View, liar: Liar, request: RequestId, books: Books) -> Outcome:
        stage, ordered = self._stage, view.request(request)
        first, last = view.claim(ordered.claims[0]), view.claim(ordered.claims[-1])
        loan = stage.office.loan_of(stage.snapshot(), request)
        attempts = stage.claims.attempts_of(stage.snapshot(), ordered.batch, ordered.index)
        good = (
            first.executor == liar.address
            and first.certainty is Certainty.REFUTED
            and books.has(liar.lie.falls_by, first.id)
            and last.executor != liar.address
            and _on_chain(stage, view, last.id) is Certainty.FINAL
            and attempts == (1, 0)
            and loan.status is LoanStatus.REFUSED
        )
        return Outcome(liar.lie.name, good, names_of(view, [request]), "slashed; answered again; loan refused")


class Grief:
    """Somebody challenges an honest claim; its executor opens; nothing can be proven."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        borrower = stage.place.sender(stage.net.key(BORROWER))
        (token,) = stage.mint([(borrower, digits().held_out[picture_of(3)])])
        (self._asked,) = stage.ask([(borrower, token, 2 * ETHER)])
        view = stage.wait("an honest claim", lambda view: bool(view.request(self._asked).claims), 60)
        self._griefer = Griefer(stage.net.key(GRIEFER), stage.place)
        self._griefer.challenge(view, view.request(self._asked).claims[0])

    @property
    def names(self) -> dict[Address, str]:
        return {self._griefer.address: "griefer"}

    def finish(self, say: Say) -> Outcome:
        stage = self._stage
        view = stage.wait("the honest claim's finality", lambda view: _is_heard(view, self._asked), 180)
        ordered = view.request(self._asked)
        loan = stage.office.loan_of(stage.snapshot(), self._asked)
        good = len(ordered.claims) == 1 and is_final(view, self._asked) and loan.status is LoanStatus.LENT
        say("the griefer's bond: half burned, half to the executor it held up")
        return Outcome("griefer", good, names_of(view, [self._asked]), "honest claim stands, loan paid")


@contextmanager
def held_back(net: Devnet, name: str) -> Iterator[None]:
    """Stops a process of the stack for a while, so that a liar comes first."""
    process = net.process(name)
    os.killpg(process.handle.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(process.handle.pid, signal.SIGCONT)


def _output(view: View, request: RequestId) -> bytes:
    return view.claim(view.request(request).claims[-1]).output


def _logits(view: View, request: RequestId) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.frombuffer(_output(view, request), ">f4").astype(np.float32)


def is_final(view: View, request: RequestId) -> bool:
    return request in view.state.requests and view.certainty(view.request(request)) is Certainty.FINAL


def _is_heard(view: View, request: RequestId) -> bool:
    """Final, and its callback fired."""
    if not is_final(view, request):
        return False
    return view.claim(view.request(request).claims[-1]).deliveries > 0


def _on_chain(stage: Stage, view: View, claim: ClaimId) -> Certainty:
    """What the contract itself says, not what events add up to."""
    made = view.claim(claim)
    certainty, _ = stage.claims.certainty_of(stage.snapshot(), view.claims_of(made).batch, made.index)
    return certainty
