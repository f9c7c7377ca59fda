"""Where a change of net asset value came from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.instruments import EuropeanOption, Loan, Perp, Spot
from evenkeel.pricing import black76
from evenkeel.risk._columns import Columns, FloatArray

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenkeel.instruments import Book, Instrument
    from evenkeel.market import Market


@dataclass(frozen=True, slots=True)
class Fill:
    """An executed trade: `quantity` bought (negative: sold), `cash` received net of `fee` (negative: paid), both asset units."""

    venue: str
    instrument: Instrument
    quantity: float
    cash: float
    fee: float = 0.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """Margin or supply moved from idle into `venue` (negative: back), and what `arrived` there in asset units at our prices."""

    venue: str
    amount: float
    arrived: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """The parts of a change of NAV, asset units; they sum to it with the residual. A cost is negative.

    `new_trade_edge` is what options were traded better than our mid before fees; `slippage` the same of spot, perpetuals and
    conversions of margin; `basis` is 0 where perpetuals are valued at the oracle.
    """

    delta: float = 0.0
    gamma: float = 0.0
    vega: float = 0.0
    theta: float = 0.0
    vanna: float = 0.0
    volga: float = 0.0
    basis: float = 0.0
    carry: float = 0.0
    fees: float = 0.0
    slippage: float = 0.0
    new_trade_edge: float = 0.0
    residual: float = 0.0

    @property
    def total(self) -> float:
        """The change of NAV."""
        return self.gross_parts + self.residual

    @property
    def gross_parts(self) -> float:
        """The sum of the named parts, signed."""
        return float(sum(getattr(self, f.name) for f in fields(self) if f.name != "residual"))

    @property
    def gross(self) -> float:
        """The sum of the absolute values of the named parts: what the residual is judged against."""
        return float(sum(abs(getattr(self, f.name)) for f in fields(self) if f.name != "residual"))

    def __add__(self, other: Attribution) -> Attribution:
        return Attribution(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def explain(
    before: tuple[Book, Market],
    after: tuple[Book, Market],
    fills: Iterable[Fill] = (),
    transfers: Iterable[Transfer] = (),
    flow: float = 0.0,
) -> Attribution:
    """Split the change of NAV from `before` to `after` into its sources.

    Market sources use the Greeks at `before` and the changes of price, volatility and time: delta dS + 1/2 gamma dS^2 + vega dv +
    1/2 volga dv^2 + vanna dS dv + theta dt. Carry is measured, not estimated: what perpetual and lending venues gained beyond their
    price moves, fills and transfers. Fills are valued in the closing market. `flow` is what shareholders paid in (negative: took out)
    and is no profit. The residual is the rest, so the parts always sum to the change. Raises `MarketError` where a price that both
    books need is not known.
    """
    fills, transfers = tuple(fills), tuple(transfers)
    old, new = Columns.of(*before), Columns.of(*after)
    market = after[1]
    total = float(new.value() - old.value()) - flow
    moves = np.array([market.spot(t) for t in old.tokens]) - old.spots
    parts = _market_parts(old, market, moves)
    parts |= _execution(fills, transfers, market)
    parts["carry"] = _carry(before, after, fills, transfers)
    named = Attribution(**parts)
    return Attribution(**parts, residual=total - named.gross_parts)


def _market_parts(old: Columns, market: Market, moves: FloatArray) -> dict[str, float]:
    unit = old.greeks()
    q, ds = old.quantity, moves[old.token]
    # An option that expired in between has no volatility any more: all of its change is price and time.
    dv = np.zeros_like(q)
    for row, token in enumerate(old.token):
        name, expiry = old.tokens[token], int(old.expiry[row])
        if expiry > market.timestamp:
            known = market.strike_vols.get(
                (name, expiry, float(old.strike[row])), market.vols.get((name, expiry))
            )
            dv[row] = 0.0 if known is None else known - old.vol[row]
    left = np.array([market.years(int(e)) for e in old.expiry], dtype=np.float64)
    return {
        "delta": float((q * unit.delta * ds).sum() + (old.linear_quantity * moves[old.linear_token]).sum()),
        "gamma": float((0.5 * q * unit.gamma * ds**2).sum()),
        "vega": float((q * unit.vega * dv).sum()),
        "theta": float((q * unit.theta * (old.years - left)).sum()),
        "vanna": float((q * unit.vanna * ds * dv).sum()),
        "volga": float((0.5 * q * unit.volga * dv**2).sum()),
    }


def _execution(fills: tuple[Fill, ...], transfers: tuple[Transfer, ...], market: Market) -> dict[str, float]:
    fees = -sum(f.fee for f in fills)
    slippage = sum(t.arrived - t.amount for t in transfers)
    edge = 0.0
    for fill in fills:
        gain = fill.cash + fill.fee + fill.quantity * _unit_price(fill.instrument, market)
        if isinstance(fill.instrument, EuropeanOption):
            edge += gain
        else:
            slippage += gain
    return {"fees": fees, "slippage": slippage, "new_trade_edge": edge}


def _unit_price(instrument: Instrument, market: Market) -> float:
    spot = market.spot(instrument.underlying)
    if not isinstance(instrument, EuropeanOption):
        return spot
    o = instrument
    vol = market.vol(o.underlying, o.expiry, o.strike)
    return float(black76(spot, o.strike, market.years(o.expiry), vol, o.is_call).price)


def _carry(
    before: tuple[Book, Market],
    after: tuple[Book, Market],
    fills: tuple[Fill, ...],
    transfers: tuple[Transfer, ...],
) -> float:
    carry = 0.0
    venues = {
        p.venue for b, _ in (before, after) for p in b.positions if isinstance(p.instrument, Perp | Loan)
    }
    for venue in venues:
        value = _worth(after, venue) - _worth(before, venue)
        for p in before[0].at(venue):
            token = p.instrument.underlying
            value -= p.quantity * (after[1].spot(token) - before[1].spot(token))
        for fill in fills:
            if fill.venue == venue:
                value -= fill.cash + fill.quantity * _unit_price(fill.instrument, after[1])
        carry += value - sum(t.arrived for t in transfers if t.venue == venue)
    return carry


def _worth(view: tuple[Book, Market], venue: str) -> float:
    book, market = view
    return sum(
        p.quantity * market.spot(p.instrument.underlying)
        for p in book.at(venue)
        if isinstance(p.instrument, Spot | Perp | Loan)
    )
