"""The chain, read: blocks, calls pinned to one block, simulations, logs, receipts. Errors become the product's own.

Signs and decides nothing. One HTTP call per method, each with a time limit; retrying is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from eth_typing import BlockNumber, ChecksumAddress, HexStr
from eth_utils.address import to_checksum_address
from requests.exceptions import RequestException
from web3 import Web3
from web3.exceptions import (
    BlockNotFound,
    ContractLogicError,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.types import BlockIdentifier, FilterParams, LogReceipt, TxParams

from rollup.chain import artifacts
from rollup.chain.abi import Abi
from rollup.errors import NotFound, Unavailable, WrongChain
from rollup.types import ZERO_ADDRESS, Address

T = TypeVar("T")
# A block by number, hash or name ("latest").
Which = int | bytes | str


@dataclass(frozen=True)
class Block:
    """A block's header. `timestamp` in seconds, `base_fee_wei` in wei per gas."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int
    base_fee_wei: int


@dataclass(frozen=True)
class Receipt:
    """What became of a mined transaction. `cost_wei` is gas used times the price paid."""

    transaction: bytes
    block: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    cost_wei: int
    contract: Address | None


@dataclass(frozen=True)
class RawLog:
    """One log as the chain keeps it."""

    emitter: Address
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    block_hash: bytes
    transaction: bytes
    log_index: int


@dataclass(frozen=True)
class Call:
    """A message to a contract, or a creation if `to` is None.

    Nodes show the called contract a base fee of zero unless a gas price is named; what depends on the base fee is asked
    with `gas_price_wei`, by a sender who could pay it.
    """

    to: Address | None
    data: bytes
    value_wei: int = 0
    sender: Address = ZERO_ADDRESS
    gas_price_wei: int = 0


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Connection and server faults as Unavailable. Reverts and absences are the callers' and pass through."""
    try:
        yield
    except (ContractLogicError, BlockNotFound, TransactionNotFound, Web3RPCError):
        raise
    except (RequestException, Web3Exception, OSError, ValueError) as error:
        # Without the URL: it may hold a provider's access token.
        raise Unavailable(f"the chain does not answer {what}: {type(error).__name__}") from None


class Client:
    """One RPC endpoint of the configured chain. Safe to share between threads."""

    def __init__(self, rpc_url: str, chain_id: int, timeout_seconds: float = 10.0) -> None:
        """Opens no connection; `require_chain` does."""
        provider = Web3.HTTPProvider(
            rpc_url, request_kwargs={"timeout": timeout_seconds}, exception_retry_configuration=None
        )
        self._web3 = Web3(provider, middleware=[])
        self.chain_id = chain_id

    @classmethod
    def connect(cls, rpc_url: str, chain_id: int, timeout_seconds: float = 10.0) -> Client:
        """Raises Unavailable if nothing answers, WrongChain if another chain does."""
        client = cls(rpc_url, chain_id, timeout_seconds)
        client.require_chain()
        return client

    def require_chain(self) -> None:
        received = self._ask("eth_chainId", lambda: self._web3.eth.chain_id)
        if received != self.chain_id:
            raise WrongChain(f"the endpoint serves chain {received}, the settings name chain {self.chain_id}")

    def head(self) -> Block:
        return self.block("latest")

    def block(self, which: Which) -> Block:
        """A block by number, hash or name. Raises NotFound if the chain has none such."""
        try:
            found = self._ask("eth_getBlock", lambda: self._web3.eth.get_block(_block(which)))
        except BlockNotFound as error:
            raise NotFound(f"the chain has no block {which!r}") from error
        return Block(
            found["number"], bytes(found["hash"]), bytes(found["parentHash"]), found["timestamp"],
            found.get("baseFeePerGas", 0),
        )  # fmt: skip

    def at(self, block: Block) -> Snapshot:
        """Reads that all see the state after `block`."""
        return Snapshot(self, block)

    def call(self, call: Call, block: Which = "latest") -> bytes:
        """Simulates: returns what the call would return. Raises Reverted with the decoded error."""
        return self._simulated("eth_call", lambda: bytes(self._web3.eth.call(_params(call), _block(block))))

    def estimate_gas(self, call: Call) -> int:
        """Gas the call would take now. Raises Reverted with the decoded error."""
        return self._simulated("eth_estimateGas", lambda: self._web3.eth.estimate_gas(_params(call), _block("latest")))

    def balance(self, account: Address, block: Which = "latest") -> int:
        """Wei outside the Vault."""
        return self._ask("eth_getBalance", lambda: self._web3.eth.get_balance(_text(account), _block(block)))

    def nonce(self, account: Address, block: Which = "latest") -> int:
        """How many transactions of `account` are mined as of `block`."""
        count = self._web3.eth.get_transaction_count
        return self._ask("eth_getTransactionCount", lambda: count(_text(account), _block(block)))

    def code(self, account: Address) -> bytes:
        return self._ask("eth_getCode", lambda: bytes(self._web3.eth.get_code(_text(account))))

    def receipt(self, transaction: bytes) -> Receipt | None:
        """None while it is not mined."""
        try:
            found = self._ask(
                "eth_getTransactionReceipt", lambda: self._web3.eth.get_transaction_receipt(HexStr(_hex(transaction)))
            )
        except TransactionNotFound:
            return None
        created = found.get("contractAddress")
        return Receipt(
            transaction=bytes(found["transactionHash"]),
            block=found["blockNumber"],
            block_hash=bytes(found["blockHash"]),
            succeeded=found["status"] == 1,
            gas_used=found["gasUsed"],
            cost_wei=found["gasUsed"] * found["effectiveGasPrice"],
            contract=Address(bytes.fromhex(created[2:])) if created else None,
        )

    def logs(self, emitters: Sequence[Address], first: int, last: int) -> tuple[RawLog, ...]:
        """Logs of blocks `first..last`, inclusive, in order, without repetitions."""
        which: FilterParams = {
            "address": [_text(emitter) for emitter in emitters],
            "fromBlock": BlockNumber(first),
            "toBlock": BlockNumber(last),
        }
        found = {(log.block, log.log_index): log for log in self._ask_logs(which)}
        return tuple(found[place] for place in sorted(found))

    def _ask_logs(self, which: FilterParams) -> list[RawLog]:
        return [_raw_log(log) for log in self._ask("eth_getLogs", lambda: self._web3.eth.get_logs(which))]

    def send_raw(self, raw: bytes) -> None:
        """Hands a signed transaction to the chain. Raises NotAccepted if the node answers and does not take it."""
        try:
            self._ask("eth_sendRawTransaction", lambda: self._web3.eth.send_raw_transaction(raw), rpc_errors=True)
        except Web3RPCError as error:
            raise NotAccepted(_message(error)) from error

    def _simulated(self, what: str, ask: Callable[[], T]) -> T:
        try:
            return self._ask(what, ask)
        except ContractLogicError as error:
            raise artifacts.error_table().decode(_revert_data(error)) from error

    def _ask(self, what: str, ask: Callable[[], T], rpc_errors: bool = False) -> T:
        with _translated(what):
            try:
                return ask()
            except Web3RPCError as error:
                if rpc_errors or isinstance(error, BlockNotFound | TransactionNotFound):
                    raise
                raise Unavailable(f"the chain refuses {what}: {_message(error)}") from error


class NotAccepted(Unavailable):
    """The node answered and does not take a signed transaction; `reason` is its text. Sender decides what follows."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the chain does not take the transaction: {reason}")
        self.reason = reason


class Snapshot:
    """Reads of one decision, all pinned to one block by its hash: if a reorg drops it they fail, and never mix."""

    def __init__(self, client: Client, block: Block) -> None:
        self.block = block
        self._client = client

    def read(
        self, contract: Abi, address: Address, function: str, *arguments: Any, payer: Address | None = None
    ) -> tuple[Any, ...]:
        """Return values of a view function, as `Abi.decode_result` gives them. Raises Reverted.

        With a `payer`, any account with some wei, the function sees the block's base fee.
        """
        data = contract.encode_call(function, *arguments)
        call = Call(address, data) if payer is None else Call(address, data, 0, payer, self.block.base_fee_wei)
        return contract.decode_result(function, self._client.call(call, self.block.hash))

    def balance(self, account: Address) -> int:
        return self._client.balance(account, self.block.hash)


def _params(call: Call) -> TxParams:
    params: dict[str, Any] = {"from": _text(call.sender), "data": _hex(call.data), "value": call.value_wei}
    if call.gas_price_wei:
        params["gasPrice"] = call.gas_price_wei
    if call.to is not None:
        params["to"] = _text(call.to)
    return cast(TxParams, params)


def _block(which: Which) -> BlockIdentifier:
    return cast(BlockIdentifier, _hex(which) if isinstance(which, bytes) else which)


def _text(address: Address) -> ChecksumAddress:
    return to_checksum_address(address)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _revert_data(error: ContractLogicError) -> bytes:
    """Revert bytes out of the several shapes in which nodes give them."""
    data: Any = error.data
    if isinstance(data, Mapping):
        data = data.get("data") or data.get("result")
    if isinstance(data, str) and data.startswith("0x"):
        return bytes.fromhex(data[2:])
    return b""


def _message(error: Web3RPCError) -> str:
    response = error.rpc_response or {}
    detail = response.get("error")
    return str(detail.get("message", detail) if isinstance(detail, Mapping) else detail or error)


def _raw_log(log: LogReceipt) -> RawLog:
    return RawLog(
        emitter=Address(bytes.fromhex(log["address"][2:])),
        topics=tuple(bytes(topic) for topic in log["topics"]),
        data=bytes(log["data"]),
        block=log["blockNumber"],
        block_hash=bytes(log["blockHash"]),
        transaction=bytes(log["transactionHash"]),
        log_index=log["logIndex"],
    )
