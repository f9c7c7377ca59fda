"""From a vault's state to what the demo shows of it. The Greeks and limits are the guard's own, as they stand on chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.demo.report import Unit

if TYPE_CHECKING:
    from evenkeel.bindings.types import Greeks, UnderlyingState, VaultState

_WAD = 10**18
_MAX = 2**256 - 1
_SHOWN_AS_UNBOUNDED = 1e18


def underlying(state: VaultState, symbol: str = "WETH") -> UnderlyingState:
    """Return the token `symbol` as the guard knows it."""
    return next(u for u in state.underlyings if u.symbol == symbol)


def greeks(state: VaultState) -> dict[str, float]:
    """Return the netted Greeks of WETH in report units, dollars."""
    token = underlying(state)
    spot = token.mid / _WAD
    found: list[Greeks] = [e.greeks for e in state.valuation.exposures if e.underlying == token.token]
    return {
        "delta_usd": sum(g.delta for g in found) / _WAD * spot,
        "gamma_usd_1pct": sum(g.gamma for g in found) / _WAD * spot**2 / 100,
        "vega_usd_pt": sum(g.vega for g in found) / _WAD / 100,
        "theta_usd_day": sum(g.theta for g in found) / _WAD / 365,
    }


def limits(state: VaultState) -> dict[str, tuple[float, float]]:
    """Return the guard's limits of WETH in report units, dollars: delta's fraction is taken of low NAV."""
    ranges = underlying(state).limits
    low = state.valuation.low / _WAD
    return {
        "delta_usd": (ranges.delta.min / _WAD * low, ranges.delta.max / _WAD * low),
        "gamma_usd_1pct": (_finite(ranges.gamma.min), _finite(ranges.gamma.max)),
        "vega_usd_pt": (_finite(ranges.vega.min), _finite(ranges.vega.max)),
        "theta_usd_day": (_finite(ranges.theta.min), _finite(ranges.theta.max)),
    }


def units(state: VaultState, names: dict[str, str]) -> tuple[Unit, ...]:
    """Return the health of every margin unit; `names` is by the venue's address."""
    found = []
    for venue in state.venues:
        for unit in venue.units:
            name = names[venue.venue] + (f" #{unit.unit}" if unit.unit else "")
            health = None if unit.health == _MAX else unit.health / _WAD
            found.append(Unit(name, health, venue.config.min_health / _WAD))
    return tuple(found)


def nav(state: VaultState) -> float:
    """Return NAV at mid, dollars."""
    return state.valuation.mid / _WAD


def _finite(value: int) -> float:
    return max(-_SHOWN_AS_UNBOUNDED, min(_SHOWN_AS_UNBOUNDED, value / _WAD))
