"""The book that positions make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evenkeel.instruments._columns import Columns
from evenkeel.instruments._greeks import BookGreeks, greeks_of

if TYPE_CHECKING:
    from evenkeel.instruments._position import Position
    from evenkeel.instruments._view import MarketView


@dataclass(frozen=True, slots=True)
class Book:
    """A vault's positions and its idle cash in asset units.

    Cash inside a venue (margin, what a perpetual cost) is a `Spot` position in the asset at that venue, so that a venue's value
    is the sum of its positions. `unread` lists venues whose state could not be read; they count as nothing.
    """

    positions: tuple[Position, ...]
    cash: float = 0.0
    unread: tuple[str, ...] = ()

    def at(self, venue: str) -> tuple[Position, ...]:
        """Return the positions at `venue`."""
        return tuple(p for p in self.positions if p.venue == venue)

    def with_trade(self, position: Position, cash: float) -> Book:
        """Return the book after a trade: `position` added as a leg of its own, `cash` (negative when paid) to idle."""
        return replace(self, positions=(*self.positions, position), cash=self.cash + cash)

    def value(self, market: MarketView) -> float:
        """Return the book's worth in asset units, idle cash included; `MarketError` where a price is not known."""
        return float(Columns.of(self, market).value())

    def greeks(self, market: MarketView) -> BookGreeks:
        """Return the Greeks by underlying and expiry in one vectorised pass; `MarketError` where a price is not known."""
        return greeks_of(Columns.of(self, market))
