"""The slice nearest to quotes among those without arbitrage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenkeel.market.svi._arrays import FloatArray, negative_intervals
from evenkeel.market.svi._fit import raw
from evenkeel.market.svi._least_squares import least_squares
from evenkeel.market.svi._slice import SviSlice

if TYPE_CHECKING:
    from collections.abc import Callable


# Standard deviations of the log price at which arbitrage is penalised.
_PLACES: Final = np.sinh(np.linspace(-4.6, 4.6, 121))
# Where a place inside an unbounded interval is put.
_FURTHEST: Final = 20.0
_MARGIN: Final = 1e-4
_STRICTER: Final = 100.0
_ROUNDS: Final = 6
_BUMP: Final = 1e-7
_ROUNDING: Final = 1e-12


def crossings(near: SviSlice, far: SviSlice) -> tuple[tuple[float, float], ...]:
    """Return the intervals of log-moneyness on which `far` has less total variance than `near`, in ascending order."""

    def rise(k: FloatArray) -> FloatArray:
        return far.total_variance(k) - near.total_variance(k)

    return negative_intervals(rise, [(near.m, near.sigma), (far.m, far.sigma)], _ROUNDING)


def fit_free(
    k: FloatArray,
    vol: FloatArray,
    weights: FloatArray,
    start: SviSlice,
    before: SviSlice | None,
    after: SviSlice | None,
) -> SviSlice | None:
    """Return the slice nearest to quotes that has no butterfly and lies between two slices; None where none is found.

    `start` is the slice nearest without those conditions, and is returned where it meets them. Arbitrage is penalised by its square,
    with a weight that rises and at places that grow by those where some was left, until there is none.
    """
    wrong = _arbitrage(start, before, after)
    if not wrong.size:
        return start
    root = np.sqrt(weights)
    places = _PLACES * float(np.sqrt(start.total_variance(0.0)))
    x = _pack(start.repair())
    low = np.array([-70.0, -30.0, -30.0, x[3] - 4.0 * np.ptp(k), x[4] - 5.0])
    high = np.array([5.0, 30.0, 30.0, x[3] + 4.0 * np.ptp(k), x[4] + 5.0])
    for strictness in float(weights @ vol**2) * _STRICTER ** np.arange(_ROUNDS):
        places = np.concatenate([places, wrong])

        def residual(
            x: FloatArray, weight: float = float(strictness), places: FloatArray = places
        ) -> FloatArray:
            s = SviSlice(*raw(x), start.years)
            penalty = np.sqrt(weight) * _violation(s, before, after, places)
            return np.concatenate([root * (s.vol(k) - vol), penalty])

        def model(
            x: FloatArray, residual: Callable[[FloatArray], FloatArray] = residual
        ) -> tuple[FloatArray, FloatArray]:
            here = residual(x)
            bumped = [(residual(x + _BUMP * e) - here) / _BUMP for e in np.eye(x.size)]
            return here, np.stack(bumped, axis=-1)

        x, _ = least_squares(model, x, low, high)
        found = SviSlice(*raw(x), start.years)
        wrong = _arbitrage(found, before, after)
        if not wrong.size:
            return found
    return None


def _arbitrage(s: SviSlice, before: SviSlice | None, after: SviSlice | None) -> FloatArray:
    """Return a place inside every interval of log-moneyness on which the slice holds an arbitrage, none where it is free."""
    intervals = list(s.butterfly_arbitrage())
    if before is not None:
        intervals += crossings(before, s)
    if after is not None:
        intervals += crossings(s, after)
    if not intervals and not s.is_arbitrage_free():
        return np.zeros(1)
    ends = np.clip(np.array(intervals).reshape(-1, 2), -_FURTHEST, _FURTHEST)
    places: FloatArray = ends.mean(axis=1)
    return places


def _violation(
    s: SviSlice, before: SviSlice | None, after: SviSlice | None, places: FloatArray
) -> FloatArray:
    """Return how far the slice is from being free by a small margin, at each place and in the wings; 0 where it is."""
    parts = [np.maximum(_MARGIN - np.nan_to_num(s.g(places), nan=-1.0), 0.0)]
    for near, far in ((before, s), (s, after)):
        if near is None or far is None:
            continue
        ratio = far.total_variance(places) / near.total_variance(places)
        parts.append(np.maximum(1.0 + _MARGIN - ratio, 0.0))
        parts.append(np.maximum((1.0 + _MARGIN) * _wings(near) - _wings(far), 0.0))
    return np.concatenate(parts)


def _wings(s: SviSlice) -> FloatArray:
    """Return the slopes of total variance far out."""
    slopes: FloatArray = s.b * np.array([1.0 + s.rho, 1.0 - s.rho])
    return slopes


def _pack(s: SviSlice) -> FloatArray:
    """Return ln least total variance, logits of the half slopes, m and ln sigma: every value of these is a slice."""
    least = s.a + s.b * s.sigma * np.sqrt((1.0 - s.rho) * (1.0 + s.rho))
    half = np.clip(0.5 * s.b * np.array([1.0 + s.rho, 1.0 - s.rho]), 1e-9, 1.0 - 1e-9)
    return np.array([np.log(max(least, 1e-30)), *np.log(half / (1.0 - half)), s.m, np.log(s.sigma)])
