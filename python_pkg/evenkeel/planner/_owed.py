"""What the redeem queue waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evenkeel.bindings.types import VaultState

_WAD: Final = 10**18


@dataclass(frozen=True, slots=True)
class Owed:
    """What the shares in line are worth at the low and the high NAV, asset units."""

    low: float
    high: float


def owed(state: VaultState) -> Owed:
    """Return what the queue is owed; where the vault is not priced, at least what its last mark says."""
    if not state.queue.waiting or not state.total_supply:
        return Owed(0.0, 0.0)
    share = state.queue.waiting / state.total_supply
    low, high = (max(0.0, part / _WAD) for part in (state.valuation.low, state.valuation.high))
    if not state.valuation.priced:
        stored = state.total_assets / 10**state.asset_decimals
        low, high = max(low, stored), max(high, stored)
    return Owed(share * low, share * high)
