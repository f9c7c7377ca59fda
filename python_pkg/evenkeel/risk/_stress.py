"""What the book would lose in each of a fixed set of shocks, fully revalued with its hedges frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenkeel.risk._columns import Columns, FloatArray

if TYPE_CHECKING:
    from evenkeel.instruments import Book
    from evenkeel.market import Market

SPOT_SHOCKS: Final = (0.0, 0.1, -0.1, 0.2, -0.2, 0.3, -0.3)
VOL_SHOCKS: Final = (0.0, 0.3)
QUOTE_SHOCK: Final = -0.3


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss in asset units (0 where the scenario gains) and the scenario in words."""

    amount: float
    scenario: str


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
    spots, shifts, names = scenarios(columns, market)
    changes = columns.value(spots, shifts) - columns.value()
    worst = int(np.argmin(changes))
    linear, options = columns.values()
    by_venue: dict[str, float] = {}
    for venue, value in zip((*columns.linear_venue, *columns.venue), (*linear, *options), strict=True):
        by_venue[venue] = by_venue.get(venue, 0.0) + float(value)
    quotes: dict[str, Loss] = {}
    for token in sorted(market.quote_tokens):
        if token in columns.tokens:
            held = float(columns.linear_quantity[columns.linear_token == columns.tokens.index(token)].sum())
            change = held * market.spot(token) * QUOTE_SHOCK
            quotes[token] = Loss(max(0.0, -change), f"{market.symbol(token)} {QUOTE_SHOCK:+.0%}")
    return StressLoss(
        market=Loss(max(0.0, -float(changes[worst])), names[worst]),
        venues={v: Loss(max(0.0, worth), "the venue's value gone") for v, worth in sorted(by_venue.items())},
        quotes=quotes,
    )


def scenarios(columns: Columns, market: Market) -> tuple[FloatArray, FloatArray, list[str]]:
    """Return prices of shape (scenarios, tokens), vol shifts of shape (scenarios,) and each scenario in words."""
    fixed = market.quote_tokens | {market.asset}
    risky = [i for i, token in enumerate(columns.tokens) if token not in fixed]
    groups = [(risky, "spot")]
    if len(risky) > 1:
        groups += [([i], market.symbol(columns.tokens[i])) for i in risky]
    rows: list[FloatArray] = []
    shifts: list[float] = []
    names: list[str] = []
    for group, name in groups:
        for shock in SPOT_SHOCKS:
            for shift in VOL_SHOCKS:
                prices = columns.spots.copy()
                prices[group] *= 1.0 + shock
                rows.append(prices)
                shifts.append(shift)
                names.append(f"{name} {shock:+.0%}, vol {shift * 100:+.0f} pts")
    return np.array(rows), np.array(shifts), names
