"""Black's formula and its derivatives in numpy, one block at a time."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from evenkeel.pricing._erfcx import FloatArray, erfcx_pair

BoolArray = npt.NDArray[np.bool_]

BLOCK: Final = 4096
"""Options a block: its two dozen temporaries stay in a second-level cache of 1 MB, and calls are few."""

# Arrays, because a ufunc takes them in half the time that it takes Python's numbers: on ten options the calls are the cost.
_HALF: Final = np.array(0.5)
_MINUS_HALF: Final = np.array(-0.5)
_ONE: Final = np.array(1.0)
_SQRT_HALF: Final = np.array(0.7071067811865476)
_TWO_OVER_SQRT_2PI: Final = np.array(0.7978845608028654)
_LEAST: Final = np.array(1e-100)
_MOST: Final = np.array(1e100)
_SPLIT: Final = np.array(0.35)


class Parts(NamedTuple):
    """What both prices and implied volatilities are made of; see `normalised`."""

    width: FloatArray
    h: FloatArray
    lead: FloatArray
    beta: FloatArray
    deep: BoolArray
    some_deep: bool
    e: FloatArray
    x_lead: FloatArray
    x_beta: FloatArray
    difference: FloatArray


def normalised(y: FloatArray, s: FloatArray) -> Parts:
    """Take Black's formula apart at y = |ln(forward / strike)| and s = vol sqrt(years), both 0 or more.

    With width = s, but never 0, h = y / width, lead = width/2 - h and beta = width/2 + h: `e` is exp(-lead^2/2) / 2, `deep` says
    lead > 0.35, `some_deep` that it says so anywhere, `x_lead` is erfcx(-lead/sqrt2), or erfcx(lead/sqrt2) where deep, `x_beta` erfcx(beta/sqrt2) and `difference` the
    former less the latter. The out-of-the-money option is worth e x difference of min(forward, strike), where deep
    1 - e (x_lead + x_beta).
    """
    width = np.maximum(s, _LEAST)
    half = _HALF * width
    h = y / width
    lead = half - h
    deep = lead > _SPLIT
    some_deep = bool(deep.item(deep.argmax())) if deep.size else False
    e = lead * lead
    e *= _MINUS_HALF
    np.exp(e, e)
    e *= _HALF
    # Both points and the step between them, which is the one of its two forms that subtracts nothing.
    rows = np.empty((3, lead.size))
    point, beta, step = rows[0], rows[1], rows[2]  # quicker than to unpack
    np.add(half, h, beta)
    # Masked copies, here and below, because np.where takes twice the time on few options.
    np.negative(lead, point)
    step[:] = s
    if some_deep:
        np.copyto(point, lead, where=deep)
        np.copyto(step, h + h, where=deep)
    scaled = rows * _SQRT_HALF
    x_lead, x_beta, difference = erfcx_pair(scaled[:2], scaled[2])
    return Parts(width, h, lead, beta, deep, some_deep, e, x_lead, x_beta, difference)


def evaluate(
    f: FloatArray,
    k: FloatArray,
    t: FloatArray,
    v: FloatArray,
    df: FloatArray,
    call: BoolArray,
    log_ratio: FloatArray,
    out: Mapping[str, FloatArray],
) -> bool:
    """Write the fields that `out` names into its arrays of shape (n,), and say whether every input was in its domain.

    Inputs have shape (n,) or (1,). Besides the fields of `Greeks` under Black-76,
    `dual` is dV/dK. `log_ratio` is ln(f / k) of shape (n,), or has no element; NaN where it is to be computed.

    The out-of-the-money side is priced directly (Black 1976, with erfc scaled): as a difference taken so that nothing cancels for
    small vol sqrt(t), and where it is most of min(f, k), as that less a small sum.
    """
    low, high = np.minimum(f, k), np.maximum(f, k)
    # argmin and argmax find an extreme, or a NaN, in a sixth of the time that a reduction takes on few options.
    every = np.concatenate((low, high, t, v, df))
    # Away from every limit nothing below divides by 0.
    guarded = not (every.item(every.argmin()) > 1e-100 and every.item(every.argmax()) < 1e100)
    if guarded:
        if _refused(f, k, t, v, df):
            return False
        v = np.minimum(v, _MOST)
    if not out:
        return True
    root = np.sqrt(t)
    s = v * root
    gap = high - low
    # The quotient is 0 or more, so its rounding is relative to y itself, near the money as far from it.
    y = gap / (np.maximum(low, _LEAST) if guarded else low)
    np.log1p(y, y)
    above = f > k
    if log_ratio.size:
        above = _replaced(log_ratio, low, y, gap, above)
    parts = normalised(y, s)
    e = low * parts.e
    price = out["price"] if "price" in out else np.empty(next(iter(out.values())).size)
    np.multiply(e, parts.difference, price)
    if parts.some_deep:
        rest = parts.x_lead + parts.x_beta
        rest *= e
        np.copyto(price, low - rest, where=parts.deep)
    np.copyto(price, price + gap, where=above == call)
    discounted = df.size > 1 or df[0] != 1.0
    if discounted:
        price *= df
    if len(out) == 1 and "price" in out:
        return True
    if discounted:
        e = e * df
    if guarded:
        f, t, v = np.maximum(f, _LEAST), np.maximum(t, _LEAST), np.maximum(v, _LEAST)
    _first(f, k, df, call, above, e, parts, out)
    _second(f, t, v, df, price, s if guarded else None, root, above, e, parts, out)
    return True


def _first(
    f: FloatArray,
    k: FloatArray,
    df: FloatArray,
    call: BoolArray,
    above: BoolArray,
    e: FloatArray,
    parts: Parts,
    out: Mapping[str, FloatArray],
) -> None:
    """Write what hangs on the normal distribution, and use up `parts.x_lead`; f is over 0, and e discounted."""
    x_lead, x_beta = parts.x_lead, parts.x_beta
    if "dual" in out:
        tail = out["dual"]
        tail[:] = x_beta
        np.copyto(tail, x_lead, where=above)
        tail *= e
        tail /= np.maximum(k, _LEAST)
        _signed(tail, above > parts.deep, call, call, df)
    if "delta" in out:
        tail = out["delta"]
        np.copyto(x_lead, x_beta, where=above)
        np.multiply(x_lead, e, tail)
        tail /= f
        _signed(tail, above | parts.deep if parts.some_deep else above, call, ~call, df)


def _replaced(x: FloatArray, low: FloatArray, y: FloatArray, gap: FloatArray, above: BoolArray) -> BoolArray:
    """Write |ln(f / k)| and |f - k| where `x`, ln(f / k), is given; return whether f is above k."""
    given = ~np.isnan(x)
    np.copyto(y, np.abs(x), where=given)
    np.copyto(gap, low * np.expm1(y), where=given)
    return np.where(given, x > 0.0, above)


def _second(
    f: FloatArray,
    t: FloatArray,
    v: FloatArray,
    df: FloatArray,
    price: FloatArray,
    s: FloatArray | None,
    root: FloatArray,
    above: BoolArray,
    e: FloatArray,
    parts: Parts,
    out: Mapping[str, FloatArray],
) -> None:
    """Write what hangs on the normal density, and rho, and use up `parts.beta`; f, t and v are over 0, `s` is given where it may be 0."""
    lead, beta = parts.lead, parts.beta
    density = _TWO_OVER_SQRT_2PI * e  # discount x forward x phi(d1)
    if "gamma" in out:
        gamma = out["gamma"]
        np.divide(density, f, gamma)
        gamma /= f * parts.width
        if s is not None:
            np.copyto(gamma, np.inf, where=(s == 0.0) & (density > 0.0))
    if s is not None:
        density = np.where(s == 0.0, 0.0 * s, density)
    vega = np.multiply(density, root, out.get("vega"))
    if "theta" in out or "rho" in out:
        _timed(t, v, df, price, vega, out, limits=s is not None)
    if "vanna" in out or "volga" in out:
        density /= v
        if "volga" in out:
            volga = np.multiply(lead, beta, out["volga"])
            volga *= density
            volga *= root
            np.negative(volga, volga)
        if "vanna" in out:
            np.copyto(beta, lead, where=above)
            vanna = np.multiply(beta, density, out["vanna"])
            vanna /= f


def _timed(
    t: FloatArray,
    v: FloatArray,
    df: FloatArray,
    price: FloatArray,
    vega: FloatArray,
    out: Mapping[str, FloatArray],
    *,
    limits: bool,
) -> None:
    """Write rho and theta; with `limits` some t may stand for 0."""
    back = -t
    if "rho" in out:
        np.multiply(back, price, out["rho"])
    if "theta" in out:
        theta = out["theta"]
        np.multiply(vega, _HALF, theta)
        theta *= v
        theta /= back
        if df.size > 1 or df[0] != 1.0:
            rate = np.log(df) / back
            theta += (np.where(t > _LEAST, rate, 0.0) if limits else rate) * price


def _signed(tail: FloatArray, flip: BoolArray, call: BoolArray, negative: BoolArray, df: FloatArray) -> None:
    """Make the smaller tail df N(d) for calls and df N(-d) for puts, and negate it where told; `flip` says whether N(d) is the larger."""
    np.copyto(tail, df - tail, where=flip == call)
    np.copyto(tail, -tail, where=negative)


def _refused(f: FloatArray, k: FloatArray, t: FloatArray, v: FloatArray, df: FloatArray) -> bool:
    """Say whether some input is out of its domain, and not merely NaN."""
    finite = (f, k, t, df)
    return (
        any(bool(np.any(column < 0.0)) for column in (*finite, v))
        or any(bool(np.any(column == np.inf)) for column in finite)
        or bool(np.any(df == 0.0))
    )
