"""What keeper and guardian can do at one venue while the vault has no price, on the real protocols."""

import pytest
from vault_desk import USDC, WAD, wad

from evenkeel.bindings import ContractError, RiskGuard
from evenkeel.bindings.types import Trade

pytestmark = pytest.mark.integration

PUT = False


@pytest.fixture
def blind(desk):
    """30 short puts 3,600 dollars under their target, and a vol that has gone stale since."""
    expiry = desk.chain.start_time + 42 * 86_400
    desk.post_vol(expiry, 0.75)
    found = desk.option.listings().read()
    listing = next(x.listing for x in found if (x.strike, x.expiry) == (3_000 * WAD, expiry))
    order = Trade(0, listing, PUT, -30 * WAD, 60_000 * WAD, 0)
    ((desk.position, *_),) = desk.rebalance(desk.option.trade(order))
    needed = desk.option.margin(desk.position).read().maintenance
    wanted = needed * 12 // 10 - 3_600 * WAD
    desk.rebalance(desk.option.free(desk.position, (60_000 * WAD - wanted) // 10**12, 0))
    desk.warp(90_000)
    for pair, dollars in (("ETH/USD", 3_000), ("USDC/USD", 1), ("SUSD/USD", 1)):
        desk.post_price(dollars, pair)
    assert not desk.vault.nav().read().priced
    return desk


def keeper(desk, call):
    call.send(desk.chain.signers["keeper"], gas=20_000_000)


def level(desk):
    return RiskGuard(desk.deployment.guard, desk.w3).budget(desk.vault.address).read().level


def test_a_short_is_topped_up(blind):
    before = blind.option.unit_health(blind.position).read()
    blind.top_up(blind.option, blind.position, 2_000)
    assert before < blind.option.unit_health(blind.position).read() <= wad(1.2)


def test_margin_is_freed(blind):
    idle = blind.idle
    keeper(blind, blind.vault.keeper_free(blind.option.address, blind.position, 200 * USDC, 0))
    # The pool's fee of 0.05%, and our price of the quote token.
    assert blind.idle - idle == pytest.approx(200 * USDC, rel=0.002)
    with pytest.raises(ContractError) as refused:
        keeper(blind, blind.vault.keeper_free(blind.option.address, blind.position, 1_000 * USDC, 0))
    assert (type(refused.value).__name__, refused.value.minimum) == ("UnitUnhealthy", wad(1.08))


def test_a_short_is_reduced_for_what_its_collateral_paid(blind):
    idle, before = blind.idle, level(blind)
    collateral = blind.option.margin(blind.position).read().equity
    keeper(blind, blind.vault.keeper_reduce(blind.option.address, blind.position, WAD // 2, 0))
    left = blind.option.margin(blind.position).read().equity
    assert left == pytest.approx(collateral / 2, rel=1e-6)
    paid = (collateral - left) / WAD - (blind.idle - idle) / USDC
    # 15 puts at the money for 42 days, about 270 dollars each; nothing is set against what they owed.
    assert 3_000 < paid < 6_000
    assert (level(blind) - before) / WAD * 1_000_000 == pytest.approx(paid, rel=0.02)


@pytest.fixture
def dark(blind):
    """The same a day later, without a price of the quote token either."""
    blind.warp(90_000)
    for pair, dollars in (("ETH/USD", 3_000), ("USDC/USD", 1)):
        blind.post_price(dollars, pair)
    with pytest.raises(ContractError):
        blind.price("SUSD")
    return blind


def test_a_short_is_freed_and_reduced_without_a_price_of_its_margin(dark):
    idle = dark.idle
    keeper(dark, dark.vault.keeper_free(dark.option.address, dark.position, 200 * USDC, 190 * USDC))
    # One quote token counts as one dollar, and the pool pays what it pays.
    assert dark.idle - idle == pytest.approx(200 * USDC, rel=0.002)
    collateral = dark.option.margin(dark.position).read().equity
    idle, before = dark.idle, level(dark)
    keeper(dark, dark.vault.keeper_reduce(dark.option.address, dark.position, WAD // 4, wad(400)))
    left = dark.option.margin(dark.position).read().equity
    assert left == pytest.approx(collateral * 3 / 4, rel=1e-6)
    paid = (collateral - left) / WAD - (dark.idle - idle) / USDC
    assert 1_500 < paid < 3_000
    # The claim counts at the last accepted price of the quote token.
    assert (level(dark) - before) / WAD * 1_000_000 == pytest.approx(paid, rel=0.03)
    with pytest.raises(ContractError):
        keeper(dark, dark.vault.keeper_reduce(dark.option.address, dark.position, WAD // 4, wad(100)))


def test_nothing_else_goes_on(blind):
    weth = blind.protocols.tokens["WETH"].address
    with pytest.raises(ContractError) as refused:
        blind.rebalance(blind.spot.swap(weth, WAD, wad(3_010)))
    assert type(refused.value).__name__ == "Unpriced"
