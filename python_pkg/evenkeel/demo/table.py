"""How the demo looks while it runs: a live table on a terminal, one plain line a step elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from types import TracebackType

    from evenkeel.demo.report import Step

GREEKS = (
    ("delta_usd", "delta $"),
    ("gamma_usd_1pct", "gamma $/1%"),
    ("vega_usd_pt", "vega $/pt"),
    ("theta_usd_day", "theta $/d"),
)
_ROWS = 14
"""Steps that stay on the screen."""


class View(Protocol):
    """Something that shows the run as it goes."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def say(self, line: str) -> None:
        """Show one line of the story."""

    def step(self, step: Step) -> None:
        """Show one step."""


def view(*, quiet: bool) -> View:
    """Return the view that fits where standard output goes; `quiet` shows nothing."""
    if quiet:
        return Silent()
    return Terminal() if sys.stdout.isatty() else Plain()


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def say(self, line: str) -> None:
        """See `View`."""

    def step(self, step: Step) -> None:
        """See `View`."""


class Plain(Silent):
    """One line a step, no colours."""

    def say(self, line: str) -> None:
        """See `View`."""
        print(line, flush=True)

    def step(self, step: Step) -> None:
        """See `View`."""
        before, after = step.greeks_before["delta_usd"], step.greeks_after["delta_usd"]
        print(
            f"step {step.index:>2}  spot {step.spot:>9,.2f}  vol {step.vol:6.1%}  delta {before:>+9,.0f} -> {after:>+9,.0f}"
            f"  gamma {step.greeks_after['gamma_usd_1pct']:>+8,.0f}  vega {step.greeks_after['vega_usd_pt']:>+6,.0f}"
            f"  health {worst_health(step)}  NAV {step.nav:>12,.2f}",
            flush=True,
        )
        for action in step.actions:
            print(f"         {action.kind}: {action.reason}  [{action.tx[:10]}]", flush=True)


class Terminal:
    """A table that keeps the last steps in view, and the actions under it."""

    def __init__(self) -> None:
        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False)
        self._steps: list[Step] = []

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, value, trace)

    def say(self, line: str) -> None:
        """See `View`."""
        self._live.console.print(line, highlight=False)

    def step(self, step: Step) -> None:
        """See `View`."""
        self._steps.append(step)
        for action in step.actions:
            self._live.console.print(
                Text.assemble(
                    (f"step {step.index:>2} {action.kind}: ", "bold"),
                    action.reason,
                    (f"  {action.tx[:10]}", "dim"),
                )
            )
        self._live.update(Group(self._table()), refresh=True)

    def _table(self) -> Table:
        table = Table(
            title="the vault, hour by hour (each Greek before and after the keeper acted)",
            title_justify="left",
        )
        for name in ("step", "spot", "vol", *(title for _, title in GREEKS), "health (minimum)", "NAV"):
            table.add_column(name, justify="right", no_wrap=True)
        for step in self._steps[-_ROWS:]:
            cells = [
                f"{step.greeks_before[name]:+,.0f} {step.greeks_after[name]:+,.0f}"
                if name == "delta_usd"
                else f"{step.greeks_after[name]:+,.0f}"
                for name, _ in GREEKS
            ]
            style = "bold" if step.actions else ""
            table.add_row(
                str(step.index),
                f"{step.spot:,.2f}",
                f"{step.vol:.1%}",
                *cells,
                worst_health(step),
                f"{step.nav:,.2f}",
                style=style,
            )
        return table


def worst_health(step: Step) -> str:
    """Name the unit that is nearest to its minimum, or "-" when nothing is owed."""
    owed = [
        (unit.health / unit.minimum_health, unit.health, unit)
        for unit in step.venues
        if unit.health is not None
    ]
    if not owed:
        return "-"
    _, health, unit = min(owed, key=lambda entry: entry[0])
    return f"{unit.name} {health:.2f} ({unit.minimum_health:.2f})"
