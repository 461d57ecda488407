"""One nonce stream of one key: sign, record, send, wait, bump, recover.

What was signed is recorded before it is sent, and the chain alone says what became of it; so after a crash at any point
the same intent is continued, not signed again. Knows nothing of what an intent is for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from rollup.chain.client import Block, Call, Client, NotAccepted, Receipt
from rollup.chain.keys import Key
from rollup.chain.transactions import SignedTransaction, TransactionStore
from rollup.errors import BadInput, Conflict, Insolvent, NotYet, Reverted, Unavailable
from rollup.types import Address

# EIP-7825: no transaction may ask for more gas.
MAX_GAS = 2**24
# A node forgets states after 128 blocks and reorgs are rare past 2: a nonce used that deep by somebody else is lost.
_SETTLED_BLOCKS = 2
_log = structlog.get_logger()


@dataclass(frozen=True)
class Intent:
    """A deed to be done once. `key` names it: the same key is never carried out twice.

    `to` None creates a contract. `gas_limit` 0 lets the chain estimate, which also simulates the call; a limit that is
    given is not simulated, so that deeds that build on one another can be sent together.
    """

    key: str
    to: Address | None
    data: bytes
    value_wei: int = 0
    gas_limit: int = 0


@dataclass(frozen=True)
class FeeRules:
    """What is paid for gas, in wei per gas, and when an unmined transaction is replaced.

    Replacements must raise both fees by a tenth; an eighth leaves room for rounding.
    """

    tip_wei: int = 10**8
    cap_wei: int = 2 * 10**12
    bump_after_blocks: int = 2
    gas_margin_percent: int = 30

    def fees(self, base_fee_wei: int) -> tuple[int, int]:
        """Maximum fee and tip of a first version: room for the base fee to double."""
        return min(2 * base_fee_wei + self.tip_wei, self.cap_wei), min(self.tip_wei, self.cap_wei)

    def raised(self, version: SignedTransaction, base_fee_wei: int) -> tuple[int, int] | None:
        """Fees that replace `version`, or None if the cap does not leave room for them."""
        tip = version.tip_wei * 9 // 8 + 1
        fee = max(version.max_fee_wei * 9 // 8 + 1, 2 * base_fee_wei + tip)
        fee = min(fee, self.cap_wei)
        return (fee, tip) if fee * 8 >= version.max_fee_wei * 9 and tip <= fee else None


class Sender:
    """The one writer of a key. Threads may share it; a second process is kept out by KeyLock."""

    def __init__(
        self,
        client: Client,
        key: Key,
        store: TransactionStore,
        rules: FeeRules | None = None,
        poll_seconds: float = 0.2,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = key.address
        self._client, self._key, self._store = client, key, store
        self._rules = rules or FeeRules()
        self._poll_seconds, self._sleep = poll_seconds, sleep
        self._lock = threading.RLock()
        # Block at which a version was first handed to the chain by this process.
        self._sent_at: dict[bytes, int] = {}
        self._pushed_block = b""

    def send(self, intent: Intent, timeout_seconds: float = 120.0) -> Receipt:
        """Carries the intent out and waits for its receipt; see `submit` and `wait` for what is raised."""
        self.submit(intent)
        return self.wait(intent, timeout_seconds)

    def submit(self, intent: Intent) -> None:
        """Signs, records and sends, unless that was done before and the transaction stands or is in flight.

        An intent whose transaction reverted, or whose nonce somebody else used, is signed anew. Raises Reverted if the
        chain refuses the call as things stand, Insolvent if the balance does not cover it, Unavailable if nothing
        answers; with Unavailable it may have been recorded, and the next `submit`, `wait` or `push` sends it.
        """
        with self._lock:
            versions = self._store.of_intent(self.address, intent.key)
            if versions and not self._is_spent(versions):
                self.push()
                return
            version = self._sign_first(intent)
            self._store.record(version)
            _log.info("transaction.signed", intent=intent.key, nonce=version.nonce, hash=version.hash.hex())
            self._hand_over(version, self._client.head().number)

    def wait(self, intent: Intent, timeout_seconds: float = 120.0) -> Receipt:
        """Waits for the receipt of a submitted intent; sends it again and raises its fees as blocks go by.

        Raises Reverted with the decoded error if it was mined and failed, Conflict if its nonce was used by a
        transaction that is not recorded here, NotYet if time is over (it stays in flight), Unavailable if the chain
        does not answer at the end of it.
        """
        limit = time.monotonic() + timeout_seconds
        while True:
            trouble: Unavailable | None = None
            try:
                receipt = self._look(intent)
                if receipt is not None:
                    return receipt
                self.push()
            except Unavailable as error:
                trouble = error
            if time.monotonic() >= limit:
                raise trouble or NotYet(f"{intent.key} is sent and not mined after {timeout_seconds:g} s")
            self._sleep(self._poll_seconds)

    def push(self) -> None:
        """Once a block: hands everything recorded and not mined to the chain again, with higher fees where it is stuck.

        This is all of recovery: after a crash, a reorg or a drop from the pool.
        """
        with self._lock:
            head = self._client.head()
            if head.hash == self._pushed_block:
                return
            next_nonce = self._client.nonce(self.address)
            newest = {version.nonce: version for version in self._store.from_nonce(self.address, next_nonce)}
            for nonce in sorted(newest):
                version = newest[nonce]
                if self._is_stuck(version, head, next_nonce):
                    version = self._replaced(version, head) or version
                self._hand_over(version, head.number)
            self._pushed_block = head.hash

    def _look(self, intent: Intent) -> Receipt | None:
        versions = self._store.of_intent(self.address, intent.key)
        if not versions:
            raise BadInput(f"{intent.key} was never submitted")
        receipt = self._receipt(versions)
        if receipt is None:
            if self._is_displaced(versions[-1].nonce):
                raise Conflict(f"nonce {versions[-1].nonce} of {intent.key} was used by an unknown transaction")
            return None
        if not receipt.succeeded:
            raise self._reason(intent, receipt)
        return receipt

    def _receipt(self, versions: Sequence[SignedTransaction]) -> Receipt | None:
        """The success among all versions; else what became of the newest nonce."""
        found = [(version, self._client.receipt(version.hash)) for version in versions]
        mined = [(version, receipt) for version, receipt in found if receipt is not None]
        for _, receipt in mined:
            if receipt.succeeded:
                return receipt
        return next((receipt for version, receipt in mined if version.nonce == versions[-1].nonce), None)

    def _is_spent(self, versions: Sequence[SignedTransaction]) -> bool:
        """Whether what was signed can never take effect: it reverted, or its nonce is gone."""
        receipt = self._receipt(versions)
        return not receipt.succeeded if receipt is not None else self._is_displaced(versions[-1].nonce)

    def _is_displaced(self, nonce: int) -> bool:
        settled = self._client.head().number - _SETTLED_BLOCKS
        return settled >= 0 and self._client.nonce(self.address, settled) > nonce

    def _reason(self, intent: Intent, receipt: Receipt) -> Reverted:
        """Why a mined transaction failed: replayed on the state before and after its block."""
        call = Call(intent.to, intent.data, intent.value_wei, self.address)
        for block in (receipt.block - 1, receipt.block):
            try:
                self._client.call(call, block)
            except Reverted as error:
                return error
        return Reverted("NoReason", {"transaction": receipt.transaction, "gas_used": receipt.gas_used})

    def _sign_first(self, intent: Intent) -> SignedTransaction:
        base_fee, balance = self._client.head().base_fee_wei, self._client.balance(self.address)
        if balance <= intent.value_wei:
            raise Insolvent(f"0x{self.address.hex()} has {balance} wei, {intent.key} sends {intent.value_wei} and gas")
        max_fee, tip = self._rules.fees(base_fee)
        call = Call(intent.to, intent.data, intent.value_wei, self.address, max_fee)
        estimate = 0 if intent.gas_limit else self._client.estimate_gas(call)
        gas = intent.gas_limit or min(estimate * (100 + self._rules.gas_margin_percent) // 100, MAX_GAS)
        if gas > MAX_GAS or estimate > MAX_GAS:
            raise BadInput(f"{intent.key} takes {max(gas, estimate)} gas, a transaction may take {MAX_GAS}")
        cost = intent.value_wei + gas * max_fee
        if balance < cost:
            raise Insolvent(f"0x{self.address.hex()} has {balance} wei, {intent.key} may cost {cost} wei")
        fields = {"value": intent.value_wei, "data": intent.data, "gas": gas, "nonce": self._next_nonce()}
        if intent.to is not None:
            fields["to"] = intent.to
        return self._sign(intent.key, fields, max_fee, tip)

    def _next_nonce(self) -> int:
        mined = self._client.nonce(self.address)
        recorded = self._store.from_nonce(self.address, mined)
        return max([mined, self._client.nonce(self.address, "pending"), *(tx.nonce + 1 for tx in recorded)])

    def _sign(self, intent: str, fields: dict[str, Any], max_fee: int, tip: int) -> SignedTransaction:
        raw, hash_ = self._key.sign_transaction(
            fields
            | {
                "type": 2,
                "chainId": self._client.chain_id,
                "maxFeePerGas": max_fee,
                "maxPriorityFeePerGas": tip,
            }
        )
        return SignedTransaction(self.address, fields["nonce"], intent, hash_, raw, max_fee, tip)

    def _is_stuck(self, version: SignedTransaction, head: Block, next_nonce: int) -> bool:
        waited = head.number - self._sent_at.get(version.hash, head.number)
        is_held_up = version.nonce == next_nonce or version.max_fee_wei < head.base_fee_wei
        return is_held_up and waited >= self._rules.bump_after_blocks

    def _replaced(self, version: SignedTransaction, head: Block) -> SignedTransaction | None:
        """The same transaction with higher fees, recorded."""
        fees = self._rules.raised(version, head.base_fee_wei)
        if fees is None:
            _log.warning("transaction.at_cap", intent=version.intent, nonce=version.nonce, cap_wei=self._rules.cap_wei)
            return None
        fields = TypedTransaction.from_bytes(HexBytes(version.raw)).as_dict()
        kept = {name: fields[name] for name in ("to", "value", "data", "gas", "nonce") if fields.get(name) != b""}
        replacement = self._sign(version.intent, kept, *fees)
        self._store.record(replacement)
        _log.info("transaction.replaced", intent=version.intent, nonce=version.nonce, max_fee_wei=fees[0])
        return replacement

    def _hand_over(self, version: SignedTransaction, block: int) -> None:
        """What the node objects to is not believed: it may know the transaction, or have mined it a moment ago."""
        self._sent_at.setdefault(version.hash, block)
        try:
            self._client.send_raw(version.raw)
        except NotAccepted as error:
            _log.debug("transaction.not_taken", intent=version.intent, nonce=version.nonce, reason=error.reason)
