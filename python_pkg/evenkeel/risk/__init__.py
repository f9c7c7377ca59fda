"""What a book is exposed to, what it could lose, and where its profit came from."""

from evenkeel.instruments import BookGreeks, Columns, Report
from evenkeel.risk._attribution import Attribution, Fill, Transfer, explain
from evenkeel.risk._greeks import greeks
from evenkeel.risk._health import UnitHealth, unit_healths
from evenkeel.risk.errors import RiskError
from evenkeel.risk.scenarios import (
    SPOT_SHOCKS,
    VOL_SHOCKS,
    Grid,
    Loss,
    StressLoss,
    grid,
    stress_loss,
    stress_scenarios,
)

__all__ = [
    "SPOT_SHOCKS",
    "VOL_SHOCKS",
    "Attribution",
    "BookGreeks",
    "Columns",
    "Fill",
    "Grid",
    "Loss",
    "Report",
    "RiskError",
    "StressLoss",
    "Transfer",
    "UnitHealth",
    "explain",
    "greeks",
    "grid",
    "stress_loss",
    "stress_scenarios",
    "unit_healths",
]
