"""What the manager wants: the mandate, and what of it the chain enforces."""

from evenkeel.strategy._load import load_mandate, parse_mandate
from evenkeel.strategy._mandate import Band, DeltaLimit, GreekFloor, Mandate, StressLimit, VenueMandate
from evenkeel.strategy._on_chain import max_loss_per_call, on_chain_limits, venue_config
from evenkeel.strategy.errors import MandateError

__all__ = [
    "Band",
    "DeltaLimit",
    "GreekFloor",
    "Mandate",
    "MandateError",
    "StressLimit",
    "VenueMandate",
    "load_mandate",
    "max_loss_per_call",
    "on_chain_limits",
    "parse_mandate",
    "venue_config",
]
