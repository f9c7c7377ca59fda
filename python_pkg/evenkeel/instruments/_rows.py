"""What each kind of row answers, and where each position's exposure goes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

PERPETUAL: Final = np.inf
"""The tenor of what does not expire."""


@dataclass(frozen=True, slots=True)
class Exposures:
    """Sensitivities of whole positions, one entry a position and underlying; a position in two tokens has two.

    `row` is the position's index in the book, `token` the underlying's index, `expiry` unix seconds (0: none), `years` the tenor
    (infinite: none). `value` in asset units; `delta` dV/dS; `gamma` d2V/dS2; `vega` for 1.00 of volatility; `theta` a year; `rho`
    for 1.00 of rate; `vanna` d2V/dS dvol; `volga` d2V/dvol2; `basis` dV/dln(forward / spot); `carry` asset units a day.
    """

    row: IntArray
    token: IntArray
    expiry: IntArray
    years: FloatArray
    value: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray
    vanna: FloatArray
    volga: FloatArray
    basis: FloatArray
    carry: FloatArray

    @classmethod
    def build(
        cls,
        row: IntArray,
        token: IntArray,
        expiry: IntArray | None = None,
        years: npt.ArrayLike = PERPETUAL,
        **greeks: FloatArray,
    ) -> Exposures:
        """Return the entries with every Greek that is not named at 0."""
        named = {f.name for f in fields(cls)} - {"row", "token", "expiry", "years"}
        filled = {name: greeks.get(name, np.zeros(len(row))) for name in named}
        dates = np.zeros(len(row), dtype=np.int64) if expiry is None else expiry
        tenor = np.broadcast_to(np.asarray(years, dtype=np.float64), row.shape)
        return cls(row, token, dates, tenor, **filled)

    @classmethod
    def join(cls, parts: list[Exposures]) -> Exposures:
        """Return the entries of all `parts`, in order."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


def floats(values: list[float]) -> FloatArray:
    """Return a float64 array."""
    return np.array(values, dtype=np.float64)


def integers(values: list[int]) -> IntArray:
    """Return an int64 array."""
    return np.array(values, dtype=np.int64)
