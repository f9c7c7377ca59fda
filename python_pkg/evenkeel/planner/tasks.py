"""What each underlying needs, and the batches that would do it, the best first.

The vault refuses a batch that may lose too much, and a venue one that is too large for it today. So a task is more than one
batch: all of it; where that is refused, a half, a quarter or an eighth of it now and the rest at later blocks; and where the
options cannot be bought back at all, delta alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenkeel.planner._actions import QuoteRequest
from evenkeel.planner._desk import WAD, Desk
from evenkeel.planner.bands import delta_band
from evenkeel.planner.buy_back import BuyBack, buy_backs
from evenkeel.planner.hedge import Need, Route, certain_need, routes, sized
from evenkeel.planner.purchases import loose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenkeel.bindings.types import Instruction
    from evenkeel.chain.snapshot import Quote
    from evenkeel.planner._actions import Action

_PARTS: Final = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One batch, on any of several venues where it hedges.

    `legs` are the purchases of `back` at hardly any limit; `refused` says why other venues are no route. `key` names the quote
    where there is no hedge.
    """

    key: str
    back: BuyBack | None
    legs: tuple[Instruction, ...]
    hedge: Need | None
    routes: tuple[Route, ...]
    refused: tuple[str, ...] = ()

    def requests(self) -> list[QuoteRequest]:
        """Return what must be quoted."""
        if self.hedge is None:
            return [QuoteRequest(self.key, self.legs)]
        return [route.request() for route in self.routes]

    def unanswered(self, answers: Mapping[str, Quote]) -> list[QuoteRequest]:
        """Return what must be quoted still."""
        return [request for request in self.requests() if request.key not in answers]

    def works(self, answers: Mapping[str, Quote]) -> bool:
        """Whether any quote of it succeeded."""
        keys = [self.key] if self.hedge is None else [route.key for route in self.routes]
        return any(key in answers and answers[key].results is not None for key in keys)


@dataclass(frozen=True, slots=True)
class Task:
    """One underlying's part of a plan. `hedge` is the need once `back` is done, `said` what waits for pending orders."""

    token: str
    symbol: str
    back: BuyBack | None
    hedge: Need | None
    said: Action | None

    def attempts(self, desk: Desk) -> Iterator[Attempt]:
        """Yield what to try, each only where everything before it is refused."""
        if self.back and self.back.legs:
            if self.hedge:
                yield _hedge(desk, self.hedge, "buy_back+hedge", self.back)
            for parts in _PARTS:
                part = self.back.part(parts)
                if parts > 1 and _smallest_leg(desk, part) < desk.mandate.min_trade_usd:
                    break
                yield Attempt(f"buy_back/{parts}:{self.token}", part, loose(desk, part), None, ())
            alone, _ = certain_need(desk, self.token, self.symbol)
        else:
            alone = self.hedge
        if alone is None:
            return
        for parts in _PARTS:
            wanted = sized(desk, alone, parts)
            if wanted is None:
                return
            yield _hedge(desk, wanted, "hedge" if parts == 1 else f"hedge/{parts}")


def tasks(desk: Desk) -> list[Task]:
    """Return what the mandate's underlyings need, in its order; `PlannerError` for one that the vault does not have."""
    tokens = {desk.token(symbol): symbol for symbol in desk.mandate.underlyings}
    bands = {
        token: delta_band(desk.mandate, desk.market.spot(token), desk.greeks.of("gamma", token), desk.nav)
        for token in tokens
    }

    def size(token: str, delta: float, gamma: float) -> float:
        wanted = certain_need(desk, token, tokens[token], delta, gamma)[0] if token in tokens else None
        return wanted.size if wanted else 0.0

    backs = buy_backs(desk, size, bands)
    found: list[Task] = []
    for token, symbol in tokens.items():
        back = backs.get(token)
        shift = (back.delta, back.gamma) if back else (0.0, 0.0)
        hedge, said = certain_need(desk, token, symbol, *shift)
        if back or hedge or said:
            found.append(Task(token, symbol, back, hedge, said))
    return found


def _hedge(desk: Desk, wanted: Need, label: str, back: BuyBack | None = None) -> Attempt:
    legs = loose(desk, back) if back else ()
    ways, refused = routes(desk, wanted, legs, label)
    return Attempt(label, back, legs, wanted, tuple(ways), tuple(refused))


def _smallest_leg(desk: Desk, back: BuyBack) -> float:
    return min(leg.size for leg in back.legs) / WAD * desk.market.spot(back.token)
