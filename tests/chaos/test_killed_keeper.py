"""The real keeper on a real vault, killed in every state of the journal: one hedge is mined, once."""

import signal

import pytest

from evenkeel.chain import Journal, State
from keeper_world import WAD, keeper_process, world

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with world(tmp_path_factory.mktemp("world")) as here:
        here.buy_ether(12 * WAD)
        yield here


@pytest.fixture
def here(shared):
    taken = shared.rpc.request("evm_snapshot")
    yield shared
    shared.rpc.request("evm_revert", taken)


@pytest.mark.parametrize("state", ["decided", "signed", "broadcast", "sent", "mined", "confirmed"])
def test_a_kill_loses_no_hedge_and_repeats_none(here, tmp_path, state):
    path = tmp_path / "journal.sqlite"
    nonce, before = here.rpc.nonce(here.keeper), here.held()
    with keeper_process(here, path, "--once", kill_at=state) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    with Journal.open_read_only(path) as journal:
        (left,) = journal.transactions()
        assert left.state == ("signed" if state == "broadcast" else state)
    with keeper_process(here, path, "--once") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    with Journal.open_read_only(path) as journal:
        (done,) = journal.transactions()
        assert done.state is State.CONFIRMED
        assert left.hash in (None, done.hash)
    assert here.rpc.nonce(here.keeper) == nonce + 1
    assert here.held() < before
