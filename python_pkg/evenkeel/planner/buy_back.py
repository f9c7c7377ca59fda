"""Gamma, vega, theta or stress outside a limit: the smallest equal fraction of all shorts that restores it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.bindings import OptionVenue
from evenkeel.bindings.types import Kind, Trade
from evenkeel.instruments import Book, EuropeanOption, Position, Spot
from evenkeel.planner._desk import OFFLINE, WAD, Desk
from evenkeel.pricing import black76
from evenkeel.risk import Columns, greeks, stress_scenarios

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from evenkeel.bindings import Call
    from evenkeel.bindings.option_venue import TradeResult
    from evenkeel.bindings.types import OptionPosition, OptionTerms, VenueState
    from evenkeel.planner.bands import BandWidths

_LOT = 10**12
"""Contracts are bought in millionths, rounded up so that the limit is met."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A short to buy back in part: its venue, its position and `size` contracts at 1e18."""

    venue: VenueState
    position: OptionPosition
    size: int

    def trade(self, limit: int, keep_collateral: bool) -> Call[TradeResult]:
        """Return the purchase for at most `limit` asset units at 1e18; collateral is given up in proportion unless kept."""
        p = self.position
        left = p.collateral if keep_collateral else p.collateral * (-p.size - self.size) // -p.size
        order = Trade(p.position_id, p.listing, p.is_call, self.size, left, limit)
        return OptionVenue(self.venue.venue, OFFLINE).trade(order)


@dataclass(frozen=True, slots=True)
class BuyBack:
    """What to buy back in one underlying.

    `fraction` of every short that the venue lets us buy, `legs` the trades, `delta` and `gamma` of the model that they add;
    `breaches` in words; `forbidden` how many shorts the venue refuses to trade; `restores` False where even all of them are not
    enough. No legs where no purchase would help.
    """

    token: str
    fraction: float
    legs: tuple[Leg, ...]
    delta: float
    gamma: float
    breaches: tuple[str, ...]
    forbidden: int
    restores: bool

    def part(self, parts: int) -> BuyBack:
        """Return one of `parts` equal parts of it."""
        return replace(
            self,
            fraction=self.fraction / parts,
            delta=self.delta / parts,
            gamma=self.gamma / parts,
            legs=tuple(replace(leg, size=leg.size // parts) for leg in self.legs),
        )


def buy_backs(desk: Desk, sized: Sized, bands: Mapping[str, BandWidths]) -> dict[str, BuyBack]:
    """Return the buy-back of each underlying of `bands` that has a breach; empty where there is none.

    `sized(token, delta, gamma)` is the hedge, in units, that follows once a buy-back has added so much: stress is judged with it
    done. A limit is restored with `buy_back_cushion` of it to spare, or to the mandate's target, and binds for the model's and
    the guard's Greeks. What pending orders will change counts as done already, so that nothing is bought twice.
    """
    shorts = {token: _shorts(desk, token) for token in bands}
    stress, stressed = _stress(desk, shorts, sized)
    found: dict[str, BuyBack] = {}
    for token in bands:
        open_, forbidden = shorts[token]
        fraction, breaches, hopeless = _greek_fraction(desk, token, open_, bands[token])
        if stressed and (open_ or forbidden):
            breaches, hopeless = (*breaches, stressed), hopeless or stress == math.inf
            fraction = max(fraction, stress) if stress < math.inf else fraction
        if not breaches:
            continue
        restores = fraction <= 1.0 and not hopeless
        share = _at_least_minimum(desk, open_, fraction, token) if open_ and fraction > 0.0 else 0.0
        legs = tuple(
            Leg(venue, p, min(-p.size, math.ceil(share * -p.size / _LOT) * _LOT))
            for venue, p in open_
            if share > 0.0
        )
        delta, gamma = (-share * _model(desk, open_, name, token) for name in ("delta", "gamma"))
        found[token] = BuyBack(token, share, legs, delta, gamma, breaches, len(forbidden), restores)
    return found


def forbids(terms: OptionTerms, position: OptionPosition, spot: float, timestamp: int) -> bool:
    """Whether the venue refuses ordinary trades of `position`: outside its delta or vol bounds, or past its cutoff."""
    left = position.expiry - timestamp
    if left <= terms.cutoff or not terms.min_vol <= position.venue_vol <= terms.max_vol:
        return True
    years, vol = left / (365 * 86400), position.venue_vol / WAD
    delta = float(black76(spot, position.strike / WAD, years, vol, is_call=True).delta)
    return not terms.min_delta / WAD < delta < 1.0 - terms.min_delta / WAD


Sized = Callable[[str, float, float], float]
Owned = list[tuple["VenueState", "OptionPosition"]]


def _shorts(desk: Desk, token: str) -> tuple[Owned, Owned]:
    """Return the shorts in `token` that can be bought now and those that cannot."""
    spot = desk.market.spot(token)
    open_: Owned = []
    forbidden: Owned = []
    for venue in desk.venues(Kind.OPTION):
        for p in venue.options:
            if p.underlying == token and p.size < 0:
                closed = forbids(venue.option_terms, p, spot, desk.state.timestamp)
                (forbidden if closed else open_).append((venue, p))
    return open_, forbidden


def _sub_book(owned: Owned) -> Book:
    return Book(
        tuple(
            Position(
                EuropeanOption(p.underlying, p.expiry, p.strike / WAD, p.is_call), p.size / WAD, venue.venue
            )
            for venue, p in owned
        )
    )


def _model(desk: Desk, owned: Owned, name: str, token: str) -> float:
    return greeks(_sub_book(owned), desk.market).of(name, token)


def _greek_fraction(
    desk: Desk, token: str, owned: Owned, band: BandWidths
) -> tuple[float, tuple[str, ...], bool]:
    """Return the fraction that the Greeks need, the breaches in words, and whether one of them is beyond any buy-back."""
    spot, mandate = desk.market.spot(token), desk.mandate
    chain = [e.greeks for e in desk.state.valuation.exposures if e.underlying == token]
    pending = [e.greeks for e in desk.state.valuation.pending if e.underlying == token]
    rules = (
        ("gamma_usd_1pct", "gamma", spot * spot / 100.0, mandate.gamma_usd_1pct),
        ("vega_usd_pt", "vega", 0.01, mandate.vega_usd_pt),
        ("theta_usd_day", "theta", 1.0 / 365.0, mandate.theta_usd_day),
    )
    needs: list[float] = []
    breaches: list[str] = []
    for label, name, unit, rule in rules:
        goal = rule.limit * (1.0 - mandate.buy_back_cushion) if rule.target is None else rule.target
        coming = sum(getattr(g, name) for g in pending) / WAD * unit
        model = desk.greeks.of(name, token) * unit + coming
        guard = sum(getattr(g, name) for g in chain) / WAD * unit + coming
        if min(model, guard) >= rule.limit:
            continue
        breaches.append(f"{label} {min(model, guard):,.0f} under {rule.limit:,.0f}")
        ours = _model(desk, owned, name, token) * unit
        theirs = sum(getattr(p.greeks, name) for _, p in owned) / WAD * unit
        needs += [
            _needed(value, goal, shorts)
            for value, shorts in ((model, ours), (guard, theirs))
            if value < rule.limit
        ]
    gamma = desk.greeks.of("gamma", token)
    if band.wall <= 0.0 and gamma < 0.0:
        room = mandate.delta_usd.limit * desk.nav / spot
        most = gamma * room / max(room - band.wall, 1e-300) * (1.0 - mandate.buy_back_cushion)
        needs.append(_needed(gamma, most, _model(desk, owned, "gamma", token)))
        breaches.append(
            f"gamma so large that one cycle can carry delta past its limit (wall {band.wall * spot:,.0f} USD)"
        )
    return max((n for n in needs if n < math.inf), default=0.0), tuple(breaches), math.inf in needs


def _needed(value: float, goal: float, shorts: float) -> float:
    """Return the fraction of `shorts` to remove to bring `value` up to `goal`, above 1 where even all of them are not enough.

    Infinite where removing them does not raise it: a bleeding theta is not mended by giving up the shorts that earn it.
    """
    return (goal - value) / -shorts if shorts < 0.0 else math.inf


def _stress(desk: Desk, shorts: Mapping[str, tuple[Owned, Owned]], sized: Sized) -> tuple[float, str]:
    """Return the fraction of all open shorts that brings every shock back under the stress limit, and the breach in words.

    Above 1 where even all of them are not enough, infinite where they do not help.
    """
    columns = Columns.of(desk.book, desk.market)
    spots, shifts, names = stress_scenarios(columns, desk.market)
    changes = columns.value(spots, shifts) - columns.value()
    moves = {
        token: spots[:, columns.tokens.index(token)] - desk.market.spot(token) for token in columns.tokens
    }
    owned = [entry for open_, _ in shorts.values() for entry in open_]
    # Every token of the whole book, so that both are laid out alike.
    padding = tuple(Position(Spot(token), 0.0, "") for token in columns.tokens)
    sub = _sub_book(owned)
    part = Columns.of(replace(sub, positions=(*sub.positions, *padding)), desk.market)
    given_up = part.value(spots, shifts) - part.value()
    given = {
        token: tuple(_model(desk, open_, name, token) for name in ("delta", "gamma"))
        for token, (open_, _) in shorts.items()
    }

    def losses(share: float) -> npt.NDArray[np.float64]:
        left = changes - share * given_up
        for token, (delta, gamma) in given.items():
            if token in moves:
                left = left + sized(token, -share * delta, -share * gamma) * moves[token]
        return -left

    limit = desk.mandate.stress_loss.limit * desk.nav
    now = losses(0.0)
    worst = int(np.argmax(now))
    if now[worst] <= limit:
        return 0.0, ""
    words = f"stress loss {now[worst]:,.0f} USD at {names[worst]} over {limit:,.0f}"
    goal = limit * (1.0 - desk.mandate.buy_back_cushion)
    share = _smallest(lambda share: bool(losses(share).max() <= goal)) if owned else math.inf
    if share == math.inf and losses(1.0).max() < now[worst]:
        share = 2.0
    return share, words


def _smallest(enough: Callable[[float], bool]) -> float:
    """Return the smallest share in (0, 1] that is enough, infinite where none is.

    The hedge jumps where delta leaves its band, so shares are tried in hundredths before the first that is enough is refined.
    """
    for step in range(1, 101):
        if enough(step / 100.0):
            low, high = (step - 1) / 100.0, step / 100.0
            for _ in range(20):
                middle = 0.5 * (low + high)
                low, high = (low, middle) if enough(middle) else (middle, high)
            return high
    return math.inf


def _at_least_minimum(desk: Desk, owned: Owned, share: float, token: str) -> float:
    """Return `share`, raised so that no leg's notional is under the mandate's smallest trade, at most 1."""
    smallest = min(-p.size for _, p in owned) / WAD * desk.market.spot(token)
    return min(1.0, max(share, desk.mandate.min_trade_usd / smallest))
