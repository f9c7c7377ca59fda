"""Where a change of net asset value came from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from evenkeel.instruments import (
    YEAR,
    Book,
    Columns,
    DatedFuture,
    EuropeanOption,
    Loan,
    LpRange,
    Perp,
    Position,
    PowerPerp,
    Spot,
)
from evenkeel.market import MarketError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from evenkeel.instruments import Instrument
    from evenkeel.market import Market

    FloatArray = npt.NDArray[np.float64]


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

    `gamma` includes cross-gamma. `basis` is what forwards and perpetuals' marks did against spot, 0 where perpetuals are valued at
    the oracle and forwards are spot. `new_trade_edge` is what options were traded better than our mid before fees; `slippage` the
    same of everything else and of conversions of margin.
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

    Market sources use the Greeks at `before` and the changes of price, volatility, forward ratio and time: delta dS + 1/2 gamma dS^2
    (and cross-gamma dS_a dS_b) + vega dv + 1/2 volga dv^2 + vanna dS dv + theta dt; the basis of futures is exact, that of options
    first order. Carry is measured, not estimated: what a venue gained beyond the price moves of its linear positions, fills and
    transfers, where it holds a perpetual, a future or a loan, and how a power perpetual's normalisation left theta's path. The roll
    of a future to spot is carry too. Fills are valued in the closing market. `flow` is what shareholders paid in (negative: took
    out) and is no profit. The residual is the rest, so the parts always sum to the change. Raises `MarketError` where a price that
    both books need is not known.
    """
    fills, transfers = tuple(fills), tuple(transfers)
    old, new = Columns.of(*before), Columns.of(*after)
    market = after[1]
    elapsed = (market.timestamp - before[1].timestamp) / YEAR
    total = float(new.value() - old.value()) - flow
    parts = _market_parts(before, old, market, elapsed)
    parts |= _execution(fills, transfers, market)
    parts["carry"] += _carry(before, after, fills, transfers)
    named = Attribution(**parts)
    return Attribution(**parts, residual=total - named.gross_parts)


def _market_parts(
    before: tuple[Book, Market], old: Columns, market: Market, elapsed: float
) -> dict[str, float]:
    found = old.exposures()
    moves = np.array([market.spot(t) for t in old.tokens]) - old.spots
    ds = moves[found.token]
    dv = _vol_moves(before, old, market)[found.row]
    # A future's basis is exact, elsewhere it is the Greek times the change of the logarithm.
    basis, roll = _futures(before, market, elapsed)
    options = old.options
    ratios = np.array(
        [market.ratio(old.tokens[t], int(e)) for t, e in zip(options.token, options.expiry, strict=True)],
        dtype=np.float64,
    )
    of_option = np.zeros(len(old.venue))
    of_option[options.row] = np.log(ratios / options.ratio)
    is_option = np.zeros(len(old.venue), dtype=np.bool_)
    is_option[options.row] = True
    basis += float((found.basis * of_option[found.row])[is_option[found.row]].sum())
    ranges = old.ranges
    cross = ranges.cross(old.spots) * moves[ranges.base] * moves[ranges.quote]
    passed = np.where(is_option[found.row], np.minimum(found.years, elapsed), elapsed)
    return {
        "delta": float((found.delta * ds).sum()),
        "gamma": float((0.5 * found.gamma * ds**2).sum() + cross.sum()),
        "vega": float((found.vega * dv).sum()),
        "theta": float((found.theta * passed).sum()),
        "vanna": float((found.vanna * ds * dv).sum()),
        "volga": float((0.5 * found.volga * dv**2).sum()),
        "basis": basis,
        "carry": roll + _normalisation(before, old, market, elapsed),
    }


def _vol_moves(before: tuple[Book, Market], old: Columns, market: Market) -> FloatArray:
    """Return the change of each position's own volatility, 0 where it has none any more."""
    found = np.zeros(len(old.venue))
    for row, vol in zip(old.options.row, old.options.vol, strict=True):
        option = before[0].positions[row].instrument
        assert isinstance(option, EuropeanOption)
        # An option that expired in between has no volatility any more: all of its change is price and time.
        if option.expiry > market.timestamp:
            with suppress(MarketError):
                found[row] = market.vol(option.underlying, option.expiry, option.strike) - vol
    for row, vol in zip(old.powers.row, old.powers.vol, strict=True):
        quote = market.powers.get(_market_of(before[0].positions[row]))
        found[row] = 0.0 if quote is None else quote.vol - vol
    return found


def _futures(before: tuple[Book, Market], market: Market, elapsed: float) -> tuple[float, float]:
    """Return what perpetuals and dated futures gained over spot: by their basis, and by their roll to spot."""
    basis = roll = 0.0
    for p in before[0].positions:
        o = p.instrument
        if isinstance(o, Perp):
            old, new = before[1].basis(p.venue, o.market), market.basis(p.venue, o.market)
            spot = market.spot(o.underlying)
            basis += p.quantity * (spot / (spot + old) - spot / (spot + new) if o.inverse else new - old)
        elif isinstance(o, DatedFuture):
            start, end = before[1].spot(o.underlying), market.spot(o.underlying)
            ratio, years = before[1].ratio(o.underlying, o.expiry), before[1].years(o.expiry)
            rolled = ratio ** (1.0 - min(elapsed / years, 1.0)) if years > 0.0 else ratio
            new = market.ratio(o.underlying, o.expiry)
            if o.inverse:
                roll += p.quantity * (1.0 / ratio - 1.0 / rolled)
                basis += p.quantity * (1.0 / rolled - 1.0 / new)
            else:
                roll += p.quantity * start * (rolled - ratio)
                basis += p.quantity * (end * (new - ratio) - start * (rolled - ratio))
    return basis, roll


def _normalisation(before: tuple[Book, Market], old: Columns, market: Market, elapsed: float) -> float:
    """Return what power perpetuals' normalisation did to their worth beyond theta."""
    powers = old.powers
    left = [market.powers.get(_market_of(before[0].positions[row])) for row in powers.row]
    kept = np.array([1.0 if q is None else q.normalisation for q in left]) / powers.normalisation
    known = np.array([q is not None for q in left], dtype=np.bool_)
    worth = powers.value(old.spots, np.zeros(()), np.zeros(()))
    return float((worth * (kept - 1.0 + powers.vol**2 * elapsed))[known].sum())


def _market_of(position: Position) -> tuple[str, str]:
    return position.venue, getattr(position.instrument, "market", "")


def _execution(fills: tuple[Fill, ...], transfers: tuple[Transfer, ...], market: Market) -> dict[str, float]:
    fees = -sum(f.fee for f in fills)
    slippage = sum(t.arrived - t.amount for t in transfers)
    edge = 0.0
    for fill in fills:
        gain = fill.cash + fill.fee + _worth_of(fill, market)
        if isinstance(fill.instrument, EuropeanOption):
            edge += gain
        else:
            slippage += gain
    return {"fees": fees, "slippage": slippage, "new_trade_edge": edge}


def _worth_of(fill: Fill, market: Market) -> float:
    return Book((Position(fill.instrument, fill.quantity, fill.venue),)).value(market)


_FUNDED: Final = Perp | DatedFuture | Loan
"""What makes its venue earn or pay beyond prices."""


def _carry(
    before: tuple[Book, Market],
    after: tuple[Book, Market],
    fills: tuple[Fill, ...],
    transfers: tuple[Transfer, ...],
) -> float:
    carry = 0.0
    venues = {p.venue for b, _ in (before, after) for p in b.positions if isinstance(p.instrument, _FUNDED)}
    for venue in venues:
        held = _linear(before[0], venue)
        carry += _linear(after[0], venue).value(after[1]) - held.value(after[1])
        for fill in fills:
            if fill.venue == venue:
                linear = not isinstance(fill.instrument, EuropeanOption | PowerPerp | LpRange)
                carry -= fill.cash + (_worth_of(fill, after[1]) if linear else 0.0)
        carry -= sum(t.arrived for t in transfers if t.venue == venue)
    return carry


def _linear(book: Book, venue: str) -> Book:
    """Return the linear positions of one venue."""
    return Book(tuple(p for p in book.at(venue) if isinstance(p.instrument, Spot | _FUNDED)))
