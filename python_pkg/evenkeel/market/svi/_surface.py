"""The smiles of all expiries of one underlying."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from evenkeel.instruments import YEAR
from evenkeel.market.svi._free import crossings, fit_free
from evenkeel.market.svi._slice import SviSlice
from evenkeel.market.svi._ssvi import fit_ssvi
from evenkeel.market.svi.errors import SviError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.market.svi._arrays import FloatArray, Interval

# Fewer strikes than these say too little about a smile to bend the surface's.
_ALONE: Final = 3
# Where surface SVI stands in for quotes that are missing, in standard deviations of the log price.
_PRIOR_AT: Final = np.linspace(-2.5, 2.5, 11)


@dataclass(frozen=True, slots=True)
class ChainQuotes:
    """Bid and ask volatilities of one underlying's options at `timestamp` (unix seconds); arrays of one length.

    `expiry` unix seconds, `strike` and `forward` (of that expiry) in asset units, `bid` and `ask` Black volatilities a year. A quote
    with a side that is missing (NaN or 0), or with its bid above its ask, is not used.
    """

    timestamp: float
    expiry: npt.ArrayLike
    strike: npt.ArrayLike
    forward: npt.ArrayLike
    bid: npt.ArrayLike
    ask: npt.ArrayLike


@dataclass(frozen=True, slots=True)
class CalendarCrossing:
    """The log-moneyness `intervals` on which slice number `far` has less total variance than number `near`, in ascending order."""

    near: int
    far: int
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class SviSurface:
    """Smiles in order of expiry, joined in total variance.

    `forwards` of the slices' expiries in asset units and `timestamp` in unix seconds give expiries and strikes their meaning; at
    their defaults a strike is a multiple of the forward and an expiry is in seconds from now. Raises `SviError` where there is no
    slice, `years` do not rise, or forwards are not positive and one a slice.
    """

    slices: Sequence[SviSlice]
    forwards: Sequence[float] = ()
    timestamp: float = 0.0

    def __post_init__(self) -> None:
        if not self.slices:
            raise SviError("slices: expected one or more")
        years = [s.years for s in self.slices]
        if any(b <= a for a, b in pairwise(years)):
            raise SviError(f"slices: expected rising years, got {years}")
        if self.forwards and len(self.forwards) != len(self.slices):
            raise SviError(f"forwards: expected {len(self.slices)}, one a slice, got {len(self.forwards)}")
        if not all(f > 0.0 for f in self.forwards):
            raise SviError(f"forwards: expected positive prices, got {tuple(self.forwards)}")

    def total_variance(self, k: npt.ArrayLike, years: npt.ArrayLike) -> FloatArray:
        """Return vol^2 times years at log-moneyness `k`, `years` ahead; the arguments broadcast.

        Linear in time at constant k between expiries, and at the nearest expiry's volatility before the first and after the last.
        So there is no calendar arbitrage anywhere where there is none between neighbouring slices; a butterfly inside the gap of two
        clean slices is not excluded. Raises `SviError` where `years` is not positive.
        """
        k, t = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(years, dtype=np.float64))
        if not np.all(t > 0.0):
            raise SviError(f"years: expected more than 0, got {t.min()}")
        known = np.array([0.0, *(s.years for s in self.slices)])
        at = np.stack([np.zeros(k.shape), *(s.total_variance(k) for s in self.slices)])
        upper = np.clip(np.searchsorted(known, t), 1, len(self.slices))
        last = t >= known[-1]
        share = (t - known[upper - 1]) / (known[upper] - known[upper - 1])
        low = np.take_along_axis(at, (upper - 1)[None], axis=0)[0]
        high = np.take_along_axis(at, upper[None], axis=0)[0]
        w: FloatArray = np.where(last, at[-1] * (t / known[-1]), low + share * (high - low))
        return w

    def forward(self, expiry: npt.ArrayLike) -> FloatArray:
        """Return the forward at `expiry` (unix seconds): its logarithm is linear in time between expiries and flat outside them."""
        years = self._years(expiry)
        if not self.forwards:
            return np.ones_like(years)
        forward: FloatArray = np.exp(
            np.interp(years, [s.years for s in self.slices], np.log(np.asarray(self.forwards)))
        )
        return forward

    def vol(self, expiry: npt.ArrayLike, strike: npt.ArrayLike) -> FloatArray:
        """Return the Black volatility a year of `strike` (asset units) at `expiry` (unix seconds); the arguments broadcast.

        Its log-moneyness is against `forward(expiry)`. Raises `SviError` for an expiry that is not after `timestamp` and for
        a strike that is not positive.
        """
        years = self._years(expiry)
        strike = np.asarray(strike, dtype=np.float64)
        if not np.all(years > 0.0):
            raise SviError(f"expiry: expected after {self.timestamp:.0f}, got {np.min(expiry):.0f}")
        if not np.all(strike > 0.0):
            raise SviError(f"strike: expected more than 0, got {strike.min()}")
        vol: FloatArray = np.sqrt(self.total_variance(np.log(strike / self.forward(expiry)), years) / years)
        return vol

    def butterfly_arbitrage(self) -> dict[int, tuple[Interval, ...]]:
        """Return where g < 0, by number of the slice; slices without butterfly arbitrage are left out."""
        found = {i: s.butterfly_arbitrage() for i, s in enumerate(self.slices)}
        return {i: where for i, where in found.items() if where}

    def calendar_arbitrage(self) -> tuple[CalendarCrossing, ...]:
        """Return the neighbouring expiries whose total variances cross.

        At constant log-moneyness total variance may not fall with expiry: where it does, selling the near option and buying the
        far one is arbitrage (Gatheral and Jacquier 2014, lemma 2.1).
        """
        found = [crossings(near, far) for near, far in pairwise(self.slices)]
        return tuple(CalendarCrossing(i, i + 1, where) for i, where in enumerate(found) if where)

    def is_arbitrage_free(self) -> bool:
        """Return whether the slices hold no butterfly and neighbours no calendar arbitrage."""
        return all(s.is_arbitrage_free() for s in self.slices) and not self.calendar_arbitrage()

    def repair(self) -> SviSurface:
        """Return the surface with every slice repaired of butterflies (`SviSlice.repair`); calendar crossings are left to a new `fit`."""
        return SviSurface(tuple(s.repair() for s in self.slices), self.forwards, self.timestamp)

    @classmethod
    def fit(
        cls, quotes: ChainQuotes, *, tick: float = 0.0025, rich: int = 8, arbitrage_free: bool = False
    ) -> SviSurface:
        """Return the surface nearest to a whole chain's bid and ask volatilities.

        A quote counts with its mid and the weight 1 / (half its spread + tick)^2: `tick` (a vol) keeps one tight quote from
        ruling its slice. An expiry with `rich` different strikes or more is fitted alone. One with fewer borrows the rest
        from a surface SVI fitted to the whole chain: 11 points over +-2.5 standard deviations that weigh together as much as the
        strikes that are missing, and one with fewer than 3 takes that surface's slice as it is. Give each strike once, its
        out-of-the-money option: the other side says the same with a wider spread.

        With `arbitrage_free`, every slice is the nearest without a butterfly that also lies between its neighbours, those with
        the most strikes first; where such slices are not found, the whole surface is the surface SVI, which is free by
        construction. Without it the surface shows what the market's mids say, arbitrage included.

        Raises `SviError` for arrays of unequal lengths, forwards that differ within an expiry, and a chain without a usable quote.
        """
        expiry, k, years, forward, mid, weight = _usable(quotes, tick)
        of = [expiry == e for e in np.unique(expiry)]
        strikes = [np.unique(k[i]).size for i in of]
        terms = [float(years[i][0]) for i in of]
        forwards = tuple(float(forward[i][0]) for i in of)
        priors: list[SviSlice] = []
        if arbitrage_free or min(strikes) < rich:
            ssvi, theta = fit_ssvi(k, mid, weight, years)
            priors = [ssvi.slice(theta[term], term) for term in terms]
        slices: list[SviSlice | None] = [None] * len(of)
        # A smile that few strikes hold bends to those that many do, so the best known expiries come first.
        for n in sorted(range(len(of)), key=lambda n: -strikes[n]):
            used = k[of[n]], mid[of[n]], weight[of[n]]
            if strikes[n] < rich:
                used = _enriched(*used, priors[n], rich - strikes[n])
            found = SviSlice.fit(*used, years=terms[n]) if strikes[n] >= _ALONE else priors[n]
            if arbitrage_free:
                before = next((s for s in slices[n::-1] if s), None)
                after = next((s for s in slices[n:] if s), None)
                free = fit_free(*used, found, before, after)
                if free is None:
                    return cls(tuple(priors), forwards, quotes.timestamp)
                found = free
            slices[n] = found
        return cls(tuple(s for s in slices if s), forwards, quotes.timestamp)

    def _years(self, expiry: npt.ArrayLike) -> FloatArray:
        """Return the years of 365 days from `timestamp` to `expiry`."""
        years: FloatArray = (np.asarray(expiry, dtype=np.float64) - self.timestamp) / YEAR
        return years


def _enriched(
    k: FloatArray, mid: FloatArray, weight: FloatArray, prior: SviSlice, missing: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return one expiry's quotes with points of `prior` that weigh as much as `missing` quotes."""
    at = _PRIOR_AT * float(np.sqrt(prior.total_variance(0.0)))
    borrowed = np.full(at.size, missing * float(weight.mean()) / at.size)
    return np.concatenate([k, at]), np.concatenate([mid, prior.vol(at)]), np.concatenate([weight, borrowed])


def _usable(quotes: ChainQuotes, tick: float) -> tuple[FloatArray, ...]:
    """Return expiry, log-moneyness, years, forward, mid and weight of the quotes with two sides."""
    names = ("expiry", "strike", "forward", "bid", "ask")
    arrays = [np.asarray(getattr(quotes, n), dtype=np.float64) for n in names]
    if any(a.ndim != 1 or a.shape != arrays[0].shape for a in arrays):
        shapes = ", ".join(f"{n} {a.shape}" for n, a in zip(names, arrays, strict=True))
        raise SviError(f"quotes: expected one dimension and one length, got {shapes}")
    if not tick > 0.0:
        raise SviError(f"tick: expected a vol above 0, got {tick}")
    expiry, strike, forward, bid, ask = arrays
    with np.errstate(invalid="ignore"):
        used = (bid > 0.0) & (ask >= bid) & np.isfinite(ask) & (expiry > quotes.timestamp)
    if not used.any():
        raise SviError("quotes: none has a bid, an ask at or above it and an expiry to come")
    expiry, strike, forward, bid, ask = (a[used] for a in arrays)
    if not np.all((strike > 0.0) & (forward > 0.0) & np.isfinite(strike) & np.isfinite(forward)):
        raise SviError("strike, forward: expected positive prices")
    for e in np.unique(expiry):
        if np.ptp(forward[expiry == e]) > 0.0:
            raise SviError(f"forward: expected one at expiry {e:.0f}, got several")
    weight = 1.0 / (0.5 * (ask - bid) + tick) ** 2
    return (
        expiry,
        np.log(strike / forward),
        (expiry - quotes.timestamp) / YEAR,
        forward,
        0.5 * (bid + ask),
        weight,
    )
