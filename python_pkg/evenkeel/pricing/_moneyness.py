"""The logarithm of a forward over a strike, with the digits that a forward rounded to float64 has lost."""

from typing import Final

import numpy as np

from evenkeel.pricing._blocked import BLOCK
from evenkeel.pricing._erfcx import FloatArray
from evenkeel.pricing._twofold import add, exact_product, exact_sum, log_ratio

# Below this vol sqrt(years) the rounding of the forward is over 1e-13 of some prices.
_NARROW: Final = 0.02

# Further away, in logarithms, forward and strike tell their ratio well enough.
_FAR: Final = 1.0


def log_moneyness(
    spot: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    vol: FloatArray,
    rate: FloatArray,
    dividend: FloatArray,
    size: int,
) -> FloatArray:
    """Return ln(spot / strike) + (rate - dividend) years, or an array of no element where no option has a small vol sqrt(years).

    Arguments have shape (size,) or (1,). The sum is taken at twice float64's precision, so that it is right to 1e-16 of itself down
    to 1e-18 of its terms. It is NaN where spot and strike tell it as well: without a rate, beyond `_FAR`, and at 0.
    """
    if not (np.any(rate != dividend) and np.any(vol * vol * years < _NARROW * _NARROW)):
        return np.empty(0)
    out = np.empty(size)
    for start in range(0, size, BLOCK):
        part = slice(start, start + BLOCK)
        s, k, t, r, q = (a[part] if a.size > 1 else a for a in (spot, strike, years, rate, dividend))
        out[part] = _sum(s, k, t, r, q)
    return out


def _sum(s: FloatArray, k: FloatArray, t: FloatArray, r: FloatArray, q: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):  # what is no number here is left to the kernel
        carry = exact_sum(r, -q)
        growth = exact_product(carry.high, t)
        found = add(log_ratio(s, k), growth).high + carry.low * t
        kept = (s > 0.0) & (k > 0.0) & (growth.high != 0.0) & (np.abs(found) < _FAR)
        return np.where(kept, found, np.nan)
