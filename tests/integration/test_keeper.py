"""The keeper on a real vault: what a cycle costs, what it does, and what it says."""

import pytest

from evenkeel.bindings import AccessManager
from evenkeel.chain import Journal, State
from evenkeel.keeper.config import KeeperConfig
from evenkeel.keeper.start import Request, build
from keeper_world import WAD, keeper_process, world
from plain_anvil import CountedRpc

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with world(tmp_path_factory.mktemp("world")) as here:
        yield here


@pytest.fixture
def here(shared):
    taken = shared.rpc.request("evm_snapshot")
    yield shared
    shared.rpc.request("evm_revert", taken)


@pytest.fixture
def rpc(here):
    return CountedRpc(here.sandbox.url)


@pytest.fixture
def journal_path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def keeper(here, rpc, journal_path, monkeypatch):
    for name, value in here.environment.items():
        monkeypatch.setenv(name, value)
    request = Request(
        mandate=here.folder / "mandate.toml",
        rpc=here.sandbox.url,
        deployment=here.folder / "deployment.json",
        journal=journal_path,
    )
    keeper = build(request, KeeperConfig(), say=print, rpc=rpc)
    yield keeper
    keeper.close()


def test_a_cycle_that_does_nothing_is_two_requests(here, keeper, rpc):
    rpc.methods.clear()
    assert keeper.step().kind == "nothing"
    assert rpc.methods == ["eth_getBlockByNumber", "eth_call"]
    rpc.methods.clear()
    assert keeper.step() is None
    assert rpc.methods == ["eth_getBlockByNumber"]
    here.rpc.request("anvil_mine", "0x2")
    rpc.methods.clear()
    assert keeper.step().kind == "nothing"
    assert rpc.methods == ["eth_getBlockByNumber", "eth_call"]


def test_delta_outside_its_band_is_brought_back_and_every_block_is_explained(here, keeper, rpc, journal_path):
    here.buy_ether(12 * WAD)
    hedge = keeper.step()
    assert hedge.kind == "sent"
    after = keeper.step()
    assert after.kind == "nothing"
    spot = after.decided.greeks["spot"]["WETH"]
    limit = 0.05 * after.decided.greeks["nav"]["low"]
    assert abs(hedge.decided.greeks["greeks"]["WETH"]["delta_usd"]) > 0.4 * limit
    assert abs(after.decided.greeks["greeks"]["WETH"]["delta_usd"]) <= 0.2 * limit + spot / 100
    with Journal.open_read_only(journal_path) as journal:
        first, second = journal.decisions()
        (tx,) = journal.transactions(decision=first.id)
        assert (first.outcome, second.outcome) == ("sent", "nothing")
        assert tx.state is State.CONFIRMED
        assert tx.intent.reason in [action["reason"] for action in first.plan["actions"]]
        assert journal.settled(first.block.hash)
        assert journal.settled(second.block.hash)


def test_an_unknown_block_hash_is_taken_up_again(here, keeper, rpc):
    real, failing = rpc.request, [True]

    def request(method, *params):
        if method == "eth_call" and failing:
            failing.clear()
            params = (params[0], {**params[1], "blockHash": "0x" + "11" * 32})
        return real(method, *params)

    rpc.request = request
    assert keeper.step() is None
    assert keeper.step().kind == "nothing"


def test_a_plan_that_the_vault_refuses_is_journalled_and_not_sent(here, keeper, rpc, journal_path):
    here.buy_ether(12 * WAD)
    AccessManager(here.deployment.authority, here.sandbox.w3).revoke_role(1, here.keeper).send(
        here.sandbox.signers["deployer"]
    )
    nonce = here.rpc.nonce(here.keeper)
    outcome = keeper.step()
    assert outcome.kind in ("refused", "hold", "error")
    assert here.rpc.nonce(here.keeper) == nonce
    with Journal.open_read_only(journal_path) as journal:
        (decision,) = journal.decisions()
        assert "AccessManagedUnauthorized" in str(decision.plan) + str(decision.error)


def test_the_command_holds_delta_and_ends_after_one_block(here, journal_path):
    here.buy_ether(12 * WAD)
    before = here.held()
    with keeper_process(here, journal_path, "--once") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert here.held() < before
    assert here.sandbox.key("keeper")[2:] not in errors


def test_a_dry_run_says_what_it_would_do_and_sends_nothing(here, journal_path):
    here.buy_ether(12 * WAD)
    before = here.rpc.nonce(here.keeper)
    with keeper_process(here, journal_path, "--once", "--dry-run") as process:
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "hedge: " in said
    assert here.rpc.nonce(here.keeper) == before
