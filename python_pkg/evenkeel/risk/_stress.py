"""What the book would lose in each of a fixed set of shocks, fully revalued with its hedges frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenkeel.instruments import Columns
from evenkeel.risk._grid import Grid, Loss, grid, moved_prices, moving

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.instruments import Book
    from evenkeel.market import Market

SPOT_SHOCKS: Final = (0.0, 0.1, -0.1, 0.2, -0.2, 0.3, -0.3)
VOL_SHOCKS: Final = (0.0, 0.3)
QUOTE_SHOCK: Final = -0.3


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


def scenarios(
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
