"""One JSON-RPC request through any `Web3`, and what its answer means.

Requests go to `w3.provider` itself: web3's middleware would add two `eth_chainId` requests to each call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, cast

from evenkeel.bindings._runtime.errors import (
    ArgumentError,
    BindingError,
    NoAnswerError,
    RpcError,
    UnknownBlockError,
    decode_error,
)

if TYPE_CHECKING:
    from web3 import Web3
    from web3.types import RPCEndpoint

Block = int | bytes | str
"""A number, a hash (32 bytes, or 0x and 64 hex digits), or a tag such as "latest"."""

TAGS = frozenset({"latest", "pending", "earliest", "safe", "finalized"})
_EXECUTION = (
    "revert",
    "evm error",
    "out of gas",
    "outofgas",
    "invalid opcode",
    "invalidfeopcode",
    "vm exception",
)
_RESOURCE_NOT_FOUND = -32001
"""EIP-1474; anvil's answer to a block hash it does not have."""
_UNKNOWN_BLOCK = (
    "block not found",
    "blocknotfound",
    "header not found",
    "unknown block",
    "blockoutofrange",
    "block out of range",
    "not canonical",
    "header for hash not found",
)


def block_parameter(block: Block) -> str | dict[str, Any]:
    """`block` as JSON-RPC takes it; a hash must still be canonical (EIP-1898)."""
    if isinstance(block, bytes | bytearray):
        block = f"0x{block.hex()}"
    if isinstance(block, int) and not isinstance(block, bool):
        return hex(block)
    if isinstance(block, str) and block in TAGS:
        return block
    if isinstance(block, str) and len(block) == 66 and block.startswith("0x"):
        return {"blockHash": block, "requireCanonical": True}
    raise ArgumentError(
        f"block: expected a number, a 32 byte hash or one of {', '.join(sorted(TAGS))}, got {block!r}"
    )


def request(w3: Web3, method: str, params: Sequence[Any]) -> Any:
    """The result of one request. Raises `ContractError` when a contract reverted, else `RpcError`."""
    with answering(method):
        answer = w3.provider.make_request(cast("RPCEndpoint", method), list(params))
    return result_of(answer)


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Turn a lost connection or an answer that is not JSON into `NoAnswerError`."""
    try:
        yield
    except (OSError, JSONDecodeError) as error:  # all that requests raises is an OSError
        raise NoAnswerError(f"{what}: no answer from the node ({type(error).__name__})") from None


def request_many(w3: Web3, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    """The raw answers to one JSON-RPC batch, in the order of `requests`."""
    provider = w3.provider
    maker = getattr(provider, "make_batch_request", None)
    with answering("a batch"):
        if maker is None:
            return [
                provider.make_request(cast("RPCEndpoint", method), list(params))
                for method, params in requests
            ]
        answers = maker([(method, list(params)) for method, params in requests])
    if not isinstance(answers, list):
        result_of(answers)
        raise RpcError(f"the node answered a batch with {type(answers).__name__}")
    if len(answers) != len(requests):
        raise RpcError(f"the node answered {len(answers)} of {len(requests)} requests of a batch")
    return sorted(answers, key=lambda answer: cast("int", answer["id"]))


def result_of(answer: Mapping[str, Any]) -> Any:
    """The result in a JSON-RPC answer, or its error raised."""
    error = answer.get("error")
    if error is not None:
        raise rpc_error(error)
    return answer["result"]


def rpc_error(error: Any) -> BindingError:
    """A JSON-RPC error object as a typed error."""
    if not isinstance(error, Mapping):
        return RpcError(f"the node refused: {error}")
    message = str(error.get("message", "")).strip()
    code = error.get("code")
    lowered = message.lower()
    data = revert_data(error.get("data"))
    if data or code == 3 or any(word in lowered for word in _EXECUTION):
        return decode_error(data or b"", message)
    unknown = code == _RESOURCE_NOT_FOUND or any(word in lowered for word in _UNKNOWN_BLOCK)
    kind = UnknownBlockError if unknown else RpcError
    return kind(f"the node refused: {message or error}", code if isinstance(code, int) else None)


def revert_data(data: Any) -> bytes | None:
    """Revert data wherever a node put it: a hex string, bytes, or nested in objects (`data`, `originalError`, `return`)."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        text = data.removeprefix("Reverted ").strip()
        if not text.startswith("0x"):
            return None
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            return None
    if isinstance(data, Mapping):
        keys = [key for key in ("data", "originalError", "return", "result", "error") if key in data]
        for key in keys or list(data):
            found = revert_data(data[key])
            if found is not None:
                return found
    return None
