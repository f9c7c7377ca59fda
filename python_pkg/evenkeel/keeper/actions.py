"""From a plan's action to the transaction that carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from evenkeel.chain.records import Intent

if TYPE_CHECKING:
    from evenkeel.bindings import Call, Vault
    from evenkeel.chain.block import BlockRef
    from evenkeel.planner import Action


def plan_id(vault: str, block: BlockRef, index: int) -> bytes:
    """Return the id of action `index` of the plan made at `block`: 32 bytes.

    It follows from the block, so that a plan made twice is the same plan to the vault, which takes it once.
    """
    return keccak(bytes.fromhex(vault[2:]) + bytes.fromhex(block.hash[2:]) + index.to_bytes(4))


def call_of(action: Action, index: int, vault: Vault, block: BlockRef, deadline: int) -> Call[Any] | None:
    """Return the call that carries out `action`, or None for one that only says something (hold, alert).

    `deadline` is seconds of chain time after `block`.
    """
    if action.top_up is not None:
        top = action.top_up
        return vault.top_up(top.venue, top.unit, top.assets, top.min_posted)
    if not action.instructions:
        return None
    ident = plan_id(vault.address, block, index)
    return vault.rebalance(list(action.instructions), block.timestamp + deadline, ident)


def intent_of(action: Action, index: int, vault: Vault, block: BlockRef, deadline: int) -> Intent | None:
    """Return the transaction of `action` as the journal keeps it; see `call_of`."""
    call = call_of(action, index, vault, block, deadline)
    if call is None:
        return None
    ident = "" if action.top_up is not None else "0x" + plan_id(vault.address, block, index).hex()
    until = block.timestamp + deadline
    return Intent(call.to, call.data, action.kind, deadline=until, plan_id=ident, reason=action.reason)
