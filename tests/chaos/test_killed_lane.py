"""A process killed in any state of the journal and started again: one transfer arrives, once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evenkeel.chain import Journal, State
from plain_anvil import SIGNER, CountedRpc, plain_anvil

HERE = Path(__file__).parent
SINK = "0x00000000000000000000000000000000DeaDBeef"


@pytest.fixture(scope="module")
def rpc():
    with plain_anvil() as url:
        yield CountedRpc(url)


def run(rpc, path, kill_at=None):
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    environment.pop("EVENKEEL_KILL_AT", None)
    if kill_at:
        environment["EVENKEEL_KILL_AT"] = kill_at
    url = f"http://127.0.0.1:{rpc.name.rpartition(':')[2]}"
    command = [sys.executable, str(HERE / "transfer_keeper.py"), url, str(path), SINK]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


# "broadcast" is no state: it is the gap between the bytes leaving and the journal saying so.
@pytest.mark.parametrize("state", ["decided", "signed", "broadcast", "sent", "mined", "confirmed"])
def test_a_kill_loses_nothing_and_repeats_nothing(rpc, tmp_path, state):
    path = tmp_path / "journal.sqlite"
    before = int(rpc.request("eth_getBalance", SINK, "latest"), 16)
    nonce = rpc.nonce(SIGNER.address)
    killed = run(rpc, path, state)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with Journal.open_read_only(path) as journal:
        (left,) = journal.transactions()
        assert left.state == ("signed" if state == "broadcast" else state)
    again = run(rpc, path)
    assert again.returncode == 0, again.stderr
    with Journal.open_read_only(path) as journal:
        (done,) = journal.transactions()
        assert done.state is State.CONFIRMED
        # What was signed before the kill is what was mined.
        assert left.hash in (None, done.hash)
    assert int(rpc.request("eth_getBalance", SINK, "latest"), 16) == before + 1
    assert rpc.nonce(SIGNER.address) == nonce + 1
