"""Spot, perpetual and dated futures, loans: rows worth quantity x (spot x ratio + offset)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from evenkeel.instruments._instruments import DatedFuture, Instrument, Loan, Perp, Spot
from evenkeel.instruments._rows import Exposures, FloatArray, IntArray, floats, integers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.instruments._position import Position
    from evenkeel.instruments._view import MarketView

_DAYS = 365.0

LINEAR: Final = (Spot, Perp, DatedFuture, Loan)
"""What `LinearRows` lays out."""


class _Terms(NamedTuple):
    """What one unit is worth and earns; see `LinearRows`."""

    ratio: float = 1.0
    offset: float = 0.0
    rate: float = 0.0
    lean: float = 0.0
    years: float = math.inf
    expiry: int = 0


@dataclass(frozen=True, slots=True)
class LinearRows:
    """One row a linear position: a unit is worth spot x `ratio` + `offset` asset units and earns `rate` of that a day.

    `lean` is dln(worth) / dln(forward / spot): 1 for what is worth its forward, -1 for an inverse future, 0 for what has none.
    `years` and `expiry` are infinite and 0 where the row does not expire.
    """

    row: IntArray
    token: IntArray
    quantity: FloatArray
    ratio: FloatArray
    offset: FloatArray
    rate: FloatArray
    lean: FloatArray
    years: FloatArray
    expiry: IntArray

    @classmethod
    def of(
        cls, owned: list[tuple[int, Position]], market: MarketView, index: Mapping[str, int]
    ) -> LinearRows:
        """Lay out the linear positions of `owned`."""
        rows = [(i, p) for i, p in owned if isinstance(p.instrument, LINEAR) and not _bends(p.instrument)]
        terms = [_terms(p, market) for _, p in rows]
        return cls(
            row=integers([i for i, _ in rows]),
            token=integers([index[p.instrument.underlying] for _, p in rows]),
            quantity=floats([p.quantity for _, p in rows]),
            ratio=floats([t.ratio for t in terms]),
            offset=floats([t.offset for t in terms]),
            rate=floats([t.rate for t in terms]),
            lean=floats([t.lean for t in terms]),
            years=floats([t.years for t in terms]),
            expiry=integers([t.expiry for t in terms]),
        )

    def value(self, spots: FloatArray, vol_shift: FloatArray, elapsed: FloatArray) -> FloatArray:  # noqa: ARG002 - all kinds of rows are asked alike
        """Return each row's worth at `spots` (..., tokens), of shape (..., rows)."""
        return (spots[..., self.token] * self.ratio + self.offset) * self.quantity

    def exposures(self, spots: FloatArray) -> Exposures:
        """Return each row's sensitivities."""
        worth = self.value(spots, np.zeros(()), np.zeros(()))
        return Exposures.build(
            self.row,
            self.token,
            self.expiry,
            self.years,
            value=worth,
            delta=self.quantity * self.ratio,
            basis=worth * self.lean,
            carry=worth * self.rate,
        )


def _bends(instrument: Instrument) -> bool:
    """Say whether it is an inverse perpetual, whose dollar basis makes it no line in spot: `InverseRows` has those."""
    return isinstance(instrument, Perp) and instrument.inverse


def _terms(position: Position, market: MarketView) -> _Terms:
    instrument = position.instrument
    if isinstance(instrument, Perp):
        return _Terms(
            offset=market.basis(position.venue, instrument.market),
            rate=-market.funding(position.venue, instrument.market),
            lean=1.0,
        )
    if isinstance(instrument, DatedFuture):
        return _future(instrument, market)
    if isinstance(instrument, Loan):
        return _Terms(rate=market.interest(position.venue, instrument.underlying, position.quantity) / _DAYS)
    return _Terms()


def _future(future: DatedFuture, market: MarketView) -> _Terms:
    years, ratio = market.years(future.expiry), market.ratio(future.underlying, future.expiry)
    lean = -1.0 if future.inverse else 1.0
    # Spot held still, the forward closes on it at an even rate of its logarithm.
    roll = -math.log(ratio) / (_DAYS * years) if years > 0.0 else 0.0
    if future.inverse:
        return _Terms(0.0, -1.0 / ratio, lean * roll, lean, years, future.expiry)
    return _Terms(ratio, 0.0, roll, lean, years, future.expiry)
