"""Profit and loss of a book over a grid of spot, volatility and time, fully revalued, and the worst of a fixed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from evenkeel.instruments import Columns
from evenkeel.risk.errors import RiskError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.instruments import Book
    from evenkeel.market import Market

FloatArray = npt.NDArray[np.float64]

SPOT_SHOCKS: Final = (0.0, 0.1, -0.1, 0.2, -0.2, 0.3, -0.3)
"""The spot moves of `stress_loss`, each with each of the volatility's."""

VOL_SHOCKS: Final = (0.0, 0.3)
"""Its volatility moves."""

QUOTE_SHOCK: Final = -0.3
"""What it does to each quote token alone."""

ALL: Final = "spot"
"""The name of the move of all risky underlyings together."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss in asset units (0 where the scenario gains) and the scenario in words."""

    amount: float
    scenario: str


@dataclass(frozen=True, slots=True)
class Grid:
    """What a book gains in each scenario, asset units, from its worth now.

    `pnl` has shape (moves, spots, vols, days), `unit_pnl` one more axis in front that follows `units`, the (venue, unit) of the
    positions; idle cash gains nothing. `moves` says which underlyings move: all of them, then each alone by its symbol.
    """

    moves: tuple[str, ...]
    spots: tuple[float, ...]
    vols: tuple[float, ...]
    days: tuple[float, ...]
    units: tuple[tuple[str, int], ...]
    unit_pnl: FloatArray

    @property
    def pnl(self) -> FloatArray:
        """The whole book's gain, of shape (moves, spots, vols, days)."""
        return np.asarray(self.unit_pnl.sum(axis=0))

    @property
    def worst(self) -> Loss:
        """The largest loss of the whole book and where it is."""
        pnl = self.pnl
        at = int(np.argmin(pnl))
        return Loss(max(0.0, -float(pnl.flat[at])), self.describe(at))

    @property
    def margin(self) -> dict[tuple[str, int], float]:
        """The largest loss of each unit alone, 0 where it only gains: what scenario margin would ask of it."""
        worst = -self.unit_pnl.min(axis=(1, 2, 3, 4), initial=0.0)
        return dict(zip(self.units, worst.tolist(), strict=True))

    def describe(self, at: int) -> str:
        """Return the scenario at the flat index `at` of `pnl` in words."""
        shape = (len(self.moves), len(self.spots), len(self.vols), len(self.days))
        move, spot, vol, day = (int(i) for i in np.unravel_index(at, shape))
        words = f"{self.moves[move]} {self.spots[spot]:+.0%}, vol {self.vols[vol] * 100:+.0f} pts"
        return words if not self.days[day] else f"{words}, {self.days[day]:g} days on"


def grid(
    book: Book,
    market: Market,
    spots: Sequence[float],
    vols: Sequence[float] = (0.0,),
    days: Sequence[float] = (0.0,),
) -> Grid:
    """Revalue `book` in every combination of relative `spots` shocks, absolute `vols` shifts (0.3: 30 points) and `days` passed.

    Risky underlyings move all together and each alone; quote tokens and the asset hold still. Forward ratios, interest rates and a
    perpetual's dollar basis are held; time brings options nearer to their expiry (at which they are worth their intrinsic), shrinks
    the normalisation of power perpetuals, and earns today's carry for each day. All positions and scenarios are valued together in
    blocks. Raises `MarketError` where a price is not known, `RiskError` where an axis is empty, takes a price to 0 or goes back in
    time.
    """
    axes = [np.asarray(axis, dtype=np.float64) for axis in (spots, vols, days)]
    if not all(axis.ndim == 1 and axis.size for axis in axes):
        raise RiskError("spots, vols, days: expected at least one number each")
    if axes[0].min() <= -1.0 or axes[2].min() < 0.0:
        raise RiskError("spots, days: expected spots over -1 and days from 0 on")
    columns = Columns.of(book, market)
    moves = moving(columns, market)
    prices = moved_prices(columns, moves, axes[0])
    owners = list(zip(columns.venue, columns.unit, strict=True))
    units = tuple(sorted(set(owners)))
    index = {unit: i for i, unit in enumerate(units)}
    owner = np.array([index[o] for o in owners], dtype=np.int64)
    still = (columns.spots[None], np.zeros(1), np.zeros(1))
    flat = prices.reshape(-1, len(columns.tokens))
    # The grid first: it may be what compiled code is loaded for, and both must be summed alike.
    later = columns.grid_sums(owner, len(units), flat, axes[1], axes[2] / 365.0)
    gains = later - columns.grid_sums(owner, len(units), *still)
    if axes[2].any():
        found = columns.exposures()
        earned = np.bincount(owner[found.row], weights=found.carry, minlength=len(units))
        gains = gains + axes[2] * earned[:, None, None, None]
    return Grid(
        moves=tuple(name for name, _ in moves),
        spots=tuple(axes[0].tolist()),
        vols=tuple(axes[1].tolist()),
        days=tuple(axes[2].tolist()),
        units=units,
        unit_pnl=gains.reshape(len(units), len(moves), *(axis.size for axis in axes)),
    )


def moving(columns: Columns, market: Market) -> list[tuple[str, list[int]]]:
    """Return which of `columns.tokens` move together, by name: all that are risky, and each alone where there are several."""
    fixed = market.quote_tokens | {market.asset}
    risky = [i for i, token in enumerate(columns.tokens) if token not in fixed]
    alone = [(market.symbol(columns.tokens[i]), [i]) for i in risky] if len(risky) > 1 else []
    return [(ALL, risky), *alone]


def moved_prices(columns: Columns, moves: list[tuple[str, list[int]]], shocks: FloatArray) -> FloatArray:
    """Return prices of shape (moves, shocks, tokens)."""
    prices = np.tile(columns.spots, (len(moves), shocks.size, 1))
    for row, (_, tokens) in enumerate(moves):
        prices[row][:, tokens] *= 1.0 + shocks[:, None]
    return prices


@dataclass(frozen=True, slots=True)
class StressLoss:
    """Losses of the book in asset units.

    `market` is the worst of the spot and volatility shocks. `venues` (each gone, by its address) and `quotes` (each quote token down
    30%, by its address) happen one at a time and are bounded by caps rather than by the market's limit.
    """

    market: Loss
    venues: dict[str, Loss]
    quotes: dict[str, Loss]


def stress_loss(book: Book, market: Market) -> StressLoss:
    """Revalue `book` under spot {0, +-10, +-20, +-30%} x vol {0, +30 points}, each venue at zero, each quote token at -30%.

    Risky underlyings move all together and each alone; quote tokens and the asset hold still under spot shocks. `MarketError`
    where a price is not known.
    """
    columns = Columns.of(book, market)
    by_venue: dict[str, float] = {}
    for venue, value in zip(columns.venue, columns.values().tolist(), strict=True):
        by_venue[venue] = by_venue.get(venue, 0.0) + value
    return StressLoss(
        market=grid(book, market, SPOT_SHOCKS, VOL_SHOCKS).worst,
        venues={v: Loss(max(0.0, worth), "the venue's value gone") for v, worth in sorted(by_venue.items())},
        quotes=_quotes(columns, market),
    )


def _quotes(columns: Columns, market: Market) -> dict[str, Loss]:
    tokens = [token for token in sorted(market.quote_tokens) if token in columns.tokens]
    prices = np.tile(columns.spots, (len(tokens), 1))
    for row, token in enumerate(tokens):
        prices[row, columns.tokens.index(token)] *= 1.0 + QUOTE_SHOCK
    changes = columns.value(prices) - columns.value()
    return {
        token: Loss(max(0.0, -change), f"{market.symbol(token)} {QUOTE_SHOCK:+.0%}")
        for token, change in zip(tokens, changes.tolist(), strict=True)
    }


def stress_scenarios(
    columns: Columns, market: Market
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], list[str]]:
    """Return the market shocks of `stress_loss`: prices (scenarios, tokens), vol shifts (scenarios,) and each in words."""
    moves = moving(columns, market)
    prices = moved_prices(columns, moves, np.array(SPOT_SHOCKS))
    names = tuple(name for name, _ in moves)
    empty = Grid(names, SPOT_SHOCKS, VOL_SHOCKS, (0.0,), (), np.zeros(0))
    count = len(names) * len(SPOT_SHOCKS)
    rows = np.repeat(prices.reshape(count, -1), len(VOL_SHOCKS), axis=0)
    shifts = np.tile(np.array(VOL_SHOCKS), count)
    return rows, shifts, [empty.describe(at) for at in range(len(rows))]
