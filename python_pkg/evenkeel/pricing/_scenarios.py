"""Books of options summed over a grid of prices, volatilities and times, without an array of options x scenarios."""

import numpy as np
import numpy.typing as npt

from evenkeel.pricing import _engine
from evenkeel.pricing._erfcx import FloatArray

IntArray = npt.NDArray[np.int64]


def scenario_sums(
    prices: FloatArray,
    shifts: FloatArray,
    years: FloatArray,
    held: FloatArray,
    owner: IntArray,
    owners: int,
    token: IntArray,
    ratio: FloatArray,
    strike: FloatArray,
    vol: FloatArray,
    is_call: npt.NDArray[np.bool_],
) -> FloatArray | None:
    """Return what each owner's options are worth by Black (1976), of shape (owners, prices, shifts, times), in all combinations.

    `prices` (prices, tokens) in asset units, `shifts` (shifts,) are added to every volatility, floored at 0, `years` (times, options)
    of 365 days, `held` (times, options) quantities times discounts. The rest has one element an option: the `owner` and the `token`
    by number, the forward's `ratio` to the token's price, `strike`, `vol` and `is_call`. Formula, limits and each price's errors are
    those of `black76`; an owner's are added in the order that is quickest.

    None where the compiled kernel is not in use for so many options, or a price, strike, ratio or time is negative or infinite: `black76` then
    gives the numbers, or the error.
    """
    fast = _engine.compiled(len(prices) * shifts.size * years.size)
    if fast is None or any(((g < 0.0) | (g == np.inf)).any() for g in (prices, ratio, strike, years)):
        return None
    order = np.argsort(owner, kind="stable")
    by_option = [column[order] for column in (owner, token, ratio, strike, vol, is_call)]
    out = np.zeros((owners, len(prices), shifts.size, len(years)))
    grid = [np.ascontiguousarray(axis) for axis in (prices, shifts)]
    fast.scenario_sums(*_engine.writable([*grid, np.sqrt(years[:, order]), held[:, order], *by_option]), out)
    return out
