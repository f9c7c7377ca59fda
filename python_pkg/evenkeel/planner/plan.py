"""The plan: what to do in a snapshot, in which order, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenkeel.bindings import OptionVenue
from evenkeel.bindings.types import Kind
from evenkeel.market import MarketError
from evenkeel.planner._actions import Action, Plan, QuoteRequest
from evenkeel.planner._desk import OFFLINE, WAD, Desk, instruction
from evenkeel.planner.pokes import rearming, renewals, syncs
from evenkeel.planner.purchases import tight, words
from evenkeel.planner.redemptions import process, raise_idle
from evenkeel.planner.refusals import error_words
from evenkeel.planner.tasks import Attempt, Task, tasks
from evenkeel.planner.top_up import top_ups
from evenkeel.risk import stress_loss

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from evenkeel.chain.snapshot import Quote, Snapshot
    from evenkeel.planner.buy_back import BuyBack
    from evenkeel.planner.costs import Cost
    from evenkeel.planner.hedge import Route
    from evenkeel.strategy import Mandate

_CALLS: Final = 0.8
"""Share of the daily loss that flows back to rebalances; the rest is the top-ups' own (`LossBudget`)."""


def candidates(snapshot: Snapshot, mandate: Mandate) -> list[QuoteRequest]:
    """Return the batches that must be quoted at the snapshot's block before `plan`; empty inside every band.

    Where the quotes that the snapshot carries were refused, these are the next smaller batches: ask until it is empty. Raises
    `PlannerError` where the mandate names an underlying that the vault does not have.
    """
    desk = _desk(snapshot, mandate)
    if isinstance(desk, str):
        return []
    answers = {q.key: q for q in snapshot.quotes}
    found: list[QuoteRequest] = []
    for task in tasks(desk):
        for attempt in task.attempts(desk):
            asked = attempt.unanswered(answers)
            found += asked
            if asked or attempt.works(answers):
                break
    return found


def plan(snapshot: Snapshot, mandate: Mandate, quotes: Iterable[Quote] | None = None) -> Plan:
    """Return what to do in `snapshot`, most urgent first.

    Top-ups, breakers that are tripped, what has expired, the idle reserve and what the redeem queue is owed, then buy-backs and hedges
    by underlying, and last the oracle's old levels and venues' vols that were stored long ago.

    `quotes` are the answers to `candidates`, by default those that the snapshot carries. Pure: equal arguments give equal plans.
    Raises `PlannerError` where the mandate names an underlying that the vault does not have.
    """
    answers = {q.key: q for q in (snapshot.quotes if quotes is None else quotes)}
    desk = _desk(snapshot, mandate)
    if isinstance(desk, str):
        blind = top_ups(Desk.blind(snapshot, mandate))
        return Plan((*blind, *rearming(snapshot.state), Action("alert", "", desk)))
    actions = [*top_ups(desk), *rearming(desk.state)]
    actions += [
        Action("alert", venue.venue, f"venue {venue.venue} holds value and is not in the mandate")
        for venue in desk.state.venues
        if desk.mandate.name_of(venue.venue) is None and venue.book.mid != 0
    ]
    actions += _beyond_caps(desk)
    actions += _settlements(desk)
    actions += raise_idle(desk)
    payment = process(desk)
    actions += [payment] if payment else []
    for task in tasks(desk):
        actions += _decide(desk, task, answers)
    return Plan((*actions, *renewals(desk.state, mandate), *syncs(desk.state, mandate)))


def _desk(snapshot: Snapshot, mandate: Mandate) -> Desk | str:
    """Return the desk, or in words why prices do not allow one."""
    state = snapshot.state
    known = {u.token for u in state.underlyings if u.priced}
    missing = [
        u.symbol for u in state.underlyings if u.token not in known and _matters(u.token, snapshot, mandate)
    ]
    broken = [
        f"{mandate.name_of(v.venue) or v.venue} ({error_words(v.failure)})"
        for v in state.venues
        if not v.readable
    ]
    causes = [f"no price of {', '.join(missing)}"] if missing else []
    causes += [f"cannot read {', '.join(broken)}"] if broken else []
    if not causes and not state.valuation.priced:
        causes = ["a venue is not priced"]
    if causes:
        return f"{'; '.join(causes)}: no trades until that is over"
    if state.valuation.low <= 0:
        return f"low NAV is {state.valuation.low / WAD:,.0f} USD: nothing can be sized"
    try:
        return Desk.of(snapshot, mandate)
    except MarketError as error:
        return f"{error}: no trades until there is one"


def _matters(token: str, snapshot: Snapshot, mandate: Mandate) -> bool:
    """Whether a plan needs the price of `token`: the mandate holds its Greeks, or the vault cannot be valued."""
    symbols = {u.symbol for u in snapshot.state.underlyings if u.token == token}
    return bool(symbols & set(mandate.underlyings)) or not snapshot.state.valuation.priced


def _decide(desk: Desk, task: Task, answers: Mapping[str, Quote]) -> list[Action]:
    actions: list[Action] = []
    if task.back and (not task.back.legs or not task.back.restores or task.back.forbidden):
        actions.append(_alert(task.back))
    if task.said:
        actions.append(task.said)
    refusals: list[tuple[Attempt, str]] = []
    for attempt in task.attempts(desk):
        if attempt.works(answers):
            return [*actions, *_carry_out(desk, task, attempt, answers, refusals)]
        refusals.append((attempt, _failures(attempt, answers)))
    if refusals and task.back and task.back.legs:
        actions.append(_refused(desk, task.back, refusals))
    elif refusals and task.hedge:
        text = f"{task.hedge.words}; cannot trade {task.symbol}: {refusals[0][1]}"
        actions.append(Action("alert", "", text + _refills(desk, text)))
    return actions


def _refused(desk: Desk, back: BuyBack, refusals: list[tuple[Attempt, str]]) -> Action:
    """Say why no part of `back` can be bought: what its purchases without a hedge were told, whole and in the smallest part."""
    told = [text for attempt, text in refusals if attempt.hedge is None]
    why = told[0] if len(told) == 1 else f"{told[0]}, and the smallest part of it: {told[-1]}"
    text = f"{'; '.join(back.breaches)}; the buy-back is refused: {why}"
    return Action("alert", "", text + _refills(desk, why))


def _refills(desk: Desk, why: str) -> str:
    """Say when a refusal for want of loss budget ends; nothing for any other."""
    if "BudgetExceeded(" not in why:
        return ""
    left, a_day = (
        part / WAD * desk.nav for part in (desk.state.loss_left, desk.state.max_loss_per_day * _CALLS)
    )
    return f"; the loss budget has {left:,.0f} USD left and regains {a_day:,.0f} a day"


def _failures(attempt: Attempt, answers: Mapping[str, Quote]) -> str:
    """Return why nothing of `attempt` can be done."""
    if attempt.hedge is None:
        return _failure(attempt.key, answers)
    tried = [f"{route.name}: {_failure(route.key, answers)}" for route in attempt.routes]
    return "; ".join((*attempt.refused, *tried)) or "no venue trades it"


def _failure(key: str, answers: Mapping[str, Quote]) -> str:
    return (answers[key].failure or "no answer") if key in answers else "not quoted"


def _carry_out(
    desk: Desk,
    task: Task,
    attempt: Attempt,
    answers: Mapping[str, Quote],
    refusals: list[tuple[Attempt, str]],
) -> list[Action]:
    """Return the actions of an attempt that works, `refusals` being why better ones do not."""
    back, needed = attempt.back, attempt.hedge
    if needed is None:
        results = answers[attempt.key].results or ()
        if back is None:
            return []
        text = words(back, task.symbol, results)
        for other, why in refusals:
            what = "all of it at once" if other.hedge is None else "a hedge with it"
            if other.hedge is not None or other.back == task.back:
                text += f"; {what} is refused: {why}"
        return [Action("buy_back", back.legs[0].venue.venue, text, tight(desk, back, results))]
    found: list[Action] = []
    if back is None and task.back and task.back.legs:
        found.append(_refused(desk, task.back, refusals))
    route, cost, others = _cheapest(attempt, answers)
    average = route.price + cost.execution / route.size
    slack = 1.0 + desk.mandate.slippage_tolerance * (1.0 if route.size > 0 else -1.0)
    results = answers[route.key].results or ()
    count = len(attempt.legs)
    legs = tight(desk, back, results[:count]) if back else ()
    batch = (*legs, *route.prefix[count:], route.trade(average * slack))
    reason = (
        f"{needed.words}; {'buys' if route.size > 0 else 'sells'} {abs(route.size):,.4f} {task.symbol} on {route.name} "
        f"at {average:,.2f}, all-in {cost.total:,.2f} USD"
    )
    if others:
        reason += " against " + ", ".join(f"{c.total:,.2f} on {r.name}" for r, c in others)
    if route.posted:
        reason += f"; posts {route.posted:,.2f} USD of margin first"
    if abs(route.size) < abs(needed.size):
        reason += f"; {abs(needed.size):,.4f} wanted"
    if back is None:
        refused = next((why for other, why in refusals if other.back is None), "")
        reason += f"; all of it at once is refused: {refused}" if refused else ""
        return [*found, Action("hedge", route.venue.venue, reason, batch)]
    text = f"{words(back, task.symbol, results)}; then {reason}"
    return [Action("buy_back", route.venue.venue, text, batch)]


def _cheapest(attempt: Attempt, answers: Mapping[str, Quote]) -> tuple[Route, Cost, list[tuple[Route, Cost]]]:
    """Return the cheapest route of those that cover the most and its cost, and the others by cost."""
    priced = [
        (route, route.cost(answers[route.key]))
        for route in attempt.routes
        if route.key in answers and answers[route.key].results is not None
    ]
    priced.sort(key=lambda entry: (-abs(entry[0].size), entry[1].total))
    return *priced[0], priced[1:]


def _alert(back: BuyBack) -> Action:
    breaches = "; ".join(back.breaches)
    if not back.legs and back.forbidden:
        text = f"the venue's bounds forbid buying back {back.forbidden} shorts, so delta alone is held"
    elif not back.legs:
        text = "there are no shorts to buy back that would mend it"
    elif not back.restores:
        text = "buying back every short that can be bought does not restore it"
    else:
        text = f"the venue's bounds forbid buying back {back.forbidden} of the shorts"
    return Action("alert", "", f"{breaches}; {text}")


def _beyond_caps(desk: Desk) -> list[Action]:
    """Say which single failures, of a venue or of a quote token, would cost more than the mandate's caps."""
    worst = stress_loss(desk.book, desk.market)
    found: list[Action] = []
    for address, loss in worst.venues.items():
        name = desk.mandate.name_of(address)
        if name and loss.amount > desk.mandate.cap_of(name) * desk.nav:
            cap = desk.mandate.cap_of(name) * desk.nav
            found.append(
                Action("alert", address, f"{name} holds {loss.amount:,.0f} USD, its cap is {cap:,.0f}")
            )
    for token, loss in worst.quotes.items():
        symbol = desk.market.symbol(token)
        cap = desk.mandate.quote_tokens.get(symbol, 1.0) * desk.nav
        if loss.amount > cap:
            found.append(
                Action(
                    "alert", "", f"{loss.scenario} would cost {loss.amount:,.0f} USD, its cap is {cap:,.0f}"
                )
            )
    return found


def _settlements(desk: Desk) -> list[Action]:
    """Collect what expired options are owed; until then their collateral lies at the venue."""
    found: list[Action] = []
    for venue in desk.venues(Kind.OPTION):
        expired = [o for o in venue.options if o.expiry <= desk.state.timestamp]
        if not expired:
            continue
        adapter = OptionVenue(venue.venue, OFFLINE)
        names = ", ".join(str(o.position_id) for o in expired)
        collateral = sum(o.collateral for o in expired) / WAD
        reason = f"{desk.name(venue.venue)} position {names} expired with {collateral:,.0f} of collateral; settles it"
        calls = tuple(instruction(adapter.settle(o.position_id)) for o in expired)
        found.append(Action("withdraw", venue.venue, reason, calls))
    return found
