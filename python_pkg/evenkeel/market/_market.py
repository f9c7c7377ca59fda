"""The market that a book is valued in: our oracle's and our vol source's mids, and the venues' own terms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from evenkeel.instruments import YEAR
from evenkeel.market.errors import MarketError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from evenkeel.bindings.types import VaultState

_WAD: Final = 10**18


class VolSurface(Protocol):
    """A fitted surface of one underlying, such as `evenkeel.market.svi.SviSurface`."""

    def vol(self, expiry: npt.ArrayLike, strike: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the volatilities at unix seconds `expiry` and asset units `strike`; the arguments broadcast."""


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
class PowerQuote:
    """A power perpetual's `normalisation`, which funding shrinks, and the volatility `vol` that its mark implies."""

    normalisation: float
    vol: float

    @classmethod
    def from_mark(cls, mark: float, index: float, normalisation: float, period: float) -> PowerQuote:
        """Imply vol = sqrt(ln(mark / index) / period) from denormalised prices; `period` is the funding period in years.

        Source: Clark, "Squeeth insides volume 1: funding and volatility", Opyn, 2021. Raises `MarketError` where the mark is under
        the index, which no volatility explains.
        """
        if not mark >= index > 0.0:
            raise MarketError(f"mark: expected at least the index {index:g}, got {mark:g}")
        return cls(normalisation, math.sqrt(math.log(mark / index) / period))


@dataclass(frozen=True, slots=True)
class Market:
    """Everything a book is valued with, at `timestamp` (unix seconds).

    `spots` asset units a whole token, by token; `vols` at the money by (underlying, expiry); `strike_vols` by (underlying, expiry,
    strike) where known; `perps` by (venue, market); `rates` by (venue, token); `quote_tokens` the stable tokens that options are
    margined in; `symbols` for reports. The asset itself is priced at 1.

    `ratios` are forwards over spot by (underlying, expiry), `discounts` the price of one asset unit by expiry: 1 where not given,
    as on chain. `bases` are what perpetuals are valued at beyond spot, asset units by (venue, market): 0 where not given, so that
    they are valued at the oracle. `powers` quote power perpetuals by (venue, market). `surfaces` are fitted volatilities by
    underlying; where there is one, it and not the quoted volatilities value the options, each at its own strike when spot moves.
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
    ratios: Mapping[tuple[str, int], float] = field(default_factory=dict)
    discounts: Mapping[int, float] = field(default_factory=dict)
    bases: Mapping[tuple[str, str], float] = field(default_factory=dict)
    powers: Mapping[tuple[str, str], PowerQuote] = field(default_factory=dict)
    surfaces: Mapping[str, VolSurface] = field(default_factory=dict)

    def spot(self, underlying: str) -> float:
        """Return the price of one whole `underlying`; `MarketError` where it is not known."""
        if underlying == self.asset:
            return 1.0
        try:
            return self.spots[underlying]
        except KeyError:
            raise MarketError(f"no price of {self.symbol(underlying)}") from None

    def vol(self, underlying: str, expiry: int, strike: float) -> float:
        """Return the surface's volatility, else that of the strike, else of its expiry; `MarketError` where none is known."""
        return self.vols_at([(underlying, expiry, strike)])[0]

    def vols_at(self, options: Sequence[tuple[str, int, float]]) -> list[float]:
        """Return `vol` of each (underlying, expiry, strike), asking each surface once."""
        fitted: dict[str, list[int]] = {}
        found = []
        surfaces, at_strike = self.surfaces, self.strike_vols
        for i, option in enumerate(options):
            underlying, expiry, strike = option
            if underlying in surfaces:
                found.append(0.0)
                # A surface ends at its present: from its expiry on an option is worth its intrinsic, at any volatility.
                if expiry > self.timestamp:
                    fitted.setdefault(underlying, []).append(i)
                continue
            known = at_strike.get(option)
            if known is None:
                known = self.vols.get((underlying, expiry))
            if known is None:
                raise MarketError(
                    f"no volatility of {self.symbol(underlying)} at expiry {expiry}, strike {strike:g}"
                )
            found.append(known)
        for underlying, rows in fitted.items():
            expiries, strikes = [options[i][1] for i in rows], [options[i][2] for i in rows]
            vols = np.asarray(self.surfaces[underlying].vol(expiries, strikes), dtype=np.float64)
            for i, vol in zip(rows, vols.tolist(), strict=True):
                found[i] = vol
        return found

    def years(self, expiry: int) -> float:
        """Return the time to `expiry` in years of 365 days, 0 after it."""
        return max(expiry - self.timestamp, 0) / YEAR

    def ratio(self, underlying: str, expiry: int) -> float:
        """Return the forward of `expiry` over spot, 1 where it is not given and from `expiry` on."""
        return self.ratios.get((underlying, expiry), 1.0) if expiry > self.timestamp else 1.0

    def discount(self, expiry: int) -> float:
        """Return the price now of one asset unit at `expiry`, 1 where it is not given and from `expiry` on."""
        return self.discounts.get(expiry, 1.0) if expiry > self.timestamp else 1.0

    def basis(self, venue: str, market: str) -> float:
        """Return what a perpetual is valued at beyond spot, asset units; 0 where it is valued at the oracle."""
        return self.bases.get((venue, market), 0.0)

    def funding(self, venue: str, market: str) -> float:
        """Return the fraction of its notional that a long perpetual pays a day, 0 where it is not known."""
        quote = self.perps.get((venue, market))
        return quote.funding_rate if quote else 0.0

    def interest(self, venue: str, token: str, quantity: float) -> float:
        """Return the rate a year of what is lent (`quantity` positive) or owed, 0 where it is not known."""
        rates = self.rates.get((venue, token))
        if rates is None:
            return 0.0
        return rates.supply if quantity > 0.0 else rates.borrow

    def power(self, venue: str, market: str) -> tuple[float, float]:
        """Return a power perpetual's normalisation and volatility; `MarketError` where it is not quoted."""
        quote = self.powers.get((venue, market))
        if quote is None:
            raise MarketError(f"no normalisation and volatility of {market} at {venue}")
        return quote.normalisation, quote.vol

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
