"""The command `anh`. Each package brings its own commands through the entry point group `anh.commands`.

Errors of the product become one sentence on standard error and an exit status; a traceback is a bug.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

import typer
from typer.core import TyperGroup

from rollup.errors import Refused, RollupError, Stop

REFUSED, RETRY, STOP = 2, 3, 4


def build(arguments: Sequence[str]) -> typer.Typer:
    """The command, from what is installed; `arguments` name what is about to be called."""
    names = {entry.name for entry in entry_points(group="anh.commands")}
    app = typer.Typer(
        cls=TyperGroup,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for entry in sorted(entry_points(group="anh.commands"), key=lambda entry: entry.name):
        # Only what is asked for is imported: `anh api` must not wait for torch. Help wants them all.
        if arguments and arguments[0] in names and entry.name != arguments[0]:
            continue
        command = entry.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(name=entry.name)(command)
    # With a callback even a single command is called by its name.
    app.callback()(_anh)
    return app


def _anh() -> None:
    """ANH: an Ethereum layer-2 for transactions that run deep neural networks."""


def main() -> None:
    """Entry point. Exit status: 2 refused, 3 may be tried again, 4 a person must look."""
    try:
        build(sys.argv[1:])()
    except RollupError as error:
        print(f"anh: {error}", file=sys.stderr)
        sys.exit(REFUSED if isinstance(error, Refused) else STOP if isinstance(error, Stop) else RETRY)


if __name__ == "__main__":
    main()
