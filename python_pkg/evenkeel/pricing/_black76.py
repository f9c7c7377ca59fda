"""Black's formula for options on a forward, and on a spot that pays a yield, with the Greeks of each."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from evenkeel.pricing import _engine
from evenkeel.pricing._columns import Columns, columns
from evenkeel.pricing._erfcx import FloatArray
from evenkeel.pricing._greeks import NAMES, SPOT_NAMES, Greeks, choose
from evenkeel.pricing._moneyness import log_moneyness
from evenkeel.pricing.errors import PricingError

_ARGUMENTS: Final = ("forward", "strike", "years", "vol", "discount")

# What each field of Black-Scholes is made of.
_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "theta": ("delta", "vega", "dual"),
    "rho": ("dual",),
    "dividend_rho": ("delta",),
}


def black76(
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    vol: npt.ArrayLike,
    is_call: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    greeks: str | Iterable[str] = "all",
) -> Greeks:
    """Price European options on a forward by Black (1976); arguments of any shapes broadcast.

    `forward` and `strike` are asset units for one underlying, `years` of 365 days, `vol` 0.8 for 80%, `discount` the price now
    of one asset unit at expiry; r := -ln(discount) / years. `greeks` is "all", a field's name, or several: the rest is not computed.
    theta and rho hold the forward: theta = r V - D F phi(d1) vol / (2 sqrt(T)), rho = -T V.

    Errors measured against 60 digits where the out-of-the-money price is over 1e-10 of min(forward, strike): 1e-14 of the price, and
    1e-14 of the sum of the absolute terms of each Greek's formula. The out-of-the-money side is priced directly and the other by
    parity.

    Limits are values. `years` or `vol` at 0: the discounted intrinsic; delta +-discount in the money, half of it at
    forward = strike; vega, vanna, volga 0; gamma 0, but infinite at forward = strike; theta r V, with r = 0 where `years` is 0.
    `strike` at 0: a call is the discounted forward, delta the discount. `forward` at 0: a put is the discounted strike. Infinite
    `vol`: a call is the discounted forward, a put the discounted strike. Far out of the money the price goes to 0 and never below.
    NaN in gives NaN out.

    Raises `PricingError` where an argument is negative, one but `vol` is infinite, `discount` is not positive or `greeks` names no
    field, and ValueError where shapes do not broadcast.
    """
    names = choose(greeks, NAMES)
    given = columns(is_call, forward, strike, years, vol, discount)
    out = np.empty((len(names), given.size))
    if not _engine.evaluate(names, given, out):
        _engine.refuse(_ARGUMENTS, given.floats)
    return Greeks.of(names, out if len(given.shape) == 1 else out.reshape(len(names), *given.shape))


def black_scholes(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    vol: npt.ArrayLike,
    is_call: npt.ArrayLike,
    rate: npt.ArrayLike = 0.0,
    dividend: npt.ArrayLike = 0.0,
    greeks: str | Iterable[str] = "all",
) -> Greeks:
    """Price European options on a spot (Black and Scholes 1973, Merton 1973); arguments of any shapes broadcast.

    `spot` and `strike` are asset units, `years` of 365 days, `vol` 0.8 for 80%; `rate` and `dividend` are continuous and a year, 0.05
    for 5%. It is `black76` at forward = spot e^((rate - dividend) years) and discount e^(-rate years), with every derivative taken at
    constant spot: delta dV/dS, theta = -D F phi(d1) vol / (2 sqrt(T)) + dividend S dV/dS - rate x, rho = T x and dividend_rho =
    -T S dV/dS, where x = S dV/dS - V. `greeks` as in `black76`, with `dividend_rho` besides.

    Limits and errors are those of `black76` at that forward. Where vol sqrt(years) is below 0.02 for some option, the rounding of the
    forward would be more than that: then ln(forward / strike) is taken from the arguments at twice float64's precision. Raises
    `PricingError` where `spot`, `strike`, `years` or `vol` is negative, one but `vol` is infinite, the rates leave no float64 for the
    forward or the discount or `greeks` names no field, and ValueError where shapes do not broadcast.
    """
    names = choose(greeks, SPOT_NAMES)
    # Both factors follow from years and rates alone, so they take the arguments' own shapes and no more.
    t, r, q = (np.asarray(a, dtype=np.float64) for a in (years, rate, dividend))
    with np.errstate(over="ignore", invalid="ignore"):  # refused below
        growth, discount = np.exp((r - q) * t), np.exp(-r * t)
    at = np.asarray(spot, dtype=np.float64)
    given = columns(is_call, at * growth, strike, t, vol, discount, growth, r, q, at)
    _, strikes, terms, vols, _, _, rates, dividends, spots = given.floats
    x = log_moneyness(spots, strikes, terms, vols, rates, dividends, given.size)
    base = _base(names)
    out = np.empty((len(base), given.size))
    inner = Columns(given.shape, given.size, given.floats[:5], given.is_call)
    if not _engine.evaluate(base, inner, out, x):
        _engine.refuse(("spot", *_ARGUMENTS[1:4]), [spots, *given.floats[1:4]])
        raise PricingError("rate, dividend: the forward or the discount over these years is outside float64")
    found = dict(zip(base, out, strict=True))
    fields = [_at_constant_spot(name, found, given.floats).reshape(given.shape) for name in names]
    return Greeks.of(names, fields)


@lru_cache(maxsize=256)
def _base(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields at constant forward that these at constant spot are made of."""
    needed = {part for name in names for part in _NEEDS.get(name, (name,))}
    return tuple(name for name in (*NAMES, "dual") if name in needed)


def _at_constant_spot(name: str, found: dict[str, FloatArray], given: list[FloatArray]) -> FloatArray:
    f, k, t, v, _, growth, r, q, _ = given
    if name == "theta":
        decay = 0.5 * found["vega"] * np.minimum(v, 1e100) / np.maximum(t, 1e-100)
        return q * f * found["delta"] + r * k * found["dual"] - decay
    if name == "rho":
        return -t * k * found["dual"]
    if name == "dividend_rho":
        return -t * f * found["delta"]
    if name == "gamma":
        return found["gamma"] * growth * growth
    if name in ("delta", "vanna"):
        return found[name] * growth
    return found[name]
