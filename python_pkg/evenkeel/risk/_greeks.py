"""A book's Greeks by underlying and expiry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.risk._columns import Columns, FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.instruments import Book
    from evenkeel.market import Market


@dataclass(frozen=True, slots=True)
class Report:
    """Greeks in reporting units, asset units (dollars) all: the unit is in each name.

    `delta_usd` = delta S; `gamma_usd_1pct` = gamma S^2 / 100; `vega_usd_pt` for one vol point; `theta_usd_day`; `carry_usd_day` =
    funding + interest, positive when earned; `vanna_usd_1pct_pt` = vanna S / 1e4; `volga_usd_pt2` = volga / 1e4.
    """

    delta_usd: float = 0.0
    gamma_usd_1pct: float = 0.0
    vega_usd_pt: float = 0.0
    theta_usd_day: float = 0.0
    carry_usd_day: float = 0.0
    vanna_usd_1pct_pt: float = 0.0
    volga_usd_pt2: float = 0.0

    def __add__(self, other: Report) -> Report:
        return Report(*(getattr(self, f) + getattr(other, f) for f in self.__slots__))


@dataclass(frozen=True, slots=True)
class BookGreeks:
    """One row an (underlying, expiry), expiry 0 for what does not expire; kernel units (see `evenkeel.pricing.Greeks`).

    `delta` in whole units of the underlying, `theta` asset units a year, `carry` asset units a day. The asset itself is left out of
    the exposures; its interest is in `asset_carry`.
    """

    underlying: tuple[str, ...]
    expiry: npt.NDArray[np.int64]
    spot: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    vanna: FloatArray
    volga: FloatArray
    carry: FloatArray
    asset_carry: float

    @property
    def underlyings(self) -> tuple[str, ...]:
        """The underlyings, each once, in order."""
        return tuple(dict.fromkeys(self.underlying))

    def of(self, name: str, underlying: str) -> float:
        """Return the sum over expiries of the field `name` for `underlying`; 0 where the book has none."""
        rows = np.array([u == underlying for u in self.underlying], dtype=np.bool_)
        return float(getattr(self, name)[rows].sum())

    def report(self, underlying: str, expiry: int | None = None) -> Report:
        """Return one underlying in reporting units, all of its expiries or one of them."""
        rows = np.array([u == underlying for u in self.underlying], dtype=np.bool_)
        if expiry is not None:
            rows &= self.expiry == expiry
        spot = self.spot[rows]
        return Report(
            delta_usd=float((self.delta[rows] * spot).sum()),
            gamma_usd_1pct=float((self.gamma[rows] * spot**2).sum() / 100.0),
            vega_usd_pt=float(self.vega[rows].sum() / 100.0),
            theta_usd_day=float(self.theta[rows].sum() / 365.0),
            carry_usd_day=float(self.carry[rows].sum()),
            vanna_usd_1pct_pt=float((self.vanna[rows] * spot).sum() / 1e4),
            volga_usd_pt2=float(self.volga[rows].sum() / 1e4),
        )

    def total(self) -> Report:
        """Return the whole book in reporting units, the asset's interest included."""
        return sum((self.report(u) for u in self.underlyings), Report(carry_usd_day=self.asset_carry))


def greeks(book: Book, market: Market) -> BookGreeks:
    """Return `book`'s Greeks by (underlying, expiry) in one vectorised pass; `MarketError` where a price is not known."""
    return greeks_of(Columns.of(book, market))


def greeks_of(columns: Columns) -> BookGreeks:
    """Return the Greeks of a book already laid out."""
    c = columns
    pairs = {(c.tokens[t], 0) for t in c.linear_token if c.tokens[t] != c.asset}
    pairs |= {(c.tokens[t], int(e)) for t, e in zip(c.token, c.expiry, strict=True)}
    keys = sorted(pairs)
    index = {key: i for i, key in enumerate(keys)}
    option_rows = np.array(
        [index[c.tokens[t], int(e)] for t, e in zip(c.token, c.expiry, strict=True)], dtype=np.intp
    )
    risky = np.array([c.tokens[t] != c.asset for t in c.linear_token], dtype=np.bool_)
    linear_rows = np.array([index[c.tokens[t], 0] for t in c.linear_token[risky]], dtype=np.intp)
    n = len(keys)
    unit = c.greeks()

    def by_row(values: FloatArray) -> FloatArray:
        summed = np.zeros(n)
        np.add.at(summed, option_rows, values * c.quantity)
        return summed

    delta = by_row(unit.delta)
    carry = np.zeros(n)
    np.add.at(delta, linear_rows, c.linear_quantity[risky])
    np.add.at(carry, linear_rows, c.linear_carry[risky])
    prices = dict(zip(c.tokens, c.spots.tolist(), strict=True))
    return BookGreeks(
        underlying=tuple(u for u, _ in keys),
        expiry=np.array([e for _, e in keys], dtype=np.int64),
        spot=np.array([prices[u] for u, _ in keys], dtype=np.float64),
        delta=delta,
        gamma=by_row(unit.gamma),
        vega=by_row(unit.vega),
        theta=by_row(unit.theta),
        vanna=by_row(unit.vanna),
        volga=by_row(unit.volga),
        carry=carry,
        asset_carry=float(c.linear_carry[~risky].sum()),
    )
