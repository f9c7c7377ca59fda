"""The SVI slice nearest to quotes."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from evenkeel.market.svi._least_squares import least_squares
from evenkeel.market.svi.errors import SviError

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.market.svi._arrays import FloatArray

_PARAMETERS: Final = 5
_STARTS: Final = 4
_LOGIT_BOUND: Final = 30.0


def fit_raw(
    k: npt.ArrayLike, vol: npt.ArrayLike, years: float, weights: npt.ArrayLike | None
) -> tuple[float, float, float, float, float]:
    """Return (a, b, rho, m, sigma) of the nearest slice; see `SviSlice.fit`."""
    if not years > 0.0:
        raise SviError(f"years: expected more than 0, got {years}")
    k, vol, weight = _quotes(k, vol, weights)
    span = float(np.ptp(k))
    grid = [
        (m, s)
        for m in np.linspace(k.min() - 0.5 * span, k.max() + 0.5 * span, 33)
        for s in span * np.geomspace(0.02, 5.0, 20)
    ]
    m, sigma = np.array(grid).T
    # An error of the vol is one of 2 vol years in total variance: near enough to rank the starting points by.
    weight_w = weight / (2.0 * vol * years) ** 2
    a, right, left, cost = _inner(k, vol**2 * years, weight_w, m, sigma)
    low = np.array([-70.0, -_LOGIT_BOUND, -_LOGIT_BOUND, k.min() - span, np.log(0.01 * span)])
    high = np.array([5.0, _LOGIT_BOUND, _LOGIT_BOUND, k.max() + span, np.log(10.0 * span)])
    root = np.sqrt(weight)
    floor = 1e-6 * float((vol**2).min()) * years
    best: tuple[FloatArray, float] | None = None
    for i in _apart(cost.reshape(33, 20)):
        least = max(a[i] + 2.0 * sigma[i] * np.sqrt(right[i] * left[i]), floor)
        wings = np.clip([right[i], left[i]], 1e-4, 1.0 - 1e-4)
        start = np.array([np.log(least), *np.log(wings / (1.0 - wings)), m[i], np.log(sigma[i])])
        found = least_squares(lambda x: _residual(x, k, vol, root, years), start, low, high)
        if best is None or found[1] < best[1]:
            best = found
    assert best is not None
    return raw(best[0])


def _quotes(
    k: npt.ArrayLike, vol: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the quotes that count, refusing what is none."""
    k, vol = (np.asarray(a, dtype=np.float64) for a in (k, vol))
    weight = np.ones_like(k) if weights is None else np.asarray(weights, dtype=np.float64)
    if k.ndim != 1 or vol.shape != k.shape or weight.shape != k.shape:
        raise SviError(
            f"k, vol, weights: expected one dimension and one length, got {k.shape}, {vol.shape}, {weight.shape}"
        )
    if not np.all(np.isfinite(weight) & (weight >= 0.0)):
        raise SviError("weights: expected finite numbers from 0")
    used = weight > 0.0
    k, vol, weight = k[used], vol[used], weight[used]
    bad = np.flatnonzero(~(np.isfinite(k) & np.isfinite(vol) & (vol > 0.0)))
    if bad.size:
        raise SviError(
            f"quote {bad[0]}: expected a finite k and a positive vol, got {k[bad[0]]} and {vol[bad[0]]}"
        )
    if np.unique(k).size < _PARAMETERS:
        raise SviError(f"k: a slice needs {_PARAMETERS} quotes at different strikes, got {np.unique(k).size}")
    return k, vol, weight


def _inner(
    k: FloatArray, w: FloatArray, weight: FloatArray, m: FloatArray, sigma: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the best a, half slopes of the right and the left wing, and their cost, for every (m, sigma).

    At fixed (m, sigma), with r = sqrt((k - m)^2 + sigma^2), w = a + P (r + (k - m)) + N (r - (k - m)) is linear, and wings are possible
    where P and N are in [0, 1]. The least of a convex quadratic over that square is found by trying each of the nine ways of
    holding P and N; the least total variance is then lifted to 0 where it is below.
    """
    x = k[None, :] - m[:, None]
    r = np.hypot(x, sigma[:, None])
    basis = np.stack([np.ones_like(x), r + x, r - x], axis=-1)
    weighted = basis * weight[None, :, None]
    gram = np.einsum("gni,gnj->gij", weighted, basis)
    moment = np.einsum("gni,n->gi", weighted, w)
    best = np.full((m.size, 3), np.nan)
    cost = np.full(m.size, np.inf)
    for right, left in product((None, 0.0, 1.0), repeat=2):
        held = np.array([0.0, right or 0.0, left or 0.0])
        free = [0, *([1] if right is None else []), *([2] if left is None else [])]
        rest = moment[:, free] - (gram @ held)[:, free]
        part = gram[:, free][:, :, free]
        # Wide sigma makes the columns nearly dependent; a hint of ridge keeps the solve possible and costs the start nothing.
        scale = np.einsum("gii->gi", part)
        part = part + 1e-12 * scale[:, :, None] * np.eye(len(free))
        trial = np.tile(held, (m.size, 1))
        trial[:, free] = np.linalg.solve(part, rest[:, :, None])[:, :, 0]
        possible = np.all((trial[:, 1:] >= 0.0) & (trial[:, 1:] <= 1.0), axis=1)
        root = np.sqrt(np.maximum(trial[:, 1] * trial[:, 2], 0.0))
        trial[:, 0] = np.maximum(trial[:, 0], -2.0 * sigma * root)
        error = np.einsum("gni,gi->gn", basis, trial) - w
        reached = np.where(possible, np.einsum("gn,n->g", error**2, weight), np.inf)
        better = reached < cost
        best[better], cost[better] = trial[better], reached[better]
    return best[:, 0], best[:, 1], best[:, 2], cost


def _apart(cost: FloatArray) -> list[int]:
    """Return the flat places of the lowest local minima of a grid, lowest first."""
    padded = np.pad(cost, 1, constant_values=np.inf)
    rows, columns = cost.shape
    around = np.min(
        [
            padded[1 + i : 1 + i + rows, 1 + j : 1 + j + columns]
            for i, j in product((-1, 0, 1), repeat=2)
            if i or j
        ],
        axis=0,
    )
    minima = np.flatnonzero(cost <= around)
    order = minima[np.argsort(cost.ravel()[minima])]
    return [int(i) for i in order[:_STARTS]]


def _sigmoid(q: FloatArray) -> FloatArray:
    """Return 1 / (1 + e^-q)."""
    value: FloatArray = 1.0 / (1.0 + np.exp(-q))
    return value


def _residual(
    x: FloatArray, k: FloatArray, vol: FloatArray, root: FloatArray, years: float
) -> tuple[FloatArray, FloatArray]:
    """Return weighted vol errors and their Jacobian in (ln least variance, logits of the half slopes, m, ln sigma)."""
    least, sigma, m = np.exp(x[0]), np.exp(x[4]), x[3]
    right, left = _sigmoid(x[1:3])
    mean = np.sqrt(right * left)
    d = k - m
    r = np.hypot(d, sigma)
    w = least + right * (r + d) + left * (r - d) - 2.0 * sigma * mean
    w = np.maximum(w, least)
    model = np.sqrt(w / years)
    partial = np.stack(
        [
            np.full_like(k, least),
            (right * (r + d) - sigma * mean) * (1.0 - right),
            (left * (r - d) - sigma * mean) * (1.0 - left),
            -right * (1.0 + d / r) + left * (1.0 - d / r),
            sigma * ((right + left) * sigma / r - 2.0 * mean),
        ],
        axis=-1,
    )
    return root * (model - vol), partial * (root / (2.0 * model * years))[:, None]


def raw(x: FloatArray) -> tuple[float, float, float, float, float]:
    """Return (a, b, rho, m, sigma) of (ln least variance, logits of the half slopes, m, ln sigma)."""
    right, left = (float(s) for s in _sigmoid(x[1:3]))
    b = right + left
    rho = (right - left) / b
    sigma = float(np.exp(x[4]))
    # From the rho that was rounded: next to +-1 the half slopes say another root, and the least variance would come out below 0.
    root = float(np.sqrt((1.0 - rho) * (1.0 + rho)))
    return float(np.exp(x[0])) - b * sigma * root, b, rho, float(x[3]), sigma
