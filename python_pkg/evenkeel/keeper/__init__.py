"""The keeper: the loop that holds a vault inside its mandate, and its guard rails."""

from evenkeel.keeper.config import Addresses, KeeperConfig, read_addresses
from evenkeel.keeper.decision import Decided, decide, describe
from evenkeel.keeper.errors import ConfigError, Halted
from evenkeel.keeper.loop import Keeper, Outcome
from evenkeel.keeper.start import Request, build

__all__ = [
    "Addresses",
    "ConfigError",
    "Decided",
    "Halted",
    "Keeper",
    "KeeperConfig",
    "Outcome",
    "Request",
    "build",
    "decide",
    "describe",
    "read_addresses",
]
