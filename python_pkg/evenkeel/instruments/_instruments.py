"""The instruments. An underlying is named by its token's checksummed address, a unit is one whole token or contract."""

from dataclasses import dataclass
from typing import Final

from evenkeel.instruments.errors import InstrumentError

YEAR: Final = 365 * 86400
"""Seconds of the year of 365 days that year fractions count in."""

SQUEETH_PERIOD: Final = 17.5 / 365.0
"""The funding period of Opyn's Squeeth in years: 420 hours."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One whole token `underlying`, held outright. The vault's own asset counts as one, at a price of 1."""

    underlying: str


@dataclass(frozen=True, slots=True)
class Perp:
    """A perpetual future in the venue's `market`: margined in the asset, on one whole `underlying`; or `inverse`, in the underlying.

    Valued at its mark, the spot price plus the market's basis in dollars (0 where it is valued at the oracle, as the vault does);
    what was paid for it is cash of its venue. Its delta is its size, with the basis held.

    One `inverse` perpetual is on one asset unit of notional and pays 1 / entry - 1 / mark coins, as on BitMEX and Deribit. It is worth
    -S / mark; the 1 / entry coins are a `Spot` leg at its venue, and in them is the delta but for what the basis bends.
    """

    underlying: str
    market: str
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class DatedFuture:
    """A future that settles at `expiry` (unix seconds): in the asset, on one whole `underlying`; or `inverse`, in the underlying.

    Valued at its forward, spot x the market's ratio of that expiry, undiscounted because it is margined daily; what was paid for
    it is cash of its venue. Its delta is the ratio, which is held when spot moves.

    One `inverse` future is on one asset unit of notional and pays 1 / entry - 1 / F coins, as on Deribit. It is worth -S / F; the
    1 / entry coins are a `Spot` leg at its venue, and in them is all of the delta. Its `delta_coin` is 1 / F.
    """

    underlying: str
    expiry: int
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class EuropeanOption:
    """A European option on one whole `underlying`, settled in the asset, or in the underlying where `inverse`.

    `expiry` in unix seconds, `strike` in asset units. An inverse contract pays intrinsic / settlement price in coin, so it is worth
    spot x Black(F) / F now and needs no discount; its delta in asset units is the full Black delta, and the coin that margins it
    is a `Spot` leg. Raises `InstrumentError` for a strike below 0.
    """

    underlying: str
    expiry: int
    strike: float
    is_call: bool
    inverse: bool = False

    def __post_init__(self) -> None:
        if not self.strike >= 0.0:
            raise InstrumentError(f"strike: expected 0 or more, got {self.strike}")


@dataclass(frozen=True, slots=True)
class PowerPerp:
    """A perpetual on the square of `underlying` in the venue's `market`, funded in kind, like Opyn's Squeeth.

    One is worth scale x normalisation x S^2 x exp(vol^2 x period): the market gives the normalisation, which funding shrinks at
    vol^2 a year, and the volatility that its mark implies. `scale` is 1/10,000 for Squeeth, `period` its funding period in years.
    Source: Clark, "Squeeth insides volume 1: funding and volatility", Opyn, 2021. Raises `InstrumentError` where either is not
    positive.
    """

    underlying: str
    market: str
    scale: float = 1e-4
    period: float = SQUEETH_PERIOD

    def __post_init__(self) -> None:
        for name in ("scale", "period"):
            if not getattr(self, name) > 0.0:
                raise InstrumentError(f"{name}: expected more than 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class LpRange:
    """Liquidity of a Uniswap v3 pool between two prices of `underlying` in `quote`; fees that wait to be collected are `Spot` legs.

    `liquidity` is sqrt(x y) in whole tokens: the pool's integer over 10^((decimals of both) / 2). `lower` and `upper` are whole
    `quote` for one `underlying`; 0 and infinity give the full range. Source: Adams and others, "Uniswap v3 core", 2021, section 6.
    Raises `InstrumentError` for a negative liquidity or an empty range.
    """

    underlying: str
    quote: str
    liquidity: float
    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not self.liquidity >= 0.0:
            raise InstrumentError(f"liquidity: expected 0 or more, got {self.liquidity}")
        if not 0.0 <= self.lower < self.upper:
            raise InstrumentError(
                f"lower, upper: expected 0 <= lower < upper, got {self.lower}, {self.upper}"
            )
        if self.underlying == self.quote:
            raise InstrumentError(f"quote: expected another token than the underlying, got {self.quote}")


@dataclass(frozen=True, slots=True)
class Loan:
    """One whole token `underlying` lent (positive quantity) or owed (negative), at the venue's variable rate."""

    underlying: str


Instrument = Spot | Perp | DatedFuture | EuropeanOption | PowerPerp | LpRange | Loan
