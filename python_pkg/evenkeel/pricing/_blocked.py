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
    beta = half + h
    deep = lead > _SPLIT
    square = lead * lead
    square *= _MINUS_HALF
    e = np.exp(square)
    e *= _HALF
    points = np.empty((2, lead.size))
    points[0] = np.where(deep, lead, -lead)
    points[1] = beta
    points *= _SQRT_HALF
    step = np.where(deep, h + h, s)
    step *= _SQRT_HALF
    x_lead, x_beta, difference = erfcx_pair(points, step)
    return Parts(width, h, lead, beta, deep, e, x_lead, x_beta, difference)


def evaluate(
    f: FloatArray,
    k: FloatArray,
    t: FloatArray,
    v: FloatArray,
    df: FloatArray,
    call: BoolArray,
    out: Mapping[str, FloatArray],
) -> bool:
    """Write the fields that `out` names into its arrays of shape (n,), and say whether every input was in its domain.

    Inputs have shape (n,) or (1,); one of `f` and `k` has shape (n,) unless n is 1. Besides the fields of `Greeks` under Black-76,
    `dual` is dV/dK.

    The out-of-the-money side is priced directly (Black 1976, with erfc scaled): as a difference taken so that nothing cancels for
    small vol sqrt(t), and where it is most of min(f, k), as that less a small sum.
    """
    low, high = np.minimum(f, k), np.maximum(f, k)
    # fmin, since one NaN must not hide a negative number beside it.
    least = np.fmin.reduce(np.fmin(np.fmin(low, t), v))
    if not (least >= 0.0 and np.fmin.reduce(df) > 0.0) and _refused(low, t, v, df):
        return False
    # Away from every limit nothing below divides by 0.
    guarded = not least > _LEAST
    v = np.minimum(v, _MOST)
    root = np.sqrt(t)
    s = v * root
    # The quotient is 0 or more, so its rounding is relative to y itself, near the money as far from it.
    y = np.log1p((high - low) / (np.maximum(low, _LEAST) if guarded else low))
    width, _, lead, beta, deep, e, x_lead, x_beta, difference = normalised(y, s)
    e = low * e
    otm = np.where(deep, low - e * (x_lead + x_beta), e * difference)

    above = f > k
    price = df * np.where(above == call, otm + (high - low), otm)
    if "price" in out:
        out["price"][:] = price
    if len(out) == 1 and "price" in out:
        return True
    if "delta" in out:
        tail = e * np.where(above, x_beta, x_lead) / (np.maximum(f, _LEAST) if guarded else f)
        out["delta"][:] = _signed(tail, above | deep, call, df)
    if "dual" in out:
        tail = e * np.where(above, x_lead, x_beta) / np.maximum(k, _LEAST)
        out["dual"][:] = -_signed(tail, above > deep, call, df)
    if "rho" in out:
        np.multiply(-t, price, out=out["rho"])
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
        gamma = density / f / (f * width)
        out["gamma"][:] = gamma if s is None else np.where((s == 0.0) & (density > 0.0), np.inf, gamma)
    if s is not None:
        density = np.where(s == 0.0, 0.0 * s, density)
    vega = density * root
    if "vega" in out:
        out["vega"][:] = vega
    if "theta" in out:
        np.divide(_MINUS_HALF * vega * v, t, out=out["theta"])
        if df.size > 1 or df[0] != 1.0:
            out["theta"] += np.where(t > _LEAST, -np.log(df) / t, 0.0) * price
    if "vanna" in out or "volga" in out:
        density /= v
        if "vanna" in out:
            np.divide(density * np.where(above, lead, beta), f, out=out["vanna"])
        if "volga" in out:
            np.multiply(density * root, -lead * beta, out=out["volga"])


def _signed(tail: FloatArray, flip: BoolArray, call: BoolArray, df: FloatArray) -> FloatArray:
    """Return df N(d) for calls and -df N(-d) for puts, from the smaller tail and whether N(d) is the larger one."""
    probability = df * np.where(flip == call, _ONE - tail, tail)
    return np.where(call, probability, -probability)


def _refused(*columns: FloatArray) -> bool:
    """Say whether some input is out of its domain, and not merely NaN."""
    *signed, df = columns
    return any(bool(np.any(column < 0.0)) for column in signed) or bool(np.any(df <= 0.0))
