"""`make demo`: the whole story on a real stack, with a table of what it cost and who paid.

Exits 0 only if the chain's own state says that every act ended as it should and value was conserved.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from rollup.devnet import Account, Devnet, run_folder
from rollup.errors import RollupError
from rollup.types import Address
from tests.stories.acts import Grief, HonestLoan, Hundred, Liars, Outcome, people
from tests.stories.books import Books, Entry
from tests.stories.schooling import Schooling
from tests.stories.stage import set_stage

RESULT = Path(__file__).resolve().parents[2] / "build" / "demo.json"
GWEI = 10**9
WIDTH = 140


class Demo:
    """Plays the acts and keeps their outcomes."""

    def __init__(self, console: Console) -> None:
        self._console, self._start = console, time.monotonic()

    def say(self, text: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._start:6.1f} s[/]  {text}")

    def run(self) -> bool:
        """Whether all ended well."""
        self.say("starting a chain, Redis and the contracts")
        with Devnet(run_folder()) as net:
            self.say("training a digit network on real scans (cached), calibrating and registering it")
            stage = set_stage(net)
            self.say("starting sequencer, API, executors, worker, watchtower, keeper")
            self.say("act 1: a DAO wants a network that reads digits, and offers a bounty to whoever trains it")
            # It takes the longest, and most of that is waiting.
            schooling = Schooling(net, self.say)
            net.start()
            self.say("act 2: a borrower pledges a picture of a seven and asks for a loan")
            loan = HonestLoan(stage)
            self.say("act 3: a developer sends 100 signed requests by REST")
            hundred = Hundred(stage)
            self.say("act 4: six liars lease loan requests first, and a griefer challenges an honest claim")
            liars = Liars(stage)
            grief = Grief(stage)
            books = Books(net.client, net.deployment)
            # The liars first: they have clocks to meet, and the honest need nobody.
            fallen = liars.finish(self.say, books)
            outcomes = [loan.finish(self.say), hundred.finish(self.say), *fallen, grief.finish(self.say)]
            outcomes.append(schooling.finish())
            books.read()
            names = self._names(
                net, liars.names | grief.names | schooling.names | {stage.office.address: "loan office"}
            )
            entries = books.entries([outcome.names for outcome in outcomes])
            deployment = net.deployment
            unaccounted = books.unaccounted_wei(deployment.modules)
            return self._report(outcomes, entries, names, unaccounted)

    def _names(self, net: Devnet, cast: dict[Address, str]) -> Callable[[Address], str]:
        known = {net.address(account): account.name.lower() for account in Account} | people(net) | cast
        return lambda address: known.get(address, "0x" + address.hex()[:8])

    def _report(
        self, outcomes: list[Outcome], entries: list[Entry], name: Callable[[Address], str], unaccounted_wei: int
    ) -> bool:
        table = Table("act", "ended", "transactions", "gas", "seconds", "gained and lost (gwei)", "burned")
        acts = []
        for outcome, entry in zip(outcomes, entries, strict=True):
            net = {name(account): wei for account, wei in entry.net_wei.items() if wei}
            shares = "\n".join(
                f"{who} {wei / GWEI:+,.0f}" for who, wei in sorted(net.items(), key=lambda item: -item[1])
            )
            row = (
                f"{entry.transactions}",
                f"{entry.gas:,}",
                f"{entry.seconds}",
                shares,
                f"{entry.burned_wei / GWEI:,.0f}",
            )
            table.add_row(outcome.act, "[green]well" if outcome.ended_well else "[red]badly", *row)
            acts.append(
                {
                    "act": outcome.act,
                    "ended_well": outcome.ended_well,
                    "remark": outcome.remark,
                    "transactions": entry.transactions,
                    "gas": entry.gas,
                    "seconds": entry.seconds,
                    "net_wei": net,
                    "burned_wei": entry.burned_wei,
                    **({"figures": outcome.figures} if outcome.figures else {}),
                }
            )
        self._console.print(table)
        balanced = all(entry.is_balanced for entry in entries)
        good = all(outcome.ended_well for outcome in outcomes) and balanced and unaccounted_wei == 0
        self.say("every act's gains, losses and burns add up" if balanced else "[red]an act's books do not add up")
        self.say("value is conserved" if unaccounted_wei == 0 else f"[red]{unaccounted_wei} wei are unaccounted for")
        seconds = round(time.monotonic() - self._start, 1)
        record = {"ended_well": good, "unaccounted_wei": unaccounted_wei, "seconds": seconds, "acts": acts}
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(record, indent=2) + "\n")
        return good


def main() -> None:
    # The cast's own transactions would drown the story; the stack's processes log to files.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    # A dozen processes share this machine; so small a network is several times slower on two threads than on one.
    os.environ["OMP_NUM_THREADS"] = "1"
    # Wide enough for the table also where nobody watches.
    console = Console(width=max(Console().width, WIDTH))
    try:
        good = Demo(console).run()
    except RollupError as error:
        console.print(f"[red]the story broke off:[/] {error}")
        good = False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
