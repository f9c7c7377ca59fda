"""A venue that fills later: while an order is pending the keeper holds still, and says so."""

import json
from dataclasses import replace

import pytest
from eth_utils.crypto import keccak

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
    config = VenueConfig(cap=WAD // 5, min_health=0, target_health=0, critical_health=0)
    here.vault.add_venue(address, config).send(here.sandbox.signers["curator"])
    mandate = here.folder / "mandate.toml"
    entry = (
        VENUE.format(name="two-step", cap=0.2, target=0, minimum=0, critical=0) + f'address = "{address}"\n'
    )
    mandate.write_text(mandate.read_text() + entry)
    return PerpVenue(address, here.sandbox.w3)


def test_a_pending_order_is_carried_and_nothing_is_done_twice(here, monkeypatch):
    venue = two_step(here)
    weth = here.sandbox.protocols.tokens["WETH"].address
    here.buy_ether(12 * WAD)
    order = venue.order(weth, -8 * WAD, 0, False)
    now = here.sandbox.w3.eth.get_block("latest")["timestamp"]
    batch = here.vault.rebalance([Instruction(order.to, order.data)], now + 600, keccak(b"order"))
    batch.send(here.sandbox.signers["keeper"], gas=8_000_000)

    for name, value in here.environment.items():
        monkeypatch.setenv(name, value)
    request = Request(
        mandate=here.folder / "mandate.toml",
        rpc=here.sandbox.url,
        deployment=here.folder / "deployment.json",
        journal=here.folder / "journal.sqlite",
    )
    keeper = build(request, replace(KeeperConfig(), once=True), say=print)
    waiting = keeper.step()
    assert waiting.kind == "hold"
    assert "an order is still pending" in waiting.detail
    assert abs(waiting.decided.greeks["greeks"]["WETH"]["delta_usd"]) > 30_000

    here.rpc.request("eth_sendTransaction", {"from": here.keeper, "to": venue.address, "data": make_ready(0)})
    venue.poll(0).send(here.sandbox.signers["keeper"])
    filled = keeper.step()
    assert filled.kind == "nothing"
    assert abs(filled.decided.greeks["greeks"]["WETH"]["delta_usd"]) < 15_000
    keeper.close()


def make_ready(order):
    return "0x" + (keccak(b"makeReady(uint256)")[:4] + order.to_bytes(32)).hex()
