"""Rolling estimators of volatility from closing prices or from bars.

All take one-dimensional arrays of prices, oldest first and equally spaced, and return an array of the same length: at each bar
the volatility a year (0.8 for 80%) of the `window` bars that end there, NaN before the first full window. `periods` is the number
of bars in a year: 365 for days, 8,760 for hours. A window is summed afresh at every bar, so nothing drifts and what a window does
not contain cannot reach it.

All raise `RealizedError` for arrays of other shapes or of unequal lengths, prices that are not positive and finite, bars whose
high and low do not enclose their open and close, a window that is too short, and `periods` that is not positive.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from evenkeel.market.realized.errors import RealizedError

FloatArray: TypeAlias = npt.NDArray[np.float64]

_TWO_LN_2: Final = 2.0 * float(np.log(2.0))
# Yang and Zhang's recommended alpha, which minimises the worst variance of the estimate over drifts and opening jumps.
_ALPHA: Final = 1.34


def close_to_close(close: npt.ArrayLike, window: int, periods: float) -> FloatArray:
    """Return the sample standard deviation of the window - 1 log returns between `window` closes, annualised.

    The mean return of the window is taken out and the variance, not its root, is unbiased. `window` is 3 or more.
    """
    _check(window, 3, periods)
    (c,) = _prices(close=close)
    returns = np.diff(np.log(c))
    return _rolled(periods * _windows(returns, window - 1).var(axis=-1, ddof=1), c.size)


def parkinson(high: npt.ArrayLike, low: npt.ArrayLike, window: int, periods: float) -> FloatArray:
    """Return the volatility from the ranges of `window` bars (Parkinson, Journal of Business 53, 1980).

    For a price without drift that is watched continuously; jumps between bars are not seen. About 5 times as efficient as
    closes. `window` is 1 or more.
    """
    _check(window, 1, periods)
    h, lo = _prices(high=high, low=low)
    _enclosed(h, lo)
    per_bar = np.log(h / lo) ** 2 / (2.0 * _TWO_LN_2)
    return _rolled(periods * _windows(per_bar, window).mean(axis=-1), h.size)


def garman_klass(
    open: npt.ArrayLike,  # noqa: A002  the bar's own name for it
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    window: int,
    periods: float,
) -> FloatArray:
    """Return the volatility from range and move of `window` bars (Garman and Klass, Journal of Business 53, 1980).

    The practical estimator, 1/2 ln(H/L)^2 - (2 ln 2 - 1) ln(C/O)^2 a bar: for a price without drift that opens where it closed;
    about 7.4 times as efficient as closes. `window` is 1 or more.
    """
    _check(window, 1, periods)
    o, h, lo, c = _prices(open=open, high=high, low=low, close=close)
    _enclosed(h, lo, o, c)
    per_bar = 0.5 * np.log(h / lo) ** 2 - (_TWO_LN_2 - 1.0) * np.log(c / o) ** 2
    return _rolled(periods * _windows(per_bar, window).mean(axis=-1), o.size)


def rogers_satchell(
    open: npt.ArrayLike,  # noqa: A002  the bar's own name for it
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    window: int,
    periods: float,
) -> FloatArray:
    """Return the volatility of `window` bars whatever their drift (Rogers and Satchell, Annals of Applied Probability 1, 1991).

    Jumps between bars are not seen. `window` is 1 or more.
    """
    _check(window, 1, periods)
    o, h, lo, c = _prices(open=open, high=high, low=low, close=close)
    _enclosed(h, lo, o, c)
    return _rolled(periods * _windows(_rogers_satchell(o, h, lo, c), window).mean(axis=-1), o.size)


def yang_zhang(
    open: npt.ArrayLike,  # noqa: A002  the bar's own name for it
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    window: int,
    periods: float,
) -> FloatArray:
    """Return the volatility of `window` bars with drift and opening jumps (Yang and Zhang, Journal of Business 73, 2000).

    The variance of the openings against the close before, plus k times that of the moves from open to close, plus 1 - k times
    Rogers and Satchell's; k = 0.34 / (1.34 + (window + 1)/(window - 1)). The first value needs the close before its window, so it
    stands at index `window`. `window` is 2 or more.
    """
    _check(window, 2, periods)
    o, h, lo, c = _prices(open=open, high=high, low=low, close=close)
    _enclosed(h, lo, o, c)
    k = (_ALPHA - 1.0) / (_ALPHA + (window + 1) / (window - 1))
    overnight = _windows(np.log(o[1:] / c[:-1]), window).var(axis=-1, ddof=1)
    intraday = _windows(np.log(c[1:] / o[1:]), window).var(axis=-1, ddof=1)
    ranges = _windows(_rogers_satchell(o, h, lo, c)[1:], window).mean(axis=-1)
    return _rolled(periods * (overnight + k * intraday + (1.0 - k) * ranges), o.size)


def bipower(close: npt.ArrayLike, window: int, periods: float) -> FloatArray:
    """Return the volatility without its jumps: pi/2 times the mean of |r_i| |r_(i-1)| over the window - 2 pairs of returns.

    One jump meets only ordinary neighbours, so it counts in the first power (Barndorff-Nielsen and Shephard, Journal of
    Financial Econometrics 2, 2004). `window` counts closes and is 3 or more.
    """
    _check(window, 3, periods)
    (c,) = _prices(close=close)
    moves = np.abs(np.diff(np.log(c)))
    pairs = moves[1:] * moves[:-1]
    return _rolled(periods * (np.pi / 2.0) * _windows(pairs, window - 2).mean(axis=-1), c.size)


def _rogers_satchell(o: FloatArray, h: FloatArray, lo: FloatArray, c: FloatArray) -> FloatArray:
    """Return the variance of each bar."""
    variance: FloatArray = np.log(h / c) * np.log(h / o) + np.log(lo / c) * np.log(lo / o)
    return variance


def _windows(values: FloatArray, width: int) -> FloatArray:
    """Return the runs of `width` values as rows, none where there are fewer values."""
    if values.size < width:
        return np.empty((0, width))
    return sliding_window_view(values, width)


def _rolled(variance: FloatArray, length: int) -> FloatArray:
    """Return the volatilities at the end of an array of `length`, NaN before them."""
    result = np.full(length, np.nan)
    result[length - variance.size :] = np.sqrt(variance)
    return result


def _check(window: int, least: int, periods: float) -> None:
    """Refuse a window or a number of periods that gives no estimate."""
    if window < least:
        raise RealizedError(f"window: expected {least} bars or more, got {window}")
    if not periods > 0.0:
        raise RealizedError(f"periods: expected more than 0 bars a year, got {periods}")


def _prices(**named: npt.ArrayLike) -> tuple[FloatArray, ...]:
    """Return the series as float64, refusing what is not a price."""
    series = {name: np.asarray(values, dtype=np.float64) for name, values in named.items()}
    length = next(iter(series.values())).size
    for name, values in series.items():
        if values.ndim != 1:
            raise RealizedError(f"{name}: expected one dimension, got {values.ndim}")
        if values.size != length:
            raise RealizedError(f"{name}: expected {length} prices as in the others, got {values.size}")
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0.0)))
        if bad.size:
            raise RealizedError(f"{name}[{bad[0]}]: expected a positive price, got {values[bad[0]]}")
    return tuple(series.values())


def _enclosed(high: FloatArray, low: FloatArray, *inside: FloatArray) -> None:
    """Refuse bars whose range does not contain their other prices."""
    wrong = high < low
    for price in inside:
        wrong |= (price > high) | (price < low)
    bad = np.flatnonzero(wrong)
    if bad.size:
        raise RealizedError(
            f"bar {bad[0]}: expected low <= open, close <= high, got low {low[bad[0]]}, high {high[bad[0]]}"
        )
