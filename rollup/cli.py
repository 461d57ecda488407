"""The command `anh`. Each package brings its own commands through the entry point group `anh.commands`.

Errors of the product become one sentence on standard error and an exit status; a traceback is a bug.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer
from typer.core import TyperGroup

from rollup.errors import Refused, RollupError, Stop

REFUSED, RETRY, STOP = 2, 3, 4


def build() -> typer.Typer:
    """The whole command, from what is installed."""
    app = typer.Typer(
        cls=TyperGroup,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="ANH: an Ethereum layer-2 for transactions that run deep neural networks.",
    )
    for entry in sorted(entry_points(group="anh.commands"), key=lambda entry: entry.name):
        command = entry.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(name=entry.name)(command)
    return app


def main() -> None:
    """Entry point. Exit status: 2 refused, 3 may be tried again, 4 a person must look."""
    try:
        build()()
    except RollupError as error:
        print(f"anh: {error}", file=sys.stderr)
        sys.exit(REFUSED if isinstance(error, Refused) else STOP if isinstance(error, Stop) else RETRY)


if __name__ == "__main__":
    main()
