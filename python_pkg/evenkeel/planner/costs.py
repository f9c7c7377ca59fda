"""What a hedge costs in all: against the oracle's mid, with gas, and with the funding it is expected to pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenkeel.bindings.types import Kind

if TYPE_CHECKING:
    from evenkeel.planner._desk import Desk

GAS: Final = {Kind.SPOT: 350_000, Kind.PERP: 1_000_000, Kind.OPTION: 1_500_000, Kind.LENDING: 400_000}
"""Gas of a rebalance with one trade, by the venue's kind: the protocols' own measured costs and the guard's two valuations."""
PROCESS_GAS: Final = 1_000_000
"""Gas of a payment of the redeem queue: a mark, which values the whole vault, and a few requests."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The parts of an all-in cost, asset units; a cost is positive, so expected funding that is earned is negative.

    `execution` is fee and slippage together, by the quote.
    """

    execution: float
    funding: float
    gas: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.execution + self.funding + self.gas


def expected_funding(desk: Desk, size: float, price: float, rate: float) -> float:
    """Return the funding that `size` more units are expected to pay over the mandate's holding time, asset units.

    `rate` is what a long pays a day as a fraction of `price`.
    """
    return size * price * rate * desk.mandate.expected_holding_days


def idle_interest(desk: Desk, cash: float) -> float:
    """Return the lending interest that `cash` bound in a hedge misses over the holding time, at the best rate on offer."""
    best = max(
        (r.supply for (_, token), r in desk.market.rates.items() if token == desk.state.asset), default=0.0
    )
    return cash * best * desk.mandate.expected_holding_days / 365.0
