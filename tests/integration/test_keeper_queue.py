"""The keeper pays those who wait: a real queue, a real vault, real lending and margin."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from open_book import settle

from evenkeel.bindings import LendingVenue, PerpVenue, RedeemQueue
from evenkeel.bindings.types import Instruction
from evenkeel.chain import Journal
from evenkeel.keeper import KeeperConfig, Request, build
from keeper_world import WAD, world

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with world(tmp_path_factory.mktemp("queue")) as here:
        yield here


@pytest.fixture
def here(shared):
    taken = shared.rpc.request("evm_snapshot")
    yield shared
    shared.rpc.request("evm_revert", taken)


def queue_of(here):
    return RedeemQueue(here.vault.redeem_queue().read(), here.sandbox.w3)


def ask(here, fraction):
    """Alice puts a fraction of her shares into the line."""
    queue, alice = queue_of(here), here.sandbox.signers["alice"]
    shares = here.vault.balance_of(alice.address).read() * round(fraction * 1_000) // 1_000
    here.vault.approve(queue.address, shares).send(alice)
    queue.request_redeem(shares, alice.address, alice.address).send(alice)
    return queue


def send(here, *calls):
    now = here.sandbox.w3.eth.get_block("latest")["timestamp"]
    batch = [Instruction(call.to, call.data) for call in calls]
    sent = here.vault.rebalance(batch, now + 600, keccak(b"queue"))
    sent.send(here.sandbox.signers["keeper"], gas=8_000_000)


@contextmanager
def keeper_of(here, monkeypatch, path):
    for name, value in here.environment.items():
        monkeypatch.setenv(name, value)
    request = Request(
        mandate=here.folder / "mandate.toml",
        rpc=here.sandbox.url,
        deployment=here.folder / "deployment.json",
        journal=path,
    )
    keeper = build(request, replace(KeeperConfig(), once=True), say=print)
    yield keeper
    keeper.close()


def kinds(path):
    with Journal.open_read_only(path) as journal:
        assert all(tx.state == "confirmed" for tx in journal.transactions())
        return [tx.intent.kind for tx in journal.transactions()]


def idle(here):
    return here.lens.state(here.vault.address).read().idle


def test_whoever_waits_is_paid_from_idle(here, tmp_path, monkeypatch):
    queue = ask(here, 0.3)
    alice = here.sandbox.accounts["alice"]
    with keeper_of(here, monkeypatch, tmp_path / "journal") as keeper:
        outcomes = settle(keeper)
    assert outcomes[-1].kind == "nothing"
    assert kinds(tmp_path / "journal") == ["redeem"]
    assert "wait in 1 requests, owed 300,000.00 USD; idle reaches 300,000.00" in outcomes[0].detail
    assert queue.waiting().read() == 0
    assert queue.max_withdraw(alice).read() == pytest.approx(300_000 * 10**6, rel=1e-6)


def test_lent_cash_and_margin_above_its_target_are_raised_for_the_line(here, tmp_path, monkeypatch):
    venues = here.deployment.venues
    lending = LendingVenue(venues["lending"], here.sandbox.w3)
    perp = PerpVenue(next(venues[name] for name in venues if name.startswith("perp")), here.sandbox.w3)
    send(
        here,
        lending.supply(here.deployment.asset, 600_000 * 10**6),
        perp.post(0, 140_000 * 10**6, 140_000 * 10**6),
    )
    assert idle(here) == 260_000 * 10**6
    queue = ask(here, 0.95)
    with keeper_of(here, monkeypatch, tmp_path / "journal") as keeper:
        outcomes = settle(keeper)
    assert kinds(tmp_path / "journal") == ["withdraw", "free", "redeem"]
    assert "of it owed to the redeem queue; withdraws 6" in outcomes[0].detail
    assert "of margin above target health at perp" in outcomes[1].detail
    assert queue.waiting().read() == 0
    assert queue.max_withdraw(here.sandbox.accounts["alice"]).read() == pytest.approx(
        950_000 * 10**6, rel=1e-4
    )


def test_what_cannot_be_raised_is_told_and_what_is_there_is_paid(here, tmp_path, monkeypatch):
    here.buy_ether(12 * WAD)
    there = idle(here)
    queue = ask(here, 1.0)
    with keeper_of(here, monkeypatch, tmp_path / "journal") as keeper:
        outcomes = settle(keeper)
    first = outcomes[0].decided.plan.actions
    assert [action.kind for action in first[:2]] == ["alert", "redeem"]
    assert "can neither be withdrawn nor freed" in first[0].reason
    sent = kinds(tmp_path / "journal")
    # What is left is a book of ether alone, which is hedged by selling it.
    assert sent[:2] == ["redeem", "hedge"]
    assert queue.max_withdraw(here.sandbox.accounts["alice"]).read() >= there
    assert idle(here) < 500 * 10**6
    assert queue.waiting().read() > 0


def test_an_interval_too_wide_for_the_queue_waits(here, tmp_path, monkeypatch):
    """Nothing is sent that the queue would refuse: the line waits for prices."""
    ask(here, 0.3)
    now = here.sandbox.w3.eth.get_block("latest")["timestamp"]
    here.buy_ether(12 * WAD)
    here.rpc.request("evm_setNextBlockTimestamp", now + 2 * 86_400)
    here.rpc.request("evm_mine")
    with keeper_of(here, monkeypatch, tmp_path / "journal") as keeper:
        outcome = settle(keeper)[-1]
    assert outcome.kind == "hold"
    assert "no price of WETH" in outcome.detail
    assert kinds(tmp_path / "journal") == []
