"""Every error of the product, sorted by what the caller can do.

RollupError
├── Refused          the input is wrong; the same call can never succeed
│   ├── BadInput         a value outside its limits
│   ├── BadEncoding      bytes that are not canonical
│   ├── BadGraph         a graph that cannot be judged
│   ├── BadSignature     not signed by whom it names
│   ├── Conflict         contradicts what was accepted before
│   ├── NotFound         names nothing that is known
│   └── Reverted         the contracts refuse it as things stand; carries the error's name and values
├── Retry            nothing was lost; the same call may succeed later
│   ├── Unavailable      a service (chain, queue, journal, blobs) does not answer
│   ├── NotYet           the thing exists and is not ready
│   └── Overloaded       too many calls; carries seconds to wait
└── Stop             going on would be unsafe; a person must look
    ├── WrongChain       the chain is not the one that was configured
    ├── KeyInUse         another process signs with the same key
    ├── Insolvent        too little money to go on
    └── Doubt            two independent evaluations disagree

Knows nothing of HTTP, the chain or torch: api/errors.py maps these to problem+json.
"""

from __future__ import annotations

from collections.abc import Mapping


class RollupError(Exception):
    """Base of all. `str()` is one clear sentence that names the value and the limit."""


class Refused(RollupError):
    """The input is wrong; the same call can never succeed."""


class BadInput(Refused):
    """A value outside its limits."""


class BadEncoding(Refused):
    """Bytes that are not canonical, or not what their name says."""


class BadGraph(Refused):
    """A graph or operator that cannot be judged; names every offending place at once."""


class BadSignature(Refused):
    """Not signed by the account it names, for another chain, or expired."""


class Conflict(Refused):
    """Contradicts what was accepted before: a used nonce, an idempotency key with another body."""


class NotFound(Refused):
    """Names nothing that is known here."""


class Reverted(Refused):
    """The contracts refuse the call as things stand; another state of the chain may allow it.

    `name` is the Solidity error's, `values` its arguments by name (bytes as 0x-text).
    """

    def __init__(self, name: str, values: Mapping[str, object]) -> None:
        self.name = name
        self.values = {key: "0x" + value.hex() if isinstance(value, bytes) else value for key, value in values.items()}
        details = ", ".join(f"{key} {value}" for key, value in self.values.items())
        super().__init__(f"the chain refuses: {name}({details})")


class Retry(RollupError):
    """Nothing was lost; the same call may succeed later."""


class Unavailable(Retry):
    """A service that is needed does not answer."""


class NotYet(Retry):
    """The thing exists and is not ready."""


class Overloaded(Retry):
    """Too many calls for now."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Stop(RollupError):
    """Going on would be unsafe; a person must look."""


class WrongChain(Stop):
    """The chain is not the one that was configured."""


class KeyInUse(Stop):
    """Another process signs with the same key."""


class Insolvent(Stop):
    """Too little money to go on."""


class Doubt(Stop):
    """Two independent evaluations disagree; an honest party does not bond on doubt."""
