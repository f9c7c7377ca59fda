"""What every contender is given: options to time, options to check digit by digit, and a book with scenarios."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from evenkeel.pricing import black76

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SEED = 20_260_130
TOKEN = "0x1000000000000000000000000000000000000001"
ASSET = "0x2000000000000000000000000000000000000002"


@dataclass(frozen=True)
class Options:
    """Columns of one length: forward and strike in asset units, years of 365 days, vol 0.8 for 80%, discount the price now of 1."""

    forward: FloatArray
    strike: FloatArray
    years: FloatArray
    vol: FloatArray
    is_call: BoolArray
    discount: FloatArray

    @property
    def size(self) -> int:
        return self.forward.size

    @property
    def columns(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray, FloatArray]:
        return self.forward, self.strike, self.years, self.vol, self.is_call, self.discount

    @property
    def width(self) -> FloatArray:
        """Vol sqrt(years)."""
        return self.vol * np.sqrt(self.years)

    @property
    def rate(self) -> FloatArray:
        return -np.log(self.discount) / self.years

    def rows(self, *more: FloatArray) -> Iterator[tuple[Any, ...]]:
        """Return the columns and `more` as Python numbers, option by option: the quickest way to loop over arrays."""
        return zip(*(column.tolist() for column in (*self.columns, *more)), strict=True)

    def __getitem__(self, at: slice | BoolArray | npt.NDArray[np.intp]) -> Self:
        return type(self)(*(np.ascontiguousarray(column[at]) for column in self.columns))

    def out_of_the_money(self) -> Self:
        """Return the same options with calls where the strike is at or above the forward and puts below."""
        return type(self)(*self.columns[:4], self.strike >= self.forward, self.discount)


@dataclass(frozen=True, eq=False)
class Scenarios:
    """A book of `quantity` of each option on one spot, in margin units of equal length, under every relative move of `spots` with
    every addition of `vols`. What is asked for: each unit's largest loss over the scenarios, all positions revalued in each.
    """

    options: Options
    quantity: FloatArray
    units: int
    timestamp: int
    expiries: list[int]
    spots: list[float]
    vols: list[float]

    @property
    def unit(self) -> npt.NDArray[np.int64]:
        return np.repeat(np.arange(self.units), self.options.size // self.units)

    @cached_property
    def pairs(self) -> FloatArray:
        """Factors on the spot and additions to vol, of shape (2, scenarios)."""
        grid = np.meshgrid(1.0 + np.array(self.spots), np.array(self.vols), indexing="ij")
        return np.ascontiguousarray(np.stack([axis.ravel() for axis in grid]))


def realistic(n: int, seed: int = SEED) -> Options:
    """Draw `n` options: 1 day to 2 years, vol 20% to 150%, strikes mostly within two standard deviations, discount 0.9 to 1."""
    draw = np.random.default_rng(seed)
    years = np.exp(draw.uniform(math.log(1 / 365), math.log(2.0), n))
    vol = np.exp(draw.uniform(math.log(0.2), math.log(1.5), n))
    forward = 3000.0 * np.exp(draw.normal(0.0, 0.2, n))
    strike = forward * np.exp(draw.normal(0.0, 1.0, n) * vol * np.sqrt(years))
    return Options(forward, strike, years, vol, draw.random(n) < 0.5, draw.uniform(0.9, 1.0, n))


def corners() -> Options:
    """Return the corners of the domain: a minute to 5 years, vol 1% to 300%, at the money and off by 1e-12 to six deviations.

    Strikes stay within a factor of 150 of the forward.
    """
    minute = 1.0 / 525_600.0
    away = (0.0, 1e-12, -1e-9, 1e-6, -1e-4, 3e-3)
    deviations = (-6.0, -3.5, -1.0, -0.1, 0.3, 2.0, 5.0)
    rows: list[tuple[float, ...]] = []
    for years, vol, is_call in itertools.product(
        (minute, 1 / 8760, 7 / 365, 1.0, 5.0), (0.01, 0.2, 1.0, 3.0), (True, False)
    ):
        width = vol * math.sqrt(years)
        ratios = [1.0 + x for x in away if abs(x) <= 6 * width] + [
            math.exp(x * width) for x in deviations if abs(x * width) <= 5.0
        ]
        rows += [(1.3e3, 1.3e3 * ratio, years, vol, is_call, 0.97) for ratio in ratios]
    f, k, t, v, call, df = (np.array(column) for column in zip(*rows, strict=True))
    return Options(f, k, t, v, call.astype(np.bool_), df)


def book(positions: int, spots: int, vols: int, seed: int = SEED) -> Scenarios:
    """Draw a book in ten margin units, at spot 3,000 and with no discount, under -40% to +40% of spot and 0 to 30 points of vol."""
    draw = np.random.default_rng(seed)
    now, spot = 1_700_000_000, 3000.0
    expiries = now + 86_400 * draw.integers(1, 365, positions)
    strike = np.round(spot * np.exp(draw.normal(0.0, 0.3, positions)), 2)
    forward, discount = np.full(positions, spot), np.ones(positions)
    years, vol = (expiries - now) / (365 * 86_400), draw.uniform(0.3, 1.2, positions)
    return Scenarios(
        options=Options(forward, strike, years, vol, draw.random(positions) < 0.5, discount),
        quantity=draw.normal(0.0, 10.0, positions),
        units=10,
        timestamp=now,
        expiries=expiries.tolist(),
        spots=np.linspace(-0.4, 0.4, spots).tolist(),
        vols=np.linspace(0.0, 0.3, vols).tolist(),
    )


def quotes(options: Options) -> tuple[Options, FloatArray]:
    """Return the out-of-the-money side of `options` with prices over 1e-10 of forward and strike, good to about 1e-13."""
    options = options.out_of_the_money()
    price = black76(*options.columns, greeks="price").price
    quotable = price > 1e-10 * np.minimum(options.forward, options.strike)
    return options[quotable], price[quotable]
