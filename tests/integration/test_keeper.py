"""The keeper on a real vault: what a cycle costs, what it does, and what it says."""

import signal
import time
from pathlib import Path

import pytest

from evenkeel.bindings import AccessManager, SpotVenue
from evenkeel.bindings.types import Instruction
from evenkeel.chain import Journal, State
from evenkeel.keeper import loop
from evenkeel.keeper.config import KeeperConfig
from evenkeel.keeper.decision import Decided, describe
from evenkeel.keeper.errors import Halted
from evenkeel.keeper.start import Request, build
from evenkeel.planner import Action, Plan
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


def next_block(keeper):
    """Step until a head came: the node mines a little after it took a transaction."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        if outcome := keeper.step():
            return outcome
    raise AssertionError("no head")


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
    after = next_block(keeper)
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


def test_an_action_that_fails_its_preflight_is_journalled_with_its_error_and_not_sent(
    here, keeper, journal_path, monkeypatch
):
    """A plan gone stale between its quotes and its preflight, which on one block hash only a wrong planner can cause."""
    here.buy_ether(12 * WAD)
    weth = here.sandbox.protocols.tokens["WETH"].address
    sale = SpotVenue(here.deployment.venues["spot"], here.sandbox.w3).swap(weth, -WAD, 9_000 * WAD)
    action = Action("hedge", sale.to, "sells too dear", (Instruction(sale.to, sale.data),))
    monkeypatch.setattr(
        loop, "decide", lambda snapshot, *_: Decided(snapshot, describe(snapshot.state), Plan((action,)))
    )
    nonce = here.rpc.nonce(here.keeper)
    assert keeper.step().kind == "refused"
    assert here.rpc.nonce(here.keeper) == nonce
    with Journal.open_read_only(journal_path) as journal:
        (decision,) = journal.decisions()
        assert journal.transactions() == []
    assert "PriceLimit(price=299" in decision.error
    assert decision.plan["actions"][0]["reason"] == "sells too dear"
    assert "PriceLimit(price=299" in decision.plan["actions"][0]["refused"]
    for _ in range(KeeperConfig().error_budget - 1):
        here.rpc.request("anvil_mine", "0x1")
        assert next_block(keeper).kind == "refused"
    here.rpc.request("anvil_mine", "0x1")
    with pytest.raises(Halted, match="error budget"):
        next_block(keeper)


def test_a_hedge_that_reverts_on_chain_is_failed_and_its_gas_counted(here, keeper, journal_path):
    here.buy_ether(12 * WAD)
    here.rpc.request("evm_setAutomine", False)
    assert keeper.step().kind == "sent"
    # In front of it in the same block, its role goes.
    revoke = AccessManager(here.deployment.authority, here.sandbox.w3).revoke_role(1, here.keeper)
    here.sandbox.signers["deployer"].send(
        here.sandbox.w3,
        {
            "to": revoke.to,
            "data": revoke.data,
            "maxFeePerGas": 10**12,
            "maxPriorityFeePerGas": 10**11,
            "gas": 10**6,
        },
    )
    here.rpc.request("evm_mine")
    here.rpc.request("evm_setAutomine", True)
    assert next_block(keeper).kind == "hold"
    with Journal.open_read_only(journal_path) as journal:
        (tx,) = journal.transactions()
        assert tx.state is State.FAILED
        assert tx.error == "reverted on chain"
        assert journal.spent(here.keeper, 0) == tx.gas_used * tx.gas_price > 0
        assert journal.settled(journal.decisions()[0].block.hash)


def test_without_a_key_it_runs_dry_in_the_name_of_the_deployments_keeper(here, journal_path):
    here.buy_ether(12 * WAD)
    nonce = here.rpc.nonce(here.keeper)
    with keeper_process(here, journal_path, "--once", key=False) as process:
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert f"dry run (no key file is configured): plans as {here.keeper}" in said
    assert "hedge: delta" in said
    assert here.rpc.nonce(here.keeper) == nonce


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


def test_a_reorganised_hedge_is_sent_again_as_it_was_and_not_planned_anew(here, keeper, journal_path):
    here.buy_ether(12 * WAD)
    assert keeper.step().kind == "sent"
    assert next_block(keeper).kind == "nothing"
    hedged, nonce = here.held(), here.rpc.nonce(here.keeper)
    here.rpc.request("anvil_reorg", 1, [])
    assert here.held() > hedged
    assert next_block(keeper).kind == "waiting"
    assert next_block(keeper).kind == "nothing"
    assert (here.held(), here.rpc.nonce(here.keeper)) == (hedged, nonce)
    with Journal.open_read_only(journal_path) as journal:
        (tx,) = journal.transactions()
        assert [state for state, _ in journal.history(tx.id)].count(State.SIGNED) == 1
        assert (State.SENT, "reorganised away") in journal.history(tx.id)


def wait_until_decided(here, path, process):
    give_up = time.monotonic() + 30
    head = here.rpc.block()["hash"]
    while time.monotonic() < give_up and process.poll() is None:
        if path.exists():
            with Journal.open_read_only(path) as journal:
                if journal.settled(head):
                    return
        time.sleep(0.02)
    raise AssertionError(f"not decided: {process.communicate(timeout=5)}")


def test_a_running_keeper_is_small_and_ends_when_it_is_told(here, journal_path):
    with keeper_process(here, journal_path) as process:
        wait_until_decided(here, journal_path, process)
        peak = next(
            line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmHWM" in line
        )
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert int(peak.split()[1]) < 250 * 1024


def test_the_stop_file_ends_it(here, journal_path, tmp_path):
    stop = tmp_path / "stop"
    with keeper_process(here, journal_path, "--stop-file", str(stop)) as process:
        wait_until_decided(here, journal_path, process)
        stop.touch()
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert '"event": "stopped"' in errors


def test_a_second_keeper_on_one_journal_is_refused(here, journal_path):
    with keeper_process(here, journal_path) as first:
        wait_until_decided(here, journal_path, first)
        with keeper_process(here, journal_path) as second:
            _, errors = second.communicate(timeout=20)
    assert second.returncode == 2
    assert "another keeper is using it" in errors


def test_the_spend_cap_halts_it_before_anything_is_signed(here, journal_path):
    here.buy_ether(12 * WAD)
    nonce = here.rpc.nonce(here.keeper)
    with keeper_process(here, journal_path, "--spend-cap", "0.000001") as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "halted: spend cap" in errors
    assert here.rpc.nonce(here.keeper) == nonce
