"""The market that a book is valued in: our oracle's and our vol source's mids, and the venues' own terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from evenkeel.instruments import YEAR
from evenkeel.market.errors import MarketError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.bindings.types import VaultState

_WAD: Final = 10**18


@dataclass(frozen=True, slots=True)
class PerpQuote:
    """A perpetual market's own terms: prices in asset units, `funding_rate` a long pays a day and taker `fee` as fractions."""

    mark: float
    index: float
    funding_rate: float
    fee: float


@dataclass(frozen=True, slots=True)
class LendingRates:
    """Interest a year on what is lent and on what is owed; `available` tokens can be withdrawn now."""

    supply: float
    borrow: float
    available: float = float("inf")


@dataclass(frozen=True, slots=True)
class Market:
    """Everything a book is valued with, at `timestamp` (unix seconds).

    `spots` asset units a whole token, by token; `vols` at the money by (underlying, expiry); `strike_vols` by (underlying, expiry,
    strike) where known; `perps` by (venue, market); `rates` by (venue, token); `quote_tokens` the stable tokens that options are
    margined in; `symbols` for reports. The asset itself is priced at 1.
    """

    timestamp: int
    asset: str
    spots: Mapping[str, float]
    vols: Mapping[tuple[str, int], float] = field(default_factory=dict)
    strike_vols: Mapping[tuple[str, int, float], float] = field(default_factory=dict)
    perps: Mapping[tuple[str, str], PerpQuote] = field(default_factory=dict)
    rates: Mapping[tuple[str, str], LendingRates] = field(default_factory=dict)
    quote_tokens: frozenset[str] = frozenset()
    symbols: Mapping[str, str] = field(default_factory=dict)

    def spot(self, underlying: str) -> float:
        """Return the price of one whole `underlying`; `MarketError` where it is not known."""
        if underlying == self.asset:
            return 1.0
        try:
            return self.spots[underlying]
        except KeyError:
            raise MarketError(f"no price of {self.symbol(underlying)}") from None

    def vol(self, underlying: str, expiry: int, strike: float) -> float:
        """Return the volatility of one strike, else of its expiry; `MarketError` where neither is known."""
        known = self.strike_vols.get((underlying, expiry, strike), self.vols.get((underlying, expiry)))
        if known is None:
            raise MarketError(
                f"no volatility of {self.symbol(underlying)} at expiry {expiry}, strike {strike:g}"
            )
        return known

    def years(self, expiry: int) -> float:
        """Return the time to `expiry` in years of 365 days, 0 after it."""
        return max(expiry - self.timestamp, 0) / YEAR

    def symbol(self, token: str) -> str:
        """Return the token's symbol, or its address where none is known."""
        return self.symbols.get(token, token)


def market_from_state(state: VaultState) -> Market:
    """Read the market out of a vault's state: mids of our oracle and vol source, the venues' funding, fees and rates."""
    spots = {u.token: u.mid / _WAD for u in state.underlyings if u.priced}
    spots |= {p.underlying: p.mid / _WAD for p in state.valuation.prices}
    readable = [v for v in state.venues if v.readable]
    options = [o for v in readable for o in v.options]
    return Market(
        timestamp=state.timestamp,
        asset=state.asset,
        spots=spots,
        vols={(p.underlying, p.expiry): p.mid / _WAD for p in state.valuation.vols},
        strike_vols={(o.underlying, o.expiry, o.strike / _WAD): o.vol / _WAD for o in options},
        perps={
            (v.venue, p.market): PerpQuote(p.mark / _WAD, p.index / _WAD, p.funding_rate / _WAD, p.fee / _WAD)
            for v in readable
            for p in v.perps
        },
        rates={
            (v.venue, a.token): LendingRates(a.supply_rate / _WAD, a.borrow_rate / _WAD, a.available / _WAD)
            for v in readable
            for a in v.lending
        },
        quote_tokens=frozenset(v.option_terms.quote for v in readable if v.options or v.listings)
        - {state.asset},
        symbols={u.token: u.symbol for u in state.underlyings},
    )
