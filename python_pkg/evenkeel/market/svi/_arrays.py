"""The array type of the smiles, and where a function of log-moneyness is below zero."""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
Interval: TypeAlias = tuple[float, float]

# No quote is further out: a strike at e^1000 of the forward. Beyond it the functions searched are at their asymptotes.
_REACH: Final = 1000.0
_STEP: Final = 0.02
_ZOOM: Final = np.linspace(0.0, 1.0, 33)


def negative_intervals(
    function: Callable[[FloatArray], FloatArray],
    centres: list[tuple[float, float]],
    tolerance: float,
) -> tuple[Interval, ...]:
    """Return the intervals of the real line on which `function` is below -tolerance, ends to about 1e-12, in ascending order.

    `centres` are (place, width) of the function's features: the search samples each densely and thins out geometrically to
    +-1000, then zooms into every local minimum that may dip below zero. An end out there is reported as infinite.
    """

    def shifted(k: FloatArray) -> FloatArray:
        return function(k) + tolerance

    k = np.unique(np.concatenate([_spread(*c) for c in centres]))
    values = shifted(k)
    for _ in range(3):
        left, middle, right = values[:-2], values[1:-1], values[2:]
        # A smooth dip between samples is shallower than the rise to its neighbours: any other minimum stays positive.
        dips = (
            (middle > 0.0)
            & (middle <= left)
            & (middle <= right)
            & (middle < np.maximum(left, right) - middle)
        )
        low = np.flatnonzero(dips)
        if not low.size:
            break
        finer = (k[low][:, None] + (k[low + 2] - k[low])[:, None] * _ZOOM).ravel()
        k = np.unique(np.concatenate([k, finer]))
        values = shifted(k)
    below = values < 0.0
    edges = np.flatnonzero(below[1:] != below[:-1])
    roots = _bisect(shifted, k[edges], k[edges + 1])
    ends = [-np.inf] * bool(below[0]) + [float(r) for r in roots] + [np.inf] * bool(below[-1])
    return tuple(zip(ends[::2], ends[1::2], strict=True))


def _spread(centre: float, width: float) -> FloatArray:
    """Return points around `centre`, evenly spaced within `width` and geometrically out to the reach."""
    most = float(np.arcsinh(_REACH / width))
    half = np.arange(0.0, most + _STEP, _STEP)
    points: FloatArray = centre + width * np.sinh(np.concatenate([-half[:0:-1], half]))
    return points


def _bisect(function: Callable[[FloatArray], FloatArray], low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the sign changes inside the brackets, all at once."""
    falling = function(low) >= 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        left = (function(middle) >= 0.0) == falling
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return 0.5 * (low + high)
