"""The real keeper as a process of its own, and waiting for what its journal says."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

from eth_account import Account
from hexbytes import HexBytes

from evenkeel.chain.errors import JournalError
from evenkeel.chain.journal import Journal
from evenkeel.chain.records import State
from evenkeel.demo.errors import DemoError
from evenkeel.demo.memory import peak_mb

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from evenkeel.chain.records import Transaction
    from evenkeel.demo.stage import Stage

POLL = 0.01
"""Seconds between two looks at the head or at the journal."""
_PATIENCE = 60.0


class KeeperProcess:
    """A running keeper. A context manager; leaving it stops the process. Files go to `folder`."""

    def __init__(self, stage: Stage, mandate: Path, folder: Path) -> None:
        self._stage = stage
        self._journal_path = folder / "journal.sqlite"
        self._log = folder / "keeper.log"
        for stale in folder.glob("journal.sqlite*"):
            stale.unlink()
        keystore, password = _key_file(stage.sandbox.key("keeper"), folder)
        command = [sys.executable, "-m", "evenkeel", "keeper", "run"]
        command += ["--mandate", str(mandate), "--rpc", stage.sandbox.url]
        command += ["--deployment", str(stage.deployment_file), "--journal", str(self._journal_path)]
        command += ["--poll", str(POLL), "--spend-cap", "10"]
        environment = {
            **os.environ,
            "EVENKEEL_KEYSTORE": str(keystore),
            "EVENKEEL_KEYSTORE_PASSWORD_FILE": str(password),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and package
                command, env=environment, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        self._journal: Journal | None = None
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def settle(self) -> list[Transaction]:
        """Wait until the head is decided and nothing is under way; return what was mined since the last call.

        Raises `DemoError` when the keeper ends or does not decide.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            journal = self._open()
            if journal is not None:
                head = self._head()
                # The keeper may have had a transaction mined between the two looks; only an unmoved head is settled.
                if journal.settled(head) and self._head() == head:
                    return self._new(journal)
            if self._process.poll() is not None:
                raise DemoError(f"the keeper ended with code {self._process.returncode}: {self._tail()}")
            if time.monotonic() > deadline:
                raise DemoError(f"the keeper did not decide the head within {_PATIENCE:g} s: {self._tail()}")
            time.sleep(POLL)

    @property
    def peak_mb(self) -> float:
        """The most memory it has held so far, in MB."""
        return peak_mb(self._process.pid)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _head(self) -> str:
        return HexBytes(self._stage.w3.eth.get_block("latest")["hash"]).to_0x_hex()

    def _open(self) -> Journal | None:
        if self._journal is None:
            with contextlib.suppress(JournalError):
                self._journal = Journal.open_read_only(self._journal_path)
        return self._journal

    def _new(self, journal: Journal) -> list[Transaction]:
        mined = [t for t in journal.transactions(State.CONFIRMED) if t.id > self._seen]
        self._seen = max((t.id for t in mined), default=self._seen)
        return mined

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").strip().split("\n")
        return lines[-1] or "it said nothing"


def _key_file(key: str, folder: Path) -> tuple[Path, Path]:
    # One iteration: the key is public, and a slow derivation would protect nothing.
    keystore, password = folder / "keeper.json", folder / "keeper.password"
    keystore.write_text(json.dumps(Account.encrypt(HexBytes(key), "sandbox", kdf="pbkdf2", iterations=1)))
    password.write_text("sandbox\n")
    return keystore, password
