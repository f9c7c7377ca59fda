"""A book's Greeks by underlying, expiry and tenor."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.instruments._columns import Columns
    from evenkeel.instruments._rows import BoolArray, FloatArray, IntArray

BUCKETS: Final = ("7d", "30d", "90d", "longer", "perpetual")
"""Tenors of expiry: up to 7 days, up to 30, up to 90, longer, and what does not expire."""

_EDGES: Final = np.array([7.0, 30.0, 90.0]) / 365.0
_PERPETUAL: Final = len(BUCKETS) - 1
_SUMMED: Final = ("delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "basis", "carry")
_DAY: Final = 1.0 / 365.0
_REFERENCE: Final = 30.0 / 365.0


@dataclass(frozen=True, slots=True)
class Report:
    """Greeks in reporting units, asset units (dollars) all: the unit is in each name.

    `delta_usd` = delta S; `gamma_usd_1pct` = gamma S^2 / 100; `vega_usd_pt` for one vol point; `theta_usd_day`; `carry_usd_day` =
    funding, interest and the roll of dated futures, positive when earned; `vanna_usd_1pct_pt` = vanna S / 1e4; `volga_usd_pt2` =
    volga / 1e4; `rho_usd_pct` for one percentage point of rate; `basis_usd_1pct` for forwards 1% higher at the same spot;
    `delta_coin_usd` = delta_coin S; `gross_vega_usd_pt` adds up absolute vegas, leg by leg.
    """

    delta_usd: float = 0.0
    gamma_usd_1pct: float = 0.0
    vega_usd_pt: float = 0.0
    theta_usd_day: float = 0.0
    carry_usd_day: float = 0.0
    vanna_usd_1pct_pt: float = 0.0
    volga_usd_pt2: float = 0.0
    rho_usd_pct: float = 0.0
    basis_usd_1pct: float = 0.0
    delta_coin_usd: float = 0.0
    gross_vega_usd_pt: float = 0.0

    def __add__(self, other: Report) -> Report:
        return Report(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class BookGreeks:
    """One row an (underlying, expiry, bucket), expiry 0 for what does not expire; kernel units (see `evenkeel.pricing.Greeks`).

    `bucket` indexes `BUCKETS` (a power perpetual has the tenor of its funding period), `years` is the row's tenor, infinite where
    nothing expires. `delta` in whole units of the underlying with forward ratios held, `theta` asset units a year, `rho` dV/dr at
    constant forward, `basis` dV/dln(forward / spot), a perpetual's mark being its forward, and `carry` asset units a day.
    `delta_coin` = delta - worth / S is the delta of the row's positions measured in coin: for an inverse option its Black delta
    less its mark. `gross_vega` adds up the legs' absolute vegas. The asset itself is left out of the exposures; its interest is in
    `asset_carry`. `cross_gamma` has d2V/dS_a dS_b by (a, b), a before b, where it is not zero.
    """

    underlying: tuple[str, ...]
    expiry: IntArray
    bucket: IntArray
    years: FloatArray
    spot: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray
    vanna: FloatArray
    volga: FloatArray
    basis: FloatArray
    carry: FloatArray
    delta_coin: FloatArray
    gross_vega: FloatArray
    asset_carry: float
    cross_gamma: Mapping[tuple[str, str], float]

    @property
    def underlyings(self) -> tuple[str, ...]:
        """The underlyings, each once, in order."""
        return tuple(dict.fromkeys(self.underlying))

    def of(self, name: str, underlying: str) -> float:
        """Return the sum over expiries of the field `name` for `underlying`; 0 where the book has none."""
        return float(getattr(self, name)[self._rows(underlying)].sum())

    def report(self, underlying: str, expiry: int | None = None) -> Report:
        """Return one underlying in reporting units, all of its expiries or one of them."""
        rows = self._rows(underlying)
        return self._report(rows if expiry is None else rows & (self.expiry == expiry))

    def by_bucket(self, underlying: str) -> dict[str, Report]:
        """Return one underlying in reporting units by each of `BUCKETS`; they sum to its `report`."""
        rows = self._rows(underlying)
        return {name: self._report(rows & (self.bucket == i)) for i, name in enumerate(BUCKETS)}

    def total(self) -> Report:
        """Return the whole book in reporting units, the asset's interest included."""
        return sum((self.report(u) for u in self.underlyings), Report(carry_usd_day=self.asset_carry))

    def weighted_vega(self, underlying: str) -> float:
        """Return one net vega in asset units for 1.00 of 30-day volatility.

        Each row counts (30 d / max(T, 1 d))^p, p = 0.3 up to 30 days and 0.13 beyond: short tenors move more than long ones.
        """
        rows = self._rows(underlying) & (self.vega != 0.0)
        tenor = np.maximum(self.years[rows], _DAY)
        power = np.where(tenor <= _REFERENCE, 0.3, 0.13)
        return float((self.vega[rows] * (_REFERENCE / tenor) ** power).sum())

    def _rows(self, underlying: str) -> BoolArray:
        return np.array([u == underlying for u in self.underlying], dtype=np.bool_)

    def _report(self, rows: BoolArray) -> Report:
        spot = self.spot[rows]
        return Report(
            delta_usd=float((self.delta[rows] * spot).sum()),
            gamma_usd_1pct=float((self.gamma[rows] * spot**2).sum() / 100.0),
            vega_usd_pt=float(self.vega[rows].sum() / 100.0),
            theta_usd_day=float(self.theta[rows].sum() / 365.0),
            carry_usd_day=float(self.carry[rows].sum()),
            vanna_usd_1pct_pt=float((self.vanna[rows] * spot).sum() / 1e4),
            volga_usd_pt2=float(self.volga[rows].sum() / 1e4),
            rho_usd_pct=float(self.rho[rows].sum() / 100.0),
            basis_usd_1pct=float(self.basis[rows].sum() / 100.0),
            delta_coin_usd=float((self.delta_coin[rows] * spot).sum()),
            gross_vega_usd_pt=float(self.gross_vega[rows].sum() / 100.0),
        )


def greeks_of(columns: Columns) -> BookGreeks:
    """Return the Greeks of a book already laid out, in one pass over all positions."""
    c = columns
    found = c.exposures()
    asset = c.tokens.index(c.asset)
    risky = found.token != asset
    token, expiry, years = found.token[risky], found.expiry[risky], found.years[risky]
    bucket = np.where(np.isinf(years), _PERPETUAL, np.searchsorted(_EDGES, years))
    # One number a row sorts as fast as the numbers do; 2^40 seconds are beyond any expiry.
    key = (token * 2**40 + expiry) * len(BUCKETS) + bucket
    keys, first, row = np.unique(key, return_index=True, return_inverse=True)

    def by_row(values: FloatArray) -> FloatArray:
        return np.bincount(row, weights=values[risky], minlength=len(keys)).astype(np.float64)

    summed = {name: by_row(getattr(found, name)) for name in _SUMMED}
    token, expiry, bucket = token[first], expiry[first], bucket[first]
    spot = c.spots[token]
    return BookGreeks(
        underlying=tuple(c.tokens[t] for t in token),
        expiry=expiry,
        bucket=bucket,
        years=years[first],
        spot=spot,
        **summed,
        delta_coin=summed["delta"] - by_row(found.value) / spot,
        gross_vega=by_row(np.abs(found.vega)),
        asset_carry=float(found.carry[~risky].sum()),
        cross_gamma=_cross_gamma(c, asset),
    )


def _cross_gamma(columns: Columns, asset: int) -> dict[tuple[str, str], float]:
    ranges = columns.ranges
    found: dict[tuple[str, str], float] = {}
    # A handful of ranges at most, and each names its own pair.
    for base, quote, value in zip(ranges.base, ranges.quote, ranges.cross(columns.spots), strict=True):
        if asset in (base, quote) or value == 0.0:
            continue
        a, b = sorted((columns.tokens[base], columns.tokens[quote]))
        found[a, b] = found.get((a, b), 0.0) + float(value)
    return found
