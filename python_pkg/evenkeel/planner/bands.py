"""No-trade bands: when to trade a Greek and to where.

All widths are in units of the exposure, half-widths around a target. `cost` is a proportional one-way cost (0.0015 for 15 bps),
`fixed_cost` dollars a trade, `price` dollars, `gamma` |net gamma| in units a dollar, `vol` forecast realised volatility a year,
`aversion` absolute risk aversion in 1/dollars. Each formula needs `aversion`, `price` and `vol` above 0 and returns 0 at
gamma 0, where nothing drifts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenkeel.instruments import YEAR
from evenkeel.planner.errors import PlannerError

if TYPE_CHECKING:
    from evenkeel.strategy import Mandate

_DISCRETE: Final = 0.5826
"""-zeta(1/2) / sqrt(2 pi): the shift of a barrier that is looked at every dt (Broadie, Glasserman, Kou 1997)."""


@dataclass(frozen=True, slots=True)
class BandWidths:
    """Trade when |x| > `trigger`, to |x| = `inner`; `wall` is how far the trigger may reach for the limit's sake.

    `wall` <= 0 says that one cycle can carry the exposure past its limit: too much gamma, whatever the hedge.
    """

    trigger: float
    inner: float
    wall: float


def whalley_wilmott(
    cost: float, price: float, gamma: float, aversion: float, rate: float = 0.0, years: float = 0.0
) -> float:
    """Return H = (3 c S G^2 e^(-rT) / (2a))^(1/3): proportional costs only (Whalley and Wilmott, Math. Finance 7, 1997)."""
    _check(price=price, aversion=aversion)
    return float(
        (3.0 * cost * price * gamma * gamma * math.exp(-rate * years) / (2.0 * aversion)) ** (1.0 / 3.0)
    )


def fixed_cost_band(fixed_cost: float, gamma: float, aversion: float) -> float:
    """Return H = (12 k G^2 / a)^(1/4): fixed costs only; trade to the centre."""
    _check(aversion=aversion)
    return float((12.0 * fixed_cost * gamma * gamma / aversion) ** 0.25)


def zakamouline(
    cost: float, price: float, gamma: float, vol: float, years: float, aversion: float, rate: float = 0.0
) -> tuple[float, float]:
    """Return (H, K) of Zakamouline (Quant. Finance 6, 2006): the half-width H0 + H1, and the shift of the hedging variance.

    Delta is taken at vol sqrt(1 + K) for long options and vol sqrt(1 - K) for short ones. K is negative, as in Leland: costs make
    a long option hedge at less volatility and a short one at more. One expiry and one sign of gamma only; `years` above 0.
    """
    _check(price=price, aversion=aversion, vol=vol, years=years)
    damped = math.exp(-rate * years) / vol
    h0 = cost / (aversion * price * vol * vol * years)
    h1 = 1.12 * cost**0.31 * years**0.05 * damped**0.25 * math.sqrt(gamma / aversion)
    k = -4.76 * cost**0.78 / years**0.02 * damped**0.25 * (aversion * price * price * gamma) ** 0.15
    return h0 + h1, k


def mixed_band(
    cost: float, fixed_cost: float, price: float, gamma: float, vol: float, aversion: float
) -> tuple[float, float]:
    """Return (h, r), 0 <= r <= h: trade when |x| > h, to |x| = r, for proportional and fixed costs together.

    They minimise J(h, r) = (q/12)(h^2 + r^2) + s^2 (k + c S (h - r)) / (h^2 - r^2), q = a vol^2 S^2, s = G S vol: the stationary cost a
    year of the spread of x plus that of trading. In u = h + r and d = h - r, J = (q/24)(u^2 + d^2) + s^2 k / (u d) + s^2 c S / u
    has its best d in closed form, and what is left is convex in ln u; it is solved by bisection. Without fixed costs r = h =
    `whalley_wilmott`; without proportional ones r = 0 and h = `fixed_cost_band`.
    """
    _check(price=price, aversion=aversion, vol=vol)
    q = aversion * vol * vol * price * price
    s2 = (gamma * price * vol) ** 2
    fixed, linear = s2 * fixed_cost, s2 * cost * price
    if fixed + linear <= 0.0:
        return 0.0, 0.0

    def best_d(u: float) -> float:
        return float(min((12.0 * fixed / (q * u)) ** (1.0 / 3.0), u))

    def slope(u: float) -> float:
        d = best_d(u)
        if d >= u:  # r = 0, so d moves with u
            return q * u / 6.0 - 2.0 * fixed / u**3 - linear / u**2
        return q * u / 12.0 - (fixed / (u * u * d) if fixed else 0.0) - linear / u**2

    scale = (12.0 * fixed / q) ** 0.25 + (12.0 * linear / q) ** (1.0 / 3.0)
    low, high = math.log(scale) - 5.0, math.log(scale) + 5.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        if slope(math.exp(middle)) < 0.0:
            low = middle
        else:
            high = middle
    u = math.exp(0.5 * (low + high))
    d = best_d(u)
    return 0.5 * (u + d), max(0.0, 0.5 * (u - d))


def band_cost(
    h: float,
    r: float,
    cost: float,
    fixed_cost: float,
    price: float,
    gamma: float,
    vol: float,
    aversion: float,
) -> float:
    """Return J(h, r) of `mixed_band`, for h > r >= 0; dollars a year in risk-adjusted terms."""
    q = aversion * vol * vol * price * price
    s2 = (gamma * price * vol) ** 2
    return q / 12.0 * (h * h + r * r) + s2 * (fixed_cost + cost * price * (h - r)) / (h * h - r * r)


def lowered_trigger(h: float, deviation: float, seconds: float) -> float:
    """Return the trigger for decisions every `seconds` that acts like `h` watched continuously, not below 0.

    `deviation` is the exposure's standard deviation a root year (Broadie, Glasserman and Kou, Math. Finance 7, 1997).
    """
    return max(0.0, h - _DISCRETE * deviation * math.sqrt(seconds / YEAR))


def delta_band(mandate: Mandate, price: float, gamma: float, nav: float) -> BandWidths:
    """Return the band on delta in units of the underlying, by the mandate's mode, inside the wall of its limit.

    `nav` is the low NAV, above 0; `gamma` may have either sign.
    """
    _check(price=price, nav=nav)
    band = mandate.band
    gamma = abs(gamma)
    limit = mandate.delta_usd.limit * nav / price
    deviation = gamma * price * band.forecast_vol
    exposed = mandate.cycle_seconds + mandate.inclusion_seconds
    # The limit is centred on 0 and the band on the target.
    wall = (
        limit
        - abs(mandate.delta_usd.target) * nav / price
        - band.wall_deviations * deviation * math.sqrt(exposed / YEAR)
    )
    if band.mode == "fixed":
        trigger, inner = band.fixed_trigger * limit, band.fixed_inner * limit
    else:
        aversion = mandate.risk_aversion / nav
        trigger, inner = mixed_band(
            band.proportional_cost, band.fixed_cost_usd, price, gamma, band.forecast_vol, aversion
        )
        trigger = lowered_trigger(trigger, deviation, mandate.cycle_seconds)
    trigger = max(0.0, min(trigger, wall))
    return BandWidths(trigger, min(inner, trigger), wall)


def _check(**values: float) -> None:
    for name, value in values.items():
        if not value > 0.0:
            raise PlannerError(f"{name}: expected more than 0, got {value}")
