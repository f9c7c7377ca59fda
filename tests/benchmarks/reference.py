"""Compiles reference.c where there is a C compiler, and calls it as the other contenders are called."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
from cases import FloatArray, Options, Scenarios
from contender import GREEKS, Contender

SOURCE = Path(__file__).with_name("reference.c")
LIBRARY = Path(__file__).parents[2] / ".evenkeel" / "bench" / "reference.so"
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
"""The last two of the four that count change no result: they let the compiler vectorise sqrt and selections."""


def reference() -> Contender | None:
    """Return the C kernel as a contender, or None where gcc is not."""
    compiler = shutil.which("gcc")
    if compiler is None:
        return None
    LIBRARY.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, *FLAGS, "-o", LIBRARY, SOURCE, "-lm"], check=True)
    library = ctypes.CDLL(str(LIBRARY))

    def price(options: Options) -> FloatArray:
        out = np.empty(options.size)
        library.price(ctypes.c_long(options.size), *_pointers(*options.columns, out))
        return out

    def greeks(options: Options) -> dict[str, FloatArray]:
        out = [np.empty(options.size) for _ in GREEKS]
        library.greeks(ctypes.c_long(options.size), *_pointers(*options.columns, *out))
        return dict(zip(GREEKS, out, strict=True))

    def implied_vol(options: Options, quote: FloatArray) -> FloatArray:
        out = np.empty(options.size)
        f, k, t, _, call, df = options.columns
        library.implied_vol(ctypes.c_long(options.size), *_pointers(quote, f, k, t, call, df, out))
        return out

    def scenarios(case: Scenarios) -> FloatArray:
        losses = np.empty(case.units)
        sizes = (ctypes.c_long(n) for n in (case.units, case.options.size // case.units, case.pairs.shape[1]))
        columns = (*case.options.columns, case.quantity, price(case.options), *case.pairs, losses)
        library.scenario_margin(*sizes, *_pointers(*columns))
        return losses

    return Contender("C reference", "", price, greeks, implied_vol, scenarios)


def _pointers(*columns: FloatArray) -> list[ctypes.c_void_p]:
    return [ctypes.c_void_p(column.ctypes.data) for column in columns]
