"""What a book asks of a market."""

from collections.abc import Sequence
from typing import Protocol


class MarketView(Protocol):
    """The questions that valuing a book asks; `evenkeel.market.Market` answers them. Each may raise where it has no answer."""

    @property
    def asset(self) -> str:
        """The token that everything is valued in."""

    def spot(self, underlying: str) -> float:
        """Return the price of one whole token in asset units."""

    def years(self, expiry: int) -> float:
        """Return the years of 365 days to `expiry`, 0 after it."""

    def ratio(self, underlying: str, expiry: int) -> float:
        """Return the forward of `expiry` over spot."""

    def discount(self, expiry: int) -> float:
        """Return the price now of one asset unit at `expiry`."""

    def vols_at(self, options: Sequence[tuple[str, int, float]]) -> list[float]:
        """Return the volatility of each (underlying, expiry, strike)."""

    def basis(self, venue: str, market: str) -> float:
        """Return what a perpetual is valued at beyond spot, asset units."""

    def funding(self, venue: str, market: str) -> float:
        """Return the fraction of its notional that a long perpetual pays a day."""

    def interest(self, venue: str, token: str, quantity: float) -> float:
        """Return the rate a year of what is lent (`quantity` positive) or owed."""

    def power(self, venue: str, market: str) -> tuple[float, float]:
        """Return a power perpetual's normalisation and the volatility that its mark implies."""
