"""Black's formula for options on a forward, with its Greeks."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from evenkeel.pricing._erfcx import FloatArray, erfcx
from evenkeel.pricing.errors import PricingError

_SQRT_HALF: Final = 0.7071067811865476
_INV_SQRT_2PI: Final = 0.3989422804014327


@dataclass(frozen=True, slots=True)
class Greeks:
    """Price and sensitivities of one unit of each option; float64 arrays of one shape.

    `price` in asset units; `delta` dV/dF; `gamma` d2V/dF2; `vega` dV/dvol for a change of 1.00; `theta` dV/dt a year at
    constant forward, negative where time costs the holder; `rho` dV/dr at constant forward; `vanna` d2V/dF dvol; `volga`
    d2V/dvol2.
    """

    price: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray
    vanna: FloatArray
    volga: FloatArray


def black76(
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    vol: npt.ArrayLike,
    is_call: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
) -> Greeks:
    """Price European options on a forward by Black (1976); arguments broadcast.

    `forward` and `strike` are asset units for one underlying, `years` of 365 days, `vol` 0.8 for 80%, `discount` the price now
    of one asset unit at expiry; r := -ln(discount) / years. The out-of-the-money side is priced directly and the other by
    parity, both from one exponential and two scaled complementary error functions.

    Limits are values. `years` or `vol` at 0: the discounted intrinsic; delta +-discount in the money and half of it at
    forward = strike; vega, vanna, volga 0; gamma 0, but infinite at forward = strike. `strike` at 0: a call is the discounted
    forward. `forward` at 0: a put is the discounted strike. NaN in gives NaN out.

    Raises `PricingError` where an argument is negative or `discount` is not positive.
    """
    f, k, t, v, df = (np.asarray(a, dtype=np.float64) for a in (forward, strike, years, vol, discount))
    for name, values in (("forward", f), ("strike", k), ("years", t), ("vol", v)):
        if np.any(values < 0.0):
            raise PricingError(f"{name}: expected 0 or more, got {values.min()}")
    if np.any(df <= 0.0):
        raise PricingError(f"discount: expected more than 0, got {df.min()}")
    f, k, t, v, df, call = np.broadcast_arrays(f, k, t, v, df, np.asarray(is_call, dtype=np.bool_))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        return _evaluate(f, k, t, v, df, call)


def _evaluate(
    f: FloatArray, k: FloatArray, t: FloatArray, v: FloatArray, df: FloatArray, call: npt.NDArray[np.bool_]
) -> Greeks:
    root_t = np.sqrt(t)
    s = v * root_t
    flat = s == 0.0
    moneyness = _log_ratio(f, k)
    ratio = np.where(moneyness == 0.0, 0.0, moneyness / s)
    d1 = ratio + 0.5 * s
    d2 = ratio - 0.5 * s
    e1 = np.exp(-0.5 * d1 * d1)
    x1 = erfcx(np.abs(d1) * _SQRT_HALF)
    x2 = erfcx(np.abs(d2) * _SQRT_HALF)

    # For the out-of-the-money side, in terms of the smaller of forward and strike, f e1 = k e2 makes one exponential do for both.
    above = f > k
    near, far = np.where(above, x2, x1), np.where(above, x1, x2)
    lead = np.where(above, -d2, d1)
    scaled = 0.5 * f * e1
    scaled = np.where(np.isfinite(scaled), scaled, 0.0)
    low = np.minimum(f, k)
    otm = np.where(lead > 0.0, low - scaled * (near + far), scaled * (near - far))
    otm = np.where(flat | (low == 0.0), np.where(np.isnan(low + s), np.nan, 0.0), np.maximum(otm, 0.0))
    in_money = np.where(call, f - k, k - f)
    price = df * (otm + np.maximum(in_money, 0.0))

    tail = 0.5 * e1 * x1
    up = np.where(d1 > 0.0, 1.0 - tail, tail)
    down = np.where(d1 > 0.0, tail, 1.0 - tail)
    delta = df * np.where(call, up, -down)

    density = _INV_SQRT_2PI * e1
    live = ~(flat | (f == 0.0) | (k == 0.0))
    at_strike = flat & (f == k) & (f > 0.0)
    gamma = np.where(live, df * density / (f * s), np.where(at_strike, np.inf, 0.0))
    vega = np.where(live, df * f * density * root_t, 0.0)
    decay = np.where(live, df * f * density * v / (2.0 * root_t), 0.0)
    rate = np.where(t > 0.0, -np.log(df) / t, 0.0)
    vanna = np.where(live, -df * density * d2 / v, 0.0)
    volga = np.where(live, vega * d1 * d2 / v, 0.0)
    return Greeks(
        price=price,
        delta=delta,
        gamma=gamma,
        vega=vega,
        theta=rate * price - decay,
        rho=-t * price,
        vanna=vanna,
        volga=volga,
    )


def _log_ratio(f: FloatArray, k: FloatArray) -> FloatArray:
    """Return ln(f / k), without cancellation near f = k; 0 where both are 0."""
    # Within a factor of two f - k is exact, so log1p keeps digits that the rounding of f / k loses.
    near = np.abs(f - k) < 0.5 * k
    ratio = np.where(near, np.log1p((f - k) / k), np.log(f / k))
    return np.where((f == 0.0) & (k == 0.0), 0.0, ratio)
