"""What one decision rests on: a vault's whole state at one block hash, and the quotes asked for at the same hash."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evenkeel.chain.block import BlockRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eth_typing import ChecksumAddress

    from evenkeel.bindings import VaultLens
    from evenkeel.bindings.types import VaultState
    from evenkeel.chain.rpc import Rpc

__all__ = ["BlockRef", "Quote", "Snapshot", "take"]


@dataclass(frozen=True, slots=True)
class Quote:
    """What a batch of instructions would have returned at the snapshot's block, sent by the keeper through the vault.

    Either `results` (the ABI-encoded return data, one an instruction, as `Vault.rebalance` gives them) or `failure` (the decoded
    error in words) is set. `key` is the `key` of the planner's `QuoteRequest`, unique within a snapshot.
    """

    key: str
    results: tuple[bytes, ...] | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A vault at one block; everything after it is computed without I/O."""

    block: BlockRef
    state: VaultState
    quotes: tuple[Quote, ...] = ()

    def with_quotes(self, quotes: Iterable[Quote]) -> Snapshot:
        """Return the same snapshot with `quotes` added."""
        return replace(self, quotes=(*self.quotes, *quotes))

    def quote(self, key: str) -> Quote | None:
        """Return the quote named `key`, or None when it was not asked for."""
        return next((quote for quote in self.quotes if quote.key == key), None)


def take(rpc: Rpc, lens: VaultLens, vault: ChecksumAddress, block: BlockRef) -> Snapshot:
    """Read `vault` through `lens` at exactly `block`: one request.

    Raises `UnknownBlock` where the node does not have that block as canonical, which is a reason to poll again.
    """
    call = lens.state(vault)
    answer = rpc.call({"to": call.to, "data": call.data}, block)
    return Snapshot(block, call.decode(answer))
