"""Spot, perpetual and dated futures, loans: rows that are worth quantity x (spot x ratio + offset)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.instruments._instruments import DatedFuture, Loan, Perp, Spot
from evenkeel.instruments._rows import Exposures, FloatArray, IntArray, floats, integers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.instruments._book import Position
    from evenkeel.instruments._view import MarketView

_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class LinearRows:
    """One row a linear position: `ratio` forward over spot, `offset` asset units a unit, `rate` of its worth earned a day.

    `years` and `expiry` are infinite and 0 where the row does not expire.
    """

    row: IntArray
    token: IntArray
    quantity: FloatArray
    ratio: FloatArray
    offset: FloatArray
    rate: FloatArray
    years: FloatArray
    expiry: IntArray

    @classmethod
    def of(
        cls, owned: list[tuple[int, Position]], market: MarketView, index: Mapping[str, int]
    ) -> LinearRows:
        """Lay out the linear positions of `owned`."""
        rows = [(i, p) for i, p in owned if isinstance(p.instrument, Spot | Perp | DatedFuture | Loan)]
        terms = [_terms(p, market) for _, p in rows]
        return cls(
            row=integers([i for i, _ in rows]),
            token=integers([index[p.instrument.underlying] for _, p in rows]),
            quantity=floats([p.quantity for _, p in rows]),
            ratio=floats([t[0] for t in terms]),
            offset=floats([t[1] for t in terms]),
            rate=floats([t[2] for t in terms]),
            years=floats([t[3] for t in terms]),
            expiry=integers([t[4] for t in terms]),
        )

    def value(self, spots: FloatArray, vol_shift: FloatArray, elapsed: FloatArray) -> FloatArray:  # noqa: ARG002 - all kinds of rows are asked alike
        """Return each row's worth at `spots` (..., tokens), of shape (..., rows)."""
        return (spots[..., self.token] * self.ratio + self.offset) * self.quantity

    def exposures(self, spots: FloatArray) -> Exposures:
        """Return each row's sensitivities."""
        worth = self.value(spots, np.zeros(()), np.zeros(()))
        # Only futures have a basis: a perpetual's mark and a dated forward move with it, what is held outright does not.
        moved = np.where(np.isnan(self.years), 0.0, worth)
        tenor = np.where(np.isnan(self.years), np.inf, self.years)
        return Exposures.build(
            self.row,
            self.token,
            self.expiry,
            tenor,
            value=worth,
            delta=self.quantity * self.ratio,
            basis=moved,
            carry=worth * self.rate,
        )


def _terms(position: Position, market: MarketView) -> tuple[float, float, float, float, int]:
    """Return ratio, offset, rate a day, years (NaN: no basis at all) and expiry."""
    instrument = position.instrument
    if isinstance(instrument, Perp):
        basis = market.basis(position.venue, instrument.market)
        rate = -market.funding(position.venue, instrument.market)
        return 1.0, basis, rate, math.inf, 0
    if isinstance(instrument, DatedFuture):
        years = market.years(instrument.expiry)
        ratio = market.ratio(instrument.underlying, instrument.expiry)
        # Spot held still, the forward closes on it at an even rate of its logarithm.
        rate = -math.log(ratio) / (_DAYS * years) if years > 0.0 else 0.0
        return ratio, 0.0, rate, years, instrument.expiry
    if isinstance(instrument, Loan):
        rate = market.interest(position.venue, instrument.underlying, position.quantity) / _DAYS
        return 1.0, 0.0, rate, math.nan, 0
    return 1.0, 0.0, 0.0, math.nan, 0
