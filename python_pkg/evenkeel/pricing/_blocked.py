"""Black's formula and its derivatives in numpy, one block at a time."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from evenkeel.pricing._erfcx import FloatArray, erfcx_pair

BoolArray = npt.NDArray[np.bool_]

BLOCK: Final = 2048
"""Options a block: its two dozen temporaries stay in a core's second-level cache."""

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
    e: FloatArray
    x_lead: FloatArray
    x_beta: FloatArray
    difference: FloatArray


def normalised(y: FloatArray, s: FloatArray) -> Parts:
    """Take Black's formula apart at y = |ln(forward / strike)| and s = vol sqrt(years), both 0 or more.

    With width = s, but never 0, h = y / width, lead = width/2 - h and beta = width/2 + h: `e` is exp(-lead^2/2) / 2, `deep` says
    lead > 0.35, `x_lead` is erfcx(-lead/sqrt2), or erfcx(lead/sqrt2) where deep, `x_beta` erfcx(beta/sqrt2) and `difference` the
    former less the latter. The out-of-the-money option is worth e x difference of min(forward, strike), where deep
    1 - e (x_lead + x_beta).
    """
    width = np.maximum(s, _LEAST)
    half = _HALF * width
    h = y / width
    lead = half - h
    deep = lead > _SPLIT
    e = lead * lead
    e *= _MINUS_HALF
    np.exp(e, e)
    e *= _HALF
    # Both points and the step between them, which is the one of its two forms that subtracts nothing.
    rows = np.empty((3, lead.size))
    point, beta, step = rows
    np.add(half, h, beta)
    # Masked copies, here and below, because np.where takes twice the time on few options.
    np.negative(lead, point)
    np.copyto(point, lead, where=deep)
    step[:] = s
    np.copyto(step, h + h, where=deep)
    scaled = rows * _SQRT_HALF
    x_lead, x_beta, difference = erfcx_pair(scaled[:2], scaled[2])
    return Parts(width, h, lead, beta, deep, e, x_lead, x_beta, difference)


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

    Inputs have shape (n,) or (1,); one of `f` and `k` has shape (n,) unless n is 1. Besides the fields of `Greeks` under Black-76,
    `dual` is dV/dK. `log_ratio` is ln(f / k) of shape (n,), or has no element; NaN where it is to be computed.

    The out-of-the-money side is priced directly (Black 1976, with erfc scaled): as a difference taken so that nothing cancels for
    small vol sqrt(t), and where it is most of min(f, k), as that less a small sum.
    """
    low = np.minimum(f, k)
    least = np.minimum(np.minimum(low, t), v)
    # argmin finds the least, or a NaN, in a sixth of the time that a reduction takes on few options.
    smallest = least[least.argmin()]
    # One NaN must not hide a negative number beside it.
    if not (smallest >= 0.0 and df[df.argmin()] > 0.0) and _refused(low, t, v, df):
        return False
    if not out:
        return True
    # Away from every limit nothing below divides by 0.
    guarded = not smallest > 1e-100
    v = np.minimum(v, _MOST)
    root = np.sqrt(t)
    s = v * root
    gap = np.maximum(f, k)
    gap -= low
    # The quotient is 0 or more, so its rounding is relative to y itself, near the money as far from it.
    y = gap / (np.maximum(low, _LEAST) if guarded else low)
    np.log1p(y, y)
    above = f > k
    if log_ratio.size:
        given = ~np.isnan(log_ratio)
        np.copyto(y, np.abs(log_ratio), where=given)
        np.copyto(gap, low * np.expm1(y), where=given)
        above = np.where(given, log_ratio > 0.0, above)
    width, _, lead, beta, deep, e, x_lead, x_beta, difference = normalised(y, s)
    e = low * e
    discounted = df.size > 1 or df[0] != 1.0
    price = out["price"] if "price" in out else np.empty(next(iter(out.values())).size)
    np.multiply(e, difference, price)
    rest = x_lead + x_beta
    rest *= e
    np.copyto(price, low - rest, where=deep)
    np.copyto(price, price + gap, where=above == call)
    if discounted:
        price *= df
    if len(out) == 1 and "price" in out:
        return True
    factor = df if discounted else None
    if "delta" in out:
        tail = _choice(out["delta"], above, x_beta, x_lead)
        tail *= e
        tail /= np.maximum(f, _LEAST) if guarded else f
        _signed(tail, above | deep, call, ~call, factor)
    if "dual" in out:
        tail = _choice(out["dual"], above, x_lead, x_beta)
        tail *= e
        tail /= np.maximum(k, _LEAST)
        _signed(tail, above > deep, call, call, factor)
    if "rho" in out:
        np.multiply(-t, price, out["rho"])
    if guarded:
        f, t, v = np.maximum(f, _LEAST), np.maximum(t, _LEAST), np.maximum(v, _LEAST)
    _second(f, t, v, df, price, s if guarded else None, (root, width, lead, beta, above, e), out)
    return True


def _second(
    f: FloatArray,
    t: FloatArray,
    v: FloatArray,
    df: FloatArray,
    price: FloatArray,
    s: FloatArray | None,
    parts: tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray, FloatArray],
    out: Mapping[str, FloatArray],
) -> None:
    """Write the fields that hang on the normal density; f, t and v are over 0, and `s` is given where it may be 0."""
    root, width, lead, beta, above, e = parts
    density = (df * _TWO_OVER_SQRT_2PI) * e  # discount x forward x phi(d1)
    if "gamma" in out:
        gamma = out["gamma"]
        np.divide(density, f, gamma)
        gamma /= f * width
        if s is not None:
            np.copyto(gamma, np.inf, where=(s == 0.0) & (density > 0.0))
    if s is not None:
        density = np.where(s == 0.0, 0.0 * s, density)
    vega = density * root
    if "vega" in out:
        out["vega"][:] = vega
    if "theta" in out:
        theta = out["theta"]
        np.multiply(vega, _MINUS_HALF, theta)
        theta *= v
        theta /= t
        if df.size > 1 or df[0] != 1.0:
            theta += np.where(t > _LEAST, -np.log(df) / t, 0.0) * price
    if "vanna" in out or "volga" in out:
        density /= v
        if "vanna" in out:
            vanna = _choice(out["vanna"], above, lead, beta)
            vanna *= density
            vanna /= f
        if "volga" in out:
            density *= root
            np.multiply(density, -lead * beta, out["volga"])


def _choice(row: FloatArray, where: BoolArray, one: FloatArray, other: FloatArray) -> FloatArray:
    """Fill `row` with `one` where the condition holds and with `other` elsewhere, and return it."""
    row[:] = other
    np.copyto(row, one, where=where)
    return row


def _signed(
    tail: FloatArray, flip: BoolArray, call: BoolArray, negative: BoolArray, df: FloatArray | None
) -> None:
    """Make the smaller tail df N(d) for calls and df N(-d) for puts, and negate it where told; `flip` says whether N(d) is the larger."""
    np.copyto(tail, _ONE - tail, where=flip == call)
    if df is not None:
        tail *= df
    np.copyto(tail, -tail, where=negative)


def _refused(*columns: FloatArray) -> bool:
    """Say whether some input is out of its domain, and not merely NaN."""
    *signed, df = columns
    return any(bool(np.any(column < 0.0)) for column in signed) or bool(np.any(df <= 0.0))
