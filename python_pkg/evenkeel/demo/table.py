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

    from evenkeel.demo.report import Action, Step

GREEKS = (
    ("delta_usd", "delta $"),
    ("gamma_usd_1pct", "gamma $/1%"),
    ("vega_usd_pt", "vega $/pt"),
    ("theta_usd_day", "theta $/d"),
)
_ROWS = 14
"""Steps that stay on the screen."""


def told(step: Step) -> list[Action]:
    """Return what the keeper did but for keeping Lyra's vols up to date, which it does every hour or two."""
    return [action for action in step.actions if action.kind != "sync"]


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

    def end(self) -> None:
        """Leave what moves on the screen as it is; lines said from now on come after it."""


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

    def end(self) -> None:
        """See `View`."""


class Plain(Silent):
    """One line a step, no colours."""

    def say(self, line: str) -> None:
        """See `View`."""
        print(line, flush=True)

    def step(self, step: Step) -> None:
        """See `View`."""
        greeks = "  ".join(f"{title} {_moved(step, name)}" for name, title in GREEKS)
        print(
            f"step {step.index:>2}  spot {step.spot:,.2f}  vol {step.vol:.1%}  {greeks}  {healths(step)}  NAV {step.nav:,.2f}",
            flush=True,
        )
        for action in told(step):
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
        for action in told(step):
            self._live.console.print(
                Text.assemble(
                    (f"step {step.index:>2} {action.kind}: ", "bold"),
                    action.reason,
                    (f"  {action.tx[:10]}", "dim"),
                )
            )
        self._live.update(Group(self._table()), refresh=True)

    def end(self) -> None:
        """See `View`."""
        self._live.stop()

    def _table(self) -> Table:
        table = Table(
            title="the vault, hour by hour: Greeks before and after the keeper acted, health of each margin unit",
            title_justify="left",
        )
        owing = list(dict.fromkeys(u.name for s in self._steps for u in s.venues if u.health is not None))
        for name in ("step", "spot", "vol", *(title for _, title in GREEKS), *owing, "NAV"):
            table.add_column(name, justify="right", no_wrap=True)
        for step in self._steps[-_ROWS:]:
            health = {unit.name: unit.health for unit in step.venues}
            table.add_row(
                str(step.index),
                f"{step.spot:,.2f}",
                f"{step.vol:.1%}",
                *(_moved(step, name) for name, _ in GREEKS),
                *(_ratio(health.get(name)) for name in owing),
                f"{step.nav:,.0f}",
                style="bold" if told(step) else "",
            )
        return table


def _moved(step: Step, name: str) -> str:
    before, after = f"{step.greeks_before[name]:+,.0f}", f"{step.greeks_after[name]:+,.0f}"
    return after if before == after else f"{before} > {after}"


def _ratio(health: float | None) -> str:
    return "-" if health is None else f"{health:.2f}"


def healths(step: Step) -> str:
    """Return the health of every unit that owes something, each with its minimum."""
    owing = [u for u in step.venues if u.health is not None]
    return "  ".join(f"{u.name} {_ratio(u.health)} ({u.minimum_health:.2f})" for u in owing)
