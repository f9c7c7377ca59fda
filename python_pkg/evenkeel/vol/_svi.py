"""`contracts/pricing/Svi.sol` in Python's integers: the same numbers to the last place, so that a verdict is the same."""

from __future__ import annotations

from decimal import Context, Decimal
from math import isqrt
from typing import TYPE_CHECKING, Final, NamedTuple

from evenkeel.vol.errors import RefusedError

if TYPE_CHECKING:
    from evenkeel.bindings.types import Slice

WAD: Final = 10**18
YEAR: Final = 365 * 86_400
MIN_SIGMA: Final = WAD // 1000
MAX_SLOPE: Final = 2 * WAD
MIN_REACH: Final = 7 * WAD // 10
MAX_REACH: Final = 5 * WAD
_DEVIATIONS: Final = (2, 4, 6, 9, 12, 16)
_BENDS: Final = (1, 2, 4, 6, 8, 12, 16, 24)
"""Both in quarters."""
_LOGARITHMS: Final = Context(prec=50)


class Raw(NamedTuple):
    """The five parameters of a slice at 1e18."""

    a: int
    b: int
    rho: int
    m: int
    sigma: int


def raw_of(slice_: Slice) -> Raw:
    """Return the parameters of a slice."""
    return Raw(slice_.a, slice_.b, slice_.rho, slice_.m, slice_.sigma)


def least_variance(s: Raw) -> int:
    """Return the least total variance at 1e18. Raises `RefusedError` for parameters out of range."""
    if s.sigma < MIN_SIGMA:
        raise RefusedError(f"sigma is {s.sigma / WAD:g}, less than {MIN_SIGMA / WAD:g}")
    if abs(s.rho) >= WAD:
        raise RefusedError(f"rho is {s.rho / WAD:g}, expected between -1 and 1")
    steepest = -(-s.b * (WAD + abs(s.rho)) // WAD)
    if steepest > MAX_SLOPE:
        raise RefusedError(
            f"the steeper wing rises by {steepest / WAD:g} a unit of k, more than {MAX_SLOPE / WAD:g}"
        )
    least = s.a + cut(s.b * s.sigma * isqrt(WAD * WAD - s.rho * s.rho), WAD * WAD)
    if least < 0:
        raise RefusedError(f"the least total variance is {least / WAD:g}, less than 0")
    return least


def total_variance(s: Raw, k: int) -> int:
    """Return w(k) at 1e18, 0 where rounding would put it below."""
    x = k - s.m
    return max(s.a + cut(s.b * (s.rho * x + (_root(x, s.sigma) * WAD >> 32)), WAD * WAD), 0)


def density(s: Raw, k: int) -> tuple[int, int]:
    """Return w(k) at 1e18 and 4 w^2 g(k) at 1e36, zeros where there is no variance."""
    x = k - s.m
    r = _root(x, s.sigma)
    w = s.a + cut(s.b * (s.rho * x + (r * WAD >> 32)), WAD * WAD)
    if w <= 0:
        return 0, 0
    bend = (s.sigma * WAD << 32) // r
    bend = ((s.b * bend * bend // WAD) << 32) // r
    slope = cut(s.b * (s.rho + cut(x * WAD << 32, r)), WAD)
    rest = 2 * w - cut(k * slope, WAD)
    steep = slope * slope * (4 * WAD + w) // (4 * WAD)
    return w, rest * rest + cut(w * (2 * bend * w - steep), WAD)


def is_at_most(s: Raw, k: int, bound: int) -> bool:
    """Return whether w(k) is at most `bound` at 1e18, without a root."""
    x = k - s.m
    rest = bound - s.a - cut(s.b * s.rho * x, WAD * WAD)
    return rest >= 0 and s.b * s.b * (x * x + s.sigma * s.sigma) <= rest * rest * WAD * WAD


def restated(s: Raw, shift: int, part: int, whole: int) -> Raw:
    """Return a slice with its k less `shift`, and `part` of `whole` of its total variance."""
    return s._replace(a=cut(s.a * part, whole), b=s.b * part // whole, m=s.m - shift)


def vol_of(w: int, seconds: int) -> int:
    """Return the annualised vol at 1e18 of a total variance over `seconds`."""
    return isqrt(w * YEAR * WAD // seconds)


def reach_of(w: int) -> int:
    """Return how far from the forward in log-moneyness a slice with `w` at the money is examined and read."""
    return min(max(isqrt(25 * w * WAD), MIN_REACH), MAX_REACH)


def points(s: Raw) -> tuple[int, ...]:
    """Return the log-moneyness at which a slice is examined, those within its reach, in the contract's order."""
    w = total_variance(s, 0)
    deviation, reach = isqrt(w * WAD), reach_of(w)
    steps = [deviation * times // 4 for times in _DEVIATIONS] + [isqrt(4 * deviation * reach), reach]
    found = [0]
    for step, times in zip(steps, _BENDS, strict=True):
        bend = s.sigma * times // 4
        found += [step, -step, s.m + bend, s.m - bend]
    return tuple(k for k in found if abs(k) <= reach)


def moneyness(strike: int, forward: int) -> int:
    """Return ln(strike / forward) at 1e18, to a unit of the last place. Raises `RefusedError` where it is not within +-41."""
    quotient = strike * WAD // forward if strike < 2**128 else 0
    if not 0 < quotient < 2**118:
        raise RefusedError(f"forward {forward / WAD:g}: {strike / WAD:g} is too far from it")
    logarithm = _LOGARITHMS.ln(_LOGARITHMS.divide(Decimal(quotient), Decimal(WAD)))
    return int(_LOGARITHMS.multiply(logarithm, Decimal(WAD)).to_integral_value())


def cut(numerator: int, denominator: int) -> int:
    """Divide as Solidity does: towards 0. `denominator` is positive."""
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


def _root(x: int, sigma: int) -> int:
    """Return sqrt(x^2 + sigma^2) at 2^32 x 1e18, as the contract's four steps of Newton from 27/32 (|x| + sigma) leave it."""
    square = (x * x + sigma * sigma) << 64
    r = 27 * (sigma + abs(x)) << 27
    for _ in range(4):
        r = (square // r + r) >> 1
    return r
