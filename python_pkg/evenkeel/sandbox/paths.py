"""Price paths for the market actors: arrays of time, price and implied vol, all of one length, first entry the start.

Synthetic paths are seeded: the same seed gives the same numbers on every machine.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evenkeel import InputError

HOUR = 3600
YEAR = 365 * 24 * HOUR
BASE_IV = 0.75
IV_PER_FALL = 0.75
"""Rise of IV per unit of log-price fall: 0.75 vol points for each -1%, between the half and the whole point of markets."""

_LOWEST_IV, _HIGHEST_IV = 0.3, 2.5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PricePath:
    """`n` steps after a start: three arrays of shape (n + 1,).

    `seconds` since the start (int64, rising from 0), `prices` in USD an ETH, `ivs` as 0.75 for 75%.
    """

    seconds: NDArray[np.int64]
    prices: Floats
    ivs: Floats

    @property
    def steps(self) -> int:
        """How many steps follow the start."""
        return len(self.seconds) - 1

    def timestamps(self, start_time: int) -> NDArray[np.int64]:
        """Return the path's times on a chain whose sandbox starts at `start_time` (unix seconds)."""
        return self.seconds + start_time


def implied_vols(prices: Floats, base: float = BASE_IV, per_fall: float = IV_PER_FALL) -> Floats:
    """Return the IV that goes with each price: `base` at the first, rising by `per_fall` per unit of log fall."""
    raw = base - per_fall * np.log(prices / prices[0])
    return np.asarray(np.clip(raw, _LOWEST_IV, _HIGHEST_IV), dtype=np.float64)


def jump_diffusion(
    steps: int,
    *,
    start: float = 3000.0,
    seed: int = 1,
    vol: float = 0.65,
    jumps_a_year: float = 60.0,
    jump_mean: float = -0.01,
    jump_stdev: float = 0.03,
    step_seconds: int = HOUR,
) -> PricePath:
    """Draw a martingale with normal jumps in the log price (Merton, Journal of Financial Economics 3, 1976).

    `vol` is the diffusion's per sqrt(year) of 365 days. Raises `InputError` for fewer than 1 step or a start not above 0.
    """
    if steps < 1:
        raise InputError(f"steps {steps}: expected at least 1")
    if not 0 < start < np.inf:
        raise InputError(f"start price {start:g}: expected more than 0")
    generator = np.random.Generator(np.random.PCG64(seed))
    dt = step_seconds / YEAR
    compensation = jumps_a_year * (np.exp(jump_mean + jump_stdev**2 / 2) - 1)
    count = generator.poisson(jumps_a_year * dt, steps)
    jumps = count * jump_mean + np.sqrt(count) * jump_stdev * generator.standard_normal(steps)
    shocks = vol * np.sqrt(dt) * generator.standard_normal(steps)
    log_price = np.concatenate(([0.0], np.cumsum((-(vol**2) / 2 - compensation) * dt + shocks + jumps)))
    prices = np.asarray(start * np.exp(log_price), dtype=np.float64)
    return PricePath(np.arange(steps + 1, dtype=np.int64) * step_seconds, prices, implied_vols(prices))


DEMO_ANCHORS = ((0, 1.0), (3, 0.88), (10, 0.87), (22, 0.83), (34, 0.78), (48, 0.80))
"""(step, price over start): 12% lost in three hours, 22% before the 36th, then a little back."""


def demo_path(start: float = 3000.0, *, seed: int = 7, noise: float = 0.005) -> PricePath:
    """Return the demo's 48 hourly steps: Brownian bridges through `DEMO_ANCHORS`, `noise` a step in the log price."""
    generator = np.random.Generator(np.random.PCG64(seed))
    pieces = [np.zeros(1)]
    for (first, low), (last, high) in pairwise(DEMO_ANCHORS):
        length = last - first
        walk = np.cumsum(noise * generator.standard_normal(length))
        share = np.arange(1, length + 1) / length
        pieces.append(np.log(low) + share * np.log(high / low) + walk - share * walk[-1])
    prices = np.asarray(start * np.exp(np.concatenate(pieces)), dtype=np.float64)
    return PricePath(np.arange(len(prices), dtype=np.int64) * HOUR, prices, implied_vols(prices))
