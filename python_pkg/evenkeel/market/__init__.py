"""Prices, volatilities, funding and rates of one moment."""

from evenkeel.market._market import LendingRates, Market, PerpQuote, PowerQuote, VolSurface, market_from_state
from evenkeel.market.errors import MarketError

__all__ = [
    "LendingRates",
    "Market",
    "MarketError",
    "PerpQuote",
    "PowerQuote",
    "VolSurface",
    "market_from_state",
]
