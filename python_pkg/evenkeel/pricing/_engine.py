"""Which of the two kernels runs: numpy, or the loop that numba compiles when the `fast` extra is installed."""

import importlib
import os
from typing import Any, Final, Literal

import numpy as np

from evenkeel.pricing import _blocked
from evenkeel.pricing._columns import Columns
from evenkeel.pricing._erfcx import FloatArray
from evenkeel.pricing.errors import PricingError

Engine = Literal["auto", "numpy", "numba"]

_BY_VARIABLE: Final[dict[str, Engine]] = {"0": "numpy", "1": "numba"}

# Importing numba takes 0.4 s of CPU, which a call of this size does not win back but the few after it do.
_WORTH_LOADING: Final = 65_536

_UNKNOWN: Final = np.empty(0)


class _Choice:
    """The process's choice, and the compiled kernels once they are loaded."""

    engine: Engine = _BY_VARIABLE.get(os.environ.get("EVENKEEL_FAST", ""), "auto")
    compiled: Any = None
    missing: bool = False


def use_engine(engine: Engine) -> None:
    """Choose what computes from now on: "numpy", "numba", or "auto", the default.

    "auto" loads numba at the first call of 65,536 options or more where it is installed, and uses it for every call from then on.
    The environment variable EVENKEEL_FAST sets the start: 0 is "numpy", 1 is "numba". Raises `PricingError` where numba is asked for
    and not installed.
    """
    if engine not in ("auto", "numpy", "numba"):
        raise PricingError(f'engine: expected "auto", "numpy" or "numba", got {engine!r}')
    _Choice.engine = engine
    if engine == "numba":
        compiled(0)


def compiled(size: int) -> Any:
    """Return the module of compiled kernels for a call of `size` options, or None where numpy is to do it."""
    if _Choice.engine == "numpy":
        return None
    if _Choice.compiled is not None:
        return _Choice.compiled
    if _Choice.engine == "auto" and (size < _WORTH_LOADING or _Choice.missing):
        return None
    try:
        _Choice.compiled = importlib.import_module("evenkeel.pricing._fast")
    except (ImportError, RuntimeError) as error:  # the latter where numba finds no folder for its cache
        _Choice.missing = True
        if _Choice.engine == "numba":
            raise PricingError(f"numba: not usable here ({error}); install evenkeel[fast]") from error
    return _Choice.compiled


def writable(arrays: list[Any]) -> list[Any]:
    """Copy what compiled code would refuse: views with strides, and arrays that must not be written."""
    return [a if a.flags.c_contiguous and a.flags.writeable else a.copy() for a in arrays]


def evaluate(
    names: tuple[str, ...], given: Columns, out: FloatArray, log_ratio: FloatArray = _UNKNOWN
) -> bool:
    """Write the fields into the rows of `out`, of shape (len(names), size); False where an input is out of its domain.

    `log_ratio` is ln(forward / strike) of shape (size,), NaN where the forward and the strike tell it well enough.
    """
    if given.size == 0:
        return True
    fast = compiled(given.size)
    if fast is not None:
        rows = fast.rows(names)
        try:
            refused = fast.evaluate(*given.floats, given.is_call, log_ratio, rows, out)
        except TypeError:
            refused = fast.evaluate(*writable([*given.floats, given.is_call]), log_ratio, rows, out)
        return not refused
    if given.size <= _blocked.BLOCK:
        # A vault's book is one block: slicing it would cost a tenth of the call.
        f, k, t, v, df = given.floats
        return _blocked.evaluate(f, k, t, v, df, given.is_call, log_ratio, dict(zip(names, out, strict=True)))
    valid = True
    for start in range(0, given.size, _blocked.BLOCK):
        part = slice(start, start + _blocked.BLOCK)
        f, k, t, v, df = (a[part] if a.size > 1 else a for a in given.floats)
        call = given.is_call[part] if given.is_call.size > 1 else given.is_call
        rows = dict(zip(names, out[:, part], strict=True))
        valid &= _blocked.evaluate(f, k, t, v, df, call, log_ratio[part], rows)
    return valid


def refuse(names: tuple[str, ...], columns: list[FloatArray]) -> None:
    """Raise for the first column with a negative or infinite number; `vol` may be infinite, `discount` must be over 0."""
    for name, values in zip(names, columns, strict=True):
        least = np.nanmin(values)
        if name == "discount" and least <= 0.0:
            raise PricingError(f"discount: expected more than 0, got {least}")
        if least < 0.0:
            raise PricingError(f"{name}: expected 0 or more, got {least}")
        if name != "vol" and np.nanmax(values) == np.inf:
            raise PricingError(f"{name}: expected a finite number, got inf")
