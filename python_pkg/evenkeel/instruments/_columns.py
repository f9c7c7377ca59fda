"""A book as arrays, one row a position, so that everything over positions is one pass."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from evenkeel.instruments._instruments import EuropeanOption, LpRange, Perp, PowerPerp
from evenkeel.instruments._inverse import InverseRows
from evenkeel.instruments._linear import LINEAR, LinearRows
from evenkeel.instruments._options import OptionRows
from evenkeel.instruments._power import PowerRows
from evenkeel.instruments._ranges import RangeRows
from evenkeel.instruments._rows import Exposures, FloatArray, IntArray

if TYPE_CHECKING:
    from evenkeel.instruments._book import Book
    from evenkeel.instruments._position import Position
    from evenkeel.instruments._view import MarketView

_Rows = LinearRows | InverseRows | OptionRows | PowerRows | RangeRows

_CELLS: Final = 65_536
"""Positions x scenarios valued at a time, at least: what the compiled kernel is loaded for, in a few megabytes."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The positions of a book beside their market data, grouped by the formula that values them.

    `tokens` are the underlyings that the index arrays point into, the asset among them, `spots` their prices. `venue` and `unit`
    name each position's, in the book's order.
    """

    asset: str
    cash: float
    tokens: tuple[str, ...]
    spots: FloatArray
    venue: tuple[str, ...]
    unit: tuple[int, ...]
    linear: LinearRows
    inverse: InverseRows
    options: OptionRows
    powers: PowerRows
    ranges: RangeRows

    @classmethod
    def of(cls, book: Book, market: MarketView) -> Columns:
        """Lay out `book` in `market`; `MarketError` where a price or volatility is not known."""
        named = {market.asset} | {p.instrument.underlying for p in book.positions}
        kinds = {type(p.instrument) for p in book.positions}
        if any(issubclass(kind, LpRange) for kind in kinds):
            named |= {p.instrument.quote for p in book.positions if isinstance(p.instrument, LpRange)}
        tokens = tuple(sorted(named))
        index = {token: i for i, token in enumerate(tokens)}
        owned = list(enumerate(book.positions))

        def of_kind(*wanted: type) -> list[tuple[int, Position]]:
            # Asking each position its kind is most of the work, and most books have none of most kinds.
            return owned if any(issubclass(kind, wanted) for kind in kinds) else []

        return cls(
            asset=market.asset,
            cash=book.cash,
            tokens=tokens,
            spots=np.array([market.spot(token) for token in tokens], dtype=np.float64),
            venue=tuple([p.venue for p in book.positions]),
            unit=tuple([p.unit for p in book.positions]),
            linear=LinearRows.of(of_kind(*LINEAR), market, index),
            inverse=InverseRows.of(of_kind(Perp), market, index),
            options=OptionRows.of(of_kind(EuropeanOption), market, index),
            powers=PowerRows.of(of_kind(PowerPerp), market, index),
            ranges=RangeRows.of(of_kind(LpRange), market, index),
        )

    @property
    def groups(self) -> tuple[_Rows, ...]:
        """The groups that have positions."""
        every = (self.linear, self.inverse, self.options, self.powers, self.ranges)
        return tuple(group for group in every if len(group.row))

    def exposures(self) -> Exposures:
        """Return every position's sensitivities."""
        return Exposures.join([group.exposures(self.spots) for group in self.groups or (self.linear,)])

    def values(
        self,
        spots: FloatArray | None = None,
        vol_shift: npt.ArrayLike = 0.0,
        elapsed: npt.ArrayLike = 0.0,
    ) -> FloatArray:
        """Return each position's worth in asset units, of shape (..., positions), in the book's order.

        `spots` of shape (..., tokens) replaces the prices, `vol_shift` (...) is added to every volatility (floored at 0) and
        `elapsed` (...) years have passed; the three leading shapes broadcast and lead the result.
        """
        prices, shift, passed = self._scenarios(spots, vol_shift, elapsed)
        worth = np.zeros((*shift.shape, len(self.venue)))
        for group in self.groups:
            worth[..., group.row] = group.value(prices, shift, passed)
        return worth

    def value(
        self,
        spots: FloatArray | None = None,
        vol_shift: npt.ArrayLike = 0.0,
        elapsed: npt.ArrayLike = 0.0,
    ) -> FloatArray:
        """Return the whole book's worth, idle cash included; arguments and shape as in `values`, in bounded memory."""
        owner = np.zeros(len(self.venue), dtype=np.int64)
        return self.cash + self.sums(owner, 1, spots, vol_shift, elapsed)[..., 0]

    def sums(
        self,
        owner: IntArray,
        owners: int,
        spots: FloatArray | None = None,
        vol_shift: npt.ArrayLike = 0.0,
        elapsed: npt.ArrayLike = 0.0,
    ) -> FloatArray:
        """Return the worth of what each of `owners` holds, of shape (..., owners); `owner` gives each position's.

        The other arguments as in `values`. Positions and scenarios are valued together in blocks and added up at once, so memory
        beyond arguments and result does not grow with either.
        """
        prices, shift, passed = self._scenarios(spots, vol_shift, elapsed)
        lead = shift.shape
        prices, shift, passed = prices.reshape(-1, len(self.tokens)), shift.ravel(), passed.ravel()
        total = np.zeros((shift.size, owners))
        for group in self.groups:
            _add(group, owner, total, prices, shift, passed)
        return total.reshape(*lead, owners)

    def grid_sums(
        self, owner: IntArray, owners: int, spots: FloatArray, vol_shifts: FloatArray, elapsed: FloatArray
    ) -> FloatArray:
        """Return what `sums` does in all combinations of the last three, of shape (owners, spots, vol_shifts, elapsed).

        `spots` (spots, tokens), the rest one-dimensional. What combinations have in common is computed once where options are compiled.
        """
        shape = (len(spots), vol_shifts.size, elapsed.size)
        options = self.options
        known = None
        if len(options.row):
            known = options.sums(owner[options.row], owners, spots, vol_shifts, elapsed)
        groups = [group for group in self.groups if known is None or group is not options]
        total = np.zeros((prod(shape), owners))
        if groups:
            tiled = np.broadcast_to(spots[:, None, None], (*shape, len(self.tokens)))
            prices, shift, passed = self._scenarios(tiled, vol_shifts[:, None], elapsed)
            for group in groups:
                _add(group, owner, total, prices.reshape(-1, len(self.tokens)), shift.ravel(), passed.ravel())
        apart = np.moveaxis(total.reshape(*shape, owners), -1, 0)
        return apart if known is None else apart + known

    def _scenarios(
        self, spots: FloatArray | None, vol_shift: npt.ArrayLike, elapsed: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the three arguments with one leading shape."""
        prices = self.spots if spots is None else np.asarray(spots, dtype=np.float64)
        shift, passed = np.asarray(vol_shift, dtype=np.float64), np.asarray(elapsed, dtype=np.float64)
        lead = np.broadcast_shapes(prices.shape[:-1], shift.shape, passed.shape)
        return (
            np.broadcast_to(prices, (*lead, len(self.tokens))),
            np.broadcast_to(shift, lead),
            np.broadcast_to(passed, lead),
        )


def _add(
    group: _Rows,
    owner: IntArray,
    total: FloatArray,
    prices: FloatArray,
    shift: FloatArray,
    passed: FloatArray,
) -> None:
    """Add to `total`, of shape (scenarios, owners), what each owner's part of `group` is worth in each scenario, block by block."""
    order = np.argsort(owner[group.row], kind="stable")
    holders, starts = np.unique(owner[group.row][order], return_index=True)
    block = -(-_CELLS // len(order))
    for at in range(0, shift.size, block):
        part = slice(at, at + block)
        worth = group.value(prices[part], shift[part], passed[part])
        if len(holders) == 1:
            total[part, holders[0]] += worth.sum(axis=-1)
        else:
            total[part, holders] += np.add.reduceat(worth[:, order], starts, axis=-1)
