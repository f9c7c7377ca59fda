"""From a snapshot and a mandate to actions with reasons: pure functions, no I/O and no clock."""

from evenkeel.planner._actions import Action, Plan, QuoteRequest, TopUp
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

__all__ = [
    "Action",
    "BandWidths",
    "Plan",
    "PlannerError",
    "QuoteRequest",
    "TopUp",
    "candidates",
    "delta_band",
    "fixed_cost_band",
    "mixed_band",
    "plan",
    "whalley_wilmott",
    "zakamouline",
]
