"""One expiry's smile as a stochastic-volatility-inspired (SVI) slice of total variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenkeel.market.svi._arrays import FloatArray, Interval, negative_intervals
from evenkeel.market.svi._fit import fit_raw
from evenkeel.market.svi.errors import JumpWingError, SviError

if TYPE_CHECKING:
    import numpy.typing as npt

# Rounding in g where its terms of order one cancel.
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class JumpWings:
    """The same smile in a trader's numbers (Gatheral and Jacquier 2014, section 3.3), all a year.

    `v` at-the-money variance, `psi` at-the-money skew of the volatility times sqrt(years), `p` and `c` slopes of the put and the
    call wing of total variance over sqrt(v years), `vt` the least variance.
    """

    v: float
    psi: float
    p: float
    c: float
    vt: float


@dataclass(frozen=True, slots=True)
class SviSlice:
    """Total variance w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)) of one expiry, `years` away.

    k = ln(strike / forward). Gatheral and Jacquier, Quantitative Finance 14(1), 2014. Raises `SviError` unless all are finite,
    `years` and `sigma` are positive, `b` is 0 or more, |rho| is at most 1 and the least total variance a + b sigma sqrt(1 - rho^2)
    is 0 or more. A slice may still hold a butterfly arbitrage: see `g`.
    """

    a: float
    b: float
    rho: float
    m: float
    sigma: float
    years: float

    def __post_init__(self) -> None:
        for name in ("a", "b", "rho", "m", "sigma", "years"):
            if not np.isfinite(getattr(self, name)):
                raise SviError(f"{name}: expected a finite number, got {getattr(self, name)}")
        for name in ("sigma", "years"):
            if getattr(self, name) <= 0.0:
                raise SviError(f"{name}: expected more than 0, got {getattr(self, name)}")
        if self.b < 0.0:
            raise SviError(f"b: expected 0 or more, got {self.b}")
        if abs(self.rho) > 1.0:
            raise SviError(f"rho: expected between -1 and 1, got {self.rho}")
        # A smile that touches zero, such as an inverted jump wing with vt = 0, comes out a rounding below it.
        if self._least() < -1e-15 * (abs(self.a) + self.b * self.sigma):
            raise SviError(f"a: the least total variance is {self._least()}, expected 0 or more")

    def total_variance(self, k: npt.ArrayLike) -> FloatArray:
        """Return vol^2 times years at log-moneyness `k`, of its shape."""
        x = np.asarray(k, dtype=np.float64) - self.m
        w = self.a + self.b * (self.rho * x + np.hypot(x, self.sigma))
        positive: FloatArray = np.maximum(w, 0.0)
        return positive

    def vol(self, k: npt.ArrayLike) -> FloatArray:
        """Return the Black volatility a year at log-moneyness `k`, of its shape."""
        vol: FloatArray = np.sqrt(self.total_variance(k) / self.years)
        return vol

    def slope(self, k: npt.ArrayLike) -> FloatArray:
        """Return dw/dk at log-moneyness `k`, of its shape."""
        x = np.asarray(k, dtype=np.float64) - self.m
        slope: FloatArray = self.b * (self.rho + x / np.hypot(x, self.sigma))
        return slope

    def g(self, k: npt.ArrayLike) -> FloatArray:
        """Return Gatheral's butterfly function at log-moneyness `k`, of its shape.

        g = (1 - k w'/(2 w))^2 - w'^2/4 (1/w + 1/4) + w''/2. The risk-neutral density is g times a positive factor, so a
        butterfly that costs less than nothing exists where g < 0. NaN where w is 0.
        """
        k = np.asarray(k, dtype=np.float64)
        w = self.total_variance(k)
        w = np.where(w > 0.0, w, np.nan)
        slope = self.slope(k)
        curvature = self.b * self.sigma**2 / np.hypot(k - self.m, self.sigma) ** 3
        g: FloatArray = (
            (1.0 - k * slope / (2.0 * w)) ** 2 - slope**2 / 4.0 * (1.0 / w + 0.25) + curvature / 2.0
        )
        return g

    def butterfly_arbitrage(self) -> tuple[Interval, ...]:
        """Return the intervals of log-moneyness on which g < 0, in ascending order; infinite where a wing is too steep."""
        middle = self.m - self.rho * self.sigma / max(np.sqrt(1.0 - self.rho**2), 1e-3)
        return negative_intervals(self.g, [(self.m, self.sigma), (float(middle), self.sigma)], _ROUNDING)

    def is_arbitrage_free(self) -> bool:
        """Return whether no butterfly is arbitrage: g >= 0 everywhere, the least total variance positive, no wing's slope above 2."""
        if self.b * (1.0 + abs(self.rho)) > 2.0 or self._least() <= 0.0:
            return False
        return not self.butterfly_arbitrage()

    @classmethod
    def from_jump_wings(cls, v: float, psi: float, p: float, c: float, vt: float, years: float) -> SviSlice:
        """Return the slice with these jump wings (see `JumpWings`).

        Gatheral and Jacquier 2014, lemma 3.2, with their case distinctions taken out: rho = sin(R) and
        beta = rho - 2 psi sqrt(v years)/b = sin(B) put the least variance at distance h = (v - vt) years / (2 b sin^2((R - B)/2)), and
        m = h sin(B), sigma = h cos(B). The inverse is ill-conditioned: compare total variances, not parameters.

        Raises `JumpWingError` where no slice has these numbers (|beta| >= 1, vt above v, psi 0 with vt below v, ...) and where
        they leave the curvature open (psi 0 and vt = v, wings not flat).
        """
        _check_wings(v, p, c, vt, years)
        root = np.sqrt(v * years)
        b = root * (c + p) / 2.0
        if b == 0.0:
            if psi != 0.0 or vt != v:
                raise JumpWingError(f"psi, vt: flat wings need psi = 0 and vt = v, got {psi} and {vt}")
            return cls(v * years, 0.0, 0.0, 0.0, 1.0, years)
        rho = (c - p) / (c + p)
        beta = rho - 2.0 * psi * root / b
        if not abs(beta) < 1.0:
            raise JumpWingError(
                f"psi: beta = {beta} is outside (-1, 1), so the skew {psi} does not fit the wings {p} and {c}"
            )
        if psi == 0.0 or v == vt:
            raise JumpWingError(
                f"psi, vt: psi = 0 and vt = v go together and leave the curvature open, got psi {psi}, vt {vt}, v {v}"
            )
        # sin R - sin B = 2 cos((R + B)/2) sin((R - B)/2) keeps the digits of a small skew.
        mean_angle = 0.5 * (np.arctan2(c - p, 2.0 * np.sqrt(c * p)) + np.arcsin(beta))
        gap = 2.0 * b * (psi * root / (b * np.cos(mean_angle))) ** 2
        h = (v - vt) * years / gap
        sigma = h * np.sqrt((1.0 - beta) * (1.0 + beta))
        a = vt * years - b * sigma * np.sqrt((1.0 - rho) * (1.0 + rho))
        return cls(float(a), float(b), float(rho), float(h * beta), float(sigma), years)

    def to_jump_wings(self) -> JumpWings:
        """Return the slice in jump wings; `JumpWingError` where its total variance at the money is 0."""
        w = float(self.total_variance(0.0))
        if w == 0.0:
            raise JumpWingError("the total variance at the money is 0: the wings have no scale")
        root = float(np.sqrt(w))
        return JumpWings(
            v=w / self.years,
            psi=float(self.slope(0.0)) / (2.0 * root),
            p=self.b * (1.0 - self.rho) / root,
            c=self.b * (1.0 + self.rho) / root,
            vt=max(self._least(), 0.0) / self.years,
        )

    @classmethod
    def fit(
        cls, k: npt.ArrayLike, vol: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, years: float
    ) -> SviSlice:
        """Return the slice nearest to volatilities `vol` at log-moneyness `k`, in the weighted sum of squared vol errors.

        One-dimensional arrays of one length, 5 quotes or more at different strikes; `weights` default to 1 and a weight of 0 drops
        a quote. Zeliade's quasi-explicit method (De Marco and Martini 2009): for each (m, sigma) of a grid the best (a, b, rho) is a
        small convex problem with a closed form; the best few are refined together. The result has a least variance and wings
        that are possible (slopes 0 to 2), but may hold a butterfly arbitrage where the quotes do: see `repair`. m stays within
        one span of the quotes beyond them and sigma between 0.01 and 10 spans. Raises `SviError` for quotes that are too few,
        of unequal number, or not positive and finite.
        """
        return cls(*fit_raw(k, vol, years, weights), years)

    def repair(self) -> SviSlice:
        """Return a slice without butterfly arbitrage near this one: itself where it has none.

        Gatheral and Jacquier 2014, section 5.1: the variance and the skew at the money stay as they are. Their slice of the surface
        SVI family is free of arbitrage; from it the call wing and the least variance (the put wing where that one is the bent
        one) go back towards this slice's as far as g allows. Where no slice of that family keeps the skew, the skew gives way too.
        """
        from evenkeel.market.svi._repair import repaired  # noqa: PLC0415  it builds slices itself

        return self if self.is_arbitrage_free() else repaired(self)

    def _least(self) -> float:
        """Return the least total variance."""
        return self.a + self.b * self.sigma * float(np.sqrt((1.0 - self.rho) * (1.0 + self.rho)))


def _check_wings(v: float, p: float, c: float, vt: float, years: float) -> None:
    """Refuse jump wings that are out of range one by one."""
    for name, value, least in (("p", p, 0.0), ("c", c, 0.0), ("vt", vt, 0.0)):
        if not value >= least:
            raise JumpWingError(f"{name}: expected {least:g} or more, got {value}")
    for name, value in (("v", v), ("years", years)):
        if not value > 0.0:
            raise JumpWingError(f"{name}: expected more than 0, got {value}")
    if vt > v:
        raise JumpWingError(f"vt: expected at most v = {v}, the variance at the money, got {vt}")
