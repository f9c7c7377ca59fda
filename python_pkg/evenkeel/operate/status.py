"""A vault's state in lines for a person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from evenkeel.instruments import book_from_state
from evenkeel.market import MarketError, market_from_state
from evenkeel.planner import error_words, owed, tripped
from evenkeel.risk import greeks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenkeel.bindings.types import Range, UnderlyingState, VaultState, VenueState
    from evenkeel.operate.session import Session

_WAD: Final = 10**18
_UNLIMITED: Final = 10**47
"""A limit beyond this is none, at 1e18."""
_NO_DEBT: Final = 2**256 - 1


def status(session: Session) -> list[str]:
    """Return the NAV interval, the Greeks against the vault's limits, and each venue with the health of its units."""
    state = session.state()
    names: dict[str, str] = {address: name for name, address in session.venues.items()}
    return [
        *_vault(state),
        *_exposures(state),
        *(line for venue in state.venues for line in _venue(venue, names)),
    ]


def _vault(state: VaultState) -> Iterator[str]:
    value = state.valuation
    at = datetime.fromtimestamp(state.timestamp, UTC)
    yield f"vault {state.vault} on chain {state.chain_id}, block {state.block_number}, {at:%Y-%m-%d %H:%M:%S} UTC"
    low, mid, high = (part / _WAD for part in (value.low, value.mid, value.high))
    yield f"NAV   {low:,.2f} to {high:,.2f}, mid {mid:,.2f}" + (
        "" if value.priced else "   NOT ALL OF IT IS PRICED"
    )
    yield f"idle  {state.idle / 10**state.asset_decimals:,.2f}"
    if state.queue.waiting:
        due = owed(state)
        yield (
            f"queue {state.queue.waiting / 10**state.share_decimals:,.2f} shares in {state.queue.requests} requests wait, "
            f"owed {due.low:,.2f} to {due.high:,.2f}"
        )
    left, capacity = state.loss_left / _WAD, state.max_loss_per_call / _WAD
    yield f"loss budget {left:.3%} of NAV left of {capacity:.3%}, refilled by {state.max_loss_per_day / _WAD:.3%} a day"


def _exposures(state: VaultState) -> Iterator[str]:
    try:
        of_book = greeks(book_from_state(state), market_from_state(state))
    except MarketError as error:
        yield f"Greeks: {error}"
        return
    nav = state.valuation.low / _WAD
    for token in state.underlyings:
        yield f"{token.symbol:<5} {_price(token)}{_breaker(token, state.timestamp)}"
        if token.token == state.asset:
            continue
        report, limits = of_book.report(token.token), token.limits
        for name, value, bounds, unit in (
            ("delta", report.delta_usd, limits.delta, nav),
            ("gamma", report.gamma_usd_1pct, limits.gamma, 1.0),
            ("vega", report.vega_usd_pt, limits.vega, 1.0),
            ("theta", report.theta_usd_day, limits.theta, 1.0),
        ):
            yield f"  {name:<6}{value:>14,.2f}   limits {_bounds(bounds, unit)}"


def _price(token: UnderlyingState) -> str:
    if not token.priced:
        return f"no price: {error_words(token.failure)}"
    return f"{token.mid / _WAD:,.4f}, between {token.low / _WAD:,.4f} and {token.high / _WAD:,.4f}"


def _breaker(token: UnderlyingState, now: int) -> str:
    breaker = token.breaker
    if not breaker.level:
        return ""
    hours = (now - breaker.level_at) / 3_600
    text = f"   breaker at {breaker.level / _WAD:,.4f}, {hours:,.1f} h old"
    if tripped(token):
        return f"{text}, TRIPPED, {breaker.rounds} rounds counted"
    return text


def _bounds(bounds: Range, unit: float) -> str:
    low = "none" if bounds.min < -_UNLIMITED else f"{bounds.min / _WAD * unit + 0.0:,.2f}"
    high = "none" if bounds.max > _UNLIMITED else f"{bounds.max / _WAD * unit:,.2f}"
    return f"{low} to {high}"


def _venue(venue: VenueState, names: dict[str, str]) -> Iterator[str]:
    name = names.get(venue.venue, venue.venue)
    frozen = "   FROZEN" if venue.frozen else ""
    if venue.readable:
        yield f"{name:<11}{venue.book.mid / _WAD:>14,.2f}   cap {venue.config.cap / _WAD:.0%} of NAV   {venue.venue}{frozen}"
    else:
        yield f"{name}: cannot be read: {error_words(venue.failure)}{frozen}"
    terms = venue.config
    for unit in venue.units:
        health = "no debt" if unit.health == _NO_DEBT else f"{unit.health / _WAD:.3f}"
        yield (
            f"  unit {unit.unit}: health {health}   minimum {terms.min_health / _WAD:.2f}, target {terms.target_health / _WAD:.2f}"
        )
