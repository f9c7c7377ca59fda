"""Many calls, one block, and one request wherever a node allows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from evenkeel.bindings._runtime.call import Call
from evenkeel.bindings._runtime.errors import BindingError, DecodeError, RpcError, decode_error
from evenkeel.bindings._runtime.reader import MAX_CREATION_CODE, reader_code
from evenkeel.bindings._runtime.rpc import TAGS, Block, block_parameter, request, request_many, result_of

if TYPE_CHECKING:
    from web3 import Web3

R = TypeVar("R")


def batch(
    w3: Web3,
    calls: Sequence[Call[R]],
    block: Block = "latest",
    *,
    sender: str | None = None,
    gas: int | None = None,
) -> list[R]:
    """What each of `calls` returns, all at one block. Raises the first failing call's error; see `try_batch`."""
    outcomes = try_batch(w3, calls, block, sender=sender, gas=gas)
    for outcome in outcomes:
        if isinstance(outcome, BindingError):
            raise outcome
    return cast("list[R]", outcomes)


def try_batch(
    w3: Web3,
    calls: Sequence[Call[R]],
    block: Block = "latest",
    *,
    sender: str | None = None,
    gas: int | None = None,
) -> list[R | BindingError]:
    """What each of `calls` returns at one block, or its error in its place.

    Views at a tag such as "latest" are read by creation code in a single `eth_call`, which no new block can split. Calls at a
    number or hash, from a `sender`, or of functions that are not views are a JSON-RPC batch, each call on its own state.
    Both are one request; only calls of the second sort at a tag cost one more, to learn the hash of that block.
    `gas` is a limit for the whole in the first case and for each call in the second.
    """
    if not calls:
        return []
    views = sender is None and all(call.function.view and not call.value for call in calls)
    if isinstance(block, str) and block in TAGS:
        if views:
            code = reader_code([(call.to, call.data) for call in calls])
            if len(code) <= MAX_CREATION_CODE:
                try:
                    return _read_by_code(w3, calls, code, block, gas)
                except (RpcError, DecodeError):
                    pass  # some nodes cap what creation code may return; what is wrong besides shows again below
        block = _hash_of(w3, block)
    where = block_parameter(block)
    answers = request_many(w3, [("eth_call", [call.parameters(sender, gas), where]) for call in calls])
    return [*map(_outcome, calls, answers)]


def _hash_of(w3: Web3, tag: str) -> str:
    found = request(w3, "eth_getBlockByNumber", [tag, False])
    if found is None or found.get("hash") is None:
        raise RpcError(f"the node has no block {tag!r} with a hash")
    return str(found["hash"])


def _read_by_code(
    w3: Web3, calls: Sequence[Call[R]], code: bytes, block: Block, gas: int | None
) -> list[R | BindingError]:
    tx: dict[str, Any] = {"data": f"0x{code.hex()}"}
    if gas is not None:
        tx["gas"] = hex(gas)
    try:
        answer = request(w3, "eth_call", [tx, block_parameter(block)])
    except BindingError as error:
        raise RpcError(f"the node refused a batch as creation code: {error}") from error
    data = bytes.fromhex(answer[2:])
    outcomes: list[R | BindingError] = []
    at = 0
    for call in calls:
        if len(data) < at + 64:
            raise DecodeError(f"a batch of {len(calls)} calls came back with {len(outcomes)} outcomes")
        succeeded = data[at + 31] == 1
        size = int.from_bytes(data[at + 32 : at + 64])
        part = data[at + 64 : at + 64 + size]
        at += 64 + size
        outcome: R | BindingError = decode_error(part)
        if succeeded:
            outcome = _decoded(call, part)
        outcomes.append(outcome)
    return outcomes


def _outcome(call: Call[R], answer: Any) -> R | BindingError:
    try:
        data = bytes.fromhex(result_of(answer)[2:])
    except BindingError as error:
        return error
    return _decoded(call, data)


def _decoded(call: Call[R], data: bytes) -> R | BindingError:
    try:
        return call.decode(data)
    except DecodeError as error:
        return error
