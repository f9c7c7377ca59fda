"""What a vault is deployed with under a mandate, so that the chain enforces the very numbers that the keeper works to."""

from dataclasses import replace
from types import MappingProxyType

from evenkeel.bindings.types import Limits, Range
from evenkeel.deploy.names import venue_name
from evenkeel.deploy.plan import UNBOUNDED, WAD, UnderlyingLimits, VaultPlan, VenueTerms
from evenkeel.deploy.protocols import Protocols
from evenkeel.strategy import Mandate, on_chain_limits


def plan_of(mandate: Mandate, protocols: Protocols, base: VaultPlan | None = None) -> VaultPlan:
    """Return `base` (default: the defaults) with the mandate's limits, caps, healths and loss limit for this chain.

    Limits are set for the underlyings and quote tokens that the chain has; symbols are compared without case, as Chainlink writes
    SUSD what its token calls sUSD. A venue that the mandate does not name has no terms, and is not deployed.
    """
    base = base or VaultPlan()
    tokens = {symbol.lower(): symbol for symbol in protocols.tokens}
    limits = {
        tokens[symbol.lower()]: _limits(on_chain_limits(mandate, symbol))
        for symbol in (*mandate.underlyings, *mandate.quote_tokens)
        if symbol.lower() in tokens
    }
    steps = ("spot", "lending", "option", *(f"perp/{perp.name}" for perp in protocols.perps))
    venues = {step: _terms(mandate, name) for step in steps if (name := venue_name(step)) in mandate.venues}
    return replace(
        base,
        max_loss_per_call=mandate.max_loss_per_call,
        max_loss_per_day=mandate.max_loss_per_day,
        limits=MappingProxyType(limits),
        venues=MappingProxyType(venues),
        spot_tokens=tuple(
            tokens[symbol.lower()] for symbol in mandate.underlyings if symbol.lower() in tokens
        ),
    )


def _terms(mandate: Mandate, name: str) -> VenueTerms:
    venue = mandate.venue(name)
    return VenueTerms(venue.cap, venue.minimum_health, venue.target_health, venue.critical_health)


def _limits(limits: Limits) -> UnderlyingLimits:
    return UnderlyingLimits(
        *(_range(part) for part in (limits.delta, limits.gamma, limits.vega, limits.theta))
    )


def _range(bounds: Range) -> tuple[float, float]:
    low, high = (max(-UNBOUNDED, min(UNBOUNDED, bound / WAD)) for bound in (bounds.min, bounds.max))
    return low, high
