"""Delta: when it leaves its band, what would bring it back, and on which venue that is cheapest."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from evenkeel.bindings import PerpVenue, SpotVenue
from evenkeel.bindings.types import Instruction, Kind
from evenkeel.planner._actions import Action, ActionKind, QuoteRequest
from evenkeel.planner._desk import OFFLINE, WAD, Desk, draw, instruction
from evenkeel.planner.bands import BandWidths, delta_band
from evenkeel.planner.costs import GAS, Cost, expected_funding, idle_interest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.bindings.types import PerpPosition, SpotHolding, VenueState
    from evenkeel.chain.snapshot import Quote

_LOT: Final = 1e-6
_INITIAL: Final = 1.6
"""Initial over maintenance margin, where a venue has no position to read it from (Curie: 10% over 6.25%)."""
_COST_MARGIN: Final = 0.005
"""Posted beyond the margin for a trade's own cost, as a fraction of its size."""


@dataclass(frozen=True, slots=True)
class Need:
    """A trade of `size` units of `token` that brings delta back; `delta` and `target` in units, before it."""

    token: str
    symbol: str
    price: float
    delta: float
    target: float
    band: BandWidths
    size: float

    @property
    def words(self) -> str:
        """The breach in dollars."""
        around = f" around {self.target * self.price:,.0f}" if self.target else ""
        width = self.band.trigger * self.price
        return f"delta {self.delta * self.price:,.0f} USD outside +-{width:,.0f}{around}"


@dataclass(frozen=True, slots=True)
class Route:
    """One way to carry out a need. `prefix` are the instructions before the trade, `posted` margin among them in asset units."""

    venue: VenueState
    name: str
    market: str
    size: float
    price: float
    posted: float
    reduce_only: bool
    carry: float
    gas: float
    prefix: tuple[Instruction, ...]
    label: str

    @property
    def key(self) -> str:
        """The name of the route's quote."""
        return f"{self.label}:{self.market}:{self.venue.venue}"

    def trade(self, limit: float) -> Instruction:
        """Return the trade at no worse than `limit` asset units a token, fee included."""
        size, worst = round(self.size * WAD), round(limit * WAD)
        if self.venue.kind == Kind.SPOT:
            return instruction(SpotVenue(self.venue.venue, OFFLINE).swap(self.market, size, worst))
        venue = PerpVenue(self.venue.venue, OFFLINE)
        return instruction(venue.order(self.market, size, worst, self.reduce_only))

    def request(self) -> QuoteRequest:
        """Return the batch that tries this route at hardly any limit and reads what it leaves."""
        loose = self.price * (1.1 if self.size > 0 else 0.9)
        batch = [*self.prefix, self.trade(loose)]
        if self.venue.kind == Kind.PERP:
            batch.append(instruction(PerpVenue(self.venue.venue, OFFLINE).book()))
        return QuoteRequest(self.key, tuple(batch))

    def cost(self, quote: Quote) -> Cost:
        """Return the all-in cost by the answer to `request`, which must not have failed."""
        results = quote.results or ()
        at = len(self.prefix)
        if self.venue.kind == Kind.SPOT:
            swap = SpotVenue(self.venue.venue, OFFLINE).swap(self.market, 1, 0)
            execution = -swap.decode(results[at]) / WAD - self.size * self.price
        else:
            # An order returns no cash: what it cost is what the venue's own value fell short by.
            after = PerpVenue(self.venue.venue, OFFLINE).book().decode(results[at + 1])
            execution = (self.venue.book.mid - after.mid) / WAD + self.posted
        return Cost(execution, self.carry, self.gas)


def need(desk: Desk, token: str, symbol: str, shift: float = 0.0, gamma: float = 0.0) -> Need | None:
    """Return the trade that delta needs once `shift` units and `gamma` have been added, None inside the band.

    Trades to the band's inner edge, further where the guard's own delta would stay outside its limit, and never below the
    mandate's smallest trade.
    """
    price = desk.market.spot(token)
    band = delta_band(desk.mandate, price, desk.greeks.of("gamma", token) + gamma, desk.nav)
    delta = desk.greeks.of("delta", token) + shift
    target = desk.mandate.delta_usd.target * desk.nav / price
    away = delta - target
    size = math.copysign(band.inner, away) - away if abs(away) > band.trigger else 0.0
    chain = sum(e.greeks.delta for e in desk.state.valuation.exposures if e.underlying == token) / WAD + shift
    # A little inside, for the move until the transaction is mined.
    bound = 0.98 * desk.mandate.delta_usd.limit * desk.nav / price
    size += min(0.0, bound - (chain + size)) + max(0.0, -bound - (chain + size))
    return sized(desk, Need(token, symbol, price, delta, target, band, size))


def sized(desk: Desk, wanted: Need, parts: int = 1) -> Need | None:
    """Return one of `parts` equal parts of `wanted` in whole lots, None where that is under the mandate's smallest trade."""
    size = math.trunc(wanted.size / parts / _LOT) * _LOT
    if abs(size) * wanted.price < max(desk.mandate.min_trade_usd, _LOT):
        return None
    return replace(wanted, size=size)


@dataclass(frozen=True, slots=True)
class Pending:
    """What orders under way may still add to a token's delta, units: `down` <= 0 if all that lower it fill, `up` >= 0 the rest."""

    down: float
    up: float

    @classmethod
    def of(cls, desk: Desk, token: str) -> Pending:
        """Sum the pending orders of `token`."""
        deltas = [e.greeks.delta / WAD for e in desk.state.valuation.pending if e.underlying == token]
        return cls(sum(d for d in deltas if d < 0.0), sum(d for d in deltas if d > 0.0))


def certain_need(
    desk: Desk, token: str, symbol: str, shift: float = 0.0, gamma: float = 0.0
) -> tuple[Need | None, Action | None]:
    """Return the part of the need that remains whichever pending orders fill, and what is to be said about the rest.

    Orders under way count as filled and as not filled: what one of them would mend is not hedged again, and what is left over in
    both cases does not wait. It is an alert where some of these fills would leave delta outside its limit.
    """
    pending = Pending.of(desk, token)
    now = need(desk, token, symbol, shift, gamma)
    if not pending.down and not pending.up:
        return now, None
    low = need(desk, token, symbol, shift + pending.down, gamma)
    high = need(desk, token, symbol, shift + pending.up, gamma)
    if low and high and low.size * high.size > 0.0:
        return min(low, high, key=lambda n: abs(n.size)), None
    worst = now or low or high
    if worst is None:
        return None, None
    delta = desk.greeks.of("delta", token) + shift
    ends = [(delta + move) * worst.price for move in (pending.down, pending.up)]
    kind: ActionKind = "alert" if max(map(abs, ends)) > desk.mandate.delta_usd.limit * desk.nav else "hold"
    span = f"delta is between {ends[0]:,.0f} and {ends[1]:,.0f} USD by what fills"
    return None, Action(kind, "", f"{worst.words}; an order is still pending: {span}")


def routes(
    desk: Desk, wanted: Need, before: Sequence[Instruction] = (), label: str = "hedge"
) -> tuple[list[Route], list[str]]:
    """Return the ways to carry out `wanted` after the instructions `before`, and why other venues are none.

    `label` begins the name of every route's quote.
    """
    found: list[Route] = []
    refused: list[str] = []
    for venue in desk.venues(Kind.SPOT):
        for holding in venue.spot:
            if holding.token == wanted.token:
                _add(_spot(desk, wanted, venue, holding, before, label), found, refused)
    for venue in desk.venues(Kind.PERP):
        for position in venue.perps:
            if position.underlying == wanted.token:
                _add(_perp(desk, wanted, venue, position, before, label), found, refused)
    return found, refused


def _add(result: Route | str, found: list[Route], refused: list[str]) -> None:
    if isinstance(result, Route):
        found.append(result)
    else:
        refused.append(result)


def _spot(
    desk: Desk,
    wanted: Need,
    venue: VenueState,
    holding: SpotHolding,
    before: Sequence[Instruction],
    label: str,
) -> Route | str:
    name, size, price = desk.name(venue.venue), wanted.size, wanted.price
    prefix = list(before)
    if size < 0:
        # No short spot: what is held is all there is to sell.
        size = -math.trunc(min(-size, holding.balance / WAD) / _LOT) * _LOT
        if -size * price < max(desk.mandate.min_trade_usd, _LOT):
            return f"{name}: holds {holding.balance / WAD:,.4f} {wanted.symbol} to sell"
    else:
        worth = size * price
        if worth > desk.headroom(venue):
            return f"{name}: {worth:,.0f} USD more would pass its cap, {desk.headroom(venue):,.0f} left"
        withdrawals = draw(desk, worth * (1.0 + 2 * _COST_MARGIN))
        if withdrawals is None:
            return f"{name}: {worth:,.0f} USD is more than there is above the reserve"
        prefix += withdrawals
    return Route(
        venue=venue,
        name=name,
        market=holding.token,
        size=size,
        price=price,
        posted=0.0,
        reduce_only=False,
        carry=idle_interest(desk, size * price),
        gas=desk.gas_usd(GAS[Kind.SPOT]),
        prefix=tuple(prefix),
        label=label,
    )


def _perp(
    desk: Desk,
    wanted: Need,
    venue: VenueState,
    position: PerpPosition,
    before: Sequence[Instruction],
    label: str,
) -> Route | str:
    name, price = desk.name(venue.venue), wanted.price
    held = position.size / WAD
    post = _margin(desk, wanted, venue, position)
    if post > desk.headroom(venue):
        return f"{name}: {post:,.0f} USD more margin would pass its cap, {desk.headroom(venue):,.0f} left"
    prefix = list(before)
    if post > 0.0:
        withdrawals = draw(desk, post)
        if withdrawals is None:
            return f"{name}: {post:,.0f} USD of margin is more than there is above the reserve"
        assets = desk.units(post)
        post = assets / 10**desk.state.asset_decimals
        prefix += [*withdrawals, instruction(PerpVenue(venue.venue, OFFLINE).post(0, assets, assets))]
    rate = position.funding_rate / WAD
    return Route(
        venue=venue,
        name=name,
        market=position.market,
        size=wanted.size,
        price=price,
        posted=post,
        reduce_only=held * wanted.size < 0 and abs(wanted.size) <= abs(held),
        carry=expected_funding(desk, wanted.size, price, rate) + idle_interest(desk, post),
        gas=desk.gas_usd(GAS[Kind.PERP]),
        prefix=tuple(prefix),
        label=label,
    )


def _margin(desk: Desk, wanted: Need, venue: VenueState, position: PerpPosition) -> float:
    """Return what must be posted before the order so that the position after it stands at its target health, asset units."""
    rule = desk.mandate.venue(desk.name(venue.venue))
    unit = next((u for u in venue.units if u.unit == 0), None)
    equity, owed, initial = (
        (unit.margin.equity / WAD, unit.margin.maintenance / WAD, unit.margin.initial / WAD)
        if unit
        else (0.0, 0.0, 0.0)
    )
    price = max(wanted.price, position.mark / WAD)
    gross = sum(abs(p.size) * p.mark for p in venue.perps) / WAD / WAD
    ratio = owed / gross if owed > 0.0 and gross > 0.0 else rule.maintenance_ratio
    held = position.size / WAD
    grown = abs(held + wanted.size) - abs(held)
    if grown <= 0.0:
        return 0.0
    owed_after = owed + ratio * grown * price
    factor = max(rule.target_health, 1.05 * (initial / owed if owed > 0.0 else _INITIAL))
    needed = factor * owed_after + _COST_MARGIN * abs(wanted.size) * price - equity
    # A whole asset unit more than nothing, so that dust is not posted.
    return needed if needed >= 1.0 else 0.0
