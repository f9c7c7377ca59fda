"""Raw JSON-RPC to a local node: many reads in one request, and blocks that hold exactly the transactions given.

Everything here that no public chain would do (mining on demand, setting the clock) is a cheat code of a local node.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from eth_typing import ChecksumAddress
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from evenkeel.sandbox.actors.errors import ActorError, MarketError
from evenkeel.sandbox.artifacts import Artifact

MAX_FEE = 10**12
"""Wei per gas. Far above any base fee that an hour of hourly blocks can reach."""
_TIP_STEP = 10**6
BLOCK_SECONDS = 1
"""How far apart a sandbox's blocks are when nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One call of an actor. `actor` names it in errors; `gas` is its limit, never estimated."""

    actor: str
    sender: ChecksumAddress
    to: ChecksumAddress
    data: bytes
    gas: int
    value: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """One view: `function` of `artifact` at `to`."""

    to: ChecksumAddress
    artifact: Artifact
    function: str
    args: tuple[Any, ...] = ()
    sender: ChecksumAddress | None = None

    def request(self) -> tuple[str, list[Any]]:
        """Return the eth_call at the latest block."""
        call = {"to": self.to, "data": "0x" + self.artifact.encode(self.function, *self.args).hex()}
        if self.sender is not None:
            call["from"] = self.sender
        return "eth_call", [call, "latest"]


def address(text: str) -> ChecksumAddress:
    """Return `text`, an address from a protocols file, as web3 types it."""
    return Web3.to_checksum_address(text)


class LocalChain:
    """A local node that mines when told to. `w3` must speak HTTP."""

    def __init__(self, w3: Web3) -> None:
        if not isinstance(w3.provider, HTTPProvider):
            raise MarketError("the market needs a node over HTTP")
        self.w3 = w3
        self._provider = w3.provider

    def rpc(self, method: str, *params: Any) -> Any:
        """Send one request. Raises `MarketError` with the node's message."""
        return _result(method, self._provider.make_request(RPCEndpoint(method), list(params)))

    def batch(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """Send many requests as one; answers in order. Raises `MarketError` for the first that failed."""
        return [
            _result(request[0], answer)
            for request, answer in zip(requests, self._batch(requests), strict=True)
        ]

    def read(self, reads: Sequence[Read]) -> list[Any]:
        """Read many views in one request, at the latest block; decoded as `Artifact.decode` does."""
        answers = self.batch([read.request() for read in reads])
        return [
            read.artifact.decode(read.function, bytes.fromhex(answer[2:]))
            for read, answer in zip(reads, answers, strict=True)
        ]

    def succeeds(self, transactions: Sequence[Transaction]) -> list[bool]:
        """Say for each transaction whether it would succeed on its own at the latest block."""
        requests = [("eth_call", [_call(transaction), "latest"]) for transaction in transactions]
        return ["error" not in answer for answer in self._batch(requests)] if requests else []

    def now(self) -> int:
        """Return the latest block's time, unix seconds."""
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def mine(self, transactions: Sequence[Transaction], timestamp: int, *, settle: int = 0) -> int:
        """Mine one block at `timestamp` with exactly `transactions`, in order, and return its number.

        With `settle`, a second, empty block follows `settle` seconds later in the same request, so that nobody sees a head
        between the two. Raises `ActorError` for the first transaction that failed.
        """
        senders = list(dict.fromkeys(transaction.sender for transaction in transactions))
        counts = (
            self.batch([("eth_getTransactionCount", [sender, "latest"]) for sender in senders])
            if senders
            else []
        )
        nonces = {sender: int(count, 16) for sender, count in zip(senders, counts, strict=True)}
        requests = []
        for place, transaction in enumerate(transactions):
            nonce = nonces[transaction.sender]
            nonces[transaction.sender] = nonce + 1
            # The node orders a block by tip, so falling tips keep the order given.
            tip = (len(transactions) - place) * _TIP_STEP
            fees = {"maxFeePerGas": hex(MAX_FEE), "maxPriorityFeePerGas": hex(tip), "nonce": hex(nonce)}
            requests.append(("eth_sendTransaction", [{**_call(transaction), **fees}]))
        self.rpc("evm_setAutomine", False)
        try:
            self._submit(transactions, requests)
            self.rpc("anvil_setBlockTimestampInterval", settle or BLOCK_SECONDS)
            self.rpc("evm_setNextBlockTimestamp", timestamp)
            self.rpc("anvil_mine", hex(2 if settle else 1))
        finally:
            self.rpc("anvil_setBlockTimestampInterval", BLOCK_SECONDS)
            # A request of its own: within one batch the node would switch over before it has mined.
            self.rpc("evm_setAutomine", True)
        number = int(self.rpc("eth_blockNumber"), 16) - (1 if settle else 0)
        self._check(transactions, number)
        return number

    def _submit(self, transactions: Sequence[Transaction], requests: Sequence[tuple[str, list[Any]]]) -> None:
        for transaction, answer in zip(transactions, self._batch(requests) if requests else [], strict=True):
            if answer.get("error"):
                # What was taken before it must not be mined later on its own.
                self.rpc("anvil_dropAllTransactions")
                raise ActorError(
                    transaction.actor, str(dict(answer["error"]).get("message", answer["error"]))
                )

    def _check(self, transactions: Sequence[Transaction], number: int) -> None:
        if not transactions:
            return
        receipts = self.rpc("eth_getBlockReceipts", hex(number))
        by_sender: dict[str, list[dict[str, Any]]] = {}
        for receipt in receipts:
            by_sender.setdefault(receipt["from"].lower(), []).append(receipt)
        for transaction in transactions:
            mined = by_sender.get(transaction.sender.lower())
            if not mined:
                self.rpc("anvil_dropAllTransactions")
                raise ActorError(transaction.actor, f"does not fit into block {number}")
            receipt = mined.pop(0)
            if int(receipt["status"], 16) != 1:
                raise ActorError(transaction.actor, self._reason(transaction, receipt, number))

    def _reason(self, transaction: Transaction, receipt: dict[str, Any], number: int) -> str:
        if int(receipt["gasUsed"], 16) >= transaction.gas * 63 // 64:
            return f"ran out of its {transaction.gas} gas"
        trace = self._provider.make_request(
            RPCEndpoint("debug_traceTransaction"), [receipt["transactionHash"], {"tracer": "callTracer"}]
        )
        found = cast("dict[str, Any]", trace).get("result") or {}
        said = found.get("revertReason") or found.get("output") or found.get("error") or "no reason"
        return f"reverted in block {number}: {said}"

    def _batch(self, requests: Sequence[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
        answers = self._provider.make_batch_request(
            [(RPCEndpoint(method), params) for method, params in requests]
        )
        if not isinstance(answers, list):
            raise MarketError(f"the node refused a batch: {answers}")
        return cast("list[dict[str, Any]]", answers)


def _call(transaction: Transaction) -> dict[str, str]:
    return {
        "from": transaction.sender,
        "to": transaction.to,
        "data": "0x" + transaction.data.hex(),
        "gas": hex(transaction.gas),
        "value": hex(transaction.value),
    }


def _result(method: str, answer: Any) -> Any:
    if answer.get("error"):
        raise MarketError(f"{method}: {dict(answer['error']).get('message', answer['error'])}")
    return answer["result"]
