"""Power perpetuals as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.instruments._instruments import PowerPerp
from evenkeel.instruments._rows import Exposures, FloatArray, IntArray, floats, integers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.instruments._position import Position
    from evenkeel.instruments._view import MarketView


@dataclass(frozen=True, slots=True)
class PowerRows:
    """One row a power perpetual, worth size x S^2 x exp(vol^2 x period); `size` is quantity x scale x normalisation."""

    row: IntArray
    token: IntArray
    size: FloatArray
    normalisation: FloatArray
    period: FloatArray
    vol: FloatArray

    @classmethod
    def of(cls, owned: list[tuple[int, Position]], market: MarketView, index: Mapping[str, int]) -> PowerRows:
        """Lay out the power perpetuals of `owned`."""
        rows = [(i, p, p.instrument) for i, p in owned if isinstance(p.instrument, PowerPerp)]
        terms = [market.power(p.venue, o.market) for _, p, o in rows]
        normalisation = floats([t[0] for t in terms])
        return cls(
            row=integers([i for i, _, _ in rows]),
            token=integers([index[o.underlying] for _, _, o in rows]),
            size=floats([p.quantity * o.scale for _, p, o in rows]) * normalisation,
            normalisation=normalisation,
            period=floats([o.period for _, _, o in rows]),
            vol=floats([t[1] for t in terms]),
        )

    def value(self, spots: FloatArray, vol_shift: FloatArray, elapsed: FloatArray) -> FloatArray:
        """Return each row's worth, of shape (..., rows).

        `spots` (..., tokens); `vol_shift` (...) is added to every volatility, floored at 0; funding at that volatility has shrunk
        the normalisation for `elapsed` (...) years.
        """
        variance = np.maximum(self.vol + vol_shift[..., None], 0.0) ** 2
        grown = np.exp(variance * (self.period - elapsed[..., None]))
        return np.asarray(self.size * spots[..., self.token] ** 2 * grown)

    def exposures(self, spots: FloatArray) -> Exposures:
        """Return each row's sensitivities: the derivatives of the closed form; `theta` is the funding, paid in kind.

        Its tenor is the funding period: its vega is that of a variance of so many years.
        """
        spot = spots[self.token]
        worth = self.value(spots, np.zeros(()), np.zeros(()))
        vega = 2.0 * self.vol * self.period * worth
        return Exposures.build(
            self.row,
            self.token,
            None,
            self.period,
            value=worth,
            delta=2.0 * worth / spot,
            gamma=2.0 * worth / spot**2,
            vega=vega,
            theta=-(self.vol**2) * worth,
            vanna=2.0 * vega / spot,
            volga=2.0 * self.period * worth * (1.0 + 2.0 * self.vol**2 * self.period),
        )
