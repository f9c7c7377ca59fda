"""What the run amounted to, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.bindings.types import Measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenkeel.demo.report import Counterfactual, Refusal, Report


def ending(report: Report | None, alone: Counterfactual) -> Iterator[str]:
    """Yield the closing lines: where the money went, what was refused and redeemed, and the two sentences."""
    if report is not None:
        yield from _account(report)
        yield (
            f"The keeper hedged {report.hedges} times and topped up margin {report.top_ups} times, for"
            f" ${report.hedging_cost:,.2f} in hedging costs, and the vault ended at {report.end_nav / report.start_nav - 1:+.2%}"
            f" with no limit broken and nothing liquidated."
        )
    yield _without(alone)


def _account(report: Report) -> Iterator[str]:
    yield "profit and loss by source, dollars:"
    for name, value in report.pnl.items():
        yield f"  {name.replace('_', ' '):<15} {value:>12,.2f}"
    yield f"hedging cost ${report.hedging_cost:,.2f} ({1e4 * report.hedging_cost / report.start_nav:.2f} bps of NAV), gas {report.gas:,}"
    if report.refused is not None:
        refused = report.refused
        yield f"refused: {refused.what}: {_why(refused)}; mined with status {refused.status}, {refused.tx[:10]}"
    if report.redemption is not None:
        paid = report.redemption.paid / 10**6
        same = (
            "shares x low NAV to the wei"
            if report.redemption.paid == report.redemption.owed
            else "NOT what was owed"
        )
        yield f"redeemed: the first depositor left with {paid:,.6f} USDC, {same}"


def _why(refused: Refusal) -> str:
    fields = refused.fields
    if refused.error == "LimitBreached" and fields["measure"] == Measure.DELTA:
        value, low, high = (fields[name] / 1e18 for name in ("value", "min", "max"))
        return f"LimitBreached, delta would be {value:+.2%} of NAV, allowed {low:+.2%} to {high:+.2%}"
    return f"{refused.error}({', '.join(f'{name} {value}' for name, value in fields.items())})"


def _without(alone: Counterfactual) -> str:
    breached = (
        f"delta left its limit at step {alone.delta_breached_at_step}"
        if alone.delta_breached_at_step
        else "delta stayed in its limit"
    )
    taken = (
        f"a liquidator took {', '.join(alone.liquidated)} at step {alone.liquidated_at_step}"
        if alone.liquidated_at_step is not None
        else "nothing was liquidated"
    )
    return f"Without it, on the same path, {breached}, {taken}, and the vault lost ${alone.loss:,.2f}."
