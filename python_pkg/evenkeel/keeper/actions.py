"""From a plan's action to the transaction that carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from evenkeel.bindings import OracleAdapter, RedeemQueue, SyncedVol
from evenkeel.chain.records import Intent
from evenkeel.planner import CriticalTopUp

if TYPE_CHECKING:
    from evenkeel.bindings import Call, Vault
    from evenkeel.bindings.types import VaultState
    from evenkeel.chain.block import BlockRef
    from evenkeel.planner import Action


def plan_id(vault: str, block: BlockRef, index: int) -> bytes:
    """Return the id of action `index` of the plan made at `block`: 32 bytes.

    It follows from the block, so that a plan made twice is the same plan to the vault, which takes it once.
    """
    return keccak(bytes.fromhex(vault[2:]) + bytes.fromhex(block.hash[2:]) + index.to_bytes(4))


@dataclass(frozen=True, slots=True)
class Targets:
    """The contracts that actions call, besides venues. `queue` is zero where the vault has none."""

    vault: Vault
    queue: str
    oracle: str

    @classmethod
    def of(cls, vault: Vault, state: VaultState) -> Targets:
        """Return them as `state` has them."""
        return cls(vault, state.queue.queue, state.oracle)


def call_of(action: Action, index: int, targets: Targets, block: BlockRef, deadline: int) -> Call[Any] | None:
    """Return the call that carries out `action`, or None for one that only says something (hold, alert).

    `deadline` is seconds of chain time after `block`.
    """
    vault = targets.vault
    call: Call[Any] | None = None
    if isinstance(action.top_up, CriticalTopUp):
        call = vault.top_up_critical(action.top_up.venue, action.top_up.unit, action.top_up.assets)
    elif action.top_up is not None:
        top = action.top_up
        call = vault.top_up(top.venue, top.unit, top.assets, top.min_posted)
    elif action.free is not None:
        free = action.free
        call = vault.keeper_free(free.venue, free.unit, free.assets, free.min_freed)
    elif action.process:
        call = RedeemQueue(targets.queue, vault.w3).process(action.process)
    elif action.poke:
        call = OracleAdapter(targets.oracle, vault.w3).poke(action.poke)
    elif action.sync is not None:
        call = SyncedVol(action.sync.venue, vault.w3).sync(action.sync.underlying, action.sync.expiry)
    elif action.instructions:
        ident = plan_id(vault.address, block, index)
        call = vault.rebalance(list(action.instructions), block.timestamp + deadline, ident)
    return call


def intent_of(action: Action, index: int, targets: Targets, block: BlockRef, deadline: int) -> Intent | None:
    """Return the transaction of `action` as the journal keeps it; see `call_of`."""
    call = call_of(action, index, targets, block, deadline)
    if call is None:
        return None
    ident = "0x" + plan_id(targets.vault.address, block, index).hex() if action.instructions else ""
    until = block.timestamp + deadline
    return Intent(call.to, call.data, action.kind, deadline=until, plan_id=ident, reason=action.reason)
