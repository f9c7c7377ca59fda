"""What a book is exposed to, what it could lose, and where its profit came from."""

from evenkeel.risk._attribution import Attribution, Fill, Transfer, explain
from evenkeel.risk._columns import Columns
from evenkeel.risk._greeks import BookGreeks, Report, greeks
from evenkeel.risk._health import UnitHealth, unit_healths
from evenkeel.risk._stress import SPOT_SHOCKS, VOL_SHOCKS, Loss, StressLoss, scenarios, stress_loss

__all__ = [
    "SPOT_SHOCKS",
    "VOL_SHOCKS",
    "Attribution",
    "BookGreeks",
    "Columns",
    "Fill",
    "Loss",
    "Report",
    "StressLoss",
    "Transfer",
    "UnitHealth",
    "explain",
    "greeks",
    "scenarios",
    "stress_loss",
    "unit_healths",
]
