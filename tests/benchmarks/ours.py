"""Evenkeel through its public functions: by numpy alone, and with the `fast` extra where numba is installed."""

from functools import cache, partial

import numpy as np
from cases import ASSET, TOKEN, FloatArray, Options, Scenarios
from contender import GREEKS, Contender

from evenkeel.instruments import Book, EuropeanOption, Position
from evenkeel.market import Market
from evenkeel.pricing import PricingError, black76, implied_vol, use_engine
from evenkeel.risk import grid

NUMPY = "evenkeel, numpy"
FAST = "evenkeel, fast"


def engines() -> tuple[list[Contender], list[str]]:
    """Return ours by each engine that works here, and a sentence on one that does not."""
    found = [_engine(NUMPY, "numpy")]
    try:
        use_engine("numba")
    except PricingError as error:
        return found, [f"{FAST} is left out: {error}."]
    return [*found, _engine(FAST, "numba")], []


def _engine(name: str, engine: str) -> Contender:
    # The fast engine's import is what a program pays before its first compiled call; numpy's is what every program pays.
    loading = (
        "import evenkeel.pricing"
        if engine == "numpy"
        else "import evenkeel.pricing as p; p.use_engine('numba')"
    )
    return Contender(
        name,
        loading,
        _price,
        _greeks,
        _implied_vol,
        _margins,
        select=partial(use_engine, engine),
    )


def _price(options: Options) -> FloatArray:
    return black76(*options.columns, greeks="price").price


def _greeks(options: Options) -> dict[str, FloatArray]:
    found = black76(*options.columns)
    return {name: getattr(found, name) for name in GREEKS}


def _implied_vol(options: Options, quote: FloatArray) -> FloatArray:
    f, k, t, _, call, df = options.columns
    return implied_vol(quote, f, k, t, call, df)


def _margins(case: Scenarios) -> FloatArray:
    book, market = _laid_out(case)
    found = grid(book, market, case.spots, case.vols)
    return np.array(list(found.margin.values()))


@cache
def _laid_out(case: Scenarios) -> tuple[Book, Market]:
    """Say the case in the package's own terms, once: a vault has its book already."""
    f, k, _, v, call, _ = case.options.columns
    strikes, calls, expiries = k.tolist(), call.tolist(), case.expiries
    held = zip(expiries, strikes, calls, case.quantity.tolist(), case.unit.tolist(), strict=True)
    positions = tuple(
        Position(EuropeanOption(TOKEN, e, strike, c), q, "venue", unit) for e, strike, c, q, unit in held
    )
    vols = {(TOKEN, e, strike): vol for e, strike, vol in zip(expiries, strikes, v.tolist(), strict=True)}
    return Book(positions), Market(case.timestamp, ASSET, {TOKEN: float(f[0])}, strike_vols=vols)
