"""Implied volatility of Black's formula."""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from evenkeel.pricing import _engine
from evenkeel.pricing._blocked import BLOCK, normalised
from evenkeel.pricing._columns import Columns, columns
from evenkeel.pricing._erfcx import FloatArray, erfcx
from evenkeel.pricing._polish import polish
from evenkeel.pricing.errors import PricingError

_Block = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, npt.NDArray[np.bool_]]

_SQRT_2PI: Final = 2.5066282746310002
_TWO_OVER_SQRT_2PI: Final = 0.7978845608028654
_LEAST: Final = 1e-300

# A price that black76 made may come back from the division by the discount this much (relative) past the bound it stands on.
_SLACK: Final = 4.4408920985006262e-16

# Two steps reach float64's own rounding wherever vol sqrt(years) is up to 3, four wherever a price says anything about it.
_STEPS: Final = 2
_MORE_STEPS: Final = 4
_LARGE: Final = 3.0

# What a market may quote: the out-of-the-money side, above this much of the forward, vol sqrt(years) up to `_LARGE`.
_QUOTABLE: Final = 1e-10


def implied_vol(
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    is_call: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    errors: Literal["nan", "raise"] = "nan",
) -> FloatArray:
    """Return the `vol` at which `black76` gives `price`; arguments of any shapes broadcast, and the result has that shape.

    Units are those of `black76`; `price` is discounted. In the manner of Jaeckel, "Let's Be Rational" (2015): the out-of-the-money
    price relative to min(forward, strike), a first guess good to a few hundredths, then two Householder steps of fourth order on the
    logarithm of the price, or of what it lacks to its bound above a half of it. The guess is ours: below the inflection point
    sqrt(2 |ln(F/K)|) a rational inverse of the normal model, above it an inverse normal distribution.

    Errors measured against 60 digits: to 1e-14 of itself on out-of-the-money prices over 1e-10 of the forward and vol sqrt(T) up to
    3. Elsewhere what 4 units in the last place of the price amount to, or one unit in the last place of the volatility where that
    is more (half of one is lost by rounding it to float64): there one more step is taken, with the price at twice the precision,
    which costs some 0.6 us an option.

    A price at its intrinsic value gives 0, one at its upper bound (discounted forward of a call, strike of a put) infinity; two
    units in the last place beyond count as being there. Further out, at `years`, `forward` or `strike` 0 or infinite, and for NaN there is none:
    NaN with `errors` "nan"; with "raise" a `PricingError` that tells the first such option and its bounds. Negative `forward`,
    `strike` or `years` or a `discount` not above 0 raise it always; ValueError where shapes do not broadcast.
    """
    if errors not in ("nan", "raise"):
        raise PricingError(f'errors: expected "nan" or "raise", got {errors!r}')
    given = columns(is_call, price, forward, strike, years, discount)
    out = np.empty(given.size)
    if given.size:
        _refuse(given.floats)
    fast = _engine.compiled(given.size)
    if fast is not None and given.size:
        if fast.implied(*_engine.writable([*given.floats, given.is_call]), out):
            for part, columns_of in _blocks(given):
                _finish(*columns_of, out[part])
    else:
        for part, columns_of in _blocks(given):
            out[part] = _solve(*columns_of)
            _finish(*columns_of, out[part])
    if errors == "raise" and np.isnan(out).any():
        raise _unsolved(int(np.flatnonzero(np.isnan(out))[0]), given)
    return out.reshape(given.shape)


def _blocks(given: Columns) -> Iterator[tuple[slice, _Block]]:
    for start in range(0, given.size, BLOCK):
        part = slice(start, start + BLOCK)
        p, f, k, t, df = (a[part] if a.size > 1 else a for a in given.floats)
        yield part, (p, f, k, t, df, given.is_call[part] if given.is_call.size > 1 else given.is_call)


def _finish(
    p: FloatArray,
    f: FloatArray,
    k: FloatArray,
    t: FloatArray,
    df: FloatArray,
    call: npt.NDArray[np.bool_],
    vol: FloatArray,
) -> None:
    """Polish, in place, what no market quotes: what it does quote is exact enough."""
    quotable = (call == (k >= f)) & (p > _QUOTABLE * f) & (vol * np.sqrt(t) <= _LARGE)
    at = np.flatnonzero(~quotable & (vol > 0.0) & (vol < np.inf))
    if at.size:
        p, f, k, t, df = (a[at] if a.size > 1 else np.full(at.size, a[0]) for a in (p, f, k, t, df))
        vol[at] = polish(p, f, k, t, df, call[at] if call.size > 1 else np.full(at.size, call[0]), vol[at])


def _unsolved(at: int, given: Columns) -> PricingError:
    """Say which option has no implied volatility, and between what its price would have to lie."""
    price, forward, strike, years, discount = (float(a[at if a.size > 1 else 0]) for a in given.floats)
    is_call = bool(given.is_call[at if given.is_call.size > 1 else 0])
    inside = forward - strike if is_call else strike - forward
    least, most = max(inside, 0.0) * discount, (forward if is_call else strike) * discount
    return PricingError(
        f"price: expected {least} to {most} for option {at} (forward {forward}, strike {strike}, years {years}), got {price}"
    )


def _refuse(arrays: list[FloatArray]) -> None:
    _, f, k, t, df = arrays
    least = np.fmin(np.fmin(f, k), t)
    if np.fmin.reduce(least) < 0.0 or np.fmin.reduce(df) <= 0.0:
        _engine.refuse(("forward", "strike", "years", "discount"), arrays[1:])


def _solve(
    p: FloatArray, f: FloatArray, k: FloatArray, t: FloatArray, df: FloatArray, call: npt.NDArray[np.bool_]
) -> FloatArray:
    """Solve one block; inputs broadcast to shape (n,)."""
    u = p / df
    low, high = np.minimum(f, k), np.maximum(f, k)
    bound = np.where(call, f, k)
    intrinsic = np.where((f > k) == call, high - low, 0.0)
    above, below = u - intrinsic, bound - u
    slack = -_SLACK * np.abs(u)
    bounded = (low > 0.0) & (high < np.inf) & (t > 0.0) & (t < np.inf)
    solvable = (above >= slack) & (below >= slack) & bounded
    inner = solvable & (above > 0.0) & (below > 0.0)
    # What has no answer inside is solved for a harmless one and replaced.
    unit = np.where(inner, low, 1.0)
    c = np.where(inner, above, 0.5) / unit
    rest = np.where(inner, below, 0.5) / unit
    y = np.log1p(np.where(inner, high - low, 0.0) / unit)
    s = _total_vol(y, c, rest)
    vol = s / np.sqrt(np.where(inner, t, 1.0))
    edge = np.where(above <= 0.0, 0.0, np.inf)
    return np.where(inner, vol, np.where(solvable, edge, np.nan))


def _total_vol(y: FloatArray, c: FloatArray, rest: FloatArray) -> FloatArray:
    """Return s at which the out-of-the-money option is worth c = 1 - rest of min(forward, strike); y = |ln(forward / strike)|."""
    centre = np.sqrt(2.0 * y)
    x = erfcx(np.sqrt(y))
    at_centre = 0.5 - 0.5 * x
    concave = c >= at_centre
    s = np.where(concave, _above(y, c, rest, centre, at_centre), _beneath(y, c, centre))
    far = c > 0.5
    target = np.where(far, rest, c)
    for _ in range(_MORE_STEPS if np.any(s > _LARGE) else _STEPS):
        s += _householder(y, s, target, far)
    return s


def _beneath(y: FloatArray, c: FloatArray, centre: FloatArray) -> FloatArray:
    """Guess s below the inflection point, from the normal model with its leading correction exp(-s^2/8)."""
    y = np.maximum(y, _LEAST)
    minus_log = 0.5 * y + np.log(y / np.maximum(c, _LEAST))
    s = np.minimum(y / _normal_inverse(minus_log), centre)
    return np.minimum(y / _normal_inverse(minus_log - 0.125 * s * s), centre)


def _normal_inverse(x: FloatArray) -> FloatArray:
    """Return h with phi(h) / h - N(-h) = exp(-x), to 5e-4; our own fit."""
    w: FloatArray = np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
    v = np.sqrt(w)
    p = 0.3989118 + v * (0.009936898 + v * (0.03685894 + v * 0.01869127))
    q = 1.0 + v * (0.02086536 + v * (0.1099438 + v * (0.02438384 + v * 0.01327433)))
    return w * p / q


def _above(
    y: FloatArray, c: FloatArray, rest: FloatArray, centre: FloatArray, at_centre: FloatArray
) -> FloatArray:
    """Guess s above the inflection point: the tangent there bounds it from below; far up, scale the tail N(-s/2)."""
    tangent = centre + (c - at_centre) * _SQRT_2PI
    tail = 0.5 * np.exp(-0.25 * y) * erfcx(0.5 * np.sqrt(y)) * np.maximum(rest, _LEAST) / (1.0 - at_centre)
    q = np.sqrt(-2.0 * np.log(tail))
    # Abramowitz and Stegun 26.2.23: absolute error under 4.5e-4.
    z = q - (2.515517 + q * (0.802853 + q * 0.010328)) / (
        1.0 + q * (1.432788 + q * (0.189269 + q * 0.001308))
    )
    return np.where(tangent > 0.5, np.maximum(2.0 * z, tangent), tangent)


def _householder(y: FloatArray, s: FloatArray, target: FloatArray, far: npt.NDArray[np.bool_]) -> FloatArray:
    """Return a step towards ln(value(s)) = ln(target), where the value is the price or, for `far`, what it lacks to 1."""
    parts = normalised(y, s)
    price = parts.e * parts.difference
    lacking = np.where(parts.deep, parts.e * (parts.x_lead + parts.x_beta), 1.0 - price)
    slope = _TWO_OVER_SQRT_2PI * parts.e
    value = np.where(far, lacking, np.where(parts.deep, 1.0 - lacking, price))
    r = np.where(far, -slope, slope) / value
    # Second and third derivative of the price over its first (Jaeckel), then of its logarithm.
    second = -parts.lead * parts.beta / parts.width
    ratio = parts.h / parts.width
    third = second * second - 3.0 * ratio * ratio - 0.25
    newton = np.log(target / value) / r
    g = second - r
    d = third - r * (3.0 * second - 2.0 * r)
    return newton * (1.0 + 0.5 * g * newton) / (1.0 + newton * (g + d * newton / 6.0))
