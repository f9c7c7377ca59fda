"""The forecast of realised variance, and what the market asks above it."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from evenkeel.market.realized.errors import RealizedError

FloatArray: TypeAlias = npt.NDArray[np.float64]

_DAYS_A_YEAR: Final = 365.0


def forecast_har(
    rv: npt.ArrayLike, horizon: int, windows: Sequence[int] = (1, 7, 30), min_obs: int = 365
) -> FloatArray:
    """Return on each day the volatility a year expected of the `horizon` days after it.

    `rv` holds daily realised variances, oldest first: sums of squared intraday log returns, not annualised. The model is the
    heterogeneous autoregression of Corsi (Journal of Financial Econometrics 7, 2009) in logarithms, with the week and the month
    of a market without weekends: ln mean rv(t+1..t+horizon) on 1 and ln of the mean rv of the last 1, 7 and 30 days, by ordinary
    least squares, and exp(s^2/2) with s^2 the regression's residual variance to turn the forecast logarithm into a mean.

    All of the past counts alike, so the forecast follows a lasting change late: on hourly ether of 2021-25, whose volatility fell,
    it is 7 points too high at 1 and 7 days and 11 at 28, where its root mean square error of 24 points equals that of the last
    month's volatility; at 1 and 7 days it is 15% and 10% below that.

    Day t's forecast is estimated from outcomes complete by day t only. NaN until `min_obs` of them are known; the last element is
    today's forecast. Raises `RealizedError` for variances that are not positive and finite, and for a horizon, windows or
    `min_obs` out of range.
    """
    daily = np.asarray(rv, dtype=np.float64)
    _check(daily, horizon, windows, min_obs)
    count = daily.size
    longest = max(windows)
    result = np.full(count, np.nan)
    pairs = count - (longest - 1) - horizon
    if pairs < min_obs:
        return result
    rows = np.column_stack(
        [np.ones(count - longest + 1), *(np.log(_means(daily, w)[longest - w :]) for w in windows)]
    )
    outcomes = np.log(_means(daily, horizon)[longest:])
    # One shift for all rows changes the intercept alone, and keeps the running sums below well conditioned.
    shift = float(np.log(daily[:longest].mean()))
    rows[:, 1:] -= shift
    outcomes = outcomes - shift
    known = rows[:pairs]
    gram = np.cumsum(known[:, :, None] * known[:, None, :], axis=0)[min_obs - 1 :]
    moment = np.cumsum(known * outcomes[:, None], axis=0)[min_obs - 1 :]
    square = np.cumsum(outcomes**2)[min_obs - 1 :]
    try:
        beta = np.linalg.solve(gram, moment[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        raise RealizedError("rv: the windows' averages do not differ, so no regression is possible") from None
    freedom = np.arange(min_obs, pairs + 1) - rows.shape[1]
    residual = np.maximum(square - np.sum(beta * moment, axis=1), 0.0) / freedom
    expected = np.sum(beta * rows[min_obs - 1 + horizon :], axis=1) + shift + 0.5 * residual
    result[longest - 1 + horizon + min_obs - 1 :] = np.sqrt(_DAYS_A_YEAR * np.exp(expected))
    return result


def variance_risk_premium(implied_vol: npt.ArrayLike, forecast_vol: npt.ArrayLike) -> FloatArray:
    """Return implied_vol^2 - forecast_vol^2, a variance a year: what option sellers are paid above the expected variance.

    Both are volatilities a year over the same coming window, for instance a 30-day at-the-money vol and `forecast_har(rv, 30)`;
    they broadcast and NaN stays NaN. Bollerslev, Tauchen and Zhou (Review of Financial Studies 22, 2009). Raises `RealizedError`
    where a volatility is negative.
    """
    implied, forecast = (np.asarray(a, dtype=np.float64) for a in (implied_vol, forecast_vol))
    for name, values in (("implied_vol", implied), ("forecast_vol", forecast)):
        if np.any(values < 0.0):
            raise RealizedError(f"{name}: expected 0 or more, got {np.nanmin(values)}")
    premium: FloatArray = implied**2 - forecast**2
    return premium


def _means(values: FloatArray, width: int) -> FloatArray:
    """Return the means of all runs of `width` values."""
    means: FloatArray = sliding_window_view(values, width).mean(axis=-1)
    return means


def _check(daily: FloatArray, horizon: int, windows: Sequence[int], min_obs: int) -> None:
    """Refuse what no regression can be run on."""
    if daily.ndim != 1:
        raise RealizedError(f"rv: expected one dimension, got {daily.ndim}")
    bad = np.flatnonzero(~(np.isfinite(daily) & (daily > 0.0)))
    if bad.size:
        raise RealizedError(f"rv[{bad[0]}]: expected a positive variance, got {daily[bad[0]]}")
    if horizon < 1:
        raise RealizedError(f"horizon: expected 1 day or more, got {horizon}")
    if not windows or min(windows) < 1 or len(set(windows)) != len(windows):
        raise RealizedError(f"windows: expected different numbers of days from 1, got {tuple(windows)}")
    if min_obs < len(windows) + 2:
        raise RealizedError(f"min_obs: expected {len(windows) + 2} or more, got {min_obs}")
