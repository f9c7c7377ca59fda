"""From the lens's integers to a book of floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenkeel.instruments._book import Book
from evenkeel.instruments._instruments import YEAR, EuropeanOption, Loan, Perp, Spot
from evenkeel.instruments._position import Position
from evenkeel.pricing import black76

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.bindings.types import OptionPosition, VaultState, VenueState

_WAD = 10**18
# Whole tokens below which a difference is the rounding of a float.
_DUST = 1e-9


def to_float(amount: int, decimals: int = 18) -> float:
    """Return a fixed-point integer as float64, rounded once."""
    return float(amount / 10**decimals)


def name_of(protocol: bytes) -> str:
    """Return a venue's protocol name from its zero-padded ASCII bytes32."""
    return protocol.rstrip(b"\0").decode("ascii", "replace")


def book_from_state(state: VaultState) -> Book:
    """Decode a vault's state into a book whose value at the state's own market is the state's mid NAV.

    What a venue's mid holds beyond its listed positions (margin, the cost of perpetuals, funding owed) becomes a `Spot` position in
    the asset. Quantities of tokens follow the exposures that the venue itself reports, and so does an option that has expired and
    waits for its settlement: it is a quantity of its underlying until its price is fixed, and cash from then on. Unreadable
    venues are listed in `Book.unread`.
    """
    mids = {u.token: u.mid / _WAD for u in state.underlyings if u.priced}
    mids |= {p.underlying: p.mid / _WAD for p in state.valuation.prices}
    mids[state.asset] = 1.0
    positions: list[Position] = []
    unread: list[str] = []
    for venue in state.venues:
        if not venue.readable:
            unread.append(venue.venue)
            continue
        positions.extend(_positions(venue, state, mids))
    return Book(tuple(positions), to_float(state.idle, state.asset_decimals), tuple(unread))


def _positions(venue: VenueState, state: VaultState, mids: dict[str, float]) -> list[Position]:
    alive = [option for option in venue.options if option.expiry > state.timestamp]
    found = [*_perps(venue), *_options(alive, venue), *_collateral(venue), *_loans(venue)]
    held: dict[str, float] = {}
    for exposure in venue.book.exposures:
        if exposure.expiry == 0:
            held[exposure.underlying] = held.get(exposure.underlying, 0.0) + exposure.greeks.delta / _WAD
    worth = 0.0
    for position in found:
        if isinstance(position.instrument, EuropeanOption):
            continue
        token = position.instrument.underlying
        held[token] = held.get(token, 0.0) - position.quantity
        worth += position.quantity * mids.get(token, np.nan)
    for token, quantity in held.items():
        if token != state.asset and abs(quantity) > _DUST:
            found.append(Position(Spot(token), quantity, venue.venue))
            worth += quantity * mids.get(token, np.nan)
    for option in alive:
        years = (option.expiry - state.timestamp) / YEAR
        spot = mids.get(option.underlying, np.nan)
        priced = black76(spot, option.strike / _WAD, years, option.vol / _WAD, option.is_call)
        worth += option.size / _WAD * float(priced.price)
    found.append(Position(Spot(state.asset), venue.book.mid / _WAD - worth, venue.venue))
    return found


def _perps(venue: VenueState) -> list[Position]:
    return [
        Position(Perp(p.underlying, p.market), p.size / _WAD, venue.venue) for p in venue.perps if p.size != 0
    ]


def _options(options: Sequence[OptionPosition], venue: VenueState) -> list[Position]:
    return [
        Position(
            EuropeanOption(o.underlying, o.expiry, o.strike / _WAD, o.is_call),
            o.size / _WAD,
            venue.venue,
            o.position_id,
        )
        for o in options
    ]


def _collateral(venue: VenueState) -> list[Position]:
    quote = Spot(venue.option_terms.quote)
    return [
        Position(quote, o.collateral / _WAD, venue.venue, o.position_id)
        for o in venue.options
        if o.collateral
    ]


def _loans(venue: VenueState) -> list[Position]:
    amounts = [(a.token, q) for a in venue.lending for q in (a.supplied / _WAD, -a.borrowed / _WAD) if q]
    return [Position(Loan(token), quantity, venue.venue) for token, quantity in amounts]
