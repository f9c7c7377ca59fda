"""What somebody must bring up to date, the oracle's breakers and a venue's stored vols, and the keeper does where it serves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from evenkeel.bindings import BindingError, decode_error
from evenkeel.bindings.errors import BreakerTripped
from evenkeel.planner._actions import Action, Sync
from evenkeel.planner._desk import WAD

if TYPE_CHECKING:
    from evenkeel.bindings.types import UnderlyingState, VaultState
    from evenkeel.strategy import Mandate

_SPACING: Final = 300
"""Seconds between two rounds that count (`OracleAdapter.ROUND_SPACING`)."""


def tripped(underlying: UnderlyingState) -> bool:
    """Whether the breaker of `underlying` itself refuses its price."""
    if not underlying.failure:
        return False
    try:
        error = decode_error(underlying.failure)
    except BindingError:
        return False
    return isinstance(error, BreakerTripped) and error.token == underlying.token


def rearming(state: VaultState) -> list[Action]:
    """Return a poke for each token whose breaker is tripped and whose next round would count.

    A first round counts at once. A later one counts when it was read `_SPACING` after the last, so nothing is sent before.
    """
    return [
        Action("poke", "", f"{u.symbol}: {decode_error(u.failure)}; has {_round(u)}", poke=u.token)
        for u in state.underlyings
        if tripped(u) and (not u.breaker.rounds or u.read_at >= u.breaker.round_at + _SPACING)
    ]


def renewals(state: VaultState, mandate: Mandate) -> list[Action]:
    """Return a poke for each token with a price whose accepted level is older than the mandate allows."""
    found: list[Action] = []
    for u in state.underlyings:
        age = state.timestamp - u.breaker.level_at
        # An asset has its price without the oracle; what a breaker guards is its dollar price, which is missing where there is a reason.
        if not u.breaker.jump or not u.priced or u.failure or age < mandate.poke_seconds:
            continue
        since = f"is {age / 3600:,.1f} h old" if u.breaker.level else "has no level yet"
        reason = f"{u.symbol}: the breaker's level of {u.breaker.level / WAD:,.4f} {since}; has it renewed"
        found.append(Action("poke", "", reason, poke=u.token))
    return found


def syncs(state: VaultState, mandate: Mandate) -> list[Action]:
    """Return a sync for each venue's vol that widens what the book is valued at and is older than the mandate allows, the oldest first."""
    symbols = {u.token: u.symbol for u in state.underlyings}
    found: list[Action] = []
    for stored in sorted(state.venue_vols, key=lambda vol: (vol.synced_at, vol.expiry)):
        age = state.timestamp - stored.synced_at
        if age < mandate.sync_seconds:
            continue
        since = f"was stored {age / 3600:,.1f} h ago" if stored.synced_at else "was never stored"
        day = datetime.fromtimestamp(stored.expiry, UTC).date()
        what = f"{symbols.get(stored.underlying, stored.underlying)} {day}: the venue's own vol"
        sync = Sync(stored.venue, stored.underlying, stored.expiry)
        found.append(Action("sync", "", f"{what} {since}; has it stored anew", sync=sync))
    return found


def _round(underlying: UnderlyingState) -> str:
    return f"round {underlying.breaker.rounds + 1} counted"
