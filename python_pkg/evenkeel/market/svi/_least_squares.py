"""Levenberg and Marquardt's method inside a box.

Our own because the packages that have one cost more to import than a whole surface costs to fit, and this layer is imported by
the keeper.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from evenkeel.market.svi._arrays import FloatArray

_ROUNDS: Final = 1000
_GIVE_UP: Final = 1e12


def least_squares(
    model: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    start: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
) -> tuple[FloatArray, float]:
    """Return the parameters of a local minimum of the sum of squares within [lower, upper], and that sum.

    `model` maps n parameters to m residuals and their m x n Jacobian. Steps are damped along the diagonal (Marquardt 1963) and
    clipped to the box; a step that does not lower the sum is not taken.
    """
    x = np.clip(start, lower, upper)
    residual, jacobian = model(x)
    best = float(residual @ residual)
    damping = 1e-3
    for _ in range(_ROUNDS):
        gradient = jacobian.T @ residual
        # A parameter that is held by its bound takes no part in the step.
        free = ~(((x <= lower) & (gradient > 0.0)) | ((x >= upper) & (gradient < 0.0)))
        if not free.any() or damping > _GIVE_UP:
            break
        columns = jacobian[:, free]
        scale = np.sqrt(np.maximum(np.sum(columns**2, axis=0), 1e-30))
        step = np.zeros_like(x)
        stacked = np.vstack([columns / scale, np.sqrt(damping) * np.eye(scale.size)])
        target = np.concatenate([-residual, np.zeros(scale.size)])
        step[free] = np.linalg.lstsq(stacked, target, rcond=None)[0] / scale
        trial = np.clip(x + step, lower, upper)
        trial_residual, trial_jacobian = model(trial)
        reached = float(trial_residual @ trial_residual)
        if not reached < best:
            damping *= 4.0
            continue
        gain = best - reached
        x, residual, jacobian, best = trial, trial_residual, trial_jacobian, reached
        damping = max(damping / 5.0, 1e-14)
        if gain <= 1e-15 * best:
            break
    return x, best
