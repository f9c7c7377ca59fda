"""What entries cost as whole transactions: positions at four venues of the real protocols, one underlying, Chainlink's feeds."""

from dataclasses import replace

import pytest
from vault_desk import USDC, WAD, Desk, wad

from evenkeel.bindings import ChainlinkSource, Valuer
from evenkeel.deploy import Roles, VaultPlan, deploy

pytestmark = pytest.mark.integration

VENUES = ("spot", "lending", "perp")
EACH = 500 * USDC


@pytest.fixture
def desk(chain):
    """A vault with no option venue, a million dollars, and positions at each of its four venues that do not cancel."""
    plan = VaultPlan(max_loss_per_call=0.02, max_loss_per_day=0.05)
    plan = replace(plan, venues={name: terms for name, terms in plan.venues.items() if name in VENUES})
    roles = Roles(*(chain.accounts[role] for role in ("keeper", "curator", "guardian")))
    made = Desk(chain, deploy(chain.w3, chain.signers["deployer"], chain.protocols, plan, roles))
    tokens = made.protocols.tokens
    made.deposit(1_000_000)
    made.rebalance(made.spot.swap(tokens["WETH"].address, wad(3), 3_500 * WAD))
    made.rebalance(made.lending.supply(tokens["USDC"].address, 100_000 * USDC))
    for perp in made.protocols.perps:
        venue = made.perp(perp.name)
        made.rebalance(venue.post(0, 20_000 * USDC, 20_000 * USDC))
        made.rebalance(venue.order(perp.base_token, wad(-2), 0, False))
    made.give("USDC", made.chain.accounts["bob"], 10_000 * USDC)
    enter(made)
    valuation = Valuer(made.vault.valuer().read(), made.w3).value(made.vault.address).read()
    assert len(valuation.venues) == 4
    assert all(venue.priced and venue.mid > 0 for venue in valuation.venues)
    assert [exposure.underlying for exposure in valuation.exposures] == [tokens["WETH"].address]
    return made


def enter(desk, approved=EACH):
    """Have bob deposit again; returns the transaction's gas, and the part of it that the calls of the oracle took."""
    bob = desk.chain.signers["bob"]
    desk.token("USDC").approve(desk.vault.address, approved).send(bob)
    desk.warp(60)
    receipt = desk.vault.deposit(EACH, bob.address).send(bob, gas=12_000_000)
    question = ("0x" + receipt.transaction_hash.hex(), {"tracer": "callTracer"})
    trace = desk.w3.provider.make_request("debug_traceTransaction", question)["result"]
    return receipt.gas_used, spent_at(trace, desk.deployment.oracle.lower())


def spent_at(call, address):
    """Gas of the outermost calls of `address`; what the caller pays to reach it is the caller's."""
    if call["to"] == address:
        return int(call["gasUsed"], 16)
    return sum(spent_at(inner, address) for inner in call.get("calls", []))


def price_by_one_feed(desk):
    """Have WETH priced by one source: its feed, taken as one in the asset itself. As deployed it is in dollars, so that USDC's is read too."""
    deployer, weth = desk.chain.signers["deployer"], desk.protocols.tokens["WETH"].address
    terms = VaultPlan().feeds["ETH/USD"]
    source = ChainlinkSource.deploy(
        weth,
        desk.vault.asset().read(),
        desk.protocols.feeds["ETH/USD"],
        terms.max_age,
        wad(terms.min_price),
        wad(terms.max_price),
        wad(terms.deviation),
        "0x" + 40 * "0",
    ).send(deployer, desk.w3)
    desk.oracle.configure(weth, [source.address], 1, WAD // 10).send(deployer)
    enter(desk)


def marked_at(desk):
    return desk.vault.last_mark().read().marked_at


def test_an_entry_on_a_carried_mark(desk):
    """With one feed as the primary source, within what was promised. The sandbox's USDC writes an allowance even where it is without end,
    and gives 4,800 back where one is used up."""
    price_by_one_feed(desk)
    since = marked_at(desk)
    gas, oracle = enter(desk)
    assert gas <= 115_000
    assert gas - oracle <= 80_000
    gas, oracle = enter(desk, approved=2**256 - 1)
    assert gas <= 115_000
    assert gas - oracle <= 85_000
    assert marked_at(desk) == since


def test_an_entry_on_a_carried_mark_as_deployed(desk):
    """A feed in dollars takes a second one, the asset's; beside the oracle it is the same."""
    enter(desk)
    since = marked_at(desk)
    gas, oracle = enter(desk)
    assert gas <= 136_000
    assert gas - oracle <= 80_000
    assert marked_at(desk) == since


def test_an_entry_that_marks(desk):
    """No bound but what is reached: nearly all of it is the protocols' own, read live."""
    desk.warp(1_900)
    desk.post_price(3_010)
    since = marked_at(desk)
    gas, _ = enter(desk)
    assert marked_at(desk) > since
    assert gas <= 1_150_000
