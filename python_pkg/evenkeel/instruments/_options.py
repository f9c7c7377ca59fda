"""European options, linear and inverse, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.instruments._instruments import EuropeanOption
from evenkeel.instruments._rows import BoolArray, Exposures, FloatArray, IntArray, floats, integers
from evenkeel.pricing import Greeks, black76, scenario_sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.instruments._position import Position
    from evenkeel.instruments._view import MarketView


@dataclass(frozen=True, slots=True)
class OptionRows:
    """One row an option. `ratio` forward over spot; `discount` 1 for an inverse row; `weight` 1, or 1 / ratio for an inverse row.

    A row is worth quantity x weight x Black(spot x ratio): an inverse contract's Black(F) / F coins are S Black(F) / F asset units.
    """

    row: IntArray
    token: IntArray
    quantity: FloatArray
    strike: FloatArray
    expiry: IntArray
    years: FloatArray
    vol: FloatArray
    is_call: BoolArray
    inverse: BoolArray
    ratio: FloatArray
    discount: FloatArray
    weight: FloatArray

    @classmethod
    def of(
        cls, owned: list[tuple[int, Position]], market: MarketView, index: Mapping[str, int]
    ) -> OptionRows:
        """Lay out the options of `owned`; `index` numbers its tokens from 0 in their order."""
        rows = [(i, p, p.instrument) for i, p in owned if isinstance(p.instrument, EuropeanOption)]
        options = [option for _, _, option in rows]
        names, dates = [o.underlying for o in options], [o.expiry for o in options]
        strikes = [o.strike for o in options]
        token, expiry = integers([index[name] for name in names]), integers(dates)
        # The market is asked once an expiry: a chain has few of them, and each question costs a call.
        distinct, date = np.unique(expiry, return_inverse=True)
        asked = distinct.tolist()
        pairs, pair = np.unique(date * len(index) + token, return_inverse=True)
        tokens = list(index)
        ratios = [market.ratio(tokens[at % len(index)], asked[at // len(index)]) for at in pairs.tolist()]
        ratio = floats(ratios)[pair]
        inverse = np.array([o.inverse for o in options], dtype=np.bool_)
        return cls(
            row=integers([i for i, _, _ in rows]),
            token=token,
            quantity=floats([p.quantity for _, p, _ in rows]),
            strike=floats(strikes),
            expiry=expiry,
            years=floats([market.years(at) for at in asked])[date],
            vol=floats(market.vols_at(list(zip(names, dates, strikes, strict=True)))),
            is_call=np.array([o.is_call for o in options], dtype=np.bool_),
            inverse=inverse,
            ratio=ratio,
            discount=np.where(inverse, 1.0, floats([market.discount(at) for at in asked])[date]),
            weight=np.where(inverse, 1.0 / ratio, 1.0),
        )

    def value(self, spots: FloatArray, vol_shift: FloatArray, elapsed: FloatArray) -> FloatArray:
        """Return each row's worth, of shape (..., rows).

        `spots` (..., tokens); `vol_shift` (...) is added to every volatility, floored at 0; `elapsed` (...) years have passed with
        forward ratio and interest rate held.
        """
        vols = np.maximum(self.vol + vol_shift[..., None], 0.0)
        years, discount = self._at(elapsed) if np.any(elapsed) else (self.years, self.discount)
        forward = spots[..., self.token] * self.ratio
        priced = black76(forward, self.strike, years, vols, self.is_call, discount, "price").price
        return priced * (self.quantity * self.weight)

    def sums(
        self, owner: IntArray, owners: int, spots: FloatArray, vol_shifts: FloatArray, elapsed: FloatArray
    ) -> FloatArray | None:
        """Return the worth of each owner's rows, of shape (owners, spots, vol_shifts, elapsed), in all combinations of the last three.

        `owner` by row; `spots` (spots, tokens), the rest one-dimensional and as in `value`. None where `value` must do it.
        """
        if not np.all(self.discount > 0.0):
            return None
        years, discount = self._at(elapsed)
        held = discount * (self.quantity * self.weight)
        columns = (self.token, self.ratio, self.strike, self.vol, self.is_call)
        return scenario_sums(spots, vol_shifts, years, held, owner, owners, *columns)

    def _at(self, elapsed: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return years and discounts, of shape (..., rows), when `elapsed` (...) years have passed."""
        years = np.maximum(self.years - elapsed[..., None], 0.0)
        return years, self.discount ** (years / np.where(self.years > 0.0, self.years, 1.0))

    def unit(self, spots: FloatArray) -> Greeks:
        """Return Black's Greeks of one contract of each row with respect to its forward, before `weight`."""
        forward = spots[self.token] * self.ratio
        return black76(forward, self.strike, self.years, self.vol, self.is_call, self.discount)

    def exposures(self, spots: FloatArray) -> Exposures:
        """Return each row's sensitivities to spot, the ratio held.

        Gamma is infinite where an option expires at its strike; here it is 0, so that one such row leaves the book's sum a number.
        """
        unit, held = self.unit(spots), self.quantity * self.weight
        worth, delta = held * unit.price, held * unit.delta * self.ratio
        return Exposures.build(
            self.row,
            self.token,
            self.expiry,
            self.years,
            value=worth,
            delta=delta,
            gamma=held * np.where(np.isinf(unit.gamma), 0.0, unit.gamma) * self.ratio**2,
            vega=held * unit.vega,
            theta=held * unit.theta,
            rho=np.where(self.inverse, 0.0, held * unit.rho),
            vanna=held * unit.vanna * self.ratio,
            volga=held * unit.volga,
            # An inverse contract is also divided by its forward.
            basis=delta * spots[self.token] - np.where(self.inverse, worth, 0.0),
        )
