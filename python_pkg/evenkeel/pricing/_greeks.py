"""The value the kernels return, and the names by which parts of it are asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from evenkeel.pricing._erfcx import FloatArray
from evenkeel.pricing.errors import PricingError

NAMES: Final = ("price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga")
SPOT_NAMES: Final = (*NAMES, "dividend_rho")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Greeks:
    """Price and sensitivities of one unit of each option; float64 arrays of one shape, 0-d where all inputs were scalars.

    With U the forward (`black76`) or the spot (`black_scholes`): `price` in asset units; `delta` dV/dU; `gamma` d2V/dU2; `vega`
    dV/dvol for a change of 1.00; `theta` dV/dt a year at constant U, negative where time costs the holder; `rho` dV/dr at constant
    U for a change of 1.00; `vanna` d2V/dU dvol; `volga` d2V/dvol2; `dividend_rho` dV/dq, of `black_scholes` only.

    A field that was not asked for is not there: reading it raises `PricingError`.
    """

    price: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray
    vanna: FloatArray
    volga: FloatArray
    dividend_rho: FloatArray

    @classmethod
    def of(cls, names: tuple[str, ...], columns: Iterable[FloatArray]) -> "Greeks":
        """Make a value that holds these fields only."""
        value = object.__new__(cls)
        for fill, column in zip(_fillers(names), columns, strict=False):
            fill(value, column)
        return value

    def names(self) -> tuple[str, ...]:
        """Return the fields that this value holds."""
        return tuple(name for name in SPOT_NAMES if _holds(self, name))

    def __getattr__(self, name: str) -> FloatArray:
        """Explain an absent field; Python comes here only when the slot is empty."""
        if name in SPOT_NAMES:
            raise PricingError(f"{name}: was not computed, see the argument `greeks`")
        raise AttributeError(name)

    def __repr__(self) -> str:
        return f"Greeks({', '.join(f'{name}={getattr(self, name)!r}' for name in self.names())})"


@lru_cache(maxsize=256)
def _fillers(names: tuple[str, ...]) -> tuple[Callable[[Greeks, FloatArray], None], ...]:
    """Return the functions that set these slots; a frozen class leaves no quicker way."""
    return tuple(Greeks.__dict__[name].__set__ for name in names)


def _holds(value: Greeks, name: str) -> bool:
    try:
        object.__getattribute__(value, name)
    except AttributeError:
        return False
    return True


def choose(greeks: str | Iterable[str], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the chosen fields, in the order of `names`.

    `greeks` is "all", one field's name, or several. Raises `PricingError` for a name that is not in `names`.
    """
    return _choose(greeks if isinstance(greeks, str) else tuple(greeks), names)


@lru_cache(maxsize=256)
def _choose(greeks: str | tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    if greeks == "all":
        return names
    wanted = (greeks,) if isinstance(greeks, str) else greeks
    for name in wanted:
        if name not in names:
            raise PricingError(f'greeks: expected "all" or names from {", ".join(names)}, got {name!r}')
    return tuple(name for name in names if name in wanted)
