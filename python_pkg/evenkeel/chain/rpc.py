"""JSON-RPC over HTTP with nothing hidden: one call here is one HTTP request there.

web3's own `eth_call` sends three requests and its provider repeats a broadcast five times when the answer is lost; a keeper can
afford neither.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from eth_utils.address import to_checksum_address
from requests.exceptions import RequestException
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from evenkeel._errors import InputError
from evenkeel.chain.block import BlockRef
from evenkeel.chain.errors import Reverted, RpcError, UnknownBlock, UnreachableRpc, WrongChain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eth_typing import ChecksumAddress

    Hook = Callable[[str], None]

_UNKNOWN_BLOCK_CODES = frozenset({-32001})
# What nodes say for a hash they do not have or no longer hold canonical: go-ethereum, Erigon, Nethermind, Reth, Besu.
_UNKNOWN_BLOCK_WORDS = (
    "header not found",
    "header for hash not found",
    "block not found",
    "unknown block",
    "not currently canonical",
    "is not canonical",
    "resource not found",
    "could not find block",
)


class Rpc:
    """One endpoint.

    `hook(method)` is called before every HTTP request, which is how tests count them. Reads are repeated `retries` times,
    `backoff` seconds (doubling) apart, when no answer came; a broadcast never is.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 10.0,
        retries: int = 2,
        backoff: float = 0.2,
        hook: Hook | None = None,
    ) -> None:
        self._provider = HTTPProvider(
            url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None
        )
        self._retries = retries
        self._backoff = backoff
        self._hook = hook
        self.name = _public_name(url)

    def __repr__(self) -> str:
        return f"Rpc({self.name})"

    def web3(self) -> Web3:
        """Return a Web3 on the same endpoint, for what is not on the keeper's path. Its requests are not counted."""
        return Web3(self._provider)

    def request(self, method: str, *params: Any) -> Any:
        """Send exactly one HTTP request and return `result`.

        Raises `UnreachableRpc`, `Reverted` or `RpcError`.
        """
        if self._hook is not None:
            self._hook(method)
        try:
            answer = self._provider.make_request(RPCEndpoint(method), list(params))
        except (RequestException, OSError, ValueError, TypeError) as error:
            # The exception's text may hold the URL, and a URL may hold a key.
            raise UnreachableRpc(
                f"{method}: no answer from the RPC at {self.name} ({type(error).__name__})"
            ) from None
        if answer.get("error"):
            raise _error(method, answer["error"])
        if "result" not in answer:
            raise UnreachableRpc(f"{method}: the RPC at {self.name} did not answer in JSON-RPC")
        return answer["result"]

    def read(self, method: str, *params: Any) -> Any:
        """Send a request that may be repeated safely; see `request`."""
        for attempt in range(self._retries):
            try:
                return self.request(method, *params)
            except UnreachableRpc:
                time.sleep(self._backoff * 2**attempt)
        return self.request(method, *params)

    def chain_id(self) -> int:
        """Return the chain id."""
        return int(self.read("eth_chainId"), 16)

    def require_chain(self, expected: int) -> None:
        """Raise `WrongChain` unless the endpoint serves `expected`. Asked once, at start."""
        actual = self.chain_id()
        if actual != expected:
            raise WrongChain(expected, actual)

    def block(self, number: int | str = "latest") -> dict[str, Any] | None:
        """Return a block without its transactions, by number or tag, or None."""
        tag = hex(number) if isinstance(number, int) else number
        block: dict[str, Any] | None = self.read("eth_getBlockByNumber", tag, False)
        return block

    def call(self, tx: Mapping[str, Any], block: BlockRef | str = "latest") -> bytes:
        """Return what `tx` would return at the end of `block`.

        Raises `UnknownBlock` where the node does not hold that hash, `Reverted` with the revert data.
        """
        where = block.pin if isinstance(block, BlockRef) else block
        try:
            answer = self.read("eth_call", _wire(tx), where)
        except Reverted:
            raise
        except RpcError as error:
            if isinstance(block, BlockRef) and _is_unknown_block(error):
                raise UnknownBlock(error.method, error.code, error.message, error.data) from None
            raise
        return bytes.fromhex(answer[2:])

    def estimate_gas(self, tx: Mapping[str, Any]) -> int:
        """Return the gas `tx` needs on the latest block. Raises `Reverted`."""
        return int(self.read("eth_estimateGas", _wire(tx)), 16)

    def nonce(self, address: str, block: str = "latest") -> int:
        """Return the number of transactions `address` has in the chain at `block`."""
        return int(self.read("eth_getTransactionCount", address, block), 16)

    def receipt(self, tx_hash: str) -> dict[str, Any] | None:
        """Return the receipt, or None while the transaction is in no canonical block."""
        receipt: dict[str, Any] | None = self.read("eth_getTransactionReceipt", tx_hash)
        return receipt

    def transaction(self, tx_hash: str) -> dict[str, Any] | None:
        """Return a transaction that the node has in a block or waiting, or None."""
        transaction: dict[str, Any] | None = self.read("eth_getTransactionByHash", tx_hash)
        return transaction

    def fee_history(self, blocks: int, percentile: float) -> dict[str, Any]:
        """Return `eth_feeHistory` of the last `blocks` with one reward percentile."""
        history: dict[str, Any] = self.read("eth_feeHistory", hex(blocks), "latest", [percentile])
        return history

    def broadcast(self, raw: bytes) -> str:
        """Send signed bytes: one request, never repeated here. Returns the hash."""
        return str(self.request("eth_sendRawTransaction", "0x" + raw.hex()))

    def sign(self, tx: Mapping[str, Any]) -> bytes:
        """Have the node sign with an account it holds; for local chains."""
        answer = self.read("eth_signTransaction", _wire(tx))
        raw = answer["raw"] if isinstance(answer, dict) else answer
        return bytes.fromhex(str(raw)[2:])

    def has_code(self, address: str) -> bool:
        """Whether a contract is at `address` on the latest block."""
        return len(str(self.read("eth_getCode", address, "latest"))) > 2


def checksummed(address: str) -> ChecksumAddress:
    """Return `address` in EIP-55 form; raises ValueError where it is none."""
    return to_checksum_address(address)


def _public_name(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("RPC: expected an http:// or https:// URL")
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def _wire(tx: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _hex(value) for key, value in tx.items() if value is not None}


def _hex(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return "0x" + value.hex()
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    return value


def _error(method: str, error: Any) -> RpcError:
    if not isinstance(error, dict):
        return RpcError(method, 0, str(error))
    code = int(error.get("code", 0))
    message = " ".join(str(error.get("message", "unknown error")).split())
    data = _bytes(error.get("data"))
    if data or code == 3 or "revert" in message.lower():
        return Reverted(method, code, message, data)
    return RpcError(method, code, message)


def _bytes(data: Any) -> bytes:
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    if isinstance(data, str):
        text = data.removeprefix("Reverted ")
        if text.startswith("0x"):
            try:
                return bytes.fromhex(text[2:])
            except ValueError:
                return b""
    return b""


def _is_unknown_block(error: RpcError) -> bool:
    message = error.message.lower()
    return error.code in _UNKNOWN_BLOCK_CODES or any(words in message for words in _UNKNOWN_BLOCK_WORDS)
