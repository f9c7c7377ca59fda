"""Every action of the perpetuals adapter against the real Perp v2."""

import pytest
from vault_desk import USDC, WAD, wad

from evenkeel.bindings import ContractError
from evenkeel.bindings.types import Status
from evenkeel.sandbox.protocols import curie

pytestmark = pytest.mark.integration

SCALE = 10**12
FEE = 10**15


@pytest.fixture
def perp(desk):
    return desk.perp("perp-a")


@pytest.fixture
def market(desk):
    return desk.protocols.perps[0]


def ask(desk, contract, address, function, *args):
    return desk.ask(address, curie.contract(contract), function, *args)


def account_value(desk, market, perp):
    return ask(desk, "ClearingHouse", market.clearing_house, "getAccountValue", perp.address)


def size_of(desk, market, perp):
    return ask(
        desk,
        "AccountBalance",
        market.account_balance,
        "getTakerPositionSize",
        perp.address,
        market.base_token,
    )


def notional_of(desk, market, perp):
    return ask(
        desk,
        "AccountBalance",
        market.account_balance,
        "getTakerOpenNotional",
        perp.address,
        market.base_token,
    )


def mark_of(desk, market):
    return ask(desk, "AccountBalance", market.account_balance, "getMarkPrice", market.base_token)


def pending(desk, market, perp):
    return ask(desk, "Exchange", market.exchange, "getPendingFundingPayment", perp.address, market.base_token)


def realised_of(desk, market, perp):
    return ask(desk, "AccountBalance", market.account_balance, "getPnlAndPendingFee", perp.address)[0]


def test_margin_posted_and_freed_to_the_wei(desk, perp):
    (posted,) = desk.rebalance(perp.post(0, 20_000 * USDC, 20_000 * USDC))
    assert posted == 20_000 * USDC
    assert desk.idle == 980_000 * USDC
    assert perp.book().read().mid == 20_000 * WAD
    (freed,) = desk.rebalance(perp.free(0, 5_000 * USDC, 5_000 * USDC))
    assert freed == 5_000 * USDC
    assert desk.idle == 985_000 * USDC
    assert perp.book().read().mid == 15_000 * WAD
    assert perp.health().read() == 2**256 - 1


def test_open_reduce_and_close(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0))
    ((number, status),) = desk.rebalance(perp.order(market.base_token, -10 * WAD, wad(2_990), False))
    assert status == Status.FILLED
    assert perp.poll(number).read() == Status.FILLED
    assert size_of(desk, market, perp) == -10 * WAD
    (position,) = perp.positions().read()
    assert position.size == -10 * WAD
    assert position.cash == notional_of(desk, market, perp)
    # Sold at about 3000 less the fee of 0.1% and the impact of 10 ETH in a pool of 240,000.
    assert position.cash == pytest.approx(10 * 3000 * WAD * (1 - 0.001 - 10 / 240_000), rel=1e-6)
    assert position.fee == FEE
    desk.rebalance(perp.order(market.base_token, 4 * WAD, wad(3_010), True))
    assert size_of(desk, market, perp) == -6 * WAD
    desk.rebalance(perp.reduce(0, WAD, wad(3_010)))
    assert size_of(desk, market, perp) == 0
    book = perp.book().read()
    assert book.exposures == ()
    assert book.half_width == 0
    assert book.mid // SCALE == account_value(desk, market, perp) // SCALE


def test_the_book_is_valued_by_our_oracle(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0))
    desk.rebalance(perp.order(market.base_token, -10 * WAD, wad(2_990), False))
    desk.warp(3_600)
    book = perp.book().read()
    price, mark = desk.price("WETH"), mark_of(desk, market)
    # Curie's own account value differs from ours by its mark against our price alone; it is cut to 6 decimals.
    assert abs(book.mid - (account_value(desk, market, perp) - 10 * (price - mark))) <= SCALE
    (exposure,) = book.exposures
    assert (exposure.underlying, exposure.expiry) == (desk.protocols.tokens["WETH"].address, 0)
    assert exposure.greeks.delta == -10 * WAD
    assert abs(book.half_width - 10 * (abs(mark - price) + price * FEE // WAD)) <= 20


def test_margin_is_curie_s_own(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0))
    desk.rebalance(perp.order(market.base_token, 10 * WAD, wad(3_010), False))
    margin = perp.margin(0).read()
    assert margin.equity == account_value(desk, market, perp)
    needed = ask(
        desk, "AccountBalance", market.account_balance, "getMarginRequirementForLiquidation", perp.address
    )
    assert margin.maintenance == needed == 10 * mark_of(desk, market) * 625 // 10_000
    assert margin.initial == 10 * mark_of(desk, market) // 10
    assert perp.unit_health(0).read() == perp.health().read() == margin.equity * WAD // margin.maintenance
    with pytest.raises(ContractError) as refused:
        perp.margin(1).read()
    assert type(refused.value).__name__ == "UnknownUnit"


def test_a_strangers_collateral_counts_as_curie_counts_it(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0), perp.order(market.base_token, 10 * WAD, wad(3_010), False))
    before = perp.margin(0).read()
    weth = desk.protocols.tokens["WETH"].address
    manager, terms = market.collateral_manager, (market.price_feed, 700_000, 100_000, 10**24)
    desk.act("deployer", manager, curie.contract("CollateralManager"), "addCollateral", weth, terms)
    desk.give("WETH", desk.chain.accounts["trader"], 2 * WAD)
    desk.token("WETH").approve(market.vault, 2 * WAD).send(desk.chain.signers["trader"])
    to = (perp.address, weth, 2 * WAD)
    desk.act("trader", market.vault, curie.contract("Vault"), "depositFor", *to)
    margin = perp.margin(0).read()
    assert margin.equity == account_value(desk, market, perp)
    # 70% of two ether.
    assert margin.equity - before.equity == pytest.approx(4_200 * WAD, rel=1e-3)
    assert perp.unit_health(0).read() == margin.equity * WAD // margin.maintenance


@pytest.mark.parametrize("closed", [False, True], ids=["paused", "closed"])
def test_margin_in_a_stopped_market_is_curie_s_own(desk, perp, market, closed):
    desk.rebalance(
        perp.post(0, 20_000 * USDC, 0), perp.order(market.base_token, -10 * WAD, wad(2_990), False)
    )
    move_index(desk, market, 3_020)
    base = curie.contract("BaseToken")
    desk.act("deployer", market.base_token, base, "pause")
    if closed:
        desk.act("deployer", market.base_token, base, "close(uint256)", 2_950 * WAD)
    margin = perp.margin(0).read()
    assert margin.equity == account_value(desk, market, perp)
    needed = ask(
        desk, "AccountBalance", market.account_balance, "getMarginRequirementForLiquidation", perp.address
    )
    assert margin.maintenance == needed > 0
    assert perp.unit_health(0).read() == margin.equity * WAD // margin.maintenance
    if not closed:
        # The mark, which stands away from the price that Curie now counts the position at.
        price = desk.price("WETH")
        gap = abs(mark_of(desk, market) - price)
        assert abs(perp.book().read().half_width - 10 * (gap + price * FEE // WAD)) <= 20


def test_a_mark_reads_the_markets_with_a_position(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0))
    assert perp.carried().read() == ()
    desk.rebalance(perp.order(market.base_token, -10 * WAD, wad(2_990), False))
    desk.warp(1_800)
    (position,) = perp.positions().read()
    (carried,) = perp.carried().read()
    assert (carried.underlying, carried.size) == (position.underlying, -10 * WAD)
    assert carried.funding_rate == position.funding_rate != 0


def test_the_keeper_tops_the_account_up_and_not_past_its_target(desk, perp, market):
    desk.rebalance(perp.post(0, 4_500 * USDC, 0), perp.order(market.base_token, 10 * WAD, wad(3_010), False))
    value = account_value(desk, market, perp)
    assert desk.top_up(perp, 0, 1_000) == 1_000 * USDC
    assert account_value(desk, market, perp) - value == pytest.approx(1_000 * WAD, abs=WAD)
    with pytest.raises(ContractError) as refused:
        desk.top_up(perp, 0, 10_000)
    assert type(refused.value).__name__ == "PastTarget"


def test_a_market_closed_for_good_is_left_at_its_closing_price(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0), perp.order(market.base_token, 10 * WAD, wad(3_010), False))
    notional = notional_of(desk, market, perp)
    base = curie.contract("BaseToken")
    desk.act("deployer", market.base_token, base, "pause")
    desk.act("deployer", market.base_token, base, "close(uint256)", 2_950 * WAD)
    # What cannot move any more is no exposure, whatever our oracle says; funding of some seconds lies between.
    value = pytest.approx(20_000 * WAD + notional + 10 * 2_950 * WAD, abs=WAD // 100)
    closed = perp.book().read()
    assert (closed.mid, closed.half_width, closed.exposures) == (value, 0, ())
    desk.rebalance(perp.reduce(0, WAD, 0))
    assert size_of(desk, market, perp) == 0
    book = perp.book().read()
    assert (book.mid, book.exposures) == (value, ())


def test_a_fill_worse_than_acceptable_is_refused(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0))
    for size, limit in ((10 * WAD, wad(3_002)), (-10 * WAD, wad(2_998))):
        with pytest.raises(ContractError) as refused:
            desk.rebalance(perp.order(market.base_token, size, limit, False))
        cause = refused.value.cause
        assert (type(cause).__name__, cause.limit) == ("PriceLimit", limit)
        # The fee alone is 3 dollars.
        assert abs(cause.price - 3000 * WAD) > 3 * WAD


def test_reduce_only_neither_grows_nor_flips(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0))
    desk.rebalance(perp.order(market.base_token, -5 * WAD, wad(2_990), False))
    for size in (-WAD, 6 * WAD):
        with pytest.raises(ContractError) as refused:
            desk.rebalance(perp.order(market.base_token, size, wad(3_010), True))
        cause = refused.value.cause
        assert (type(cause).__name__, cause.size, cause.size_delta) == ("NotReducing", -5 * WAD, size)


def test_funding_is_settled_into_margin(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0))
    desk.rebalance(perp.order(market.base_token, -10 * WAD, wad(2_990), False))
    # The index falls below the market, so the longs pay and this short receives.
    move_index(desk, market, 2_900)
    desk.warp(1_800)
    (position,) = perp.positions().read()
    assert position.funding_owed == pending(desk, market, perp) < 0
    assert 0 < position.funding_rate < WAD // 10
    realised = realised_of(desk, market, perp)
    desk.rebalance(perp.settle_funding(market.base_token))
    assert pending(desk, market, perp) == 0
    # A second or two of funding accrue between the reading and the transaction.
    gained = realised_of(desk, market, perp) - realised
    assert -position.funding_owed <= gained <= -position.funding_owed * 1.01
    book = perp.book().read()
    assert (
        abs(book.mid - account_value(desk, market, perp) - -10 * (desk.price("WETH") - mark_of(desk, market)))
        <= SCALE
    )


def test_a_stale_feed_stops_new_risk_and_not_the_way_out(desk, perp, market):
    desk.rebalance(perp.post(0, 20_000 * USDC, 0))
    desk.rebalance(perp.order(market.base_token, -5 * WAD, wad(2_990), False))
    desk.warp(4_501)
    vault = {"sender": desk.vault.address}
    with pytest.raises(ContractError) as refused:
        perp.order(market.base_token, -WAD, wad(2_990), False).read(**vault)
    cause = refused.value
    assert (type(cause).__name__, cause.max_age) == ("VenueStale", 4_500)
    assert desk.now - cause.updated_at > 4_500
    assert perp.order(market.base_token, WAD, wad(3_010), True).read(**vault)[1] == Status.FILLED
    assert perp.reduce(0, WAD, wad(3_010)).read(**vault) == Status.FILLED


def test_a_liquidation_by_a_stranger_is_in_the_book(desk, perp, market):
    desk.rebalance(perp.post(0, 3_700 * USDC, 0), perp.order(market.base_token, 10 * WAD, wad(3_010), False))
    fund(desk, market, "trader", 200_000_000)
    fund(desk, market, "liquidator", 1_000_000)
    fall(desk, market)
    assert perp.health().read() < WAD
    desk.act(
        "liquidator",
        market.clearing_house,
        curie.contract("ClearingHouse"),
        "liquidate(address,address)",
        perp.address,
        market.base_token,
    )
    left = size_of(desk, market, perp)
    assert 0 <= left < 10 * WAD
    book = perp.book().read()
    assert sum(exposure.greeks.delta for exposure in book.exposures) == left
    gap = left * (desk.price("WETH") - mark_of(desk, market)) // WAD
    assert abs(book.mid - account_value(desk, market, perp) - gap) <= SCALE


def fund(desk, market, role, dollars):
    """Give `role` margin at Curie."""
    account = desk.chain.accounts[role]
    usdc = desk.protocols.tokens["USDC"].address
    desk.give("USDC", account, dollars * USDC)
    desk.token("USDC").approve(market.vault, dollars * USDC).send(desk.chain.signers[role])
    desk.act(role, market.vault, curie.contract("Vault"), "deposit", usdc, dollars * USDC)


def move_index(desk, market, dollars):
    """Post a price and have Curie's own feed take it up, as its updater does."""
    desk.post_price(dollars)
    feed = desk.ask(
        market.price_feed, curie.oracle_contract("PriceFeedDispatcher"), "getChainlinkPriceFeedV3"
    )
    desk.act("trader", feed, curie.oracle_contract("ChainlinkPriceFeedV3"), "update")


def fall(desk, market):
    """Take index and market 8% down and let Curie's averages follow."""
    move_index(desk, market, 2_760)
    # In a constant-product pool of depth x, sold y takes the price down by (1 + y / x)^-2.
    sold = int(240_000 * ((1 / 0.92) ** 0.5 - 1)) * WAD
    order = (market.base_token, True, True, sold, 0, 2**255, 0, b"\0" * 32)
    desk.act("trader", market.clearing_house, curie.contract("ClearingHouse"), "openPosition", order)
    desk.warp(1_900)
    move_index(desk, market, 2_760)


def test_unknown_markets_and_orders(desk, perp):
    with pytest.raises(ContractError) as refused:
        desk.rebalance(perp.order(desk.vault.address, WAD, wad(3_000), False))
    assert type(refused.value.cause).__name__ == "UnknownMarket"
    with pytest.raises(ContractError) as refused:
        perp.poll(1).read()
    assert type(refused.value).__name__ == "UnknownOrder"
