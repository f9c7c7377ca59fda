"""A buy-back as instructions: limits, what its quotes say, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenkeel.bindings import OptionVenue
from evenkeel.bindings.types import Instruction, Trade
from evenkeel.planner._desk import OFFLINE, WAD, Desk, instruction
from evenkeel.pricing import black76

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.planner.buy_back import BuyBack, Leg

_LOOSE: Final = 1.5
"""A quote may cost this many times the price at the venue's own vol; the trade itself is limited by the quote."""
_LOOSE_SPOT: Final = 0.02


def loose(desk: Desk, back: BuyBack) -> tuple[Instruction, ...]:
    """Return the purchases at hardly any limit."""
    return tuple(_purchase(desk, leg, _loose_limit(desk, leg)) for leg in back.legs)


def tight(desk: Desk, back: BuyBack, results: Sequence[bytes]) -> tuple[Instruction, ...]:
    """Return the purchases limited by what they were quoted at and the tolerance on their spot value."""
    found = []
    for leg, data in zip(back.legs, results, strict=False):
        room = leg.size / WAD * desk.market.spot(back.token) * desk.mandate.slippage_tolerance
        found.append(_purchase(desk, leg, int((_paid(leg, data) + room) * WAD)))
    return tuple(found)


def words(back: BuyBack, symbol: str, results: Sequence[bytes]) -> str:
    """Return the breaches, the purchases and what they cost."""
    paid = sum(_paid(leg, data) for leg, data in zip(back.legs, results, strict=False))
    contracts = sum(leg.size for leg in back.legs) / WAD
    return (
        f"{'; '.join(back.breaches)}; buys back {back.fraction:.2%} of {len(back.legs)} {symbol} shorts, "
        f"{contracts:,.4f} contracts for {paid:,.2f} USD"
    )


def _purchase(desk: Desk, leg: Leg, limit: int) -> Instruction:
    """Return one purchase; a unit under its target health keeps its collateral."""
    target = desk.mandate.venue(desk.name(leg.venue.venue)).target_health
    health = next((u.health / WAD for u in leg.venue.units if u.unit == leg.position.position_id), target)
    return instruction(leg.trade(limit, keep_collateral=health < target))


def _loose_limit(desk: Desk, leg: Leg) -> int:
    p = leg.position
    spot, years = desk.market.spot(p.underlying), desk.market.years(p.expiry)
    vol = max(p.vol, p.venue_vol) / WAD
    price = float(black76(spot, p.strike / WAD, years, vol, p.is_call).price)
    return int(leg.size / WAD * (_LOOSE * price + _LOOSE_SPOT * spot) * WAD)


def _paid(leg: Leg, data: bytes) -> float:
    """Return what a quoted purchase costs, asset units."""
    order = Trade(leg.position.position_id, leg.position.listing, leg.position.is_call, leg.size, 0, 0)
    return -OptionVenue(leg.venue.venue, OFFLINE).trade(order).decode(data).cash / WAD
