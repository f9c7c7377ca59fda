"""What the redeem queue is owed, when it can be paid, and how cash is raised for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenkeel.bindings.types import Kind
from evenkeel.planner._actions import Action, Free
from evenkeel.planner._desk import WAD, Desk, withdrawals_of
from evenkeel.planner.costs import PROCESS_GAS

if TYPE_CHECKING:
    from evenkeel.bindings.types import VenueState

_MOST: Final = 40
"""Requests that one `process` looks at, which keeps it well inside the gas of a transaction."""
_WORTH: Final = 10.0
"""A payment under the smallest trade must be worth this many times its gas, so that requests for dust do not cost the vault's keeper."""
_FREE_CUSHION: Final = 1.02
"""Margin is freed down to this many times the target health: prices move until it is mined."""
_FREE_LEAST: Final = 0.99
"""Least share of the margin asked for that must arrive."""


def process(desk: Desk) -> Action | None:
    """Return the payment of the line from its head, None while it would be refused or pays too little.

    The queue pays at the low NAV, from idle less what critical units lack, while every venue is priced and the interval is no
    wider than it allows.
    """
    state, value = desk.state, desk.state.valuation
    if not state.queue.waiting or not value.priced or value.mid <= 0:
        return None
    if (value.high - value.low) * WAD > value.mid * state.queue.max_width:
        return None
    due = desk.owed.low
    paid = min(due, desk.idle - _critical_need(desk))
    # The whole line may be small; a part of it waits until it is worth a transaction.
    least = min(desk.mandate.min_trade_usd, _WORTH * desk.gas_usd(PROCESS_GAS))
    if paid < (least if paid >= due else max(1.0, desk.mandate.min_trade_usd)):
        return None
    requests = min(state.queue.requests, _MOST)
    reason = (
        f"{state.queue.waiting / 10**state.share_decimals:,.2f} shares wait in {state.queue.requests} requests, owed {due:,.2f} USD; "
        f"idle reaches {paid:,.2f}; pays up to {requests} requests"
    )
    return Action("redeem", "", reason, process=requests)


def raise_idle(desk: Desk) -> list[Action]:
    """Return what brings idle to its reserve, which counts what the queue is owed at the high NAV.

    From lending first, and where that is short and the queue waits, from margin above target health. It is an alert where
    all of that leaves the queue unpaid.
    """
    short = desk.reserve - desk.idle
    if short < max(desk.mandate.min_trade_usd, 1.0):
        return []
    found: list[Action] = []
    waits = f", {desk.owed.high:,.0f} of it owed to the redeem queue" if desk.owed.high else ""
    withdrawals, left = withdrawals_of(desk, short)
    words = f"idle {desk.idle:,.0f} USD under the reserve of {desk.reserve:,.0f}{waits}"
    # What lending earns from block to block is not worth a transaction.
    if short - left >= max(desk.mandate.min_trade_usd, 1.0):
        reason = f"{words}; withdraws {short - left:,.0f} from lending"
        found.append(Action("withdraw", withdrawals[0].venue, reason, withdrawals))
    lacking = min(left, desk.reserve_for_queue - desk.idle - (short - left))
    if lacking < max(desk.mandate.min_trade_usd, 1.0):
        return found
    for venue in desk.venues(Kind.PERP):
        amount = min(lacking, _excess(desk, venue))
        if amount < max(desk.mandate.min_trade_usd, 1.0):
            continue
        assets = desk.units(amount)
        reason = f"{words}; frees {amount:,.0f} of margin above target health at {desk.name(venue.venue)}"
        free = Free(venue.venue, venue.units[0].unit, assets, int(assets * _FREE_LEAST))
        found.append(Action("free", venue.venue, reason, free=free))
        lacking -= amount
    if lacking >= max(desk.mandate.min_trade_usd, 1.0):
        text = f"{words}; {lacking:,.0f} of that can neither be withdrawn nor freed"
        found.append(Action("alert", "", text))
    return found


def _excess(desk: Desk, venue: VenueState) -> float:
    """Return the margin of a perp venue above its target health and above what its positions need, asset units."""
    if not venue.units:
        return 0.0
    margin = venue.units[0].margin
    target = max(desk.mandate.venue(desk.name(venue.venue)).target_health, venue.config.target_health / WAD)
    needed = max(_FREE_CUSHION * target * margin.maintenance, margin.initial) / WAD
    # A perp venue pays out no profit that is not realised.
    profit = sum(max(0.0, p.size / WAD * p.mark / WAD + p.cash / WAD) for p in venue.perps)
    return margin.equity / WAD - profit - needed


def _critical_need(desk: Desk) -> float:
    """Return what units under critical health lack to it, which goes before the queue (`CriticalNeed`), asset units."""
    total = 0.0
    for venue in desk.state.venues:
        critical = venue.config.critical_health / WAD
        lack = sum(
            max(0.0, critical * u.margin.maintenance - u.margin.equity) / WAD
            for u in venue.units
            if u.health / WAD < critical
        )
        total += min(lack, venue.config.cap / WAD * desk.nav)
    return total
