"""Smiles and surfaces of implied volatility: SVI slices, their jump wings, fits and arbitrage checks."""

from evenkeel.market.svi._slice import JumpWings, SviSlice
from evenkeel.market.svi._ssvi import Ssvi
from evenkeel.market.svi._surface import CalendarCrossing, ChainQuotes, SviSurface
from evenkeel.market.svi.errors import JumpWingError, SviError

__all__ = [
    "CalendarCrossing",
    "ChainQuotes",
    "JumpWingError",
    "JumpWings",
    "Ssvi",
    "SviError",
    "SviSlice",
    "SviSurface",
]
