"""The nearest slice without butterfly arbitrage."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Final

import numpy as np

from evenkeel.market.svi._ssvi import ssvi_slice
from evenkeel.market.svi.errors import SviError

if TYPE_CHECKING:
    from evenkeel.market.svi._arrays import FloatArray
    from evenkeel.market.svi._slice import SviSlice

# Standard deviations of the log price within which a repair is judged.
_JUDGED: Final = np.linspace(-4.0, 4.0, 81)
_HALVINGS: Final = 30


def repaired(slice_: SviSlice) -> SviSlice:
    """Return an arbitrage-free slice near one that is not; see `SviSlice.repair`."""
    wings = slice_.to_jump_wings()
    k = _JUDGED * np.sqrt(wings.v * slice_.years)
    weight = np.exp(-0.5 * _JUDGED**2)
    aim = slice_.total_variance(k)

    def distance(candidate: SviSlice) -> float:
        return float(weight @ (candidate.total_variance(k) - aim) ** 2)

    anchor = _anchor(slice_)
    best = anchor
    start, end = np.array(astuple(anchor.to_jump_wings())), np.array(astuple(wings))
    # The least variance comes back by one share and everything else by another: the most that each share of it allows.
    for share in np.linspace(0.0, 1.0, 9):
        candidate = _furthest(slice_, start, end, float(share))
        if candidate is not None and distance(candidate) < distance(best):
            best = candidate
    return best


def _anchor(slice_: SviSlice) -> SviSlice:
    """Return a slice of the surface SVI family that keeps the variance at the money and, where it can, the skew and a wing.

    Such a slice has wings with c = p + 2 psi, and no arbitrage where sqrt(v years) max(p, c) < 2 and (p + c) max(p, c) <= 2
    (Gatheral and Jacquier 2014, theorem 4.2 in jump wings).
    """
    wings = slice_.to_jump_wings()
    root = float(np.sqrt(wings.v * slice_.years))
    for p, c in ((wings.p, wings.p + 2.0 * wings.psi), (wings.c - 2.0 * wings.psi, wings.c)):
        if min(p, c) > 0.0 and root * max(p, c) < 2.0 and (p + c) * max(p, c) <= 2.0:
            return ssvi_slice(root**2, (c - p) / (c + p), (c + p) / root, slice_.years)
    steep = 1.0 + abs(slice_.rho)
    most = min(2.0 / np.sqrt(root**2 * steep), 4.0 / (root**2 * steep), (wings.c + wings.p) / root)
    rho = float(np.clip(slice_.rho, -0.99, 0.99))
    return ssvi_slice(root**2, rho, 0.99 * float(most), slice_.years)


def _furthest(slice_: SviSlice, start: FloatArray, end: FloatArray, share: float) -> SviSlice | None:
    """Return the arbitrage-free slice furthest along from `start` to `end` with `share` of the way for the least variance."""

    def at(way: float) -> SviSlice | None:
        jump = start + np.array([way, way, way, way, share]) * (end - start)
        v, psi, p, c, vt = (float(j) for j in jump)
        try:
            candidate = slice_.from_jump_wings(v, psi, p, c, vt, slice_.years)
        except SviError:
            return None
        return candidate if candidate.is_arbitrage_free() else None

    best, low, high = at(0.0), 0.0, 1.0
    if best is None:
        return None
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        candidate = at(middle)
        if candidate is None:
            high = middle
        else:
            best, low = candidate, middle
    return best
