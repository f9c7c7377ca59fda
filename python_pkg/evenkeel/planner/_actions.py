"""What a plan is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from evenkeel.bindings.types import Instruction

ActionKind = Literal["hedge", "top_up", "buy_back", "withdraw", "hold", "alert"]


@dataclass(frozen=True, slots=True)
class TopUp:
    """Arguments of `Vault.topUp`: `assets` and `min_posted` in the asset's own decimals."""

    venue: str
    unit: int
    assets: int
    min_posted: int


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do or to say, with its reason in words and numbers.

    `instructions` go out as one `Vault.rebalance`, `top_up` as one `Vault.topUp`; `hold` and `alert` carry neither. `venue` is the
    adapter's address, empty where the action is about the whole vault.
    """

    kind: ActionKind
    venue: str
    reason: str
    instructions: tuple[Instruction, ...] = ()
    top_up: TopUp | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions in the order they should be carried out; each is feasible by itself in the snapshot's state."""

    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """A batch to try by `eth_call` of `Vault.rebalance`; the answer is a `Quote` of the same `key` with a result an instruction.

    Reads may follow the trade, so that one request says what a trade costs and what it leaves.
    """

    key: str
    instructions: tuple[Instruction, ...]
