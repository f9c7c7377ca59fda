"""The actors that move a sandbox's market, and the market they make together."""

from evenkeel.sandbox.actors.driver import Driver, endless, moves
from evenkeel.sandbox.actors.errors import ActorError, MarketError
from evenkeel.sandbox.actors.market import SETTLE, Liquidation, Market, StepResult

__all__ = [
    "SETTLE",
    "ActorError",
    "Driver",
    "Liquidation",
    "Market",
    "MarketError",
    "StepResult",
    "endless",
    "moves",
]
