"""Coin-margined perpetuals as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.instruments._instruments import Perp
from evenkeel.instruments._rows import Exposures, FloatArray, IntArray, floats, integers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.instruments._position import Position
    from evenkeel.instruments._view import MarketView


@dataclass(frozen=True, slots=True)
class InverseRows:
    """One row an inverse perpetual, worth -quantity x spot / mark, where the mark is spot + `basis`; `funding` is paid a day."""

    row: IntArray
    token: IntArray
    quantity: FloatArray
    basis: FloatArray
    funding: FloatArray

    @classmethod
    def of(
        cls, owned: list[tuple[int, Position]], market: MarketView, index: Mapping[str, int]
    ) -> InverseRows:
        """Lay out the inverse perpetuals of `owned`."""
        rows = [
            (i, p, p.instrument) for i, p in owned if isinstance(p.instrument, Perp) and p.instrument.inverse
        ]
        return cls(
            row=integers([i for i, _, _ in rows]),
            token=integers([index[o.underlying] for _, _, o in rows]),
            quantity=floats([p.quantity for _, p, _ in rows]),
            basis=floats([market.basis(p.venue, o.market) for _, p, o in rows]),
            funding=floats([market.funding(p.venue, o.market) for _, p, o in rows]),
        )

    def value(self, spots: FloatArray, vol_shift: FloatArray, elapsed: FloatArray) -> FloatArray:  # noqa: ARG002 - all kinds of rows are asked alike
        """Return each row's worth at `spots` (..., tokens), of shape (..., rows)."""
        spot = spots[..., self.token]
        return np.asarray(-self.quantity * spot / (spot + self.basis))

    def exposures(self, spots: FloatArray) -> Exposures:
        """Return each row's sensitivities, the dollar basis held; the coins of the entry have the delta of the notional."""
        mark = spots[self.token] + self.basis
        worth = self.value(spots, np.zeros(()), np.zeros(()))
        delta = -self.quantity * self.basis / mark**2
        return Exposures.build(
            self.row,
            self.token,
            value=worth,
            delta=delta,
            gamma=-2.0 * delta / mark,
            basis=-worth,
            carry=worth * self.funding,
        )
