"""Errors against 60 digits, on the same options for every contender.

A price's error is relative to the price, a Greek's to the sum of the absolute values of its formula's terms, and a volatility's to
the volatility; the largest over the grid counts. Options worth less than 1e-10 of the smaller of forward and strike are left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import mpmath as mp
import numpy as np
from cases import BoolArray, FloatArray, Options, Scenarios
from contender import GREEKS, Contender

DIGITS = 60
LEAST = 1e-10
QUOTABLE_WIDTH = 3.0


@dataclass(frozen=True, slots=True)
class Truth:
    """The options that count, with each field's value and the scale of its error (both rounded to float64 from 60 digits).

    `quotable` marks out-of-the-money options of total vol up to 3, and `vol` is what the price, rounded to float64, implies.
    """

    options: Options
    values: dict[str, FloatArray]
    scales: dict[str, FloatArray]
    vol: FloatArray
    quotable: BoolArray

    @classmethod
    def of(cls, options: Options) -> Self:
        rows = [_exact(*row) for row in options.rows()]
        price = np.array([float(values["price"]) for values, _, _ in rows])
        keep = price > LEAST * np.minimum(options.forward, options.strike)
        rows = [row for row, kept in zip(rows, keep.tolist(), strict=True) if kept]
        options = options[keep]
        side = options.is_call == (options.strike >= options.forward)
        return cls(
            options=options,
            values={name: np.array([float(values[name]) for values, _, _ in rows]) for name in rows[0][0]},
            scales={name: np.array([float(scales[name]) for _, scales, _ in rows]) for name in rows[0][1]},
            vol=np.array([float(vol) for _, _, vol in rows]),
            quotable=side & (options.width <= QUOTABLE_WIDTH),
        )


def errors(contender: Contender, truth: Truth) -> dict[str, float]:
    """Return the largest error of each field and of `implied vol`; what a contender lacks is absent, what it fails on is infinite."""
    found = {}
    contender.select()
    if contender.greeks is not None:
        for name, got in contender.greeks(truth.options).items():
            field = "spot rho" if name == "rho" and contender.spot_rho else name
            found[name] = _largest(got - truth.values[field], truth.scales[field])
    if contender.price is not None:
        found["price"] = _largest(
            contender.price(truth.options) - truth.values["price"], truth.scales["price"]
        )
    if contender.implied_vol is not None:
        quotes = truth.options[truth.quotable]
        got = contender.implied_vol(quotes, truth.values["price"][truth.quotable])
        vol = truth.vol[truth.quotable]
        found["implied vol"] = _largest(got - vol, vol)
    return {name: found[name] for name in (*GREEKS, "implied vol") if name in found}


def disagreement(contenders: Iterable[Contender], case: Scenarios) -> list[str]:
    """Return a sentence on each contender whose margins differ from the first's by over a millionth of the largest."""
    found = {}
    for contender in contenders:
        if contender.scenarios is not None:
            contender.select()
            found[contender.name] = contender.scenarios(case)
    first, wanted = next(iter(found.items()))
    off = {name: float(np.max(np.abs(margins - wanted)) / np.max(wanted)) for name, margins in found.items()}
    return [f"{name}'s margins are off {first}'s by {by:.0e}." for name, by in off.items() if not by <= 1e-6]


def volga_by_root_time(contenders: Iterable[Contender], truth: Truth) -> list[str]:
    """Return a sentence on each contender whose volga is right but for a factor of 1 / sqrt(years)."""
    notes = []
    for contender in contenders:
        contender.select()
        volga = contender.greeks(truth.options).get("volga") if contender.greeks else None
        if volga is None or _largest(volga - truth.values["volga"], truth.scales["volga"]) < 1e-6:
            continue
        error = _largest(volga * np.sqrt(truth.options.years) - truth.values["volga"], truth.scales["volga"])
        if error < 1e-6:
            notes.append(
                f"{contender.name}'s volga is off by 1 / sqrt(years): times that root its error is {error:.0e}."
            )
    return notes


def _largest(difference: FloatArray, scale: FloatArray) -> float:
    error = np.abs(difference) / scale
    return float(np.max(np.where(np.isfinite(error), error, np.inf)))


def _exact(
    forward: float, strike: float, years: float, vol: float, is_call: bool, discount: float
) -> tuple[dict[str, mp.mpf], dict[str, mp.mpf], mp.mpf]:
    """Return the fields, their scales and the volatility that the rounded price implies (Black 1976, differentiated)."""
    with mp.workdps(DIGITS):
        f, k, t, v, df = map(mp.mpf, (forward, strike, years, vol, discount))
        sign = 1 if is_call else -1
        root = mp.sqrt(t)
        ratio, half = mp.log(f / k) / (v * root), v * root / 2
        d1, d2 = ratio + half, ratio - half
        density = df * mp.exp(-d1 * d1 / 2) / mp.sqrt(2 * mp.pi)
        n1, n2 = mp.erfc(-sign * d1 / mp.sqrt(2)) / 2, mp.erfc(-sign * d2 / mp.sqrt(2)) / 2
        price = df * sign * (f * n1 - k * n2)
        rate = -mp.log(df) / t
        vega = f * density * root
        decay = f * density * v / (2 * root)
        delta = df * sign * n1
        spread = abs(ratio) + half
        values = {
            "price": price,
            "delta": delta,
            "gamma": density / (f * v * root),
            "vega": vega,
            "theta": rate * price - decay,
            "rho": -t * price,
            "spot rho": t * df * sign * k * n2,
            "vanna": -density * d2 / v,
            "volga": vega * d1 * d2 / v,
        }
        scales = {name: abs(value) for name, value in values.items()} | {
            "theta": abs(rate * price) + decay,
            "vanna": density * spread / v,
            "volga": vega * spread**2 / v,
        }
        implied = v + (mp.mpf(float(price)) - price) / vega
        return values, scales, implied
