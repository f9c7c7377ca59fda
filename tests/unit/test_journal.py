"""The journal: durable, one writer, many readers, and it can say when a block is done with."""

import sqlite3

import pytest

from evenkeel.chain import BlockRef, Intent, Journal, JournalError, State

SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
IDENTITY = {"chain_id": "31337", "vault": "0x01"}


def block(number=1, fork=0):
    return BlockRef(
        number, f"0x{number:062x}{fork:02x}", f"0x{number - 1:062x}{fork:02x}", 1_700_000_000 + number
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "journal.sqlite"


@pytest.fixture
def journal(path):
    with Journal.open(path, identity=IDENTITY) as journal:
        yield journal


def test_a_block_without_anything_to_do_is_recorded_and_settled(journal):
    assert not journal.settled(block().hash)
    journal.record(block(), "nothing", greeks={"delta": 1.5}, plan={"actions": []})
    assert journal.settled(block().hash)
    decision = journal.decision(block().hash)
    assert (decision.block, decision.outcome, decision.greeks) == (block(), "nothing", {"delta": 1.5})


def test_a_block_is_settled_when_its_transactions_are_final(journal):
    _, (row,) = journal.record(
        block(), "hedge", intents=[Intent("0x02", b"\x01", "hedge", reason="why")], sender=SENDER
    )
    for state in (State.SIGNED, State.SENT, State.MINED):
        assert not journal.settled(block().hash)
        journal.move(row, state)
    assert not journal.settled(block().hash)
    journal.move(row, State.CONFIRMED)
    assert journal.settled(block().hash)
    assert journal.transaction(row).intent.reason == "why"


def test_forks_of_one_height_are_two_decisions(journal):
    journal.record(block(5), "nothing")
    journal.record(block(5, fork=1), "hedge")
    assert [decision.outcome for decision in journal.decisions(5)] == ["nothing", "hedge"]


def test_the_next_nonce_counts_what_may_be_on_the_wire_and_not_what_was_dropped(journal):
    assert journal.next_nonce(SENDER) == 0
    for nonce, state in ((3, State.CONFIRMED), (4, State.SIGNED), (5, State.DROPPED)):
        row = journal.add(Intent("0x02", b"", "x"), SENDER, 1)
        journal.move(row, state, nonce=nonce)
    assert journal.next_nonce(SENDER) == 5


def test_a_reverted_transaction_has_used_its_nonce(journal):
    row = journal.add(Intent("0x02", b"", "x"), SENDER, 1)
    journal.move(row, State.FAILED, nonce=8, block_number=3)
    assert journal.next_nonce(SENDER) == 9


def test_readers_see_what_is_committed_while_the_writer_writes(journal, path):
    with Journal.open_read_only(path) as reader:
        journal.record(block(), "nothing")
        assert reader.settled(block().hash)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.record(block(2), "nothing")


def test_a_second_writer_is_refused(journal, path):
    with pytest.raises(JournalError, match="another keeper is using it"):
        Journal.open(path, identity=IDENTITY)


def test_the_journal_of_another_vault_is_refused(journal, path):
    journal.close()
    with pytest.raises(JournalError, match="belongs to vault 0x01, expected 0x02"):
        Journal.open(path, identity={**IDENTITY, "vault": "0x02"})
    Journal.open(path, identity=IDENTITY).close()


def test_a_file_that_is_no_journal_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be read as the header of one" * 20)
    with pytest.raises(JournalError, match="not a usable journal"):
        Journal.open(path, identity=IDENTITY)
    with pytest.raises(JournalError, match="cannot be read"):
        Journal.open_read_only(path)


def test_every_commit_reaches_the_disk(journal):
    settings = {
        name: journal._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2}
