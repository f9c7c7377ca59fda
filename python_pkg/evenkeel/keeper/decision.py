"""From a snapshot to a plan. Everything but the quotes it asks for is computed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from evenkeel.instruments import book_from_state
from evenkeel.market import market_from_state
from evenkeel.planner import Plan, candidates, plan
from evenkeel.risk import greeks, unit_healths

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenkeel.bindings.types import VaultState
    from evenkeel.chain.snapshot import Quote, Snapshot
    from evenkeel.planner import QuoteRequest
    from evenkeel.strategy import Mandate

WAD = 1e18


@dataclass(frozen=True, slots=True)
class Decided:
    """A plan with what it rests on. `greeks` and `as_json()` are what the journal keeps."""

    snapshot: Snapshot
    greeks: dict[str, Any]
    plan: Plan

    def as_json(self) -> dict[str, Any]:
        """Return the plan's actions with their reasons, and the quotes that were asked for."""
        return {
            "actions": [
                {
                    "kind": action.kind,
                    "venue": action.venue,
                    "reason": action.reason,
                    "instructions": [[item.venue, "0x" + item.data.hex()] for item in action.instructions],
                }
                for action in self.plan.actions
            ],
            "quotes": {
                quote.key: quote.failure or [f"0x{result.hex()}" for result in quote.results or ()]
                for quote in self.snapshot.quotes
            },
        }


def decide(snapshot: Snapshot, mandate: Mandate, quote: Callable[[QuoteRequest], Quote]) -> Decided:
    """Plan at `snapshot`.

    `quote` is called only when a band is left, once for each venue that could help, and again for smaller batches while all are
    refused.
    """
    while asked := candidates(snapshot, mandate):
        snapshot = snapshot.with_quotes([quote(request) for request in asked])
    return Decided(snapshot, describe(snapshot.state), plan(snapshot, mandate))


def describe(state: VaultState) -> dict[str, Any]:
    """Return the exposures, prices, NAV and unit healths of `state` in reporting units, as JSON values.

    A unit that owes nothing has the health None. Where `priced` is False, what could not be read or priced is left out of everything.
    """
    book, market = book_from_state(state), market_from_state(state)
    of_book = greeks(book, market)
    symbols = {item.token: item.symbol for item in state.underlyings}
    return {
        "priced": state.valuation.priced,
        "nav": {name: getattr(state.valuation, name) / WAD for name in ("low", "mid", "high")},
        "spot": {item.symbol: item.mid / WAD for item in state.underlyings if item.priced},
        "greeks": {symbols.get(token, token): asdict(of_book.report(token)) for token in of_book.underlyings},
        "total": asdict(of_book.total()),
        "health": [
            {**asdict(unit), "health": unit.health if math.isfinite(unit.health) else None}
            for unit in unit_healths(state)
        ],
    }
