"""What a stranger's program may do to whoever runs it: torch refuses it with errors of its own, or runs out of memory.

An index that its range allows and its table does not hold ends a run, and must not end the process: whoever is ended so
answers no dispute.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rollup.errors import BadInput

# Of torch and of Python's numbers. A fault of our own shows its words in the log all the same.
_CRASHES = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)


@contextmanager
def unrunnable(what: str) -> Iterator[None]:
    """Raises BadInput in place of what a program raises that cannot be run. Also good as a decorator."""
    try:
        yield
    except _CRASHES as error:
        words = str(error).strip().partition("\n")[0] or type(error).__name__
        raise BadInput(f"{what} cannot be run here: {words}") from error
