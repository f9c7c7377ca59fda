"""Numbers of twice the precision, each the sum of two float64 arrays; for the few places where float64's own rounding is too much.

Dekker, "A floating-point technique for extending the available precision", Numerische Mathematik 18 (1971). Results are good to about
1e-30 of themselves, `log_ratio` to 1e-19. Nothing here is right for numbers over 1e290.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from evenkeel.pricing._erfcx import FloatArray

_SPLITTER: Final = 134217729.0  # 2^27 + 1
_LN2_HIGH: Final = 6.93147180369123816490e-01  # so short that its product with an exponent is exact
_LN2_LOW: Final = 1.90821492927058770002e-10
_SQRT_TWO: Final = 1.4142135623730951
_ATANH: Final = tuple(1.0 / (2 * n + 5) for n in range(10))


class Twofold(NamedTuple):
    """`high` is the number rounded to float64, `low` what that leaves."""

    high: FloatArray
    low: FloatArray


def constant(high: float, low: float) -> Twofold:
    return Twofold(np.array(high), np.array(low))


_THIRD: Final = constant(1.0 / 3.0, 1.850371707708594e-17)


def exact(value: FloatArray) -> Twofold:
    """Return a float64 as it is."""
    return Twofold(value, np.zeros_like(value))


def exact_sum(a: FloatArray, b: FloatArray) -> Twofold:
    """Return a + b of two float64 without error."""
    total = a + b
    part = total - a
    return Twofold(total, (a - (total - part)) + (b - part))


def exact_product(a: FloatArray, b: FloatArray) -> Twofold:
    """Return a b of two float64 without error."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return Twofold(product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low)


def add(a: Twofold, b: Twofold) -> Twofold:
    total = exact_sum(a.high, b.high)
    return _settled(total.high, total.low + (a.low + b.low))


def subtract(a: Twofold, b: Twofold) -> Twofold:
    return add(a, negative(b))


def negative(a: Twofold) -> Twofold:
    return Twofold(-a.high, -a.low)


def multiply(a: Twofold, b: Twofold) -> Twofold:
    product = exact_product(a.high, b.high)
    return _settled(product.high, product.low + (a.high * b.low + a.low * b.high))


def divide(a: Twofold, b: Twofold) -> Twofold:
    quotient = a.high / b.high
    back = exact_product(quotient, b.high)
    rest = ((a.high - back.high) - back.low) + (a.low - quotient * b.low)
    return _settled(quotient, rest / b.high)


def double(a: Twofold) -> Twofold:
    return Twofold(2.0 * a.high, 2.0 * a.low)


def choose(condition: npt.NDArray[np.bool_], a: Twofold, b: Twofold) -> Twofold:
    return Twofold(np.where(condition, a.high, b.high), np.where(condition, a.low, b.low))


def log_ratio(a: FloatArray, b: FloatArray) -> Twofold:
    """Return ln(a / b) for a, b over 0."""
    (a, power_a), (b, power_b) = np.frexp(a), np.frexp(b)
    # With the two within sqrt(2) of each other their difference is exact.
    more, less = a > _SQRT_TWO * b, b > _SQRT_TWO * a
    power = (power_a - power_b + more.astype(np.int32) - less.astype(np.int32)).astype(np.float64)
    a, b = np.where(less, 2.0 * a, a), np.where(more, 2.0 * b, b)
    z = divide(exact(a - b), exact_sum(a, b))
    w = multiply(z, z)
    rest = np.full_like(w.high, _ATANH[-1])
    for coefficient in _ATANH[-2::-1]:
        rest *= w.high
        rest += coefficient
    # 2 atanh(z) = 2 z + 2 z w (1/3 + w rest), the first two terms with all their digits.
    tail = multiply(multiply(double(z), w), add(_THIRD, exact(w.high * rest)))
    leading = add(exact_sum(power * _LN2_HIGH, 2.0 * z.high), tail)
    return _settled(leading.high, leading.low + (2.0 * z.low + power * _LN2_LOW))


def _halves(a: FloatArray) -> tuple[FloatArray, FloatArray]:
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def _settled(high: FloatArray, low: FloatArray) -> Twofold:
    total = high + low
    return Twofold(total, low - (total - high))
