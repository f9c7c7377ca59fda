"""What a plan is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from evenkeel.bindings.types import Instruction

ActionKind = Literal[
    "hedge", "top_up", "buy_back", "withdraw", "free", "redeem", "poke", "sync", "hold", "alert"
]


@dataclass(frozen=True, slots=True)
class TopUp:
    """Arguments of `Vault.topUp`: `assets` and `min_posted` in the asset's own decimals."""

    venue: str
    unit: int
    assets: int
    min_posted: int


@dataclass(frozen=True, slots=True)
class CriticalTopUp:
    """Arguments of `Vault.topUpCritical`, `assets` in the asset's own decimals."""

    venue: str
    unit: int
    assets: int


@dataclass(frozen=True, slots=True)
class Free:
    """Arguments of `Vault.keeperFree`: `assets` and `min_freed` in the asset's own decimals."""

    venue: str
    unit: int
    assets: int
    min_freed: int


@dataclass(frozen=True, slots=True)
class Sync:
    """Arguments of `ISyncedVol.sync` of the contract at `venue`; `expiry` in unix seconds."""

    venue: str
    underlying: str
    expiry: int


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do or to say, with its reason in words and numbers.

    At most one of these is set: `instructions` go out as one `Vault.rebalance`, `top_up` as one `Vault.topUp` or `topUpCritical`, `free` as one
    `Vault.keeperFree`, `process` (the most requests to look at) as one `RedeemQueue.process`, `poke` (a token) as one
    `OracleAdapter.poke`, `sync` as one `ISyncedVol.sync`. `hold` and `alert` carry none. `venue` is the adapter's address, empty where the action is about the whole
    vault. `instead` says that it is only for where the action before it is refused.
    """

    kind: ActionKind
    venue: str
    reason: str
    instructions: tuple[Instruction, ...] = ()
    top_up: TopUp | CriticalTopUp | None = None
    free: Free | None = None
    process: int = 0
    poke: str = ""
    sync: Sync | None = None
    instead: bool = False


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
