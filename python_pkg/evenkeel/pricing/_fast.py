"""The same formulas as one fused loop, compiled by numba; imported only when `_engine` wants it.

Everything here that numba compiles stands in one file, because its disk cache looks at the age of no other. The exponential and the
logarithm are written out: calls into the C library would keep the loop from being vectorised.
"""

# ruff: noqa: FURB136 - a conditional keeps NaN, where what numba makes of min and max may not

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from evenkeel.pricing._emit import bits, divided_difference, from_bits, polynomial, regrouped_sum
from evenkeel.pricing._erfcx import COEFFICIENTS, SHIFT, SPAN, FloatArray

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
_Function = TypeVar("_Function", bound=Callable[..., Any])

# "contract" lets multiply-adds fuse; nothing else is loosened, so that NaN and infinity keep their meaning.
_OPTIONS: Final[dict[str, Any]] = {"fastmath": {"contract"}, "error_model": "numpy"}
_inline: Final[Callable[[_Function], _Function]] = numba.njit(forceinline=True, **_OPTIONS)


def _compiled(signature: str) -> Callable[[_Function], _Function]:
    found: Callable[[_Function], _Function] = numba.njit(signature, cache=True, nogil=True, **_OPTIONS)
    return found


_BLOCK: Final = 128
_SQRT_HALF: Final = 0.7071067811865476
_TWO_OVER_SQRT_2PI: Final = 0.7978845608028654
_LEAST: Final = 1e-100
_MOST: Final = 1e100
_SPLIT: Final = 0.35
_SQRT_2PI: Final = 2.5066282746310002
_SLACK: Final = 4.4408920985006262e-16
_STEPS: Final = 2
_MORE_STEPS: Final = 4
_LARGE: Final = 3.0
_QUOTABLE: Final = 1e-10
_SMALLEST: Final = 1e-290
_LN2_HIGH: Final = 6.93147180369123816490e-01  # so short that its product with an exponent is exact
_LN2_LOW: Final = 1.90821492927058770002e-10
_LOG2_E: Final = 1.4426950408889634
_ROUNDER: Final = 6755399441055744.0  # 1.5 x 2^52: what is added to it loses its fraction
_TWO_52: Final = 4503599627370496.0
_TWO_52_BITS: Final = 0x4330000000000000
_OFFSET: Final = 4096  # makes any difference of exponents positive
_FORWARDS: Final = 16  # so many that their columns stay in a near cache
_MOST_WIDE: Final = 1e6
_MOST_AWAY: Final = 1e7
_EXP: Final = tuple(1.0 / float(np.prod(np.arange(1.0, n + 1.0))) for n in range(14))
_ATANH: Final = tuple(1.0 / (2 * n + 3) for n in range(10))

FIELDS: Final = ("price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "dual")
_DUAL: Final = FIELDS.index("dual")

# Where in its one working array a kernel keeps what. Its loops are short and many: a processor works at several turns of a short
# loop at once, while a long chain of multiply-adds leaves it waiting.
_F: Final = 0
_K: Final = _BLOCK
_T: Final = 2 * _BLOCK
_V: Final = 3 * _BLOCK
_DF: Final = 4 * _BLOCK
_CALL: Final = 5 * _BLOCK
_P: Final = 6 * _BLOCK
_Y: Final = 7 * _BLOCK
_GAP: Final = 8 * _BLOCK
_ABOVE: Final = 9 * _BLOCK
_ROOT: Final = 10 * _BLOCK
_S: Final = 11 * _BLOCK
_H: Final = 12 * _BLOCK
_LEAD: Final = 13 * _BLOCK
_BETA: Final = 14 * _BLOCK
_E: Final = 15 * _BLOCK
_X_BETA: Final = 16 * _BLOCK
_DIFFERENCE: Final = 17 * _BLOCK
_MINUS_LOG: Final = 18 * _BLOCK
_OUT: Final = 19 * _BLOCK
_C: Final = _OUT
_REST: Final = _OUT + _BLOCK
_KNOWN: Final = _OUT + 2 * _BLOCK
_CENTRE: Final = _OUT + 3 * _BLOCK
_GUESS: Final = _OUT + 4 * _BLOCK
_EXPONENT: Final = _OUT + 5 * _BLOCK
_ROOM: Final = _OUT + len(FIELDS) * _BLOCK


_exp_polynomial = polynomial(_EXP)
_atanh_polynomial = polynomial(_ATANH)
_erfcx_polynomial = polynomial(COEFFICIENTS)
_erfcx_polynomials = divided_difference(COEFFICIENTS)


@_inline
def _exp(z: float) -> float:
    """Return exp(z) for z <= 0, 0 below -708; relative error 3e-16."""
    kept = -708.0 if z < -708.0 else z
    shifted = kept * _LOG2_E + _ROUNDER
    n = shifted - _ROUNDER
    r = (kept - n * _LN2_HIGH) - n * _LN2_LOW
    value: float = from_bits(bits(_exp_polynomial(r)) + (bits(shifted) << 52))
    return 0.0 if z < -708.0 else value


@_inline
def _log_ratio(a: float, b: float) -> float:
    """Return ln(a / b) for a, b >= 0, to 3e-16 of itself; below 1e-290 an input counts as that."""
    a = _SMALLEST if a < _SMALLEST else a
    b = _SMALLEST if b < _SMALLEST else b
    # Bit patterns are nearly logarithms; half a unit and a shift give the power of two that brings the two within 3/2 of each
    # other, where their difference is exact.
    power = (bits(a) - bits(b) + (1 << 51)) >> 52
    scaled: float = from_bits(bits(b) + (power << 52))
    n: float = from_bits((power + _OFFSET) | _TWO_52_BITS) - (_TWO_52 + _OFFSET)
    z = (a - scaled) / (a + scaled)
    w = z * z
    tail: float = 2.0 * z * w * _atanh_polynomial(w) + n * _LN2_LOW
    return n * _LN2_HIGH + (2.0 * z + tail)


@_inline
def _erfcx(x: float) -> float:
    """Return erfcx(x) for x >= -0.25."""
    value: float = _erfcx_polynomial(1.0 - SPAN / (x + SHIFT))
    return value / (1.0 + 2.0 * x)


@_inline
def _minus_log(x: float) -> float:
    """Return -ln(x) for x > 0."""
    high, low = (1.0, x) if x < 1.0 else (x, 1.0)
    size = _log_ratio(high, low)
    return size if x < 1.0 else -size


@_inline
def _erfcx_pair(lead: float, beta: float, step: float) -> tuple[float, float]:
    """Return erfcx(beta) and erfcx(+-lead) less that, all over sqrt(2); `_blocked.normalised` has the names."""
    a = (lead if lead > _SPLIT else -lead) * _SQRT_HALF
    b = beta * _SQRT_HALF
    pa, pb = a + SHIFT, b + SHIFT
    inverse = 1.0 / (pa * pb)
    qa, qb = 1.0 + 2.0 * a, 1.0 + 2.0 * b
    scale = 1.0 / (qa * qb)
    value, slope = _erfcx_polynomials(1.0 - SPAN * (pb * inverse), 1.0 - SPAN * (pa * inverse))
    x_beta: float = value * (qa * scale)
    difference = (2.0 * x_beta - SPAN * slope * inverse) * (qb * scale) * (step * _SQRT_HALF)
    return x_beta, difference


@_inline
def _capped(v: float) -> float:
    return _MOST if v > _MOST else v


@_inline
def _probability(tail: float, flip: bool, call: bool) -> float:
    value = 1.0 - tail if flip == call else tail
    return value if call else -value


@_inline
def _fill_logs(w: FloatArray, size: int) -> None:
    for i in range(size):
        f, k = w[_F + i], w[_K + i]
        above = f > k
        low, high = (k, f) if above else (f, k)
        w[_Y + i] = _log_ratio(high, low)
        w[_GAP + i] = high - low
        w[_ABOVE + i] = 1.0 if above else 0.0


@_inline
def _given_logs(w: FloatArray, x: FloatArray, start: int, size: int) -> None:
    """Take ln(forward / strike) from `x` where it is not NaN: it may know digits that the forward has lost."""
    for i in range(size):
        given = x[start + i] if x.size > 1 else x[0]
        if given == given:  # noqa: PLR0124 - false for NaN alone
            f, k = w[_F + i], w[_K + i]
            w[_Y + i] = abs(given)
            w[_GAP + i] = (k if k < f else f) * np.expm1(abs(given))
            w[_ABOVE + i] = 1.0 if given > 0.0 else 0.0


@_inline
def _fill_leads(w: FloatArray, size: int) -> None:
    for i in range(size):
        root = np.sqrt(w[_T + i])
        s = _capped(w[_V + i]) * root
        width = _LEAST if s < _LEAST else s
        w[_ROOT + i] = root
        w[_S + i] = s
        h = w[_Y + i] / width
        w[_H + i] = h
        w[_LEAD + i] = 0.5 * width - h
        w[_BETA + i] = 0.5 * width + h


@_inline
def _fill_densities(w: FloatArray, size: int) -> None:
    """Write exp(-lead^2 / 2) / 2."""
    for i in range(size):
        lead = w[_LEAD + i]
        w[_E + i] = 0.5 * _exp(-0.5 * lead * lead)


@_inline
def _fill_pairs(w: FloatArray, size: int) -> None:
    for i in range(size):
        lead = w[_LEAD + i]
        step = 2.0 * w[_H + i] if lead > _SPLIT else w[_S + i]
        x_beta, difference = _erfcx_pair(lead, w[_BETA + i], step)
        w[_X_BETA + i] = x_beta
        w[_DIFFERENCE + i] = difference


@_inline
def _fill_prices(w: FloatArray, size: int) -> None:
    for i in range(size):
        f, k, gap, difference = w[_F + i], w[_K + i], w[_GAP + i], w[_DIFFERENCE + i]
        low = k if k < f else f
        part = low * w[_E + i]
        rest = part * (2.0 * w[_X_BETA + i] + difference)
        otm = low - rest if w[_LEAD + i] > _SPLIT else part * difference
        w[_OUT + i] = w[_DF + i] * (otm + gap if w[_ABOVE + i] == w[_CALL + i] else otm)


@_inline
def _fill_rest(w: FloatArray, size: int) -> None:
    """Write all fields but price and dual."""
    for i in range(size):
        df = w[_DF + i]
        w[_MINUS_LOG + i] = _minus_log(df)
    for i in range(size):
        f, k, t, v, df = w[_F + i], w[_K + i], w[_T + i], _capped(w[_V + i]), w[_DF + i]
        above, lead, beta, s, root = w[_ABOVE + i] > 0.5, w[_LEAD + i], w[_BETA + i], w[_S + i], w[_ROOT + i]
        x_beta, price = w[_X_BETA + i], w[_OUT + i]
        part = (k if k < f else f) * w[_E + i]
        least_f = _LEAST if f < _LEAST else f
        least_t = _LEAST if t < _LEAST else t
        least_v = _LEAST if v < _LEAST else v
        x1 = x_beta if above else x_beta + w[_DIFFERENCE + i]
        inverse, per_t = 1.0 / least_f, 1.0 / least_t
        density = df * _TWO_OVER_SQRT_2PI * part
        live = 0.0 if s == 0.0 else density
        gamma = density * inverse * inverse / (_LEAST if s < _LEAST else s)
        vega = live * root
        sensitive = live / least_v
        rate = w[_MINUS_LOG + i] * per_t if t > 0.0 else 0.0
        at = _OUT + i
        w[at + _BLOCK] = df * _probability(part * x1 * inverse, above or lead > _SPLIT, w[_CALL + i] > 0.5)
        w[at + 2 * _BLOCK] = np.inf if s == 0.0 and density > 0.0 else gamma
        w[at + 3 * _BLOCK] = vega
        w[at + 4 * _BLOCK] = rate * price - 0.5 * vega * v * per_t
        w[at + 5 * _BLOCK] = -t * price
        w[at + 6 * _BLOCK] = sensitive * (lead if above else beta) * inverse
        w[at + 7 * _BLOCK] = -sensitive * root * lead * beta


@_inline
def _fill_dual(w: FloatArray, size: int) -> None:
    for i in range(size):
        f, k, x_beta, above = w[_F + i], w[_K + i], w[_X_BETA + i], w[_ABOVE + i] > 0.5
        part = (k if k < f else f) * w[_E + i]
        x2 = x_beta + w[_DIFFERENCE + i] if above else x_beta
        tail = part * x2 / (_LEAST if k < _LEAST else k)
        flip = above and not w[_LEAD + i] > _SPLIT
        w[_OUT + _DUAL * _BLOCK + i] = -w[_DF + i] * _probability(tail, flip, w[_CALL + i] > 0.5)


@_inline
def _load(w: FloatArray, base: int, column: FloatArray, start: int, size: int) -> None:
    """Copy a block of a column, or its only element; whole slices, because an index with a stride would not vectorise."""
    to = w[base : base + size]
    if column.size == 1:
        for i in range(size):
            to[i] = column[0]
    else:
        part = column[start : start + size]
        for i in range(size):
            to[i] = part[i]


@_inline
def _load_flag(w: FloatArray, base: int, column: BoolArray, start: int, size: int) -> None:
    """As `_load`, 1.0 for true."""
    to = w[base : base + size]
    if column.size == 1:
        for i in range(size):
            to[i] = 1.0 if column[0] else 0.0
    else:
        part = column[start : start + size]
        for i in range(size):
            to[i] = 1.0 if part[i] else 0.0


@_compiled(
    "int64(float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], boolean[::1], float64[::1], int64[::1],"
    " float64[:, ::1])"
)
def evaluate(
    f: FloatArray,
    k: FloatArray,
    t: FloatArray,
    v: FloatArray,
    df: FloatArray,
    call: BoolArray,
    x: FloatArray,
    rows: IntArray,
    out: FloatArray,
) -> int:
    """Fill row i of `out` with the field `FIELDS[rows[i]]` under Black-76; return how many inputs are out of their domain.

    `out` has shape (len(rows), n), inputs n elements, or one where it is the same for all; `x` is ln(f / k), and is computed where it
    is NaN or has no element.
    """
    n = out.shape[1]
    only_price = rows.size == 1 and rows[0] == 0
    dual = False
    for row in rows:
        dual |= row == _DUAL
    refused = 0
    # One array for the block's inputs and outputs: with several, the compiler would have to prove at run time that none overlap.
    w = np.empty(_ROOM)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        _load(w, _F, f, start, size)
        _load(w, _K, k, start, size)
        _load(w, _T, t, start, size)
        _load(w, _V, v, start, size)
        _load(w, _DF, df, start, size)
        _load_flag(w, _CALL, call, start, size)
        for i in range(size):
            refused += (
                (w[_F + i] < 0.0)
                | (w[_K + i] < 0.0)
                | (w[_T + i] < 0.0)
                | (w[_V + i] < 0.0)
                | (w[_DF + i] <= 0.0)
                | (w[_F + i] == np.inf)
                | (w[_K + i] == np.inf)
                | (w[_T + i] == np.inf)
                | (w[_DF + i] == np.inf)
            )
        _fill_logs(w, size)
        if x.size > 0:
            _given_logs(w, x, start, size)
        _fill_leads(w, size)
        _fill_densities(w, size)
        _fill_pairs(w, size)
        _fill_prices(w, size)
        if not only_price:
            _fill_rest(w, size)
        if dual:
            _fill_dual(w, size)
        for row in range(rows.size):
            base = _OUT + rows[row] * _BLOCK
            to = out[row, start : start + size]
            part = w[base : base + size]
            for i in range(size):
                to[i] = part[i]
    return refused


@_inline
def _otm(y: float, s: float, inverse_s: float, low: float) -> float:
    """Return the undiscounted price of the out-of-the-money side; `_blocked.normalised` has the formula.

    `inverse_s` is 1 / s, and finite at s = 0. At the caps on both the density is 0, so that they keep the one division finite and
    change nothing.
    """
    h = y * inverse_s
    h = _MOST_AWAY if h > _MOST_AWAY else h
    lead = 0.5 * s - h
    beta = 0.5 * s + h
    e = 0.5 * _exp(-0.5 * lead * lead)
    deep = lead > _SPLIT
    a = (lead if deep else -lead) * _SQRT_HALF
    b = beta * _SQRT_HALF
    pa, pb = a + SHIFT, b + SHIFT
    qa, qb = 1.0 + 2.0 * a, 1.0 + 2.0 * b
    p, q = pa * pb, qa * qb
    every = 1.0 / (p * q)
    inverse, scale = q * every, p * every
    step = (2.0 * h if deep else s) * _SQRT_HALF
    value, slope = _erfcx_polynomials(1.0 - SPAN * (pb * inverse), 1.0 - SPAN * (pa * inverse))
    x_beta = value * (qa * scale)
    difference = (2.0 * x_beta - SPAN * slope * inverse) * (qb * scale) * step
    part = low * e
    rest: float = low - part * (2.0 * x_beta + difference)
    return rest if deep else part * difference


@_inline
def _runs(owner: IntArray, ends: IntArray) -> int:
    """Write where each run of equal owners ends; return how many there are."""
    runs = 0
    for i in range(owner.size):
        if i + 1 == owner.size or owner[i + 1] != owner[i]:
            ends[runs] = i + 1
            runs += 1
    return runs


@_inline
def _fill_sides(w: FloatArray, k: FloatArray, call: BoolArray) -> None:
    """Turn forwards into |ln(f / k)|; after all of those follow the smaller of the two, and the intrinsic value."""
    for i in range(k.size):
        f = w[i]
        low, high = (k[i], f) if f > k[i] else (f, k[i])
        w[i] = _log_ratio(high, low)
        w[_FORWARDS * _BLOCK + i] = low
        w[2 * _FORWARDS * _BLOCK + i] = high - low if (f > k[i]) == call[i] else 0.0


@_inline
def _fill_widths(w: FloatArray, v: FloatArray, root: FloatArray, shift: float) -> None:
    """Write vol sqrt(years) behind what `_fill_sides` writes, and one over it to the next block."""
    base = 3 * _FORWARDS * _BLOCK
    for i in range(v.size):
        moved = v[i] + shift
        s = _capped(0.0 if moved < 0.0 else moved) * root[i]
        s = _MOST_WIDE if s > _MOST_WIDE else s
        w[base + i] = s
        w[base + _BLOCK + i] = 1.0 / (_LEAST if s < _LEAST else s)


@_inline
def _total(values: FloatArray) -> float:
    total = 0.0
    for value in values:
        total = regrouped_sum(total, value)
    return total


@_compiled(
    "void(float64[:, ::1], float64[::1], float64[:, ::1], float64[:, ::1], int64[::1], int64[::1], float64[::1], float64[::1],"
    " float64[::1], boolean[::1], float64[:, :, :, ::1])"
)
def scenario_sums(
    prices: FloatArray,
    shifts: FloatArray,
    roots: FloatArray,
    held: FloatArray,
    owner: IntArray,
    token: IntArray,
    ratio: FloatArray,
    k: FloatArray,
    v: FloatArray,
    call: BoolArray,
    out: FloatArray,
) -> None:
    """Add what options are worth to `out`, of shape (owners, prices, shifts, times); `_scenarios.scenario_sums` has the terms.

    `roots` (times, options) are square roots of years, `held` (times, options) what an undiscounted price is multiplied by. Options
    of one owner stand side by side. What depends on the forward alone, or on volatility and time alone, is computed once for a block
    of options and a few prices, and nothing of the size of options x scenarios is kept.
    """
    low_at, intrinsic_at, widths = _FORWARDS * _BLOCK, 2 * _FORWARDS * _BLOCK, 3 * _FORWARDS * _BLOCK
    w = np.empty(widths + 3 * _BLOCK)
    worths, ends = w[widths + 2 * _BLOCK :], np.empty(_BLOCK, np.int64)
    for start in range(0, k.size, _BLOCK):
        part = slice(start, min(start + _BLOCK, k.size))
        whose, of_token, ratios, strikes, flags = owner[part], token[part], ratio[part], k[part], call[part]
        runs = _runs(whose, ends)
        for first in range(0, prices.shape[0], _FORWARDS):
            count = min(_FORWARDS, prices.shape[0] - first)
            for j in range(count):
                for i in range(whose.size):  # by itself: a loop that looks up is not vectorised
                    w[j * _BLOCK + i] = prices[first + j, of_token[i]] * ratios[i]
                _fill_sides(w[j * _BLOCK :], strikes, flags)
            for at in range(shifts.size * roots.shape[0]):
                time, shift = at // shifts.size, at % shifts.size
                _fill_widths(w, v[part], roots[time, part], shifts[shift])
                quantity = held[time, part]
                for j in range(count):
                    base = j * _BLOCK
                    for i in range(quantity.size):
                        otm = _otm(w[base + i], w[widths + i], w[widths + _BLOCK + i], w[base + low_at + i])
                        w[widths + 2 * _BLOCK + i] = quantity[i] * (otm + w[base + intrinsic_at + i])
                    begin = 0
                    for end in ends[:runs]:
                        out[whose[begin], first + j, shift, time] += _total(worths[begin:end])
                        begin = end


@_inline
def _normal_inverse(x: float) -> float:
    """Return what `_implied._normal_inverse` does."""
    size = -x if x > 0.0 else x
    w = (x if x > 0.0 else 0.0) + _log_ratio(1.0 + _exp(size), 1.0)
    v: float = np.sqrt(w)
    p = 0.3989118 + v * (0.009936898 + v * (0.03685894 + v * 0.01869127))
    q = 1.0 + v * (0.02086536 + v * (0.1099438 + v * (0.02438384 + v * 0.01327433)))
    return w * p / q


@_inline
def _fill_values(w: FloatArray, size: int) -> None:
    """Turn prices into y, c, its complement, and the answer where it is known (else -1)."""
    for i in range(size):
        f, k, t, call = w[_F + i], w[_K + i], w[_T + i], w[_CALL + i] > 0.5
        u = w[_P + i] / w[_DF + i]
        low, high = (k, f) if f > k else (f, k)
        above = u - (high - low if (f > k) == call else 0.0)
        below = (f if call else k) - u
        slack = -_SLACK * abs(u)
        bounded = (low > 0.0) & (high < np.inf) & (t > 0.0) & (t < np.inf)
        solvable = (above >= slack) & (below >= slack) & bounded
        inner = solvable & (above > 0.0) & (below > 0.0)
        edge = 0.0 if above <= 0.0 else np.inf
        unit = low if inner else 1.0
        w[_C + i] = (above if inner else 0.5) / unit
        w[_REST + i] = (below if inner else 0.5) / unit
        w[_Y + i] = _log_ratio(high if inner else 1.0, unit)
        w[_KNOWN + i] = -1.0 if inner else (edge if solvable else np.nan)


@_inline
def _fill_above(w: FloatArray, size: int) -> None:
    """Write c at the inflection point, and what `_implied._above` guesses."""
    for i in range(size):
        y = w[_Y + i]
        at_centre = 0.5 - 0.5 * _erfcx(np.sqrt(y))
        w[_CENTRE + i] = at_centre
        tail = 0.5 * _exp(-0.25 * y) * _erfcx(0.5 * np.sqrt(y))
        w[_GUESS + i] = tail * w[_REST + i] / (1.0 - at_centre)
    for i in range(size):
        tangent = np.sqrt(2.0 * w[_Y + i]) + (w[_C + i] - w[_CENTRE + i]) * _SQRT_2PI
        q = np.sqrt(-2.0 * _log_ratio(w[_GUESS + i], 1.0))
        z = q - (2.515517 + q * (0.802853 + q * 0.010328)) / (
            1.0 + q * (1.432788 + q * (0.189269 + q * 0.001308))
        )
        w[_GUESS + i] = 2.0 * z if tangent > 0.5 and 2.0 * z > tangent else tangent


@_inline
def _fill_beneath(w: FloatArray, size: int) -> None:
    """Write what `_implied._beneath` guesses."""
    for i in range(size):
        y = w[_Y + i]
        y = _SMALLEST if y < _SMALLEST else y
        w[_EXPONENT + i] = 0.5 * y + _log_ratio(y, w[_C + i])
        w[_S + i] = 0.0
    for _ in range(2):
        for i in range(size):
            y, s = w[_Y + i], w[_S + i]
            y = _SMALLEST if y < _SMALLEST else y
            centre = np.sqrt(2.0 * y)
            s = y / _normal_inverse(w[_EXPONENT + i] - 0.125 * s * s)
            w[_S + i] = centre if s > centre else s


@_inline
def _improve(w: FloatArray, size: int) -> None:
    """Take the step of `_implied._householder`; `_REST` has the target, and `_CENTRE` says whether it is what lacks to 1."""
    for i in range(size):
        s = w[_S + i]
        h = w[_Y + i] / s
        w[_H + i] = h
        w[_LEAD + i] = 0.5 * s - h
        w[_BETA + i] = 0.5 * s + h
    _fill_densities(w, size)
    _fill_pairs(w, size)
    for i in range(size):
        s, h, lead, beta, e = w[_S + i], w[_H + i], w[_LEAD + i], w[_BETA + i], w[_E + i]
        deep, far, difference = lead > _SPLIT, w[_CENTRE + i] > 0.5, w[_DIFFERENCE + i]
        price = e * difference
        lacking = e * (2.0 * w[_X_BETA + i] + difference) if deep else 1.0 - price
        value = lacking if far else (1.0 - lacking if deep else price)
        slope = _TWO_OVER_SQRT_2PI * e
        r = (-slope if far else slope) / value
        inverse = 1.0 / s
        second = -lead * beta * inverse
        ratio = h * inverse
        third = second * second - 3.0 * ratio * ratio - 0.25
        newton = _log_ratio(w[_REST + i], value) / r
        g = second - r
        d = third - r * (3.0 * second - 2.0 * r)
        w[_S + i] = s + newton * (1.0 + 0.5 * g * newton) / (1.0 + newton * (g + d * newton / 6.0))


@_compiled(
    "int64(float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], boolean[::1], float64[::1])"
)
def implied(
    p: FloatArray,
    f: FloatArray,
    k: FloatArray,
    t: FloatArray,
    df: FloatArray,
    call: BoolArray,
    out: FloatArray,
) -> int:
    """Fill `out` with implied volatilities; inputs have its size, or one element where it is the same for all.

    Return how many are of prices that no market quotes, which `_implied._finish` is for.
    """
    n = out.size
    unquoted = 0
    w = np.empty(_ROOM)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        _load(w, _P, p, start, size)
        _load(w, _F, f, start, size)
        _load(w, _K, k, start, size)
        _load(w, _T, t, start, size)
        _load(w, _DF, df, start, size)
        _load_flag(w, _CALL, call, start, size)
        _fill_values(w, size)
        _fill_above(w, size)
        _fill_beneath(w, size)
        large = 0
        for i in range(size):
            c = w[_C + i]
            s = w[_GUESS + i] if c >= w[_CENTRE + i] else w[_S + i]
            w[_S + i] = s
            w[_CENTRE + i] = 1.0 if c > 0.5 else 0.0
            w[_REST + i] = w[_REST + i] if c > 0.5 else c
            large += s > _LARGE
        for _ in range(_MORE_STEPS if large else _STEPS):
            _improve(w, size)
        to = out[start : start + size]
        for i in range(size):
            known = w[_KNOWN + i]
            solved = w[_S + i] / np.sqrt(w[_T + i])
            to[i] = solved if known == -1.0 else known
        for i in range(size):
            unquoted += (
                (w[_P + i] <= _QUOTABLE * w[_F + i])
                | ((w[_K + i] >= w[_F + i]) != (w[_CALL + i] > 0.5))
                | (w[_S + i] > _LARGE)
            )
    return unquoted


@lru_cache(maxsize=256)
def rows(names: tuple[str, ...]) -> IntArray:
    """Return the numbers by which `evaluate` knows these fields."""
    return np.array([FIELDS.index(name) for name in names], dtype=np.int64)
