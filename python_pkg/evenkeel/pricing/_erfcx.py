"""The scaled complementary error function and its differences, branch-free, in float64."""

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# (1 + 2x) erfcx(x) as a polynomial in t = (x - 3.5) / (x + 4) = 1 - 7.5 / (x + 4), lowest power first. The mapping takes
# [-0.25, inf) to [-1, 1), where the function is smooth (Shepherd and Laframboise, Math. Comp. 36, 1981); the coefficients are our
# own: a Chebyshev interpolant through 64 nodes at 50 digits, cut at degree 25, where the rest is below 2e-18, so
# that the derivative is exact too.
COEFFICIENTS: Final = (
    1.2423492448711544,
    -0.150009835861735,
    -0.0014024054728815167,
    0.12090992229943484,
    -0.17749939179272453,
    0.17124563544825086,
    -0.12640279379390748,
    0.07327077662623423,
    -0.03243939436923391,
    0.009792767517677346,
    -0.0010785291410488735,
    -0.0006647607733238302,
    0.000361158409103972,
    -2.626270731993047e-05,
    -4.0988504038804294e-05,
    1.287244066352089e-05,
    3.50129822800012e-06,
    -2.4835069001792886e-06,
    -2.3509571216443103e-07,
    4.181548767818566e-07,
    9.48313803906959e-09,
    -6.704720811270048e-08,
    2.3234147580722374e-10,
    9.18102724443424e-09,
    -5.048177090686872e-11,
    -7.501020022312547e-10,
)
SHIFT: Final = 4.0
SPAN: Final = 7.5
LOWEST: Final = -0.25
"""The least x for which the polynomial holds."""

# As arrays, for quick calls.
_ONE: Final = np.array(1.0)
_SHIFT: Final = np.array(SHIFT)
_SPAN: Final = np.array(SPAN)
_HALF: Final = np.array(0.5)

_HALVES: Final = tuple(c / 2.0 for c in COEFFICIENTS)

# Up to here one matrix product is quicker than a Horner step a coefficient, whose cost is the calls.
_FEW: Final = 96


def erfcx(x: FloatArray) -> FloatArray:
    """Return exp(x^2) erfc(x) for x >= -0.25, any shape; relative error at most 1e-15.

    Infinity gives a value below 1e-99 rather than exactly 0. Smaller x is outside the domain and not checked.
    """
    x = np.minimum(x, 1e100)
    t = 1.0 - SPAN / (x + SHIFT)
    total = np.full_like(t, COEFFICIENTS[-1])
    for coefficient in COEFFICIENTS[-2::-1]:
        total *= t
        total += coefficient
    return total / (1.0 + 2.0 * x)


def erfcx_pair(points: FloatArray, step: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return erfcx(a), erfcx(b) and erfcx(a) - erfcx(b) for a, b the rows of `points`, of shape (2, n), in [-0.25, 1e103].

    `step` is b - a, which the caller knows more exactly than subtraction would tell. The difference is formed from the divided
    difference of the polynomial, so that it keeps its relative accuracy (6e-15) however close a and b are.
    """
    shifted = points + _SHIFT
    r = _SPAN / shifted
    value, slope = _values(r) if step.size <= _FEW else _horner(*(_ONE - r))
    slope *= r[0]
    slope /= shifted[1]
    # Half of 1 + 2x, as are the polynomials: twice each of them would be two calls more.
    q = np.add(points, _HALF, shifted)
    value /= q[1]
    difference = np.subtract(value, slope, slope)
    difference *= step
    difference /= q[0]
    return value + difference, value, difference


def _horner(ta: FloatArray, tb: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return p(tb) / 2 and (p(ta) - p(tb)) / (ta - tb) / 2."""
    value = np.full_like(tb, _HALVES[-1])
    slope = np.zeros_like(ta)
    for coefficient in _HALVES[-2::-1]:
        slope *= ta
        slope += value
        value *= tb
        value += coefficient
    return value, slope


def _values(r: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what `_horner` does for the rows of t = 1 - r, from all powers at once."""
    powers = np.empty((2, r.shape[1], len(_HALVES)))
    np.subtract(_ONE, r[:, :, None], powers)
    powers[:, :, 0] = 1.0
    np.multiply.accumulate(powers, 2, None, powers)
    b = powers[1]
    return b.dot(_VALUES), np.vecdot(b.dot(_HANKEL), powers[0])


def _hankel() -> FloatArray:
    """Return c[i + j + 1] in row i and column j, which makes ta^j tb^i sum to the divided difference."""
    size = len(_HALVES)
    matrix = np.zeros((size, size))
    for j in range(size - 1):
        matrix[: size - j - 1, j] = _HALVES[j + 1 :]
    return matrix


_HANKEL: Final = _hankel()
_VALUES: Final = np.array(_HALVES)
