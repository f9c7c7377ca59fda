"""The keeper's memory: every decision and every transaction, on disk before it can have an effect.

SQLite with a write-ahead log and full synchronisation, so that what is committed survives a kill and a power cut, and others may
read while the keeper writes. It holds signed transactions, which are public once sent, and no secrets.
"""
# ruff: noqa: S608 - what is put into a statement's text is this module's own column names and question marks

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from evenkeel.chain.block import BlockRef
from evenkeel.chain.errors import JournalError
from evenkeel.chain.records import OPEN, PENDING, WAITING, Decision, Intent, State, Transaction
from evenkeel.chain.schema import SCHEMA, VERSION, create

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KILL_AT = "EVENKEEL_KILL_AT"
"""Names a state; the process kills itself right after committing a transaction in it. `broadcast` names the moment after the bytes
left and before the journal says so. For crash tests."""

_COLUMNS = (
    "id, decision_id, state, target, data, kind, value, gas, deadline, plan_id, reason, sender, timestamp, nonce, max_fee, tip, "
    "hash, raw, block_number, block_hash, gas_used, gas_price, error, replaces, sent_at"
)
_UPDATABLE = frozenset(
    {
        "gas",
        "nonce",
        "max_fee",
        "tip",
        "hash",
        "raw",
        "block_number",
        "block_hash",
        "gas_used",
        "gas_price",
        "error",
        "sent_at",
    }
)


class Journal:
    """The journal's one writer, or one of its readers.

    Create with `open` (locks the file for this process until it ends, however it ends) or `open_read_only`.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, lock: int | None) -> None:
        self._db = db
        self._lock = lock
        self.path = path

    @classmethod
    def open(cls, path: Path, *, identity: dict[str, str]) -> Self:
        """Open or create the journal of the keeper that `identity` describes (chain id, vault, sender).

        Raises `JournalError` when another process writes it, or when it was made by another keeper or version.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise JournalError(f"journal {path}: another keeper is using it") from None
        if not path.exists():
            create(path, identity)
        journal = cls(sqlite3.connect(path, isolation_level=None), path, lock)
        try:
            for pragma in ("synchronous = FULL", "foreign_keys = ON"):
                journal._db.execute(f"PRAGMA {pragma}")
            journal._require({"version": str(VERSION), **identity})
        except sqlite3.DatabaseError as error:
            journal.close()
            raise JournalError(f"journal {path}: not a usable journal ({error})") from None
        except JournalError:
            journal.close()
            raise
        return journal

    @classmethod
    def in_memory(cls) -> Self:
        """Return a journal that ends with the process, for runs that send nothing."""
        db = sqlite3.connect(":memory:", isolation_level=None)
        db.executescript(SCHEMA)
        return cls(db, Path(":memory:"), None)

    @classmethod
    def open_read_only(cls, path: Path) -> Self:
        """Open an existing journal to read while its keeper writes. Raises `JournalError` when there is none yet."""
        try:
            db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
            db.execute("SELECT 1 FROM transactions LIMIT 1")
        except sqlite3.Error as error:
            raise JournalError(f"journal {path}: cannot be read ({error})") from None
        return cls(db, path, None)

    def close(self) -> None:
        """Close the file and let others write it."""
        self._db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Decisions

    def record(
        self,
        block: BlockRef,
        outcome: str,
        *,
        greeks: Any = None,
        plan: Any = None,
        error: str | None = None,
        intents: Sequence[Intent] = (),
        sender: str = "",
    ) -> tuple[int, tuple[int, ...]]:
        """Append the decision for `block` with its transactions in state decided; returns their ids.

        A block decided again (after a restart) keeps its row, which takes the new contents.
        """
        with self._transaction():
            self._db.execute(
                "INSERT INTO decisions (block_number, block_hash, parent_hash, timestamp, outcome, greeks, plan, error, decided_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (block_hash) DO UPDATE SET outcome = excluded.outcome,"
                " greeks = excluded.greeks, plan = excluded.plan, error = excluded.error, decided_at = excluded.decided_at",
                (
                    *(block.number, block.hash, block.parent_hash, block.timestamp, outcome),
                    *(
                        json.dumps(greeks, allow_nan=False),
                        json.dumps(plan, allow_nan=False),
                        error,
                        time.time(),
                    ),
                ),
            )
            row = self._db.execute("SELECT id FROM decisions WHERE block_hash = ?", (block.hash,)).fetchone()
            decision = int(row[0])
            ids = tuple(self._insert(intent, sender, block.timestamp, decision, None) for intent in intents)
        if ids:
            kill_if_asked(State.DECIDED)
        return decision, ids

    def decision(self, block_hash: str) -> Decision | None:
        """Return what was decided at the block with this hash."""
        return next(iter(self._decisions("WHERE block_hash = ?", block_hash.lower())), None)

    def decisions(self, since: int = 0) -> list[Decision]:
        """Return the decisions of blocks from number `since` on, oldest first."""
        return self._decisions("WHERE block_number >= ? ORDER BY id", since)

    def settled(self, block_hash: str) -> bool:
        """Whether the block is decided and none of its transactions is still under way.

        A block at which the keeper only waited for an earlier transaction is not decided.
        """
        row = self._db.execute(
            "SELECT count(*), coalesce(sum((SELECT count(*) FROM transactions t WHERE t.decision_id = d.id"
            f" AND t.state IN ({_marks(OPEN)}))), 0) FROM decisions d"
            " WHERE d.block_hash = ? AND d.outcome != ?",
            (*OPEN, block_hash.lower(), WAITING),
        ).fetchone()
        return bool(row[0]) and not row[1]

    # Transactions

    def add(self, intent: Intent, sender: str, timestamp: int) -> int:
        """Append a transaction in state decided that belongs to no decision, such as an operator's."""
        with self._transaction():
            row = self._insert(intent, sender, timestamp, None, None)
        kill_if_asked(State.DECIDED)
        return row

    def add_replacement(self, of: Transaction, intent: Intent, fields: dict[str, Any]) -> int:
        """Append the signed transaction that bids against `of` for the same nonce."""
        with self._transaction():
            row = self._insert(intent, of.sender, of.timestamp, of.decision_id, of.id)
            self._move(row, State.SIGNED, fields, f"replaces {of.id}")
        kill_if_asked(State.SIGNED)
        return row

    def move(self, row: int, state: State, note: str | None = None, **fields: Any) -> None:
        """Put a transaction into `state` and set `fields`, durably, in one commit."""
        with self._transaction():
            self._move(row, state, fields, note)
        kill_if_asked(state)

    def transaction(self, row: int) -> Transaction:
        """Return one transaction. Raises KeyError."""
        for found in self._transactions("WHERE id = ?", row):
            return found
        raise KeyError(row)

    def transactions(self, *states: State, decision: int | None = None) -> list[Transaction]:
        """Return transactions in these states (all without any), of one decision if given, oldest first."""
        where, values = [], []
        if states:
            where.append(f"state IN ({_marks(states)})")
            values += list(states)
        if decision is not None:
            where.append("decision_id = ?")
            values.append(decision)  # type: ignore[arg-type]
        return self._transactions(("WHERE " + " AND ".join(where) if where else "") + " ORDER BY id", *values)

    def rivals(self, transaction: Transaction) -> list[Transaction]:
        """Return the other transactions ever signed with the same sender and nonce, in whatever state."""
        return self._transactions(
            "WHERE sender = ? AND nonce = ? AND id != ? ORDER BY id",
            transaction.sender,
            transaction.nonce,
            transaction.id,
        )

    def next_nonce(self, sender: str) -> int:
        """Return the nonce after the highest that the journal holds as taken; 0 with none."""
        taken = (*PENDING, State.MINED, State.CONFIRMED)
        row = self._db.execute(
            f"SELECT max(nonce) FROM transactions WHERE sender = ? AND (state IN ({_marks(taken)})"
            " OR block_number IS NOT NULL)",
            (sender, *taken),
        ).fetchone()
        return 0 if row[0] is None else int(row[0]) + 1

    def since_block(self, number: int) -> list[Transaction]:
        """Return transactions that are held to be in a block from `number` on."""
        states = (State.MINED, State.CONFIRMED, State.FAILED)
        return self._transactions(
            f"WHERE block_number >= ? AND state IN ({_marks(states)}) ORDER BY id", number, *states
        )

    def last_block(self, sender: str) -> int:
        """Return the number of the newest block that holds a transaction of `sender`; -1 with none."""
        row = self._db.execute(
            "SELECT max(block_number) FROM transactions WHERE sender = ?", (sender,)
        ).fetchone()
        return -1 if row[0] is None else int(row[0])

    def spent(self, sender: str, since: int) -> int:
        """Return the wei paid for gas by transactions decided at chain time `since` or later."""
        rows = self._db.execute(
            "SELECT gas_used, gas_price FROM transactions WHERE sender = ? AND timestamp >= ? AND gas_used IS NOT NULL",
            (sender, since),
        )
        return sum(int(used) * int(price) for used, price in rows)

    def history(self, row: int) -> list[tuple[State, str | None]]:
        """Return the states a transaction went through, with notes, oldest first."""
        rows = self._db.execute(
            "SELECT state, note FROM transitions WHERE transaction_id = ? ORDER BY rowid", (row,)
        )
        return [(State(state), note) for state, note in rows]

    # Inside

    def _require(self, identity: dict[str, str]) -> None:
        held = dict(self._db.execute("SELECT key, value FROM meta").fetchall())
        for key, value in identity.items():
            if held.get(key) != value:
                raise JournalError(
                    f"journal {self.path}: belongs to {key} {held.get(key)}, expected {value}; name another file"
                )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _insert(
        self, intent: Intent, sender: str, timestamp: int, decision: int | None, replaces: int | None
    ) -> int:
        cursor = self._db.execute(
            "INSERT INTO transactions (decision_id, state, target, data, kind, value, gas, deadline, plan_id, reason, sender,"
            " timestamp, replaces) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(
                    decision,
                    State.DECIDED,
                    intent.to,
                    intent.data,
                    intent.kind,
                    str(intent.value),
                    intent.gas,
                    intent.deadline,
                ),
                *(intent.plan_id, intent.reason, sender, timestamp, replaces),
            ),
        )
        row = int(cursor.lastrowid or 0)
        self._note(row, State.DECIDED, None)
        return row

    def _move(self, row: int, state: State, fields: dict[str, Any], note: str | None) -> None:
        unknown = fields.keys() - _UPDATABLE
        if unknown:
            raise KeyError(*unknown)
        names = ["state", *fields]
        self._db.execute(
            f"UPDATE transactions SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
            (state, *fields.values(), row),
        )
        self._note(row, state, note)

    def _note(self, row: int, state: State, note: str | None) -> None:
        self._db.execute("INSERT INTO transitions VALUES (?, ?, ?, ?)", (row, state, time.time(), note))

    def _transactions(self, where: str, *values: Any) -> list[Transaction]:
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM transactions {where}", values)
        return [_read(row) for row in rows]

    def _decisions(self, where: str, *values: Any) -> list[Decision]:
        rows = self._db.execute(
            "SELECT id, block_number, block_hash, parent_hash, timestamp, outcome, greeks, plan, error, decided_at"
            f" FROM decisions {where}",
            values,
        )
        return [
            Decision(
                row[0], BlockRef(*row[1:5]), row[5], json.loads(row[6]), json.loads(row[7]), row[8], row[9]
            )
            for row in rows
        ]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _read(row: tuple[Any, ...]) -> Transaction:
    (ident, decision, state, target, data, kind, value, gas, deadline, plan_id, reason, sender, *rest) = row
    (
        timestamp,
        nonce,
        max_fee,
        tip,
        tx_hash,
        raw,
        number,
        block_hash,
        used,
        price,
        error,
        replaces,
        sent_at,
    ) = rest
    intent = Intent(target, data, kind, int(value), gas, deadline, plan_id, reason)
    return Transaction(
        *(
            ident,
            decision,
            State(state),
            intent,
            sender,
            timestamp,
            nonce,
            max_fee,
            tip,
            tx_hash,
            raw,
            number,
            block_hash,
        ),
        *(used, price, error, replaces, sent_at),
    )


def kill_if_asked(state: str) -> None:
    """End this process with SIGKILL if the environment asks for it at `state`."""
    if os.environ.get(KILL_AT) == state:
        os.kill(os.getpid(), signal.SIGKILL)
