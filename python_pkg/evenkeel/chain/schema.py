"""The journal's tables, and how an empty journal comes to be."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE decisions (
  id INTEGER PRIMARY KEY,
  block_number INTEGER NOT NULL, block_hash TEXT NOT NULL UNIQUE, parent_hash TEXT NOT NULL, timestamp INTEGER NOT NULL,
  outcome TEXT NOT NULL, greeks TEXT NOT NULL, plan TEXT NOT NULL, error TEXT, decided_at REAL NOT NULL
) STRICT;
CREATE INDEX decisions_by_number ON decisions (block_number);
CREATE TABLE transactions (
  id INTEGER PRIMARY KEY,
  decision_id INTEGER REFERENCES decisions (id), state TEXT NOT NULL,
  target TEXT NOT NULL, data BLOB NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, gas INTEGER, deadline INTEGER NOT NULL,
  plan_id TEXT NOT NULL, reason TEXT NOT NULL, sender TEXT NOT NULL, timestamp INTEGER NOT NULL,
  nonce INTEGER, max_fee INTEGER, tip INTEGER, hash TEXT UNIQUE, raw BLOB,
  block_number INTEGER, block_hash TEXT, gas_used INTEGER, gas_price INTEGER, error TEXT,
  replaces INTEGER REFERENCES transactions (id), sent_at REAL
) STRICT;
CREATE INDEX transactions_by_state ON transactions (state);
CREATE INDEX transactions_by_decision ON transactions (decision_id);
CREATE TABLE transitions (
  transaction_id INTEGER NOT NULL REFERENCES transactions (id), state TEXT NOT NULL, at REAL NOT NULL, note TEXT
) STRICT;
"""


def create(path: Path, identity: dict[str, str]) -> None:
    """Make an empty journal that appears whole, so that no reader and no restart ever finds half of one."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    db = sqlite3.connect(partial, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(SCHEMA)
    db.executemany("INSERT INTO meta VALUES (?, ?)", {"version": str(VERSION), **identity}.items())
    # The last connection to close moves the log into the file.
    db.close()
    partial.replace(path)
