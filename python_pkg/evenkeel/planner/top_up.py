"""Margin units under their target health, topped up before anything can liquidate them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenkeel.bindings import Venue
from evenkeel.bindings.types import Kind
from evenkeel.planner._actions import Action, CriticalTopUp, Free, TopUp
from evenkeel.planner._desk import OFFLINE, WAD, Desk, draw, instruction, lent

if TYPE_CHECKING:
    from evenkeel.bindings.types import Instruction, UnitState, VenueState

_CUSHION: Final = 1.02


def top_ups(desk: Desk) -> list[Action]:
    """Return the top-ups that are due, worst first, and alerts where cash is short.

    A top-up ends `top_up_cushion` under the target, never past it. Below the mandate's smallest trade it waits, unless the
    unit is under its minimum health. It comes from idle above the reserve, else from lending in one batch (or, should the
    vault refuse that, the withdrawal first), and for a unit under its minimum from the reserve too. Works without prices and where
    a venue cannot be valued: margins are the venues' own. A frozen venue takes none. Where the vault refuses the keeper a unit that is
    critical, the keeper does what anyone may.
    """
    due: list[tuple[float, VenueState, UnitState]] = []
    for venue in desk.state.venues:
        name = desk.mandate.name_of(venue.venue)
        if name is None:
            continue
        target = min(desk.mandate.venue(name).target_health, _config_target(venue))
        due += [
            (u.health / WAD / target, venue, u) for u in venue.units if target and u.health / WAD < target
        ]
    actions: list[Action] = []
    used = 0.0
    for _, venue, unit in sorted(due, key=lambda entry: entry[0]):
        if venue.frozen:
            where = f"{desk.name(venue.venue)} unit {unit.unit}"
            text = f"{where} health {unit.health / WAD:.3f} under target, but the guardian froze the venue"
            actions.append(Action("alert", venue.venue, text))
            continue
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
    least = desk.units(needed / price * (1.0 - 2 * desk.mandate.slippage_tolerance))
    top_up = TopUp(venue.venue, unit.unit, desk.units(needed), least)
    ends = f"posts {needed:,.2f} USD for a health of {(equity + needed * counted / price) / owed:.3f}"
    if withdrawals:
        return _from_lending(desk, top_up, f"{state}; idle is short, so it", ends, withdrawals, used), needed
    critical = unit.health < venue.config.critical_health
    return _from_idle(top_up, state, ends.replace(" for", " from idle for"), critical), needed


def _from_idle(top_up: TopUp, state: str, ends: str, critical: bool) -> list[Action]:
    """Return the top-up, and for a critical unit what anyone may do where the vault refuses the keeper."""
    found = [Action("top_up", top_up.venue, f"{state}; {ends}", top_up=top_up)]
    if critical:
        text = f"{state}; {ends}, as anyone may where it is critical, or has it noted first"
        anyone = CriticalTopUp(top_up.venue, top_up.unit, top_up.assets)
        found.append(Action("top_up", top_up.venue, text, top_up=anyone, instead=True))
    return found


def _from_lending(
    desk: Desk, top_up: TopUp, state: str, ends: str, withdrawals: tuple[Instruction, ...], used: float
) -> list[Action]:
    """Return the withdrawal and the top-up in one batch, and the withdrawal alone where the vault refuses that.

    A batch is judged as a trade, which the vault may refuse while a limit is broken, a top-up of its own hardly ever. Without
    prices there are no trades: margin is then freed at the lending venue, which that venue alone decides.
    """
    # A little more for the top-up at the next head, so that it is not a few cents short.
    needed = top_up.assets / 10**desk.state.asset_decimals * _CUSHION
    alone = f"{state} takes from lending first what is then posted: {ends}"
    if not desk.state.valuation.priced:
        return [
            Action("free", v.venue, alone, free=Free(v.venue, v.units[0].unit, desk.units(amount), 0))
            for v, amount in lent(desk, needed + used - desk.spendable)[0]
            if v.units
        ]
    post = Venue(top_up.venue, OFFLINE).post(top_up.unit, top_up.assets, top_up.min_posted)
    first = draw(desk, needed, used) or withdrawals
    return [
        Action(
            "top_up",
            top_up.venue,
            f"{state} withdraws from lending and {ends}",
            instructions=(*withdrawals, instruction(post)),
        ),
        Action("withdraw", first[0].venue, alone, instructions=first, instead=True),
    ]


def _margin_token(desk: Desk, venue: VenueState) -> tuple[float, float]:
    """Return the price of one unit of margin in asset units, and how much of it counts as equity."""
    if venue.kind == Kind.OPTION:
        return desk.market.spots.get(venue.option_terms.quote, 1.0), 1.0
    if venue.kind == Kind.LENDING:
        asset = next((a for a in venue.lending if a.token == desk.state.asset), None)
        threshold = asset.liquidation_threshold / WAD if asset else 0.0
        return 1.0, threshold or 1.0
    return 1.0, 1.0
