"""A venue that fills later: while an order is pending the keeper holds still, and says so."""

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from open_book import step

from evenkeel.bindings import PerpVenue
from evenkeel.bindings.types import Instruction, VenueConfig
from evenkeel.keeper.config import KeeperConfig
from evenkeel.keeper.start import Request, build
from evenkeel.sandbox.places import OUT
from keeper_world import VENUE, WAD, world

pytestmark = pytest.mark.integration


@pytest.fixture
def here(tmp_path):
    with world(tmp_path) as here:
        yield here


def two_step(here):
    """Deploy the test-only venue, let the vault use it, and put it into the mandate."""
    weth = here.sandbox.protocols.tokens["WETH"].address
    compiled = json.loads((OUT / "TwoStepVenue.sol" / "TwoStepVenue.json").read_text())
    arguments = b"".join(
        bytes.fromhex(address[2:]).rjust(32, b"\0") for address in (here.deployment.vault, weth)
    )
    creation = bytes.fromhex(compiled["bytecode"]["object"][2:]) + arguments
    sent = here.sandbox.signers["deployer"].send(here.sandbox.w3, {"data": creation})
    address = here.sandbox.w3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
    config = VenueConfig(WAD // 5, 105 * WAD // 100, 110 * WAD // 100, 102 * WAD // 100)
    here.vault.add_venue(address, config).send(here.sandbox.signers["curator"])
    mandate = here.folder / "mandate.toml"
    entry = (
        VENUE.format(name="two-step", cap=0.2, target=1.1, minimum=1.05, critical=1.02)
        + f'address = "{address}"\n'
    )
    mandate.write_text(mandate.read_text() + entry)
    return PerpVenue(address, here.sandbox.w3)


def test_a_pending_order_is_carried_and_nothing_is_done_twice(here, monkeypatch):
    venue = two_step(here)
    weth = here.sandbox.protocols.tokens["WETH"].address
    here.buy_ether(12 * WAD)
    margin, order = venue.post(0, 20_000 * 10**6, 0), venue.order(weth, -8 * WAD, 0, False)
    now = here.sandbox.w3.eth.get_block("latest")["timestamp"]
    calls = [Instruction(call.to, call.data) for call in (margin, order)]
    batch = here.vault.rebalance(calls, now + 600, keccak(b"order"))
    batch.send(here.sandbox.signers["keeper"], gas=8_000_000)

    with keeper_of(here, monkeypatch) as keeper:
        waiting = keeper.step()
        assert waiting.kind == "hold"
        assert "an order is still pending" in waiting.detail
        assert abs(waiting.decided.greeks["greeks"]["WETH"]["delta_usd"]) > 30_000
        fill(here, venue, 0)
        filled = step(keeper)
        assert filled.kind == "nothing"
        assert abs(filled.decided.greeks["greeks"]["WETH"]["delta_usd"]) < 15_000


def test_what_no_fill_would_mend_does_not_wait(here, monkeypatch):
    """2 of 12 ether are on order: the rest is hedged at once, here on the venue itself, and then nothing until it fills."""
    venue = two_step(here)
    weth = here.sandbox.protocols.tokens["WETH"].address
    here.buy_ether(12 * WAD)
    order = venue.order(weth, -2 * WAD, 0, False)
    now = here.sandbox.w3.eth.get_block("latest")["timestamp"]
    batch = here.vault.rebalance([Instruction(order.to, order.data)], now + 600, keccak(b"order"))
    batch.send(here.sandbox.signers["keeper"], gas=8_000_000)
    with keeper_of(here, monkeypatch) as keeper:
        assert keeper.step().kind == "sent"
        for _ in range(2):
            assert step(keeper).kind == "hold"
            here.rpc.request("evm_mine")
        nonce = here.rpc.nonce(here.keeper)
        pending = venue.pending().read()
        assert len(pending) == 2
        for number in range(2):
            fill(here, venue, number)
        filled = step(keeper)
        assert filled.kind == "nothing"
        assert here.rpc.nonce(here.keeper) == nonce
        nav = filled.decided.greeks["nav"]["low"]
        assert abs(filled.decided.greeks["greeks"]["WETH"]["delta_usd"]) < 0.011 * nav


@contextmanager
def keeper_of(here, monkeypatch):
    for name, value in here.environment.items():
        monkeypatch.setenv(name, value)
    request = Request(
        mandate=here.folder / "mandate.toml",
        rpc=here.sandbox.url,
        deployment=here.folder / "deployment.json",
        journal=here.folder / "journal.sqlite",
    )
    keeper = build(request, replace(KeeperConfig(), once=True), say=print)
    yield keeper
    keeper.close()


def fill(here, venue, order):
    """The protocol reaches the order, and a stranger polls."""
    stranger = here.sandbox.signers["bob"]
    ready = "0x" + (keccak(b"makeReady(uint256)")[:4] + order.to_bytes(32)).hex()
    sent = here.rpc.request(
        "eth_sendTransaction", {"from": stranger.address, "to": venue.address, "data": ready}
    )
    here.sandbox.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
    venue.poll(order).send(stranger)
