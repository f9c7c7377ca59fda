"""What else a Python user would pick, used the way its own documentation shows: loops where it takes one option at a time."""

import math
import sys
import types

import numpy as np
from cases import FloatArray, Options, Scenarios
from contender import GREEKS, Contender

PYFENG_IMPORT = (
    "import sys, types; m = types.ModuleType('statsmodels.stats.moment_helpers'); m.cum2mc = None; "
    "sys.modules.update({'statsmodels': m, 'statsmodels.stats': m, m.__name__: m}); import pyfeng"
)


def peers() -> tuple[list[Contender], list[str]]:
    """Return the peers that import here, and a sentence on each that does not."""
    found, missing = [], []
    for make in (quantlib, vollib, pyfeng):
        try:
            found.append(make())
        except ImportError as error:
            missing.append(f"{make.__name__} is left out: {error}.")
    return found, missing


def quantlib() -> Contender:
    """`blackFormula`, `BlackCalculator` and `blackFormulaImpliedStdDev` in a loop."""
    import QuantLib as ql  # noqa: N813, PLC0415 - a peer that is not installed must not stop the others

    sides = {True: ql.Option.Call, False: ql.Option.Put}

    def price(options: Options) -> FloatArray:
        return np.array(
            [ql.blackFormula(sides[c], k, f, s, df) for f, k, _, _, c, df, s in options.rows(options.width)]
        )

    def one(f: float, k: float, t: float, c: bool, df: float, s: float) -> tuple[float, ...]:
        it = ql.BlackCalculator(ql.PlainVanillaPayoff(sides[c], k), f, s, df)
        values = it.value(), it.deltaForward(), it.gammaForward(), it.vega(t), it.theta(f, t), it.rho(t)
        return *values, it.vanna(f, t), it.volga(t)

    def greeks(options: Options) -> dict[str, FloatArray]:
        table = np.array([one(f, k, t, c, df, s) for f, k, t, _, c, df, s in options.rows(options.width)])
        return dict(zip(GREEKS, table.T, strict=True))

    def implied_vol(options: Options, quote: FloatArray) -> FloatArray:
        rows = options.rows(quote)
        # Accuracy and iterations are the defaults; a price that its solver gives up on counts as missing.
        return np.array([_solved(ql, sides[c], k, f, p, df) / math.sqrt(t) for f, k, t, _, c, df, p in rows])

    def scenarios(case: Scenarios) -> FloatArray:
        units = [[] for _ in range(case.units)]
        held = zip(case.options.rows(case.options.width, case.quantity), case.unit.tolist(), strict=True)
        for (f, k, t, v, c, df, s, quantity), unit in held:
            side = sides[c]
            units[unit].append(
                (side, k, f, v, math.sqrt(t), df, quantity, ql.blackFormula(side, k, f, s, df))
            )
        losses = [0.0] * case.units
        for move, shift in case.pairs.T.tolist():
            for unit, rows in enumerate(units):
                gain = 0.0
                for side, k, f, v, root, df, quantity, now in rows:
                    gain += quantity * (ql.blackFormula(side, k, f * move, (v + shift) * root, df) - now)
                losses[unit] = max(losses[unit], -gain)
        return np.array(losses)

    return Contender("QuantLib", "import QuantLib", price, greeks, implied_vol, scenarios, spot_rho=True)


def _solved(ql: types.ModuleType, side: int, k: float, f: float, p: float, df: float) -> float:
    try:
        return ql.blackFormulaImpliedStdDev(side, k, f, p, df)
    except RuntimeError:
        return math.nan


def vollib() -> Contender:
    """`vollib.black` and py_lets_be_rational, which it rests on, in a loop; its per-day and per-point Greeks are scaled back."""
    from py_lets_be_rational import (  # noqa: PLC0415 - a peer that is not installed must not stop the others
        implied_volatility_from_a_transformed_rational_guess as solve,
    )
    from vollib.black import black  # noqa: PLC0415
    from vollib.black.greeks import analytical  # noqa: PLC0415

    flags = {True: "c", False: "p"}
    scales = {"delta": 1.0, "gamma": 1.0, "vega": 100.0, "theta": 365.0, "rho": 100.0}

    def price(options: Options) -> FloatArray:
        return np.array(
            [black(flags[c], f, k, t, r, v) for f, k, t, v, c, _, r in options.rows(options.rate)]
        )

    def greeks(options: Options) -> dict[str, FloatArray]:
        found = {"price": price(options)}
        for name, scale in scales.items():
            formula = getattr(analytical, name)
            found[name] = scale * np.array(
                [formula(flags[c], f, k, t, r, v) for f, k, t, v, c, _, r in options.rows(options.rate)]
            )
        return found

    def implied_vol(options: Options, quote: FloatArray) -> FloatArray:
        rows = options.rows(quote)
        return np.array([solve(p / df, f, k, t, 1.0 if c else -1.0) for f, k, t, _, c, df, p in rows])

    return Contender(
        "vollib", "import vollib.black, vollib.black.greeks.analytical", price, greeks, implied_vol
    )


def pyfeng() -> Contender:
    """`pyfeng.Bsm` on arrays; its `vega_d2` stands for volga."""
    # pyfeng 0.5 imports one function of statsmodels, which it does not declare; Black's formula does not use it.
    stand_in = types.ModuleType("statsmodels.stats.moment_helpers")
    stand_in.cum2mc = None
    for name in ("statsmodels", "statsmodels.stats", stand_in.__name__):
        sys.modules.setdefault(name, stand_in)
    from pyfeng import Bsm  # noqa: PLC0415 - a peer that is not installed must not stop the others

    methods = {
        "price": "price",
        "delta": "delta",
        "gamma": "gamma",
        "vega": "vega",
        "theta": "theta",
        "volga": "vega_d2",
    }

    def model(options: Options) -> Bsm:
        return Bsm(options.vol, intr=-np.log(options.discount) / options.years, is_fwd=True)

    def price(options: Options) -> FloatArray:
        return model(options).price(
            options.strike, options.forward, options.years, np.where(options.is_call, 1, -1)
        )

    def greeks(options: Options) -> dict[str, FloatArray]:
        bsm, side = model(options), np.where(options.is_call, 1, -1)
        arguments = (options.strike, options.forward, options.years, side)
        return {name: getattr(bsm, method)(*arguments) for name, method in methods.items()}

    def implied_vol(options: Options, quote: FloatArray) -> FloatArray:
        side = np.where(options.is_call, 1, -1)
        return model(options).impvol(quote, options.strike, options.forward, options.years, side)

    return Contender("pyfeng", PYFENG_IMPORT, price, greeks, implied_vol)
