"""What a run of the demo amounted to: its record, its verdict, and its JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MAX_BREACHES_BEFORE = 0.05
"""Largest share of steps that may find delta beyond its limit before the keeper acts."""
MAX_RESIDUAL = 0.01
"""Largest residual as a share of the sum of the parts' absolute values."""
MAX_HEDGING_COST_BPS = 5.0
MIN_TOP_UPS = 1
MAX_DRAWDOWN = 0.03
MIN_TRADE_USD = 500.0


@dataclass(frozen=True, slots=True)
class Action:
    """Something the keeper did and had mined. `size_usd` is the traded value, None for what is not a trade."""

    kind: str
    reason: str
    tx: str
    gas: int
    size_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """One margin unit after the keeper acted. `health` is None where nothing is owed."""

    name: str
    health: float | None
    minimum_health: float


@dataclass(frozen=True, slots=True)
class Step:
    """One hour: the market moved, then the keeper acted. Greeks are in report units, `nav` at mid in dollars."""

    index: int
    block: int
    spot: float
    vol: float
    greeks_before: dict[str, float]
    greeks_after: dict[str, float]
    limits: dict[str, tuple[float, float]]
    venues: tuple[Unit, ...]
    actions: tuple[Action, ...]
    nav: float


@dataclass(frozen=True, slots=True)
class Liquidation:
    """A position that a liquidator took."""

    step: int
    venue: str
    unit: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A bad instruction, mined with status 0, and why the vault refused it."""

    what: str
    tx: str
    status: int
    error: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Redemption:
    """The first depositor leaving with everything; amounts in the asset's own decimals."""

    shares: int
    paid: int
    owed: int
    tx: str


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The same path with no keeper. `loss` is the fall of NAV at mid in dollars."""

    liquidated_at_step: int | None
    liquidated: tuple[str, ...]
    delta_breached_at_step: int | None
    loss: float


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run."""

    steps: tuple[Step, ...]
    start_nav: float
    end_nav: float
    pnl: dict[str, float]
    hedging_cost: float
    gas: int
    liquidations: tuple[Liquidation, ...] = ()
    refused: Refusal | None = None
    redemption: Redemption | None = None
    counterfactual: Counterfactual | None = None
    memory_mb: dict[str, float] = field(default_factory=dict)

    @property
    def hedges(self) -> int:
        """Hedges that were mined."""
        return sum(action.kind == "hedge" for step in self.steps for action in step.actions)

    @property
    def top_ups(self) -> int:
        """Top-ups that were mined."""
        return sum(action.kind == "top_up" for step in self.steps for action in step.actions)

    @property
    def drawdown(self) -> float:
        """The deepest fall of NAV at mid from its highest value so far, as a fraction."""
        peak, worst = self.start_nav, 0.0
        for step in self.steps:
            peak = max(peak, step.nav)
            worst = max(worst, 1 - step.nav / peak)
        return worst

    def failures(self, min_hedges: int) -> list[str]:
        """Every promise that this run broke, in words; empty when all held."""
        early = sum(_outside("delta_usd", step.greeks_before, step.limits) for step in self.steps)
        gross = sum(abs(value) for name, value in self.pnl.items() if name not in ("residual", "total"))
        bps = 1e4 * self.hedging_cost / self.start_nav
        actions = [action for step in self.steps for action in step.actions]
        small = [a for a in actions if a.size_usd is not None and a.size_usd < MIN_TRADE_USD]
        refused, redeemed = self.refused, self.redemption
        checks = (
            (
                early <= MAX_BREACHES_BEFORE * len(self.steps),
                f"delta was beyond its limit before the keeper acted in {early} of {len(self.steps)} steps",
            ),
            (
                abs(self.pnl["residual"]) <= MAX_RESIDUAL * gross,
                f"residual {self.pnl['residual']:.2f} is above 1% of the parts' {gross:.2f}",
            ),
            (bps <= MAX_HEDGING_COST_BPS, f"hedging cost {bps:.2f} bps of NAV"),
            (self.hedges >= min_hedges, f"{self.hedges} hedges, expected at least {min_hedges}"),
            (self.top_ups >= MIN_TOP_UPS, "no top-up"),
            (not self.liquidations, f"{len(self.liquidations)} positions of the vault were liquidated"),
            (self.drawdown <= MAX_DRAWDOWN, f"NAV drawdown {self.drawdown:.2%}"),
            (not small, f"{len(small)} trades under ${MIN_TRADE_USD:.0f}"),
            (refused is None or refused.status == 0, "the bad instruction was not refused"),
            (
                redeemed is None or redeemed.paid == redeemed.owed,
                "the redemption paid another amount than was owed",
            ),
        )
        return [*_after_breaches(self.steps), *(text for held, text in checks if not held)]

    def to_json(self, min_hedges: int) -> dict[str, Any]:
        """Return the object that `evenkeel demo --json` prints."""
        failures = self.failures(min_hedges)
        return {
            "steps": [_step(step) for step in self.steps],
            "refused": asdict(self.refused) if self.refused else None,
            "pnl": self.pnl,
            "start_nav": self.start_nav,
            "end_nav": self.end_nav,
            "drawdown": self.drawdown,
            "hedges": self.hedges,
            "top_ups": self.top_ups,
            "hedging_cost": self.hedging_cost,
            "gas": self.gas,
            "liquidations": [asdict(liquidation) for liquidation in self.liquidations],
            "redemption": asdict(self.redemption) if self.redemption else None,
            "counterfactual": asdict(self.counterfactual) if self.counterfactual else None,
            "memory_mb": self.memory_mb,
            "failures": failures,
            "ok": not failures,
        }


def _step(step: Step) -> dict[str, Any]:
    record = asdict(step)
    return {**record, "limits": {name: list(ends) for name, ends in step.limits.items()}}


def _outside(name: str, greeks: dict[str, float], limits: dict[str, tuple[float, float]]) -> bool:
    low, high = limits[name]
    return not low <= greeks[name] <= high


def _after_breaches(steps: tuple[Step, ...]) -> list[str]:
    broken = []
    for step in steps:
        for name in step.limits:
            if _outside(name, step.greeks_after, step.limits):
                low, high = step.limits[name]
                value = step.greeks_after[name]
                broken.append(
                    f"step {step.index}: {name} {value:,.0f} outside {low:,.0f} .. {high:,.0f} after the keeper acted"
                )
        broken.extend(
            f"step {step.index}: {unit.name} at health {unit.health:.3f}, minimum {unit.minimum_health:.3f}"
            for unit in step.venues
            if unit.health is not None and unit.health < unit.minimum_health
        )
    return broken
