"""Errors of market data."""

from evenkeel._errors import InputError


class MarketError(InputError):
    """A price or a volatility that a calculation needs is not known."""
