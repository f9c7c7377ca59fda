"""Ranges of concentrated liquidity as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.instruments._instruments import LpRange
from evenkeel.instruments._rows import Exposures, FloatArray, IntArray, floats, integers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.instruments._position import Position
    from evenkeel.instruments._view import MarketView


@dataclass(frozen=True, slots=True)
class RangeRows:
    """One row a range: `size` is quantity x liquidity, `low` and `high` the roots of its edges.

    With p = sqrt(S_base / S_quote) kept within the edges it holds size (1/p - 1/high) of the base and size (p - low) of the quote.
    """

    row: IntArray
    base: IntArray
    quote: IntArray
    size: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, owned: list[tuple[int, Position]], market: MarketView, index: Mapping[str, int]) -> RangeRows:  # noqa: ARG003 - all kinds of rows are laid out alike
        """Lay out the ranges of `owned`."""
        rows = [(i, p, p.instrument) for i, p in owned if isinstance(p.instrument, LpRange)]
        return cls(
            row=integers([i for i, _, _ in rows]),
            base=integers([index[o.underlying] for _, _, o in rows]),
            quote=integers([index[o.quote] for _, _, o in rows]),
            size=floats([p.quantity * o.liquidity for _, p, o in rows]),
            low=np.sqrt(floats([o.lower for _, _, o in rows])),
            high=np.sqrt(floats([o.upper for _, _, o in rows])),
        )

    def amounts(self, spots: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the whole tokens of base and of quote that each row holds at `spots` (..., tokens)."""
        root = np.sqrt(spots[..., self.base] / spots[..., self.quote])
        root = np.minimum(np.maximum(root, self.low), self.high)
        return self.size * (1.0 / root - 1.0 / self.high), self.size * (root - self.low)

    def value(self, spots: FloatArray, vol_shift: FloatArray, elapsed: FloatArray) -> FloatArray:  # noqa: ARG002 - all kinds of rows are asked alike
        """Return each row's worth at `spots` (..., tokens), of shape (..., rows)."""
        base, quote = self.amounts(spots)
        return base * spots[..., self.base] + quote * spots[..., self.quote]

    def exposures(self, spots: FloatArray) -> Exposures:
        """Return each row's sensitivities, one entry a token.

        The pool trades along the range, so delta is what is held (the envelope theorem) and gamma only how that changes. At an
        edge, where gamma jumps, the range counts as left.
        """
        base, quote = self.amounts(spots)
        s0, s1 = spots[self.base], spots[self.quote]
        bend = self.cross(spots)
        return Exposures.join(
            [
                Exposures.build(self.row, self.base, value=base * s0, delta=base, gamma=-bend * s1 / s0),
                Exposures.build(self.row, self.quote, value=quote * s1, delta=quote, gamma=-bend * s0 / s1),
            ]
        )

    def cross(self, spots: FloatArray) -> FloatArray:
        """Return d2V / dS_base dS_quote of each row: size / (2 sqrt(S_base S_quote)) inside its range, 0 outside."""
        s0, s1 = spots[self.base], spots[self.quote]
        root = np.sqrt(s0 / s1)
        inside = (self.low < root) & (root < self.high)
        return np.where(inside, 0.5 * self.size / np.sqrt(s0 * s1), 0.0)
