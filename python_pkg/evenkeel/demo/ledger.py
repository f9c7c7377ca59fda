"""From mined transactions to what they traded: the fills and transfers that an attribution needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evenkeel.bindings import decode_logs
from evenkeel.bindings.events import Freed, Ordered, Posted, Supplied, Swapped, Traded, Transfer, Withdrawn
from evenkeel.bindings.types import Kind
from evenkeel.instruments import EuropeanOption, Perp, Spot
from evenkeel.risk import Fill
from evenkeel.risk import Transfer as Move

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from evenkeel.bindings.types import Listing, OptionPosition, VaultState, VenueState

_WAD = 10**18


def executed(
    before: VaultState, after: VaultState, logs: Iterable[Mapping[str, Any]]
) -> tuple[list[Fill], list[Move]]:
    """Return what was traded and what was moved between two states by the transactions that left `logs`.

    Amounts are whole tokens and asset units. What an option venue drew for collateral beyond the collateral that arrived, at
    our price of its margin token, is a cost of conversion and part of its transfer.
    """
    events = [event for event in decode_logs(logs) if event.log is not None]
    venues = {venue.venue: venue for venue in after.venues}
    fills: list[Fill] = []
    moves: list[Move] = []
    for event in events:
        venue = venues.get(event.log.address) if event.log else None
        if venue is None:
            continue
        match event:
            case Swapped():
                fills.append(_swap(venue, event))
            case Ordered():
                fills.append(_order(venue, event))
            case Traded():
                fills.append(_trade(venue, event, before))
            case Posted() | Supplied() | Freed() | Withdrawn() if venue.kind != Kind.OPTION:
                moves.append(_move(venue, event, after))
            case _:
                pass
    for venue in venues.values():
        if venue.kind == Kind.OPTION:
            moves.extend(_conversion(venue, before, after, events, fills))
    return fills, moves


def traded_usd(logs: Iterable[Mapping[str, Any]]) -> float:
    """Return the value traded by one transaction in asset units: the absolute cash of every fill."""
    return sum(
        abs(event.cash) / _WAD for event in decode_logs(logs) if isinstance(event, Swapped | Ordered | Traded)
    )


def _swap(venue: VenueState, event: Swapped) -> Fill:
    rate = next((h.fee for h in venue.spot if h.token == event.token), 0) / _WAD
    cash = event.cash / _WAD
    return Fill(venue.venue, Spot(event.token), event.size / _WAD, cash, fee=abs(cash) * rate)


def _order(venue: VenueState, event: Ordered) -> Fill:
    market = next(p for p in venue.perps if p.market == event.market)
    size, cash = event.size_delta / _WAD, event.cash / _WAD
    fee = _taker_fee(size, cash, market.fee / _WAD)
    return Fill(venue.venue, Perp(market.underlying, market.market), size, cash, fee=fee)


def _taker_fee(size: float, cash: float, rate: float) -> float:
    # Cash is after the fee, which is charged on the notional before it.
    notional = abs(cash) / (1 + rate if size > 0 else 1 - rate)
    return notional * rate


def _trade(venue: VenueState, event: Traded, before: VaultState) -> Fill:
    known = next(v for v in before.venues if v.venue == venue.venue)
    listings: tuple[Listing | OptionPosition, ...] = (*venue.listings, *known.listings, *known.options)
    listing = next(entry for entry in listings if entry.listing == event.listing)
    option = EuropeanOption(listing.underlying, listing.expiry, listing.strike / _WAD, event.is_call)
    return Fill(venue.venue, option, event.size / _WAD, event.cash / _WAD, fee=event.fee / _WAD)


def _move(venue: VenueState, event: Posted | Supplied | Freed | Withdrawn, state: VaultState) -> Move:
    unit = 10**state.asset_decimals
    match event:
        case Posted():
            return Move(venue.venue, event.assets / unit, event.posted / unit)
        case Freed():
            return Move(venue.venue, -event.freed / unit, -event.assets / unit)
        case Supplied():
            return Move(venue.venue, event.amount / unit, event.amount / unit)
        case Withdrawn():
            return Move(venue.venue, -event.amount / unit, -event.amount / unit)


def _conversion(
    venue: VenueState, before: VaultState, after: VaultState, events: Iterable[object], fills: Iterable[Fill]
) -> list[Move]:
    drawn = 0
    for event in events:
        if isinstance(event, Transfer) and event.log and event.log.address == after.asset:
            if (event.from_, event.to) == (after.vault, venue.venue):
                drawn += event.value
            elif (event.from_, event.to) == (venue.venue, after.vault):
                drawn -= event.value
    cash = sum(fill.cash for fill in fills if fill.venue == venue.venue)
    price = (
        next((u.mid for u in after.underlyings if u.token == venue.option_terms.quote and u.priced), _WAD)
        / _WAD
    )
    arrived = (
        _collateral(venue) - _collateral(next(v for v in before.venues if v.venue == venue.venue))
    ) * price
    amount = drawn / 10**after.asset_decimals + cash
    return [Move(venue.venue, amount, arrived)] if amount or arrived else []


def _collateral(venue: VenueState) -> float:
    return sum(option.collateral for option in venue.options) / _WAD
