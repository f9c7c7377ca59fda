"""The one signature through which every contender is timed and checked."""

from collections.abc import Callable
from dataclasses import dataclass

from cases import FloatArray, Options, Scenarios

GREEKS = ("price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga")
"""Names and meanings are those of `evenkeel.pricing.Greeks` under Black-76."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A library: `greeks` returns what it has of `GREEKS`, scaled to one unit of each; a missing function is None.

    `imports` is the statement a program needs for it. `spot_rho` says that its rho holds spot instead of the forward.
    `scenarios` returns each margin unit's largest loss. `select` is called before a run of calls, off the clock.
    """

    name: str
    imports: str
    price: Callable[[Options], FloatArray] | None
    greeks: Callable[[Options], dict[str, FloatArray]] | None
    implied_vol: Callable[[Options, FloatArray], FloatArray] | None
    scenarios: Callable[[Scenarios], FloatArray] | None = None
    spot_rho: bool = False
    select: Callable[[], None] = tuple
