"""Surface SVI: one shape for all expiries, free of static arbitrage by construction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenkeel.market.svi._least_squares import least_squares
from evenkeel.market.svi._slice import SviSlice
from evenkeel.market.svi.errors import SviError

if TYPE_CHECKING:
    from evenkeel.market.svi._arrays import FloatArray

_BUMP: Final = 1e-7
_BOUND: Final = 12.0


@dataclass(frozen=True, slots=True)
class Ssvi:
    """w(k) = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)), phi = eta / (theta^gamma (1 + theta)^(1 - gamma)).

    theta is the total variance at the money. Gatheral and Jacquier 2014, section 4: free of butterfly and, where theta does not fall
    with expiry, of calendar arbitrage for |rho| < 1, 0 < eta (1 + |rho|) <= 2 and 0 < gamma <= 1/2; `SviError` otherwise.
    """

    rho: float
    eta: float
    gamma: float

    def __post_init__(self) -> None:
        if not abs(self.rho) < 1.0:
            raise SviError(f"rho: expected between -1 and 1, got {self.rho}")
        if not 0.0 < self.eta * (1.0 + abs(self.rho)) <= 2.0 + 1e-12:
            raise SviError(f"eta: expected more than 0 and at most 2 / (1 + |rho|), got {self.eta}")
        if not 0.0 < self.gamma <= 0.5:
            raise SviError(f"gamma: expected more than 0 and at most 1/2, got {self.gamma}")

    def slice(self, theta: float, years: float) -> SviSlice:
        """Return the smile of the expiry `years` away whose total variance at the money is `theta`, exactly, as an SVI slice."""
        if not theta > 0.0:
            raise SviError(f"theta: expected more than 0, got {theta}")
        return ssvi_slice(theta, self.rho, float(_phi(np.array(theta), self.eta, self.gamma)), years)


def ssvi_slice(theta: float, rho: float, phi: float, years: float) -> SviSlice:
    """Return the slice of surface SVI with curvature `phi` in SVI's own parameters (Gatheral and Jacquier 2014, section 3.2)."""
    return SviSlice(
        a=0.5 * theta * (1.0 - rho**2),
        b=0.5 * theta * phi,
        rho=rho,
        m=-rho / phi,
        sigma=float(np.sqrt(1.0 - rho**2)) / phi,
        years=years,
    )


def fit_ssvi(
    k: FloatArray, vol: FloatArray, weights: FloatArray, years: FloatArray
) -> tuple[Ssvi, dict[float, float]]:
    """Return the surface SVI nearest to quotes in weighted squared vol errors, and theta by expiry, which does not fall.

    Flat arrays of one length; every quote has its expiry's `years`.
    """
    terms, of = np.unique(years, return_inverse=True)
    theta = np.empty(terms.size)
    for i in range(terms.size):
        near = np.flatnonzero(of == i)
        near = near[np.argsort(np.abs(k[near]))[:3]]
        theta[i] = np.average(vol[near], weights=weights[near]) ** 2 * terms[i]
    theta = np.maximum.accumulate(theta)
    steps = np.diff(theta, prepend=0.0)
    start = np.concatenate([[-0.1, 1.0, 0.0], np.log(np.maximum(steps, 1e-3 * theta))])
    root = np.sqrt(weights)

    def residual(x: FloatArray) -> FloatArray:
        rho, eta, gamma, thetas = _read(x)
        t = thetas[of]
        pk = _phi(t, eta, gamma) * k
        w = 0.5 * t * (1.0 + rho * pk + np.sqrt((pk + rho) ** 2 + 1.0 - rho**2))
        error: FloatArray = root * (np.sqrt(w / years) - vol)
        return error

    def model(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        here = residual(x)
        bumped = [(residual(x + _BUMP * e) - here) / _BUMP for e in np.eye(x.size)]
        return here, np.stack(bumped, axis=-1)

    low = np.concatenate([np.full(3, -_BOUND), np.full(terms.size, -60.0)])
    low[0], high = -3.0, np.concatenate([[3.0, _BOUND, _BOUND], np.full(terms.size, 5.0)])
    x, _ = least_squares(model, start, low, high)
    rho, eta, gamma, thetas = _read(x)
    return Ssvi(rho, eta, gamma), {float(t): float(v) for t, v in zip(terms, thetas, strict=True)}


def _phi(theta: FloatArray, eta: float, gamma: float) -> FloatArray:
    """Return the curvature at each total variance at the money."""
    phi: FloatArray = eta / (theta**gamma * (1.0 + theta) ** (1.0 - gamma))
    return phi


def _read(x: FloatArray) -> tuple[float, float, float, FloatArray]:
    """Return rho, eta, gamma and the thetas, all inside the region without arbitrage."""
    rho = float(np.tanh(x[0]))
    eta = 2.0 / (1.0 + abs(rho)) / (1.0 + float(np.exp(-x[1])))
    gamma = 0.5 / (1.0 + float(np.exp(-x[2])))
    return rho, eta, gamma, np.cumsum(np.exp(x[3:]))
