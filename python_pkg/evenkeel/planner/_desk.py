"""A snapshot as the planner sees it: decoded once, with the lookups that planning needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from evenkeel.bindings import LendingVenue
from evenkeel.bindings.types import Instruction, Kind
from evenkeel.instruments import Book, book_from_state
from evenkeel.market import Market, market_from_state
from evenkeel.planner._owed import Owed, owed
from evenkeel.planner.errors import PlannerError
from evenkeel.risk import BookGreeks, greeks

if TYPE_CHECKING:
    from web3 import Web3

    from evenkeel.bindings import Call
    from evenkeel.bindings.types import VaultState, VenueState
    from evenkeel.chain.snapshot import Snapshot
    from evenkeel.strategy import Mandate

WAD: Final = 10**18

_QUEUE_CUSHION: Final = 1.001
"""What is owed grows with prices and interest until it is paid; the last cents shall not be left in the line."""

OFFLINE: Final = cast("Web3", None)
"""Bindings made with this encode and decode, which needs no connection, and can do nothing else."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The vault's state, book and market beside the mandate.

    `nav` is the low NAV, `spendable` what idle may be used for, `owed` what the redeem queue waits for.
    """

    state: VaultState
    mandate: Mandate
    book: Book
    market: Market
    greeks: BookGreeks
    nav: float
    idle: float
    owed: Owed

    @classmethod
    def of(cls, snapshot: Snapshot, mandate: Mandate) -> Desk:
        """Decode `snapshot`. `MarketError` where a price that the book needs is not known."""
        state = snapshot.state
        book, market = book_from_state(state), market_from_state(state)
        return cls(
            state=state,
            mandate=mandate,
            book=book,
            market=market,
            greeks=greeks(book, market),
            nav=state.valuation.low / WAD,
            idle=state.idle / 10**state.asset_decimals,
            owed=owed(state),
        )

    @classmethod
    def blind(cls, snapshot: Snapshot, mandate: Mandate) -> Desk:
        """Return the desk of a vault that cannot be priced: no book, margins only, which are the venues' own."""
        state = snapshot.state
        idle = state.idle / 10**state.asset_decimals
        market, book = market_from_state(state), Book((), idle)
        nav = state.valuation.low / WAD
        return cls(state, mandate, book, market, greeks(book, market), nav, idle, owed(state))

    @property
    def reserve(self) -> float:
        """Idle cash that is kept, asset units: what the redeem queue is owed at most, and the mandate's share of the rest."""
        return self.reserve_for_queue + self.mandate.idle_reserve * max(self.nav - self.owed.low, 0.0)

    @property
    def reserve_for_queue(self) -> float:
        """Idle cash that is kept for the redeem queue, asset units."""
        return self.owed.high * _QUEUE_CUSHION

    @property
    def spendable(self) -> float:
        """Idle cash above the reserve."""
        return max(0.0, self.idle - self.reserve)

    def token(self, symbol: str) -> str:
        """Return the address of an underlying given by symbol; `PlannerError` where the vault has none."""
        for underlying in self.state.underlyings:
            if underlying.symbol == symbol:
                return underlying.token
        known = ", ".join(u.symbol for u in self.state.underlyings) or "none"
        raise PlannerError(f"underlyings: the vault has no limits for {symbol}; it knows {known}")

    def name(self, address: str) -> str:
        """Return the mandate's name of a venue, or its address where the mandate leaves it out."""
        return self.mandate.name_of(address) or address

    def venues(self, kind: Kind) -> list[VenueState]:
        """Return the venues of `kind` that the mandate has and that can be read and traded on, in the vault's order."""
        return [
            v
            for v in self.state.venues
            if v.kind == kind and v.readable and not v.frozen and self.mandate.name_of(v.venue) is not None
        ]

    def headroom(self, venue: VenueState) -> float:
        """Return how much more the venue may be worth under its cap, asset units."""
        cap = self.mandate.cap_of(self.name(venue.venue)) * self.nav
        return cap - venue.book.mid / WAD

    def gas_usd(self, units: int) -> float:
        """Return what `units` of gas cost at the block's base fee, asset units; 0 where the native token is not priced."""
        native = next((u for u in self.state.underlyings if u.symbol == self.mandate.native_underlying), None)
        price = self.market.spots.get(native.token, 0.0) if native else 0.0
        return units * self.state.base_fee / WAD * price

    def units(self, amount: float) -> int:
        """Return an asset amount in its own decimals, rounded down."""
        return int(amount * 10**self.state.asset_decimals)


def instruction(call: Call[Any]) -> Instruction:
    """Return a typed call as one instruction of a rebalance."""
    return Instruction(call.to, call.data)


def draw(desk: Desk, needed: float, used: float = 0.0) -> tuple[Instruction, ...] | None:
    """Return the withdrawals that make `needed` spendable beyond `used`; none where idle is enough, None where nothing is."""
    short = needed + used - desk.spendable
    if short <= 0.0:
        return ()
    found, left = withdrawals_of(desk, short)
    return found if left <= 1e-6 else None


def withdrawals_of(desk: Desk, short: float) -> tuple[tuple[Instruction, ...], float]:
    """Return the withdrawals from lending that bring `short` asset units or as much as there is, and what is left of it."""
    found, left = lent(desk, short)
    instructions = []
    for venue, amount in found:
        most = desk.units(withdrawable(desk, venue))
        call = LendingVenue(venue.venue, OFFLINE).withdraw(
            desk.state.asset, min(desk.units(amount) + 1, most), desk.state.vault
        )
        instructions.append(instruction(call))
    return tuple(instructions), left


def lent(desk: Desk, short: float) -> tuple[list[tuple[VenueState, float]], float]:
    """Return what each lending venue can give of `short` asset units, and what is left of it.

    A lending venue with debt keeps its target health.
    """
    found: list[tuple[VenueState, float]] = []
    for venue in desk.venues(Kind.LENDING):
        amount = min(short, withdrawable(desk, venue))
        if amount * 10**desk.state.asset_decimals < 1.0:
            continue
        found.append((venue, amount))
        short -= amount
        if short <= 1e-6:
            break
    return found, short


def withdrawable(desk: Desk, venue: VenueState) -> float:
    """Return how much of the asset can leave a lending venue now with its target health kept, asset units."""
    for account in venue.lending:
        if account.token != desk.state.asset:
            continue
        most = min(account.supplied, account.available) / WAD
        target = desk.mandate.venue(desk.name(venue.venue)).target_health
        debt = sum(u.margin.maintenance for u in venue.units) / WAD
        if debt > 0.0:
            threshold = account.liquidation_threshold / WAD
            free = sum(u.margin.equity for u in venue.units) / WAD - target * debt
            most = min(most, free / threshold) if threshold > 0.0 else 0.0
        # One unit of the last place is left to the protocol's own rounding.
        return max(0.0, most - 10.0**-desk.state.asset_decimals)
    return 0.0
