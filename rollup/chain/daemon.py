"""What every process that acts on the chain starts with: its key, locked; a sender; a follower.

Holds them together and lets go of them; decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from rollup.chain.client import Client
from rollup.chain.follower import Follower
from rollup.chain.keys import KeyLock, load_key
from rollup.chain.sender import Sender
from rollup.chain.transactions import MemoryStore, TransactionStore
from rollup.config import Settings
from rollup.errors import BadInput


@dataclass(frozen=True)
class Daemon:
    """A context; leaving it releases the key."""

    settings: Settings
    client: Client
    sender: Sender
    follower: Follower
    lock: KeyLock

    @classmethod
    def start(cls, settings: Settings, store: TransactionStore | None = None) -> Daemon:
        """Connects, loads and locks the key, and sends what an earlier process recorded and did not see mined.

        `store` None keeps signed transactions in memory. Raises WrongChain, KeyInUse, BadInput without a usable key,
        Unavailable if the chain does not answer.
        """
        if settings.key is None:
            raise BadInput("the settings name no key; set ANH_KEY_VARIABLE or ANH_KEYSTORE and ANH_PASSWORD_FILE")
        key = load_key(settings.key)
        lock = KeyLock(settings.locks, key.address)
        try:
            client = Client.connect(settings.rpc_url, settings.deployment.chain_id, settings.rpc_timeout_seconds)
            sender = Sender(client, key, store or MemoryStore())
            sender.push()
        except BaseException:
            lock.release()
            raise
        return cls(settings, client, sender, Follower.from_settings(settings, client), lock)

    def __enter__(self) -> Daemon:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lock.release()
