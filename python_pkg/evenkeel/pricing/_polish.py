"""The last digits of an implied volatility, where a quote tells them but float64's formula for the price does not."""

from typing import Final

import numpy as np
import numpy.typing as npt

from evenkeel.pricing._erfcx import SHIFT, SPAN, FloatArray
from evenkeel.pricing._twofold import (
    Twofold,
    add,
    choose,
    constant,
    divide,
    double,
    exact,
    exact_product,
    exact_sum,
    log_ratio,
    multiply,
    negative,
    subtract,
)

# The polynomial of `_erfcx`, at degree 30 and with what rounding takes from each coefficient: the rest is below 4e-21.
_HEAD: Final = (
    (1.2423492448711544, -1.0847311331532483e-17),
    (-0.15000983586173505, -1.0995112110353217e-17),
    (-0.0014024054728816121, 6.545570189673848e-21),
    (0.12090992229944159, 3.440555477685712e-19),
    (-0.17749939179271892, -1.1673201296266961e-18),
    (0.1712456354480061, -2.5961975540942694e-18),
    (-0.12640279379403793, -5.2762892785507725e-18),
    (0.07327077663037584, -8.058048474502745e-19),
    (-0.032439394367642, 1.7071877822177945e-18),
    (0.009792767478118223, -3.272367748975502e-19),
    (-0.001078529152745091, 3.358042362969704e-20),
    (-0.0006647605370889211, -6.390734964761853e-21),
    (0.00036115846510635397, 1.877101963757501e-20),
    (-2.6263643599191108e-05, 5.515282977482082e-22),
)
_TAIL: Final = (
    -4.0988687371339746e-05,
    1.2874990787115299e-05,
    3.5017205020031183e-06,
    -2.488364006473267e-06,
    -2.3579019851677303e-07,
    4.2464131881205566e-07,
    1.0300986544040053e-08,
    -7.304275352971809e-08,
    -4.507809243508881e-10,
    1.2889657065151524e-08,
    3.4411735523095446e-10,
    -2.1837422575979815e-09,
    -1.4982728548398768e-10,
    3.001379556666107e-10,
    3.368832507316023e-11,
    -2.3341515088981104e-11,
    -3.4145174438670164e-12,
)

_SQRT_HALF: Final = constant(0.7071067811865476, -4.833646656726457e-17)
_ONE: Final = constant(1.0, 0.0)
_TWO_OVER_SQRT_2PI: Final = 0.7978845608028654
_SPLIT: Final = 0.35
_SMALLEST: Final = 1e-290


def polish(
    p: FloatArray,
    f: FloatArray,
    k: FloatArray,
    t: FloatArray,
    df: FloatArray,
    call: npt.NDArray[np.bool_],
    vol: FloatArray,
) -> FloatArray:
    """Return `vol` after one step of Newton's method whose price has 30 digits; all of one shape (n,).

    The price of `_blocked.normalised` is right to 6e-15, which near the money is 27 units in the last place of the volatility. Where
    the price is too small for this, and where `vol` is not a positive number, it is returned as it is.
    """
    with np.errstate(all="ignore"):  # what lies outside float64's range on the way is left alone in the end
        return _polish(p, f, k, t, df, call, vol)


def _polish(
    p: FloatArray,
    f: FloatArray,
    k: FloatArray,
    t: FloatArray,
    df: FloatArray,
    call: npt.NDArray[np.bool_],
    vol: FloatArray,
) -> FloatArray:
    low, high, above = np.minimum(f, k), np.maximum(f, k), f > k
    root = np.sqrt(t)
    s = vol * root
    y = log_ratio(high, low)
    h = divide(y, exact(s))
    half = exact(0.5 * s)
    lead, beta = subtract(half, h), add(half, h)
    deep = lead.high > _SPLIT
    a = multiply(choose(deep, lead, negative(lead)), _SQRT_HALF)
    b = multiply(beta, _SQRT_HALF)
    step = multiply(choose(deep, double(h), exact(s)), _SQRT_HALF)
    x_a, x_b, difference = _erfcx_pair(a, b, step)
    square = multiply(lead, lead)
    e = 0.5 * np.exp(-0.5 * square.high)
    small = exact(e * (-0.5 * square.low))
    quoted = divide(exact(p), exact(df))
    # Of the smaller of forward and strike: the out-of-the-money price, or where that is deep what it lacks to its bound.
    inside = subtract(quoted, choose(above == call, exact_sum(high, -low), exact(np.zeros_like(low))))
    lacking = subtract(exact(np.where(call, f, k)), quoted)
    wanted = divide(choose(deep, lacking, inside), exact(low))
    worth = multiply(choose(deep, add(x_a, x_b), difference), add(exact(e), small))
    gap = subtract(wanted, worth).high
    moved = np.where(deep, -gap, gap) / (_TWO_OVER_SQRT_2PI * e)
    better = divide(exact_sum(s, moved), _root(t, root)).high
    told = (e > _SMALLEST) & (wanted.high > _SMALLEST) & (np.abs(moved) < 1e-6 * s)
    return np.where(told, better, vol)


def _root(t: FloatArray, root: FloatArray) -> Twofold:
    square = exact_product(root, root)
    return Twofold(root, ((t - square.high) - square.low) / (2.0 * root))


def _erfcx_pair(a: Twofold, b: Twofold, step: Twofold) -> tuple[Twofold, Twofold, Twofold]:
    """Return what `_erfcx.erfcx_pair` does."""
    shift, span = constant(SHIFT, 0.0), constant(SPAN, 0.0)
    to_a, to_b = divide(span, add(a, shift)), divide(span, add(b, shift))
    value, slope = _horner(subtract(_ONE, to_a), subtract(_ONE, to_b))
    x_b = divide(value, add(_ONE, double(b)))
    # The two t are 7.5 (b - a) / ((a + 4) (b + 4)) apart, and so is 2 erfcx(b) - the slope's share.
    share = divide(multiply(slope, multiply(to_a, to_b)), span)
    difference = divide(multiply(subtract(double(x_b), share), step), add(_ONE, double(a)))
    return add(x_b, difference), x_b, difference


def _horner(ta: Twofold, tb: Twofold) -> tuple[Twofold, Twofold]:
    """Return p(tb) and (p(ta) - p(tb)) / (ta - tb), every rounding of the larger coefficients carried along."""
    value, slope = np.full_like(tb.high, _TAIL[-1]), np.zeros_like(ta.high)
    for coefficient in _TAIL[-2::-1]:
        slope = slope * ta.high + value
        value = value * tb.high + coefficient
    lost, slope_lost = np.zeros_like(value), np.zeros_like(slope)
    for coefficient, rest in _HEAD[::-1]:
        product = exact_product(slope, ta.high)
        total = exact_sum(product.high, value)
        slope_lost = slope_lost * ta.high + (product.low + total.low + slope * ta.low + lost)
        slope = total.high
        product = exact_product(value, tb.high)
        total = exact_sum(product.high, np.array(coefficient))
        lost = lost * tb.high + (product.low + total.low + value * tb.low + rest)
        value = total.high
    return exact_sum(value, lost), exact_sum(slope, slope_lost)
