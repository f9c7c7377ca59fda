"""The chain's newest block, and whether it stands on the one seen before."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evenkeel.chain.block import BlockRef
from evenkeel.chain.errors import UnreachableRpc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.chain.rpc import Rpc

_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Head:
    """A head that was not seen before.

    `base_fee` is in wei, 0 on a chain without EIP-1559. `reorg` is the earlier head that is no longer in the chain, as far as
    this poll can tell.
    """

    block: BlockRef
    base_fee: int
    reorg: BlockRef | None = None


class Heads:
    """Polls the latest head: one request a poll."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._last: BlockRef | None = None
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)
        self._again = False

    @property
    def last(self) -> BlockRef | None:
        """The head returned last."""
        return self._last

    def poll(self) -> Head | None:
        """Return the head if it is another one than the last, else None.

        A head seen before comes from a node that lags behind, and is no reorganisation. A head with a gap to the last one is not
        checked against it: transactions that matter are confirmed by their own receipts, and a do-nothing cycle stays at two
        requests.
        """
        answer = self._rpc.block("latest")
        if answer is None:
            raise UnreachableRpc(f"the RPC at {self._rpc.name} has no latest block")
        block, last = BlockRef.from_json(answer), self._last
        if self._again and last is not None and block.hash == last.hash:
            self._again = False
            return Head(block, _base_fee(answer))
        if last is not None and block.hash in self._seen:
            return None
        self._again = False
        self._last = block
        self._seen.append(block.hash)
        replaced = last is not None and (
            block.number <= last.number
            or (block.number == last.number + 1 and block.parent_hash != last.hash)
        )
        return Head(block, _base_fee(answer), last if replaced else None)

    def again(self) -> None:
        """Make the next poll return the head even if it is still the same: it was not dealt with."""
        self._again = True


def _base_fee(block: Mapping[str, Any]) -> int:
    return int(block.get("baseFeePerGas") or "0x0", 16)
