"""The plan: what to do in a snapshot, in which order, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from evenkeel.bindings import OptionVenue
from evenkeel.bindings.types import Instruction, Kind, Trade
from evenkeel.market import MarketError
from evenkeel.planner._actions import Action, Plan, QuoteRequest
from evenkeel.planner._desk import OFFLINE, WAD, Desk, draw, instruction
from evenkeel.planner.bands import delta_band
from evenkeel.planner.buy_back import BuyBack, Leg, buy_backs
from evenkeel.planner.hedge import Need, Route, need, routes
from evenkeel.planner.top_up import top_ups
from evenkeel.pricing import black76
from evenkeel.risk import stress_loss

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenkeel.chain.snapshot import Quote, Snapshot
    from evenkeel.planner.costs import Cost
    from evenkeel.strategy import Mandate

_LOOSE: Final = 1.5
"""A quote may cost this many times the price at the venue's own vol; the trade itself is limited by the quote."""
_LOOSE_SPOT: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Task:
    """One underlying's part of a plan: a buy-back, a hedge, or both in one batch."""

    token: str
    symbol: str
    back: BuyBack | None
    legs: tuple[Instruction, ...]
    hedge: Need | None
    routes: tuple[Route, ...]
    refused: tuple[str, ...]
    half: BuyBack | None = None
    """Half of the buy-back, for when the vault's loss limit refuses all of it at once."""

    @property
    def back_key(self) -> str:
        return f"buy_back:{self.token}"

    @property
    def half_key(self) -> str:
        return f"buy_back_half:{self.token}"


def candidates(snapshot: Snapshot, mandate: Mandate) -> list[QuoteRequest]:
    """Return the batches that must be quoted at the snapshot's block before `plan`; empty inside every band.

    Raises `PlannerError` where the mandate names an underlying that the vault does not have.
    """
    desk = _desk(snapshot, mandate)
    if isinstance(desk, str):
        return []
    found: list[QuoteRequest] = []
    for task in _tasks(desk):
        if task.legs and task.hedge is None:
            found.append(QuoteRequest(task.back_key, task.legs))
        found += [route.request() for route in task.routes]
        if task.half:
            found.append(QuoteRequest(task.half_key, _legs(desk, task.half)))
    return found


def plan(snapshot: Snapshot, mandate: Mandate, quotes: Iterable[Quote] | None = None) -> Plan:
    """Return what to do in `snapshot`, most urgent first: top-ups, the idle reserve, then buy-backs and hedges by underlying.

    `quotes` are the answers to `candidates`, by default those that the snapshot carries. Pure: equal arguments give equal plans.
    Raises `PlannerError` where the mandate names an underlying that the vault does not have.
    """
    answers = {q.key: q for q in (snapshot.quotes if quotes is None else quotes)}
    desk = _desk(snapshot, mandate)
    if isinstance(desk, str):
        return Plan((*top_ups(Desk.blind(snapshot, mandate)), Action("alert", "", desk)))
    actions = top_ups(desk)
    for venue in desk.state.venues:
        if desk.mandate.name_of(venue.venue) is None and venue.book.mid != 0:
            actions.append(
                Action("alert", venue.venue, f"venue {venue.venue} holds value and is not in the mandate")
            )
    actions += _beyond_caps(desk)
    reserve = _restore_reserve(desk)
    actions += [reserve] if reserve else []
    for task in _tasks(desk):
        actions += _decide(desk, task, answers)
    return Plan(tuple(actions))


def _desk(snapshot: Snapshot, mandate: Mandate) -> Desk | str:
    """Return the desk, or in words why prices do not allow one."""
    state = snapshot.state
    broken = [v.venue for v in state.venues if not v.readable]
    if broken:
        names = ", ".join(mandate.name_of(v) or v for v in broken)
        return f"cannot read {names}: no trades until it can be read"
    if not state.valuation.priced:
        gone = ", ".join(u.symbol for u in state.underlyings if not u.priced) or "a venue"
        return f"no price of {gone}: no trades until there is one"
    if state.valuation.low <= 0:
        return f"low NAV is {state.valuation.low / WAD:,.0f} USD: nothing can be sized"
    unpriced = [u.symbol for u in state.underlyings if u.symbol in mandate.underlyings and not u.priced]
    if unpriced:
        return f"no price of {', '.join(unpriced)}: no trades until there is one"
    try:
        return Desk.of(snapshot, mandate)
    except MarketError as error:
        return f"{error}: no trades until there is one"


def _tasks(desk: Desk) -> list[_Task]:
    tokens = {desk.token(symbol): symbol for symbol in desk.mandate.underlyings}
    alone = {token: need(desk, token, symbol) for token, symbol in tokens.items()}
    bands = {
        token: delta_band(desk.mandate, desk.market.spot(token), desk.greeks.of("gamma", token), desk.nav)
        for token in tokens
    }

    def sized(token: str, shift: float) -> float:
        wanted = need(desk, token, tokens[token], shift) if token in tokens else None
        return wanted.size if wanted else 0.0

    backs = buy_backs(desk, sized, bands)
    found: list[_Task] = []
    for token, symbol in tokens.items():
        back = backs.get(token)
        wanted = alone[token] if back is None else need(desk, token, symbol, back.delta)
        legs = _legs(desk, back) if back else ()
        pending = any(e.underlying == token for e in desk.state.valuation.pending)
        ways, refused = routes(desk, wanted, legs) if wanted and not pending else ([], [])
        if pending:
            refused = ["an order is still pending"]
        if back or wanted:
            found.append(
                _Task(token, symbol, back, legs, wanted, tuple(ways), tuple(refused), _half(desk, back))
            )
    return found


def _decide(desk: Desk, task: _Task, answers: dict[str, Quote]) -> list[Action]:
    actions: list[Action] = []
    if task.back and (not task.legs or not task.back.restores or task.back.forbidden):
        actions.append(_alert(task.back))
    if task.hedge is None:
        return actions + _only_back(desk, task, answers)
    best, others, failures = _cheapest(task, answers)
    if best is None:
        why = "; ".join((*task.refused, *failures)) or "no venue trades it"
        actions += _only_half(desk, task, answers)
        return [*actions, Action("alert", "", f"{task.hedge.words}; cannot trade {task.symbol}: {why}")]
    route, cost = best
    average = route.price + cost.execution / route.size
    slack = 1.0 + desk.mandate.slippage_tolerance * (1.0 if route.size > 0 else -1.0)
    answer = answers[route.key].results or ()
    count = len(task.legs)
    legs = _tight(desk, task.back, answer[:count]) if task.back else ()
    batch = (*legs, *route.prefix[count:], route.trade(average * slack))
    verb = "buys" if route.size > 0 else "sells"
    reason = (
        f"{task.hedge.words}; {verb} {abs(route.size):,.4f} {task.symbol} on {route.name} at {average:,.2f}, "
        f"all-in {cost.total:,.2f} USD"
    )
    if others:
        reason += " against " + ", ".join(f"{c.total:,.2f} on {r.name}" for r, c in others)
    if route.posted:
        reason += f"; posts {route.posted:,.2f} USD of margin first"
    if abs(route.size) < abs(task.hedge.size):
        reason += f"; {abs(task.hedge.size):,.4f} wanted"
    if task.back and task.legs:
        return [
            *actions,
            Action(
                "buy_back",
                route.venue.venue,
                f"{_back_words(task.back, task.symbol, answer)}; then {reason}",
                batch,
            ),
        ]
    return [*actions, Action("hedge", route.venue.venue, reason, batch)]


def _cheapest(
    task: _Task, answers: dict[str, Quote]
) -> tuple[tuple[Route, Cost] | None, list[tuple[Route, Cost]], list[str]]:
    """Return the cheapest route of those that cover the most, the others by cost, and why quotes failed."""
    priced: list[tuple[Route, Cost]] = []
    failures: list[str] = []
    for route in task.routes:
        answer = answers.get(route.key)
        if answer is None or answer.results is None:
            failures.append(f"{route.name}: {answer.failure if answer else 'not quoted'}")
        else:
            priced.append((route, route.cost(answer)))
    priced.sort(key=lambda entry: (-abs(entry[0].size), entry[1].total))
    return (priced[0] if priced else None), priced[1:], failures


def _only_back(desk: Desk, task: _Task, answers: dict[str, Quote]) -> list[Action]:
    if not task.legs or task.back is None:
        return []
    answer = answers.get(task.back_key)
    if answer is None or answer.results is None:
        why = answer.failure if answer else "not quoted"
        half = _only_half(desk, task, answers)
        return [
            *half,
            Action("alert", "", f"{'; '.join(task.back.breaches)}; the buy-back is refused: {why}"),
        ]
    batch = _tight(desk, task.back, answer.results)
    return [
        Action(
            "buy_back",
            task.back.legs[0].venue.venue,
            _back_words(task.back, task.symbol, answer.results),
            batch,
        )
    ]


def _only_half(desk: Desk, task: _Task, answers: dict[str, Quote]) -> list[Action]:
    answer = answers.get(task.half_key)
    if task.half is None or answer is None or answer.results is None:
        return []
    batch = _tight(desk, task.half, answer.results)
    words = f"{_back_words(task.half, task.symbol, answer.results)}; all of it at once is refused"
    return [Action("buy_back", task.half.legs[0].venue.venue, words, batch)]


def _half(desk: Desk, back: BuyBack | None) -> BuyBack | None:
    """Return half of a buy-back, None where a leg of it would be under the smallest trade."""
    if back is None or not back.legs:
        return None
    legs = tuple(replace(leg, size=leg.size // 2) for leg in back.legs)
    least = min(leg.size for leg in legs) / WAD * desk.market.spot(back.token)
    if least < desk.mandate.min_trade_usd:
        return None
    return replace(back, fraction=back.fraction / 2, delta=back.delta / 2, legs=legs)


def _alert(back: BuyBack) -> Action:
    breaches = "; ".join(back.breaches)
    if not back.legs:
        text = f"{breaches}; the venue's bounds forbid buying back {back.forbidden} shorts, so delta alone is held"
        return Action("alert", "", text if back.forbidden else f"{breaches}; there are no shorts to buy back")
    if not back.restores:
        return Action(
            "alert", "", f"{breaches}; buying back every short that can be bought does not restore it"
        )
    return Action(
        "alert", "", f"{breaches}; the venue's bounds forbid buying back {back.forbidden} of the shorts"
    )


def _back_words(back: BuyBack, symbol: str, results: tuple[bytes, ...]) -> str:
    paid = -sum(_result(leg, data)[0] for leg, data in zip(back.legs, results, strict=False))
    contracts = sum(leg.size for leg in back.legs) / WAD
    return (
        f"{'; '.join(back.breaches)}; buys back {back.fraction:.2%} of {len(back.legs)} {symbol} shorts, "
        f"{contracts:,.4f} contracts for {paid:,.2f} USD"
    )


def _legs(desk: Desk, back: BuyBack) -> tuple[Instruction, ...]:
    """Return the purchases at hardly any limit."""
    return tuple(_leg(desk, leg, _loose_limit(desk, leg)) for leg in back.legs)


def _leg(desk: Desk, leg: Leg, limit: int) -> Instruction:
    """Return one purchase; a unit under its target health keeps its collateral."""
    target = desk.mandate.venue(desk.name(leg.venue.venue)).target_health
    health = next((u.health / WAD for u in leg.venue.units if u.unit == leg.position.position_id), target)
    return instruction(leg.trade(limit, keep_collateral=health < target))


def _loose_limit(desk: Desk, leg: Leg) -> int:
    p = leg.position
    spot, years = desk.market.spot(p.underlying), desk.market.years(p.expiry)
    vol = max(p.vol, p.venue_vol) / WAD
    price = float(black76(spot, p.strike / WAD, years, vol, p.is_call).price)
    return int(leg.size / WAD * (_LOOSE * price + _LOOSE_SPOT * spot) * WAD)


def _tight(desk: Desk, back: BuyBack, results: tuple[bytes, ...]) -> tuple[Instruction, ...]:
    """Return the purchases limited by what they were quoted at and the tolerance on their spot value."""
    found = []
    for leg, data in zip(back.legs, results, strict=False):
        paid = -_result(leg, data)[0]
        room = leg.size / WAD * desk.market.spot(back.token) * desk.mandate.slippage_tolerance
        found.append(_leg(desk, leg, int((paid + room) * WAD)))
    return tuple(found)


def _result(leg: Leg, data: bytes) -> tuple[float, float]:
    """Return (cash, fee) of a quoted purchase, asset units."""
    order = Trade(leg.position.position_id, leg.position.listing, leg.position.is_call, leg.size, 0, 0)
    answer = OptionVenue(leg.venue.venue, OFFLINE).trade(order).decode(data)
    return answer.cash / WAD, answer.fee / WAD


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


def _restore_reserve(desk: Desk) -> Action | None:
    short = desk.reserve - desk.idle
    if short < max(desk.mandate.min_trade_usd, 1.0):
        return None
    lent = desk.venues(Kind.LENDING)
    if not lent:
        return None
    # `draw` works from what is above the reserve, which is nothing here, so all of the shortage is withdrawn.
    withdrawals = draw(desk, short)
    if not withdrawals:
        return None
    reason = f"idle {desk.idle:,.0f} USD under the reserve of {desk.reserve:,.0f}; withdraws {short:,.0f} from lending"
    return Action("withdraw", lent[0].venue, reason, tuple(withdrawals))
