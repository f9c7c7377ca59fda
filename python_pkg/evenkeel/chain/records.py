"""What the journal keeps: decisions and transactions, as values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from evenkeel.chain.block import BlockRef


class State(StrEnum):
    """Where a transaction stands. The first five follow each other; the last three end it."""

    DECIDED = "decided"
    """Chosen and preflighted; nothing is signed."""
    SIGNED = "signed"
    """Its bytes are stored. It may be on the wire: only its hash and nonce can tell."""
    SENT = "sent"
    """A node took it."""
    MINED = "mined"
    """It is in a block that may still be reorganised away."""
    CONFIRMED = "confirmed"
    """It is as deep as was asked for, and succeeded."""
    FAILED = "failed"
    """It is as deep as was asked for, and reverted; or it did not pass its preflight and was never signed."""
    DROPPED = "dropped"
    """It can no longer take effect, or was never signed and is out of date."""
    REPLACED = "replaced"
    """Another transaction with its nonce was mined."""


WAITING = "waiting"
"""The outcome of a block at which nothing was decided because a transaction was under way."""

PENDING = (State.SIGNED, State.SENT)
OPEN = (State.DECIDED, State.SIGNED, State.SENT, State.MINED)
FINAL = (State.CONFIRMED, State.FAILED, State.DROPPED, State.REPLACED)


@dataclass(frozen=True, slots=True)
class Intent:
    """A transaction before it has a nonce. Amounts in wei, `deadline` in unix seconds of chain time (0: none)."""

    to: str
    data: bytes
    kind: str
    value: int = 0
    gas: int | None = None
    deadline: int = 0
    plan_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A row of the journal. What is not known yet is None. `replaces` is the row that it bids against for one nonce."""

    id: int
    decision_id: int | None
    state: State
    intent: Intent
    sender: str
    timestamp: int
    nonce: int | None
    max_fee: int | None
    tip: int | None
    hash: str | None
    raw: bytes | None
    block_number: int | None
    block_hash: str | None
    gas_used: int | None
    gas_price: int | None
    error: str | None
    replaces: int | None
    sent_at: float | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided at one block. `greeks` and `plan` are JSON values; every action in `plan` carries its reason."""

    id: int
    block: BlockRef
    outcome: str
    greeks: Any
    plan: Any
    error: str | None
    decided_at: float
