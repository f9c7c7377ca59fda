"""Every action of the lending adapter against the real Aave v3."""

import pytest
from vault_desk import USDC, WAD, wad

from evenkeel.bindings import ERC20, ContractError
from evenkeel.sandbox.artifacts import hardhat
from evenkeel.sandbox.protocols import aave

pytestmark = pytest.mark.integration

SCALE = 10**12
ALL = 2**256 - 1
DATA = hardhat("aave-core-v3", "misc/AaveProtocolDataProvider.sol")


@pytest.fixture
def weth(desk):
    return desk.protocols.tokens["WETH"].address


@pytest.fixture
def usdc(desk):
    return desk.protocols.tokens["USDC"].address


def reserve(desk, symbol):
    """Balances of the aToken and the variable debt token, as Aave's own reader finds them."""
    asset = desk.protocols.tokens[symbol].address
    lent, _, owed, *_ = desk.ask(
        desk.protocols.aave.data_provider, DATA, "getUserReserveData", asset, desk.lending.address
    )
    return lent, owed


def account(desk):
    """Aave's own view: collateral, debt, ..., threshold, ltv, health factor."""
    pool = aave.contract("pool/Pool.sol")
    return desk.ask(desk.protocols.aave.pool, pool, "getUserAccountData", desk.lending.address)


def test_supply_and_withdraw_to_the_wei(desk, usdc):
    desk.rebalance(desk.lending.supply(usdc, 300_000 * USDC))
    assert desk.idle == 700_000 * USDC
    assert reserve(desk, "USDC") == (300_000 * USDC, 0)
    assert desk.lending.book().read().exposures == ()
    (withdrawn,) = desk.rebalance(desk.lending.withdraw(usdc, 100_000 * USDC, desk.vault.address))
    assert withdrawn == 100_000 * USDC
    assert desk.idle == 800_000 * USDC
    desk.warp(3_600)
    lent, _ = reserve(desk, "USDC")
    assert lent > 200_000 * USDC
    assert desk.lending.book().read().mid == lent * SCALE
    (withdrawn,) = desk.rebalance(desk.lending.withdraw(usdc, ALL, desk.vault.address))
    # Another second's interest lies between the reading and the withdrawal: under a cent.
    assert lent <= withdrawn <= desk.idle - 800_000 * USDC <= lent + 10_000
    assert desk.lending.book().read().mid == 0


def test_post_and_free_are_supply_and_withdraw(desk):
    (posted,) = desk.rebalance(desk.lending.post(0, 50_000 * USDC, 50_000 * USDC))
    assert posted == 50_000 * USDC
    assert reserve(desk, "USDC")[0] == 50_000 * USDC
    (freed,) = desk.rebalance(desk.lending.free(0, 20_000 * USDC, 20_000 * USDC))
    assert freed == 20_000 * USDC
    assert desk.idle == 970_000 * USDC


def test_borrowed_tokens_are_a_short_that_cancels_what_is_held(desk, weth):
    desk.rebalance(
        desk.lending.post(0, 200_000 * USDC, 0), desk.lending.borrow(weth, 10 * WAD, desk.spot.address)
    )
    assert desk.balance("WETH", desk.spot) == 10 * WAD
    _, owed = reserve(desk, "WETH")
    assert owed == 10 * WAD
    book = desk.lending.book().read()
    (exposure,) = book.exposures
    assert (exposure.underlying, exposure.greeks.delta) == (weth, -owed)
    lent, _ = reserve(desk, "USDC")
    assert abs(book.mid - (lent * SCALE - owed * desk.price("WETH") // WAD)) <= 1
    assert book.half_width == 0


def test_health_is_aave_s_health_factor(desk, weth):
    assert desk.lending.health().read() == 2**256 - 1
    desk.rebalance(
        desk.lending.post(0, 100_000 * USDC, 0), desk.lending.borrow(weth, 12 * WAD, desk.spot.address)
    )
    collateral, debt, _, threshold, ltv, factor = account(desk)
    assert desk.lending.unit_health(0).read() == desk.lending.health().read() == factor
    margin = desk.lending.margin(0).read()
    # Aave's base currency is dollars at 1e8 and its USDC feed stands at 1.
    assert margin.equity == collateral * threshold * 10**6
    assert margin.maintenance == debt * 10**10
    assert margin.initial == pytest.approx(margin.maintenance * threshold / ltv, rel=1e-15)
    assert margin.equity * WAD / margin.maintenance == pytest.approx(factor, rel=1e-8)


def test_accounts_show_aave_s_terms(desk, weth, usdc):
    desk.rebalance(
        desk.lending.post(0, 100_000 * USDC, 0), desk.lending.borrow(weth, 3 * WAD, desk.spot.address)
    )
    dollars, ether = desk.lending.accounts().read()
    assert (dollars.token, ether.token) == (usdc, weth)
    assert (dollars.ltv, dollars.liquidation_threshold) == (77 * 10**16, 80 * 10**16)
    assert (ether.ltv, ether.liquidation_threshold) == (80 * 10**16, 825 * 10**15)
    assert dollars.supplied == reserve(desk, "USDC")[0] * SCALE
    assert ether.borrowed == reserve(desk, "WETH")[1]
    data = desk.ask(desk.protocols.aave.data_provider, DATA, "getReserveData", usdc)
    assert (dollars.supply_rate, dollars.borrow_rate) == (data[5] // 10**9, data[6] // 10**9)
    a_token = desk.ask(desk.protocols.aave.data_provider, DATA, "getReserveTokensAddresses", weth)[0]
    assert ether.available == ERC20(weth, desk.w3).balance_of(a_token).read()


def test_a_mark_reads_the_reserves_with_a_balance(desk, weth, usdc):
    assert desk.lending.carried().read() == ()
    desk.rebalance(desk.lending.post(0, 100_000 * USDC, 0))
    (lent,) = desk.lending.carried().read()
    assert lent.token == usdc
    assert lent.yearly > 0
    desk.rebalance(desk.lending.borrow(weth, 3 * WAD, desk.spot.address))
    dollars, ether = desk.lending.accounts().read()
    lent, owed = desk.lending.carried().read()
    assert lent.yearly == dollars.supplied * dollars.supply_rate // WAD
    assert (owed.token, owed.yearly) == (weth, -(ether.borrowed * ether.borrow_rate // WAD))
    assert owed.yearly < 0


def test_repay_from_what_waits_here(desk, weth):
    desk.rebalance(
        desk.lending.post(0, 100_000 * USDC, 0), desk.lending.borrow(weth, 5 * WAD, desk.lending.address)
    )
    assert desk.balance("WETH", desk.lending) == 5 * WAD
    # What waits here is worth what is owed.
    assert desk.lending.book().read().exposures == ()
    (repaid,) = desk.rebalance(desk.lending.repay(weth, 2 * WAD))
    assert repaid == 2 * WAD
    # Interest has made the debt a little more than what is left here, so this repays all that is held.
    (repaid,) = desk.rebalance(desk.lending.repay(weth, ALL))
    assert repaid == 3 * WAD
    assert 0 < reserve(desk, "WETH")[1] < 10**12


def test_reduce_repays_or_withdraws(desk, weth):
    desk.rebalance(
        desk.lending.post(0, 100_000 * USDC, 0), desk.lending.borrow(weth, 4 * WAD, desk.lending.address)
    )
    desk.rebalance(desk.lending.reduce(0, WAD // 2, 0))
    assert reserve(desk, "WETH")[1] == pytest.approx(2 * WAD, rel=1e-7)
    desk.rebalance(desk.spot.swap(weth, WAD, wad(3_100)), desk.spot.move(weth, WAD, desk.lending.address))
    desk.rebalance(desk.lending.repay(weth, ALL))
    assert reserve(desk, "WETH")[1] == 0
    before, (lent, _) = desk.idle, reserve(desk, "USDC")
    desk.rebalance(desk.lending.reduce(0, WAD // 2, 0))
    assert desk.idle - before == pytest.approx(lent / 2, rel=1e-7)


def test_reduce_repays_from_what_is_lent_in_the_same_token(desk, weth):
    desk.rebalance(
        desk.spot.swap(weth, 6 * WAD, wad(3_100)),
        desk.spot.move(weth, 6 * WAD, desk.lending.address),
        desk.lending.supply(weth, 6 * WAD),
        desk.lending.post(0, 50_000 * USDC, 0),
        desk.lending.borrow(weth, 4 * WAD, desk.spot.address),
    )
    desk.rebalance(desk.lending.reduce(0, WAD, 0))
    lent, owed = reserve(desk, "WETH")
    assert owed == 0
    assert lent == pytest.approx(2 * WAD, rel=1e-7)


def test_reduce_that_cannot_repay_says_so(desk, weth):
    desk.rebalance(
        desk.lending.post(0, 100_000 * USDC, 0), desk.lending.borrow(weth, 4 * WAD, desk.spot.address)
    )
    with pytest.raises(ContractError) as refused:
        desk.rebalance(desk.lending.reduce(0, WAD, 0))
    assert type(refused.value.cause).__name__ == "Unsupported"


def test_nothing_leaves_to_a_stranger(desk, weth, usdc):
    stranger = desk.chain.accounts["keeper"]
    desk.rebalance(desk.lending.post(0, 100_000 * USDC, 0))
    for call in (
        desk.lending.borrow(weth, WAD, stranger),
        desk.lending.withdraw(usdc, USDC, stranger),
        desk.lending.withdraw(usdc, USDC, desk.spot.address),
    ):
        with pytest.raises(ContractError) as refused:
            desk.rebalance(call)
        assert type(refused.value.cause).__name__ == "BadRecipient"


def test_a_liquidation_by_a_stranger_is_in_the_book(desk, weth, usdc):
    desk.rebalance(
        # The guard asks for 1.5, so a fall to under 1 takes a rise of ether by more than half.
        desk.lending.post(0, 60_000 * USDC, 0),
        desk.lending.borrow(weth, 10 * WAD, desk.spot.address),
    )
    desk.post_price(4_900)
    assert desk.lending.health().read() < WAD
    liquidator = desk.chain.accounts["liquidator"]
    desk.give("WETH", liquidator, 10 * WAD)
    desk.token("WETH").approve(desk.protocols.aave.pool, 10 * WAD).send(desk.chain.signers["liquidator"])
    pool = aave.contract("pool/Pool.sol")
    desk.act(
        "liquidator",
        desk.protocols.aave.pool,
        pool,
        "liquidationCall",
        usdc,
        weth,
        desk.lending.address,
        4 * WAD,
        False,
    )
    lent, owed = reserve(desk, "USDC")[0], reserve(desk, "WETH")[1]
    assert owed == pytest.approx(6 * WAD, rel=1e-6)
    # 4 ETH at 4,900 and Aave's bonus of 4.5%.
    assert lent == pytest.approx((60_000 - 4 * 4_900 * 1.045) * USDC, rel=1e-6)
    dollars, ether = desk.lending.accounts().read()
    assert (dollars.supplied, ether.borrowed) == (lent * SCALE, owed)
