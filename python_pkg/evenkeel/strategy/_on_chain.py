"""What of a mandate the chain enforces, as the integers that the deployer sets."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from evenkeel.bindings.types import Limits, Range, VenueConfig
from evenkeel.strategy.errors import MandateError

if TYPE_CHECKING:
    from evenkeel.strategy._mandate import Mandate

_WAD: Final = 10**18
_MOST: Final = 2**255 - 1


def on_chain_limits(mandate: Mandate, symbol: str) -> Limits:
    """Return the guard's limits of the token `symbol`: an underlying or a quote token of the mandate, else `MandateError`.

    Delta as a fraction of low NAV at 1e18, the others in reporting units at 1e18. What the mandate does not limit is the widest
    int256 allows; the asset itself has no limits.
    """
    free = Range(-_MOST, _MOST)
    if symbol in mandate.underlyings:
        bound = _wad(mandate.delta_usd.limit)
        floors = (mandate.gamma_usd_1pct, mandate.vega_usd_pt, mandate.theta_usd_day)
        return Limits(Range(-bound, bound), *(Range(_wad(f.limit), _MOST) for f in floors))
    if symbol in mandate.quote_tokens:
        bound = _wad(mandate.quote_tokens[symbol])
        return Limits(Range(-bound, bound), free, free, free)
    known = ", ".join((*mandate.underlyings, *mandate.quote_tokens))
    raise MandateError(f"{symbol}: neither an underlying nor a quote token of the mandate, which has {known}")


def venue_config(mandate: Mandate, name: str) -> VenueConfig:
    """Return what the vault allows the venue `name`, at 1e18."""
    venue = mandate.venue(name)
    return VenueConfig(
        cap=_wad(venue.cap),
        min_health=_wad(venue.minimum_health),
        target_health=_wad(venue.target_health),
        critical_health=_wad(venue.critical_health),
    )


def max_loss_per_call(mandate: Mandate) -> int:
    """Return the largest loss of one rebalance as a fraction of low NAV at 1e18."""
    return _wad(mandate.max_loss_per_call)


def _wad(value: float) -> int:
    return int(Decimal(str(value)) * _WAD)
