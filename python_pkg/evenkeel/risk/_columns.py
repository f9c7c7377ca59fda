"""A book as arrays, one row a position, so that everything over positions is one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evenkeel.instruments import EuropeanOption, Loan, Perp
from evenkeel.pricing import Greeks, black76

if TYPE_CHECKING:
    from evenkeel.instruments import Book
    from evenkeel.market import Market

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """Linear positions and options of a book beside their market data.

    `tokens` are the underlyings that the index arrays point into, the asset among them, `spots` their prices. Linear rows:
    `linear_token`, `linear_quantity`, `linear_carry` (income in asset units a day). Option rows: `token`, `quantity`, `strike`,
    `years`, `vol`, `is_call`, `expiry`. `linear_venue` and `venue` name each row's venue.
    """

    asset: str
    cash: float
    tokens: tuple[str, ...]
    spots: FloatArray
    linear_token: npt.NDArray[np.intp]
    linear_quantity: FloatArray
    linear_carry: FloatArray
    linear_venue: tuple[str, ...]
    token: npt.NDArray[np.intp]
    quantity: FloatArray
    strike: FloatArray
    years: FloatArray
    vol: FloatArray
    is_call: BoolArray
    expiry: npt.NDArray[np.int64]
    venue: tuple[str, ...]

    @classmethod
    def of(cls, book: Book, market: Market) -> Columns:
        """Lay out `book` in `market`; `MarketError` where a price or volatility is not known."""
        linear = [p for p in book.positions if not isinstance(p.instrument, EuropeanOption)]
        options = [(p, p.instrument) for p in book.positions if isinstance(p.instrument, EuropeanOption)]
        tokens = tuple(sorted({market.asset} | {p.instrument.underlying for p in book.positions}))
        index = {token: i for i, token in enumerate(tokens)}
        spots = np.array([market.spot(token) for token in tokens])
        carry = np.zeros(len(linear))
        for row, p in enumerate(linear):
            worth = p.quantity * market.spot(p.instrument.underlying)
            if isinstance(p.instrument, Perp):
                quote = market.perps.get((p.venue, p.instrument.market))
                carry[row] = -worth * quote.funding_rate if quote else 0.0
            elif isinstance(p.instrument, Loan):
                rates = market.rates.get((p.venue, p.instrument.underlying))
                if rates is not None:
                    carry[row] = worth * (rates.supply if p.quantity > 0 else rates.borrow) / 365.0
        return cls(
            asset=market.asset,
            cash=book.cash,
            tokens=tokens,
            spots=spots,
            linear_token=np.array([index[p.instrument.underlying] for p in linear], dtype=np.intp),
            linear_quantity=np.array([p.quantity for p in linear], dtype=np.float64),
            linear_carry=carry,
            linear_venue=tuple(p.venue for p in linear),
            token=np.array([index[o.underlying] for _, o in options], dtype=np.intp),
            quantity=np.array([p.quantity for p, _ in options], dtype=np.float64),
            strike=np.array([o.strike for _, o in options], dtype=np.float64),
            years=np.array([market.years(o.expiry) for _, o in options], dtype=np.float64),
            vol=np.array(
                [market.vol(o.underlying, o.expiry, o.strike) for _, o in options], dtype=np.float64
            ),
            is_call=np.array([o.is_call for _, o in options], dtype=np.bool_),
            expiry=np.array([o.expiry for _, o in options], dtype=np.int64),
            venue=tuple(p.venue for p, _ in options),
        )

    def greeks(self) -> Greeks:
        """Greeks of one unit of each option row; forward = spot and no discounting, as on chain."""
        return black76(self.spots[self.token], self.strike, self.years, self.vol, self.is_call)

    def values(
        self, spots: FloatArray | None = None, vol_shift: npt.ArrayLike = 0.0
    ) -> tuple[FloatArray, FloatArray]:
        """Return the values of linear rows and of option rows, asset units.

        `spots` of shape (..., tokens) replaces the prices and `vol_shift` of shape (...) is added to every volatility (floored at
        0); the leading shape leads the results.
        """
        prices = self.spots if spots is None else spots
        vols = np.maximum(self.vol + np.asarray(vol_shift, dtype=np.float64)[..., None], 0.0)
        priced = black76(prices[..., self.token], self.strike, self.years, vols, self.is_call).price
        return prices[..., self.linear_token] * self.linear_quantity, priced * self.quantity

    def value(self, spots: FloatArray | None = None, vol_shift: npt.ArrayLike = 0.0) -> FloatArray:
        """Return the whole book's value, idle cash included; shapes as in `values`."""
        linear, options = self.values(spots, vol_shift)
        return np.asarray(self.cash + linear.sum(axis=-1) + options.sum(axis=-1), dtype=np.float64)
