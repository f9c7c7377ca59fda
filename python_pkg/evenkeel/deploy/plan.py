"""What a vault is deployed with: the mandate's numbers in plain values, and who holds which role.

The defaults are the demo mandate of a 1M USDC vault. Fractions and vols are plain numbers (0.05 is 5%), money is dollars.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from eth_typing import ChecksumAddress

WAD = 10**18
KEEPER, CURATOR, GUARDIAN, SENTINEL = 1, 2, 3, 4
"""Role ids of the vault's Authority; 0 is its governor."""

UNBOUNDED = 1e30
"""A limit that is none; the guard clamps it."""


def wad(value: float) -> int:
    """Return `value` at 1e18, exactly as it is written in decimal."""
    return int(Decimal(repr(value)) * WAD)


@dataclass(frozen=True, slots=True)
class FeedTerms:
    """How far one Chainlink feed is trusted.

    `max_age` is its heartbeat plus slack in seconds, `deviation` its published threshold, the bounds are dollars.
    """

    max_age: int
    deviation: float
    min_price: float
    max_price: float


@dataclass(frozen=True, slots=True)
class TwapTerms:
    """How a Uniswap pool's average is read. `window` in seconds, `liquidity` the part of today's liquidity that must be there."""

    window: int = 600
    liquidity: float = 0.1
    half_width: float = 0.001


@dataclass(frozen=True, slots=True)
class VolTerms:
    """The vol oracle: times in seconds, vols as numbers (0.02 is two points).

    A post moves a vol by `half_width` at most, and it moves by `max_move_per_hour`. For `hull_time` after one the interval holds what stood before too.
    Of an option venue's own vol the mean over `venue_window` counts.
    """

    half_width: float = 0.02
    max_move_per_hour: float = 0.12
    max_age: int = 86_400
    max_sign_age: int = 3_600
    hull_time: int = 600
    venue_window: int = 600


@dataclass(frozen=True, slots=True)
class UnderlyingLimits:
    """The guard's limits of one token: delta as fractions of NAV, gamma a 1% move, vega a point, theta a day, in dollars."""

    delta: tuple[float, float] = (-0.05, 0.05)
    gamma: tuple[float, float] = (-10_000, UNBOUNDED)
    vega: tuple[float, float] = (-750, UNBOUNDED)
    theta: tuple[float, float] = (-200, UNBOUNDED)


@dataclass(frozen=True, slots=True)
class VenueTerms:
    """What one venue is allowed: `cap` as a fraction of NAV, health as a ratio (0 where the venue has no margin)."""

    cap: float
    min_health: float = 0
    target_health: float = 0
    critical_health: float = 0


def _feeds() -> Mapping[str, FeedTerms]:
    return MappingProxyType(
        {
            "ETH/USD": FeedTerms(max_age=4_500, deviation=0.005, min_price=100, max_price=100_000),
            "USDC/USD": FeedTerms(max_age=90_000, deviation=0.0025, min_price=0.8, max_price=1.2),
            "SUSD/USD": FeedTerms(max_age=90_000, deviation=0.0025, min_price=0.5, max_price=1.2),
        }
    )


def _limits() -> Mapping[str, UnderlyingLimits]:
    quote_token = UnderlyingLimits(delta=(-0.01, 0.30), gamma=(0, 0), vega=(0, 0), theta=(0, 0))
    return MappingProxyType({"WETH": UnderlyingLimits(), "SUSD": quote_token})


def _venues() -> Mapping[str, VenueTerms]:
    return MappingProxyType(
        {
            "spot": VenueTerms(cap=0.20),
            "perp": VenueTerms(cap=0.15, min_health=1.8, target_health=3.0, critical_health=1.3),
            "lending": VenueTerms(cap=0.65, min_health=1.5, target_health=2.0, critical_health=1.2),
            "option": VenueTerms(cap=0.30, min_health=1.08, target_health=1.20, critical_health=1.03),
        }
    )


@dataclass(frozen=True, slots=True)
class VaultPlan:
    """One vault. `feeds` by pair, `limits` by symbol; `venues` by kind, or by name ("perp/perp-a") where one differs.

    `price_feeds` names the feed of each token. `max_width` is the widest price interval the oracle answers. `max_perp_gross` is the
    most that perps have of exposure over all venues, long and short alike, as a fraction of NAV: what the options of the demo can ever need,
    and with the 10% that Perp v2 charges at most in a day, what funding can cost.
    """

    asset: str = "USDC"
    name: str = "Evenkeel USDC"
    symbol: str = "ekUSDC"
    price_feeds: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({"USDC": "USDC/USD", "WETH": "ETH/USD", "SUSD": "SUSD/USD"})
    )
    feeds: Mapping[str, FeedTerms] = field(default_factory=_feeds)
    twap: TwapTerms = field(default_factory=TwapTerms)
    vol: VolTerms = field(default_factory=VolTerms)
    max_width: float = 0.1
    max_loss_per_call: float = 0.0025
    max_loss_per_day: float = 0.0075
    max_perp_gross: float = 0.15
    limits: Mapping[str, UnderlyingLimits] = field(default_factory=_limits)
    venues: Mapping[str, VenueTerms] = field(default_factory=_venues)
    spot_tokens: tuple[str, ...] = ("WETH",)
    venue_feed_max_age: int = 4_500

    def terms(self, venue: str) -> VenueTerms | None:
        """Return what `venue` ("spot", "perp/perp-a", ...) is allowed: its own entry, or its kind's, or None: not wanted."""
        return self.venues.get(venue) or self.venues.get(venue.partition("/")[0])


@dataclass(frozen=True, slots=True)
class Roles:
    """Who holds which role. `governor` None leaves the deployer as the governor.

    Guardian and curator are sentinels too: they may lower risk at once. `delay` is how many seconds the governor's calls, and those
    with which the curator may raise risk, wait after they were scheduled.
    A slice of vols needs the signatures of `vol_threshold` of the `vol_signers`; with no signers nothing is posted until the governor sets some.
    """

    keeper: ChecksumAddress
    curator: ChecksumAddress
    guardian: ChecksumAddress
    governor: ChecksumAddress | None = None
    vol_signers: tuple[ChecksumAddress, ...] = ()
    vol_threshold: int = 0
    delay: int = 0
