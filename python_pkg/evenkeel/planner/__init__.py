"""From a snapshot and a mandate to actions with reasons: pure functions, no I/O and no clock."""

from evenkeel.planner._actions import Action, CriticalTopUp, Free, Plan, QuoteRequest, Sync, TopUp
from evenkeel.planner._owed import Owed, owed
from evenkeel.planner.bands import (
    BandWidths,
    delta_band,
    fixed_cost_band,
    mixed_band,
    whalley_wilmott,
    zakamouline,
)
from evenkeel.planner.errors import PlannerError
from evenkeel.planner.plan import candidates, plan
from evenkeel.planner.pokes import tripped
from evenkeel.planner.refusals import error_words

__all__ = [
    "Action",
    "BandWidths",
    "CriticalTopUp",
    "Free",
    "Owed",
    "Plan",
    "PlannerError",
    "QuoteRequest",
    "Sync",
    "TopUp",
    "candidates",
    "delta_band",
    "error_words",
    "fixed_cost_band",
    "mixed_band",
    "owed",
    "plan",
    "tripped",
    "whalley_wilmott",
    "zakamouline",
]
