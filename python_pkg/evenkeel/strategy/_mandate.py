"""The mandate: limits, venues and tastes, stated once. Every field carries its own documentation and unit."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from web3 import Web3

from evenkeel.strategy.errors import MandateError

if TYPE_CHECKING:
    from collections.abc import Mapping


def _fraction(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError("expected a fraction between 0 and 1")
    return value


def _signed_fraction(value: float) -> float:
    if not -1.0 <= value <= 1.0:
        raise ValueError("expected a fraction between -1 and 1")
    return value


def _positive(value: float) -> float:
    if not (value > 0.0 and math.isfinite(value)):
        raise ValueError("expected a number above 0")
    return value


def _not_negative(value: float) -> float:
    if not (value >= 0.0 and math.isfinite(value)):
        raise ValueError("expected 0 or more")
    return value


def _floor(value: float) -> float:
    if not (value <= 0.0 and math.isfinite(value)):
        raise ValueError("expected 0 or less: it is the least value allowed")
    return value


def _address(text: str) -> str:
    if text == "":
        return text
    if not re.fullmatch("0x[0-9a-fA-F]{40}", text) or int(text, 16) == 0:
        raise ValueError("expected an address, 0x and 40 hex digits and not zero, or nothing")
    return Web3.to_checksum_address(text)


Fraction = Annotated[float, AfterValidator(_fraction)]
SignedFraction = Annotated[float, AfterValidator(_signed_fraction)]
Positive = Annotated[float, AfterValidator(_positive)]
NotNegative = Annotated[float, AfterValidator(_not_negative)]
Floor = Annotated[float, AfterValidator(_floor)]
Address = Annotated[str, AfterValidator(_address)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeltaLimit(_Section):
    """Delta of each underlying, in dollars as a fraction of low NAV."""

    target: SignedFraction = Field(
        0.0, description="Where delta is steered to, delta_usd as a fraction of low NAV."
    )
    limit: Fraction = Field(
        0.05, description="Largest |delta_usd| allowed, as a fraction of low NAV; the vault enforces it too."
    )

    @model_validator(mode="after")
    def _inside(self) -> DeltaLimit:
        if abs(self.target) >= self.limit:
            raise ValueError(f"expected a target inside the limit of {self.limit}, got {self.target}")
        return self


class GreekFloor(_Section):
    """A Greek that only hurts on its negative side, in the reporting unit of its name, summed over an underlying."""

    limit: Floor = Field(
        description="The least value allowed, in the field's own unit; 0 or negative. The vault enforces it too."
    )
    target: Floor | None = Field(
        None,
        description="Where a buy-back ends, between the limit and 0. Left out: the limit itself less `buy_back_cushion` of it.",
    )

    @model_validator(mode="after")
    def _inside(self) -> GreekFloor:
        if self.target is not None and self.target < self.limit:
            raise ValueError(f"expected a target between the limit of {self.limit} and 0, got {self.target}")
        return self


class StressLimit(_Section):
    """The worst full revaluation over the standard shocks of spot and volatility."""

    limit: Fraction = Field(0.05, description="Largest loss allowed, as a fraction of low NAV.")


class VenueMandate(_Section):
    """One venue. Health is equity over maintenance margin by the venue's own rule; 0 where the venue has no margin."""

    address: Address = Field(
        "", description="The adapter's address. Blank: looked up by the venue's name in the deployments file."
    )
    cap: Fraction = Field(description="Largest share of low NAV that may be held or posted here.")
    target_health: NotNegative = Field(
        0.0, description="Health that a top-up restores a unit to, never past it."
    )
    minimum_health: NotNegative = Field(
        0.0, description="Least health allowed after the keeper has acted; the vault enforces it."
    )
    critical_health: NotNegative = Field(0.0, description="Health under which anyone may top the unit up.")
    maintenance_ratio: Fraction = Field(
        0.0625,
        description="Perpetuals: maintenance margin a dollar of position, used while there is no position to read it from.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> VenueMandate:
        if not self.critical_health <= self.minimum_health <= self.target_health:
            raise ValueError(
                "expected critical_health <= minimum_health <= target_health, "
                f"got {self.critical_health}, {self.minimum_health}, {self.target_health}"
            )
        return self


class Band(_Section):
    """The no-trade band on delta."""

    mode: Literal["J", "fixed"] = Field(
        "J",
        description='"J" weighs cost against risk (docs of `evenkeel.planner.bands`); "fixed" uses the two fractions below.',
    )
    fixed_trigger: Fraction = Field(
        0.5, description="Fixed mode: trade when |delta - target| passes this fraction of the limit."
    )
    fixed_inner: Fraction = Field(0.25, description="Fixed mode: trade back to this fraction of the limit.")
    forecast_vol: Positive = Field(0.75, description="Forecast of realised volatility a year, 0.75 for 75%.")
    proportional_cost: NotNegative = Field(
        0.0015, description="Assumed one-way cost of a hedge as a fraction of its size."
    )
    fixed_cost_usd: NotNegative = Field(
        0.5, description="Assumed cost of a hedge that does not depend on its size, dollars."
    )
    wall_deviations: NotNegative = Field(
        3.0,
        description="The trigger stays this many standard deviations of one cycle's move of delta inside the limit.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Band:
        if self.fixed_inner > self.fixed_trigger:
            raise ValueError(
                f"expected fixed_inner <= fixed_trigger, got {self.fixed_inner} and {self.fixed_trigger}"
            )
        return self


class Mandate(_Section):
    """Everything the manager states. Fractions are of the vault's low NAV unless the field says otherwise."""

    vault: Address = Field(
        "", description="The vault's address. Blank: taken from the chain's deployments file."
    )
    underlyings: tuple[str, ...] = Field(
        min_length=1, description="Symbols of the risky tokens whose Greeks are held."
    )
    native_underlying: str = Field(
        "WETH", description="Symbol of the token whose price turns gas into dollars."
    )

    delta_usd: DeltaLimit = Field(
        default_factory=lambda: DeltaLimit.model_validate({}), description="Delta, by underlying."
    )
    gamma_usd_1pct: GreekFloor = Field(description="Change of delta_usd for a 1% move.")
    vega_usd_pt: GreekFloor = Field(description="Value of one volatility point.")
    theta_usd_day: GreekFloor = Field(description="Value of a day; only bleed is limited.")
    stress_loss: StressLimit = Field(
        default_factory=lambda: StressLimit.model_validate({}), description="Loss under the standard shocks."
    )

    venues: dict[str, VenueMandate] = Field(
        min_length=1, description="Venues by name, as in the deployments file."
    )
    quote_tokens: dict[str, Fraction] = Field(
        default_factory=dict,
        description="Stable tokens other than the asset: symbol to the largest share of low NAV.",
    )
    idle_reserve: Fraction = Field(0.05, description="Share of NAV kept as idle cash.")
    max_loss_per_call: Fraction = Field(
        0.0025, description="Largest loss of one rebalance by the vault's own measure."
    )
    max_loss_per_day: Fraction = Field(0.0075, description="The same over a day.")

    risk_aversion: Positive = Field(300.0, description="Absolute risk aversion times NAV; larger is tighter.")
    band: Band = Field(
        default_factory=lambda: Band.model_validate({}), description="When to trade, and to where."
    )
    cycle_seconds: Positive = Field(3600.0, description="Time between decisions.")
    inclusion_seconds: NotNegative = Field(
        60.0, description="Time from a decision to its transaction's block."
    )
    min_trade_usd: NotNegative = Field(
        500.0, description="No trade and no top-up smaller than this is proposed."
    )
    expected_holding_days: NotNegative = Field(
        3.0, description="How long a hedge is expected to be held, for its funding."
    )
    slippage_tolerance: Fraction = Field(
        0.003, description="How much worse than its quote a trade may fill before it reverts."
    )
    poke_seconds: Positive = Field(
        21_600.0,
        description="Age of the oracle's last accepted price, seconds, at which the keeper has it renewed.",
    )
    sync_seconds: Positive = Field(
        3_600.0,
        description="Age of an option venue's own vol as it was last stored, seconds, at which the keeper has it stored anew.",
    )
    buy_back_cushion: Fraction = Field(
        0.01, description="Share of a limit left free after a buy-back, for the move until it is mined."
    )
    top_up_cushion: Fraction = Field(
        0.005, description="Share of the target health that a top-up stays under it."
    )

    def cap_of(self, name: str) -> float:
        """Return the cap of the venue `name` as a fraction."""
        return self.venue(name).cap

    def venue(self, name: str) -> VenueMandate:
        """Return the venue `name`; `MandateError` where the mandate has none."""
        try:
            return self.venues[name]
        except KeyError:
            raise MandateError(
                f"venues.{name}: not in the mandate, which has {', '.join(sorted(self.venues))}"
            ) from None

    def name_of(self, address: str) -> str | None:
        """Return the name of the venue at `address`, or None where the mandate does not have it."""
        return next((name for name, v in self.venues.items() if v.address.lower() == address.lower()), None)

    def resolve(self, vault: str, venues: Mapping[str, str]) -> Mandate:
        """Return the mandate with every blank address filled: `vault`, and `venues` from name to address.

        Raises `MandateError` for a venue that has no address and is not in `venues`.
        """
        known = ", ".join(sorted(venues)) or "none"
        filled: dict[str, VenueMandate] = {}
        for name, venue in self.venues.items():
            if not venue.address and name not in venues:
                raise MandateError(f"venues.{name}: unknown venue; the deployment has {known}")
            address = venue.address or Web3.to_checksum_address(venues[name])
            filled[name] = venue.model_copy(update={"address": address})
        address = self.vault or Web3.to_checksum_address(vault)
        return self.model_copy(update={"vault": address, "venues": filled})
