"""Every action of the spot adapter against the real Uniswap v3."""

import pytest
from vault_desk import USDC, WAD, wad

from evenkeel.bindings import ContractError
from evenkeel.sandbox.artifacts import hardhat

pytestmark = pytest.mark.integration

QUOTER = hardhat("uniswap-swap-router-contracts", "lens/QuoterV2.sol")
SCALE = 10**12


def quoted(desk, function, token_in, token_out, amount):
    """What Uniswap's own quoter says that a swap would take or give."""
    addresses = [desk.protocols.tokens[symbol].address for symbol in (token_in, token_out)]
    fee = desk.protocols.uniswap.pools["WETH/USDC"].fee
    return desk.ask(desk.protocols.uniswap.quoter, QUOTER, function, (*addresses, amount, fee, 0))[0]


@pytest.fixture
def weth(desk):
    return desk.protocols.tokens["WETH"].address


def test_a_buy_costs_what_uniswap_quotes(desk, weth):
    cost = quoted(desk, "quoteExactOutputSingle", "USDC", "WETH", 10 * WAD)
    before = desk.idle
    (cash,) = desk.rebalance(desk.spot.swap(weth, 10 * WAD, wad(3_100)))
    assert cash == -cost * SCALE
    assert before - desk.idle == cost
    assert desk.balance("WETH", desk.spot) == 10 * WAD
    assert desk.balance("USDC", desk.spot) == 0
    assert desk.token("USDC").allowance(desk.spot.address, desk.protocols.uniswap.router).read() == 0


def test_a_sale_brings_what_uniswap_quotes(desk, weth):
    desk.rebalance(desk.spot.swap(weth, 10 * WAD, wad(3_100)))
    proceeds = quoted(desk, "quoteExactInputSingle", "WETH", "USDC", 4 * WAD)
    before = desk.idle
    (cash,) = desk.rebalance(desk.spot.swap(weth, -4 * WAD, wad(2_900)))
    assert cash == proceeds * SCALE
    assert desk.idle - before == proceeds
    assert desk.balance("WETH", desk.spot) == 6 * WAD


def test_the_book_is_the_holding_at_our_price_and_the_cost_of_leaving(desk, weth):
    desk.rebalance(desk.spot.swap(weth, 10 * WAD, wad(3_100)))
    price = desk.price("WETH")
    book = desk.spot.book().read()
    assert book.mid == 10 * price
    assert abs(book.half_width - book.mid * 5 // 10_000) <= 1
    (exposure,) = book.exposures
    assert (exposure.underlying, exposure.expiry, exposure.greeks.delta) == (weth, 0, 10 * WAD)


def test_holdings_show_the_pool_s_price(desk, weth):
    desk.rebalance(desk.spot.swap(weth, WAD, wad(3_100)))
    (holding,) = desk.spot.holdings().read()
    assert (holding.token, holding.balance, holding.fee) == (weth, WAD, 5 * 10**14)
    # A swap of a millionth of the pool's depth pays the mid price and the fee.
    paid = quoted(desk, "quoteExactOutputSingle", "USDC", "WETH", 10**15) * SCALE * 1_000
    assert holding.pool_price == pytest.approx(paid * (1 - 0.0005), rel=2e-6)


def test_a_price_worse_than_the_limit_is_refused(desk, weth):
    with pytest.raises(ContractError) as refused:
        desk.rebalance(desk.spot.swap(weth, 10 * WAD, wad(2_999)))
    # No more than the limit is drawn for a buy, so the router cannot take it.
    assert "STF" in str(refused.value.cause)
    assert desk.idle == 1_000_000 * USDC
    desk.rebalance(desk.spot.swap(weth, 10 * WAD, wad(3_100)))
    with pytest.raises(ContractError) as refused:
        desk.rebalance(desk.spot.swap(weth, -10 * WAD, wad(3_001)))
    cause = refused.value.cause
    assert type(cause).__name__ == "PriceLimit"
    assert cause.price < cause.limit == wad(3_001)


def test_more_than_is_held_cannot_be_sold(desk, weth):
    desk.rebalance(desk.spot.swap(weth, WAD, wad(3_100)))
    with pytest.raises(ContractError) as refused:
        desk.rebalance(desk.spot.swap(weth, -2 * WAD, 0))
    cause = refused.value.cause
    assert (type(cause).__name__, cause.held, cause.wanted) == ("Insufficient", WAD, 2 * WAD)


def test_reduce_sells_a_fraction(desk, weth):
    desk.rebalance(desk.spot.swap(weth, 8 * WAD, wad(3_100)))
    proceeds = quoted(desk, "quoteExactInputSingle", "WETH", "USDC", 2 * WAD)
    before = desk.idle
    desk.rebalance(desk.spot.reduce(0, WAD // 4, wad(2_900)))
    assert desk.balance("WETH", desk.spot) == 6 * WAD
    assert desk.idle - before == proceeds


def test_tokens_move_to_another_venue_of_the_vault_and_to_no_one_else(desk, weth):
    desk.rebalance(desk.spot.swap(weth, 8 * WAD, wad(3_100)))
    desk.rebalance(desk.spot.move(weth, 3 * WAD, desk.lending.address))
    assert desk.balance("WETH", desk.lending) == 3 * WAD
    # At one block's price, what left one book is in the other.
    price = desk.price("WETH")
    assert desk.spot.book().read().mid == 5 * price
    assert desk.lending.book().read().mid == 3 * price
    with pytest.raises(ContractError) as refused:
        desk.rebalance(desk.spot.move(weth, WAD, desk.chain.accounts["keeper"]))
    assert type(refused.value.cause).__name__ == "UnknownVenue"


def test_spot_has_no_margin(desk):
    assert desk.spot.margin_units().read() == ()
    assert desk.spot.health().read() == 2**256 - 1
    for call in (desk.spot.post(0, USDC, 0), desk.spot.free(0, USDC, 0)):
        with pytest.raises(ContractError) as refused:
            desk.rebalance(call)
        assert type(refused.value.cause).__name__ == "Unsupported"


def test_only_the_vault_may_act(desk, weth):
    keeper = desk.chain.accounts["keeper"]
    calls = (
        desk.spot.swap(weth, WAD, wad(3_100)),
        desk.spot.move(weth, 1, keeper),
        desk.spot.reduce(0, WAD, 0),
        desk.perp().order(desk.protocols.perps[0].base_token, WAD, wad(3_100), False),
        desk.perp().post(0, 1, 0),
        desk.perp().free(0, 1, 0),
        desk.perp().settle_funding(desk.protocols.perps[0].base_token),
        desk.lending.supply(weth, 1),
        desk.lending.withdraw(weth, 1, keeper),
        desk.lending.borrow(weth, 1, keeper),
        desk.lending.repay(weth, 1),
        desk.option.post(1, 1, 0),
        desk.option.free(1, 1, 0),
        desk.option.reduce(1, WAD, 0),
    )
    for call in calls:
        with pytest.raises(ContractError) as refused:
            call.read(sender=keeper)
        assert type(refused.value).__name__ == "OnlyVault"
