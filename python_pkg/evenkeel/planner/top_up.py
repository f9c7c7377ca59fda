"""Margin units under their target health, topped up before anything can liquidate them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenkeel.bindings import Venue
from evenkeel.bindings.types import Kind
from evenkeel.planner._actions import Action, TopUp
from evenkeel.planner._desk import OFFLINE, WAD, Desk, draw, instruction

if TYPE_CHECKING:
    from evenkeel.bindings.types import UnitState, VenueState

_CUSHION: Final = 1.02


def top_ups(desk: Desk) -> list[Action]:
    """Return the top-ups that are due, worst first, and alerts where cash is short.

    A top-up ends `top_up_cushion` under the target, never past it. Below the mandate's smallest trade it waits, unless the
    unit is under its minimum health. It comes from idle above the reserve, else from lending in one batch (or, should the
    vault refuse that, the withdrawal first), and for a unit under its minimum from the reserve too. Works without prices:
    margins are the venues' own.
    """
    due: list[tuple[float, VenueState, UnitState]] = []
    for venue in desk.state.venues:
        name = desk.mandate.name_of(venue.venue)
        if name is None or not venue.readable:
            continue
        target = min(desk.mandate.venue(name).target_health, _config_target(venue))
        due += [
            (u.health / WAD / target, venue, u) for u in venue.units if target and u.health / WAD < target
        ]
    actions: list[Action] = []
    used = 0.0
    for _, venue, unit in sorted(due, key=lambda entry: entry[0]):
        found, spent = _top_up(desk, venue, unit, used)
        actions += found
        used += spent
    return actions


def _config_target(venue: VenueState) -> float:
    # The vault refuses to pass its own target, which a curator may have set lower than the mandate's.
    return venue.config.target_health / WAD if venue.config.target_health else float("inf")


def _top_up(desk: Desk, venue: VenueState, unit: UnitState, used: float) -> tuple[list[Action], float]:
    rule = desk.mandate.venue(desk.name(venue.venue))
    target = min(rule.target_health, _config_target(venue)) * (1.0 - desk.mandate.top_up_cushion)
    health, equity, owed = unit.health / WAD, unit.margin.equity / WAD, unit.margin.maintenance / WAD
    price, counted = _margin_token(desk, venue)
    needed = max(0.0, target * owed - equity) / counted * price
    urgent = health < rule.minimum_health
    if needed < desk.mandate.min_trade_usd and not urgent:
        return [], 0.0
    if needed <= 0.0:
        return [], 0.0
    where = f"{desk.name(venue.venue)} unit {unit.unit}"
    state = f"{where} health {health:.3f} under target {rule.target_health:.2f}"
    if urgent:
        state += f" and minimum {rule.minimum_health:.2f}"
    withdrawals = draw(desk, needed, used)
    if withdrawals is None and urgent:
        withdrawals, reserve = (), max(0.0, desk.idle - used)
        state += f"; uses the reserve, {reserve:,.0f} USD idle"
        needed = min(needed, reserve)
    if withdrawals is None:
        available = max(0.0, desk.spendable - used)
        if available < max(desk.mandate.min_trade_usd, 1.0):
            text = f"{state}: needs {needed:,.0f} USD, {available:,.0f} USD above the reserve and none to withdraw"
            return [Action("alert", venue.venue, text)], 0.0
        state += f"; wants {needed:,.0f} USD, of which idle has {available:,.0f}"
        withdrawals, needed = (), available
    if needed < 1.0:
        return [Action("alert", venue.venue, f"{state}: there is no cash to post")], 0.0
    assets = desk.units(needed)
    least = desk.units(needed / price * (1.0 - 2 * desk.mandate.slippage_tolerance))
    after = (equity + needed * counted / price) / owed
    if not withdrawals:
        reason = f"{state}; posts {needed:,.2f} USD from idle for a health of {after:.3f}"
        top_up = TopUp(venue.venue, unit.unit, assets, least)
        return [Action("top_up", venue.venue, reason, top_up=top_up)], needed
    post = Venue(venue.venue, OFFLINE).post(unit.unit, assets, least)
    both = f"{state}; idle is short, so it withdraws from lending and posts {needed:,.2f} USD for a health of {after:.3f}"
    # A batch is judged as a trade, which the vault may refuse while a limit is broken, a top-up of its own hardly ever.
    # A little more then, so that the top-up at the next head is not a few cents short.
    first = draw(desk, needed * _CUSHION, used) or withdrawals
    alone = f"{state}; idle is short, so it withdraws from lending what a top-up of {needed:,.2f} USD needs"
    return [
        Action("top_up", venue.venue, both, instructions=(*withdrawals, instruction(post))),
        Action("withdraw", first[0].venue, alone, instructions=first),
    ], needed


def _margin_token(desk: Desk, venue: VenueState) -> tuple[float, float]:
    """Return the price of one unit of margin in asset units, and how much of it counts as equity."""
    if venue.kind == Kind.OPTION:
        return desk.market.spots.get(venue.option_terms.quote, 1.0), 1.0
    if venue.kind == Kind.LENDING:
        asset = next((a for a in venue.lending if a.token == desk.state.asset), None)
        threshold = asset.liquidation_threshold / WAD if asset else 0.0
        return 1.0, threshold or 1.0
    return 1.0, 1.0
