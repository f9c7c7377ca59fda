"""From quotes to slices in the oracle's integers, and how far towards them one post may go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, log
from typing import TYPE_CHECKING, Final

import numpy as np

from evenkeel.bindings.types import Slice
from evenkeel.instruments import YEAR
from evenkeel.market.svi import ChainQuotes, SviSlice, SviSurface
from evenkeel.vol._svi import MIN_SIGMA, WAD, moneyness, points, raw_of, total_variance
from evenkeel.vol._svi import restated as restated_raw
from evenkeel.vol.checks import Book, Terms
from evenkeel.vol.errors import QuotesError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

_EASED: Final = (0.0, *(10.0**power for power in range(-9, 0)))
"""Shares of a slice's variance at the money that stand in for its smile, and are added to it, until the oracle would take it."""
_FLAT: Final = 1e-6
"""A smile whose vols are all within this of each other is written as a flat one, whose parameters mean something."""
_HALVINGS: Final = 20
_MOST: Final = 9.2
"""Of a parameter: it has 64 bits at 1e18, one of them for the sign."""
_UNBOUNDED: Final = Terms(WAD // 2, WAD, 7 * 86_400, 7 * 86_400)


@dataclass(frozen=True, slots=True)
class Step:
    """A slice to post: `share` of the way from the one that stands to the one that was fitted, 1 where that is reached."""

    slice_: Slice
    share: float


def fit(quotes: ChainQuotes, underlying: str, expiries: Sequence[int] | None = None) -> list[Slice]:
    """Return the arbitrage-free slices nearest to quotes, in the oracle's integers, by expiry in ascending order.

    `expiries` (unix seconds) None takes all. The rounded slices pass the oracle's checks of each and of neighbours; where the nearest do not
    (because forwards differ, say: the oracle compares at equal strikes), they are flattened and lifted by as little as does it. Raises
    `SviError` for quotes that no smile can be made of, `QuotesError` for an expiry without a quote, and `RefusedError`.
    """
    if expiries is not None:
        quotes = _of(quotes, expiries)
    surface = _flat(quotes) or SviSurface.fit(quotes, arbitrage_free=True)
    at = int(quotes.timestamp)
    book = Book(_UNBOUNDED, at)
    found = []
    for smile, forward in zip(surface.slices, surface.forwards, strict=True):
        expiry = round(quotes.timestamp + smile.years * YEAR)
        nearest = _rounded(_plain(smile), underlying, expiry, at, forward)
        slice_ = _eased(nearest, book)
        book = book.posted(slice_)
        found.append(slice_)
    return found


def vol_at(slice_: Slice, strike: float) -> float:
    """Return the slice's vol a year at `strike` (asset units)."""
    k = log(strike * WAD / slice_.forward)
    return float(smile_of(slice_).vol(k))


def smile_of(slice_: Slice) -> SviSlice:
    """Return the slice in floats, as seen at its timestamp."""
    a, b, rho, m, sigma = (part / WAD for part in raw_of(slice_))
    return SviSlice(a, b, rho, m, sigma, (slice_.expiry - slice_.timestamp) / YEAR)


def check_points(slice_: Slice) -> list[float]:
    """Return the strikes (asset units) at which the oracle examines the slice."""
    return [slice_.forward / WAD * exp(k / WAD) for k in points(raw_of(slice_))]


def restated(slice_: Slice, timestamp: int, forward: int) -> Slice:
    """Return the slice with the same vol at every strike, as seen at another time against another forward."""
    shift = moneyness(forward, slice_.forward)
    moved = restated_raw(raw_of(slice_), shift, slice_.expiry - timestamp, slice_.expiry - slice_.timestamp)
    return replace(slice_, timestamp=timestamp, forward=forward, **moved._asdict())


def walk(book: Book, targets: Sequence[Slice], *, skip: bool = False) -> list[Step]:
    """Return what to post now, in this order, to come as near to `targets` as the oracle lets one post each.

    Far expiries come first where vol rises on the whole and near ones where it falls, so that no calendar arbitrage stands in between. A target
    that the oracle would refuse is approached from the slice that stands, restated for its time and forward. Where nothing stands to start
    from, or not even that would be taken, it raises `RefusedError`; with `skip` that expiry is left out, for a time when its neighbours
    have moved.
    """
    steps = []
    for target in sorted(targets, key=lambda each: each.expiry, reverse=_rises(book, targets)):
        try:
            step = _towards(book, target)
        except RefusedError:
            if not skip:
                raise
            continue
        book = book.posted(step.slice_)
        steps.append(step)
    return steps


def _rises(book: Book, targets: Sequence[Slice]) -> bool:
    moves = [
        vol_at(target, target.forward / WAD) - vol_at(stands.slice_, target.forward / WAD)
        for target in targets
        if (stands := book.at(target.expiry)) is not None
    ]
    return sum(moves) > 0.0


def _towards(book: Book, target: Slice) -> Step:
    try:
        book.check(target)
    except RefusedError:
        stands = book.at(target.expiry)
        if stands is None or target.timestamp <= stands.slice_.timestamp:
            raise
    else:
        return Step(target, 1.0)
    start = restated(stands.slice_, target.timestamp, target.forward)
    book.check(start)
    best, low, high = start, 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        between = _between(start, target, middle)
        try:
            book.check(between)
        except RefusedError:
            high = middle
        else:
            best, low = between, middle
    return Step(best, low)


def _between(start: Slice, end: Slice, share: float) -> Slice:
    part = round(share * WAD)
    return replace(
        end,
        **{
            name: (getattr(start, name) * (WAD - part) + getattr(end, name) * part) // WAD
            for name in ("a", "b", "rho", "m", "sigma")
        },
    )


def _of(quotes: ChainQuotes, expiries: Sequence[int]) -> ChainQuotes:
    """Keep the quotes of some expiries."""
    have = np.asarray(quotes.expiry, dtype=np.float64)
    for expiry in expiries:
        if not np.any(have == expiry):
            raise QuotesError(f"expiry {expiry}: there is no quote of it")
    kept = np.isin(have, np.asarray(expiries, dtype=np.float64))
    names = ("expiry", "strike", "forward", "bid", "ask")
    columns = [np.asarray(getattr(quotes, name), dtype=np.float64)[kept] for name in names]
    return ChainQuotes(quotes.timestamp, *columns)


def _flat(quotes: ChainQuotes) -> SviSurface | None:
    """Return the surface of a venue that shows one vol an expiry, which needs no fit; None for any other, and where it has calendar arbitrage."""
    names = ("expiry", "forward", "bid", "ask")
    expiry, forward, bid, ask = (np.asarray(getattr(quotes, name), dtype=np.float64) for name in names)
    if not (expiry.size and np.all(bid > 0.0) and np.all(bid == ask) and np.all(expiry > quotes.timestamp)):
        return None
    smiles, forwards = [], []
    for each in np.unique(expiry):
        of = expiry == each
        if max(np.ptp(bid[of]), np.ptp(forward[of])) > 0.0:
            return None
        years = float(each - quotes.timestamp) / YEAR
        w = float(bid[of][0]) ** 2 * years
        smiles.append(SviSlice(w, 0.0, 0.0, 0.0, float(np.sqrt(w)), years))
        forwards.append(float(forward[of][0]))
    rising = all(near.a <= far.a for near, far in pairwise(smiles))
    return SviSurface(tuple(smiles), tuple(forwards), quotes.timestamp) if rising else None


def _plain(smile: SviSlice) -> SviSlice:
    """Return a smile that is flat to the eye with parameters that say so, others as they are."""
    k = 4.0 * float(np.sqrt(smile.total_variance(0.0))) * np.linspace(-1.0, 1.0, 33)
    vols = smile.vol(k)
    if float(np.ptp(vols)) > _FLAT:
        return smile
    w = float(smile.total_variance(0.0))
    return SviSlice(w, 0.0, 0.0, 0.0, float(np.sqrt(w)), smile.years)


def _rounded(smile: SviSlice, underlying: str, expiry: int, timestamp: int, forward: float) -> Slice:
    """Return the slice in integers. Raises `RefusedError` for what does not fit in them."""
    for name in ("a", "m", "sigma"):
        value = getattr(smile, name)
        if abs(value) >= _MOST:
            raise RefusedError(
                f"expiry {expiry}: {name} is {value:g}, more than {_MOST:g}, the most that is stored"
            )
    return Slice(
        underlying=underlying,
        expiry=expiry,
        timestamp=timestamp,
        forward=round(forward * WAD),
        a=round(smile.a * WAD),
        b=round(smile.b * WAD),
        rho=min(max(round(smile.rho * WAD), 1 - WAD), WAD - 1),
        m=round(smile.m * WAD),
        sigma=max(round(smile.sigma * WAD), MIN_SIGMA),
    )


def _eased(nearest: Slice, book: Book) -> Slice:
    """Return the slice nearest to `nearest` that `book` takes; its own refusal where none of those tried is taken."""
    money = total_variance(raw_of(nearest), 0)
    refusal: RefusedError | None = None
    for share in _EASED:
        part = round(share * WAD)
        eased = replace(
            nearest,
            a=(nearest.a * (WAD - part) + 2 * money * part) // WAD,
            b=nearest.b * (WAD - part) // WAD,
        )
        try:
            book.check(eased)
        except RefusedError as error:
            refusal = refusal or error
        else:
            return eased
    assert refusal is not None
    raise refusal
