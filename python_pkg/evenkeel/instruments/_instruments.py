"""The instruments. An underlying is named by its token's checksummed address, a unit is one whole token or contract."""

from dataclasses import dataclass
from typing import Final

from evenkeel.instruments.errors import InstrumentError

YEAR: Final = 365 * 86400
"""Seconds of the year of 365 days that year fractions count in."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One whole token `underlying`, held outright. The vault's own asset counts as one, at a price of 1."""

    underlying: str


@dataclass(frozen=True, slots=True)
class Perp:
    """A perpetual future on one whole `underlying` in the venue's `market`.

    Valued at the spot price; what was paid for it is cash of its venue. Its delta is its size, with the basis held.
    """

    underlying: str
    market: str


@dataclass(frozen=True, slots=True)
class EuropeanOption:
    """A linear, cash-settled European option on one whole `underlying`.

    `expiry` in unix seconds, `strike` in asset units. Raises `InstrumentError` for a strike below 0.
    """

    underlying: str
    expiry: int
    strike: float
    is_call: bool

    def __post_init__(self) -> None:
        if not self.strike >= 0.0:
            raise InstrumentError(f"strike: expected 0 or more, got {self.strike}")


@dataclass(frozen=True, slots=True)
class Loan:
    """One whole token `underlying` lent (positive quantity) or owed (negative), at the venue's variable rate."""

    underlying: str


Instrument = Spot | Perp | EuropeanOption | Loan
