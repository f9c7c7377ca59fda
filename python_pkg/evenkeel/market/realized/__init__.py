"""Volatility that was: rolling estimates from prices, and a forecast of the days ahead."""

from evenkeel.market.realized._estimators import (
    bipower,
    close_to_close,
    garman_klass,
    parkinson,
    rogers_satchell,
    yang_zhang,
)
from evenkeel.market.realized._forecast import forecast_har, variance_risk_premium
from evenkeel.market.realized.errors import RealizedError

__all__ = [
    "RealizedError",
    "bipower",
    "close_to_close",
    "forecast_har",
    "garman_klass",
    "parkinson",
    "rogers_satchell",
    "variance_risk_premium",
    "yang_zhang",
]
