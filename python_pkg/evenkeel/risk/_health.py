"""How far each margin unit is from liquidation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evenkeel.bindings.types import VaultState

_WAD: Final = 10**18
_MAX: Final = 2**256 - 1


@dataclass(frozen=True, slots=True)
class UnitHealth:
    """One margin unit by its venue's own rule: asset units, and `health` = equity / maintenance (infinite where nothing is owed)."""

    venue: str
    unit: int
    health: float
    equity: float
    initial: float
    maintenance: float


def unit_healths(state: VaultState) -> tuple[UnitHealth, ...]:
    """Return every unit of every readable venue."""
    return tuple(
        UnitHealth(
            venue=venue.venue,
            unit=unit.unit,
            health=float("inf") if unit.health == _MAX else unit.health / _WAD,
            equity=unit.margin.equity / _WAD,
            initial=unit.margin.initial / _WAD,
            maintenance=unit.margin.maintenance / _WAD,
        )
        for venue in state.venues
        if venue.readable
        for unit in venue.units
    )
