"""What a stolen keeper key cannot do, on the real protocols, with their pools pushed to where it would pay."""

import pytest
from vault_desk import USDC, WAD, wad

from evenkeel.bindings import ContractError, RiskGuard
from evenkeel.bindings.types import Trade
from evenkeel.sandbox.protocols import uniswap

pytestmark = pytest.mark.integration

SCALE = 10**12
CALL, PUT = True, False
THIEF = "bob"
MAX_LOSS = 2_500 * WAD
"""A quarter of a percent of the vault's million."""


@pytest.fixture
def desk(desk):
    guard = RiskGuard(desk.deployment.guard, desk.w3)
    guard.set_max_loss_per_call(wad(0.0025)).send(desk.chain.signers["curator"])
    desk.post_vol(expiry_of(desk), 0.75)
    return desk


def expiry_of(desk):
    return desk.chain.start_time + 42 * 86_400


def listing(desk):
    found = desk.option.listings().read()
    return next(x.listing for x in found if (x.strike, x.expiry) == (3_000 * WAD, expiry_of(desk)))


def push(desk, symbol, left):
    """Have the thief buy all but `left` whole tokens out of a pool: it then trades at the end of its range."""
    thief, usdc, token = desk.chain.signers[THIEF], desk.token("USDC"), desk.token(symbol)
    router, pool = desk.protocols.uniswap.router, desk.protocols.uniswap.pools[f"{symbol}/USDC"]
    wanted = desk.balance(symbol, pool.address) - left * WAD
    desk.give("USDC", thief.address, 10**10 * USDC)
    usdc.approve(router, 10**10 * USDC).send(thief)
    swap = (usdc.address, token.address, pool.fee, thief.address, wanted, 10**10 * USDC, 0)
    desk.act(THIEF, router, uniswap.router(), "exactOutputSingle", swap)


def pull(desk, symbol, part):
    """Have the thief sell a token into its pool until it is worth `part` of what it was."""
    thief, token = desk.chain.signers[THIEF], desk.token(symbol)
    usdc = desk.protocols.tokens["USDC"].address
    router, pool = desk.protocols.uniswap.router, desk.protocols.uniswap.pools[f"{symbol}/USDC"]
    root = desk.ask(pool.address, uniswap.core("UniswapV3Pool"), "slot0")[0]
    first = int(token.address, 16) < int(usdc, 16)
    limit = int(root * (part if first else 1 / part) ** 0.5)
    desk.give(symbol, thief.address, 10**9 * WAD)
    token.approve(router, 10**9 * WAD).send(thief)
    swap = (token.address, usdc, pool.fee, thief.address, 10**9 * WAD, 0, limit)
    desk.act(THIEF, router, uniswap.router(), "exactInputSingle", swap)


def refusal(attempt, *args):
    """The error that the attempt met, with the numbers it carries."""
    with pytest.raises(ContractError) as refused:
        attempt(*args)
    return refused.value


def assert_loses_too_much(error):
    assert type(error).__name__ == "LossTooLarge"
    assert error.loss > error.maximum
    assert error.maximum == pytest.approx(MAX_LOSS, rel=0.01)


def put_near_target(desk):
    """A short put whose unit is 3,600 dollars under its target."""
    order = Trade(0, listing(desk), PUT, -30 * WAD, 60_000 * WAD, 0)
    ((position, *_),) = desk.rebalance(desk.option.trade(order))
    needed = desk.option.margin(position).read().maintenance
    wanted = needed * 12 // 10 - 3_600 * WAD
    desk.rebalance(desk.option.free(position, (60_000 * WAD - wanted) // SCALE, 0))
    return position


def test_it_cannot_buy_from_a_pool_that_it_pushed(desk):
    push(desk, "WETH", 100)
    weth = desk.protocols.tokens["WETH"].address
    assert_loses_too_much(refusal(desk.rebalance, desk.spot.swap(weth, 10 * WAD, wad(10**9))))


def test_it_cannot_top_up_through_a_pool_that_it_pushed(desk):
    position = put_near_target(desk)
    push(desk, "SUSD", 100_000)
    call = desk.vault.top_up(desk.option.address, position, 7_000 * USDC, 0)
    error = refusal(call.simulate, desk.chain.accounts["keeper"])
    # A hundredth of what the vault pays, whatever its limit for a call.
    assert (type(error).__name__, error.maximum) == ("LossTooLarge", 70 * WAD)
    assert error.loss > error.maximum


def test_what_a_pool_cannot_sell_goes_back_to_the_vault(desk):
    position = put_near_target(desk)
    push(desk, "SUSD", 1_000)
    before = desk.idle
    call = desk.vault.top_up(desk.option.address, position, 7_000 * USDC, 0)
    assert type(refusal(call.simulate, desk.chain.accounts["keeper"])).__name__ == "LossTooLarge"
    desk.rebalance(desk.option.post(position, 7_000 * USDC, 0))
    assert before - desk.idle == pytest.approx(2_000 * USDC, rel=0.05)
    assert desk.balance("USDC", desk.option) == 0
    assert desk.token("USDC").allowance(desk.option.address, desk.protocols.uniswap.router).read() == 0


def test_it_cannot_buy_options_through_a_pool_that_it_pushed(desk):
    push(desk, "SUSD", 100_000)
    order = Trade(0, listing(desk), CALL, 15 * WAD, 0, 20_000 * WAD)
    assert_loses_too_much(refusal(desk.rebalance, desk.option.trade(order)))


def test_it_cannot_sell_options_for_nothing(desk):
    # Lyra's own price is worth 400 dollars of a put less than ours: somebody has pushed its vol, or ours is new.
    desk.post_vol(expiry_of(desk), 0.95)
    order = Trade(0, listing(desk), PUT, -40 * WAD, 60_000 * WAD, 0)
    assert_loses_too_much(refusal(desk.rebalance, desk.option.trade(order)))


def test_it_cannot_hide_tokens_where_no_book_counts_them(desk):
    weth = desk.protocols.tokens["WETH"].address
    desk.rebalance(desk.spot.swap(weth, 10 * WAD, wad(3_010)))
    for venue in (desk.perp(), desk.option):
        assert_loses_too_much(refusal(desk.rebalance, desk.spot.move(weth, 5 * WAD, venue.address)))
    # The lending book counts what waits there.
    desk.rebalance(desk.spot.move(weth, 5 * WAD, desk.lending.address))


def test_it_cannot_leave_a_unit_near_liquidation(desk):
    perp, market = desk.perp(), desk.protocols.perps[0].base_token
    desk.rebalance(perp.post(0, 20_000 * USDC, 0), perp.order(market, 15 * WAD, wad(3_010), False))
    error = refusal(desk.rebalance, perp.free(0, 15_200 * USDC, 0))
    assert (type(error).__name__, error.venue, error.minimum) == ("UnitUnhealthy", perp.address, wad(1.8))
    usdc = desk.protocols.tokens["USDC"].address
    desk.rebalance(desk.lending.supply(usdc, 300_000 * USDC))
    error = refusal(desk.rebalance, desk.lending.borrow(usdc, 200_000 * USDC, desk.vault.address))
    assert (type(error).__name__, error.venue, error.minimum) == (
        "UnitUnhealthy",
        desk.lending.address,
        wad(1.5),
    )


def test_nobody_sells_what_a_liquidation_left_into_a_pool_that_they_pushed(desk):
    desk.give("SUSD", desk.option.address, 10_000 * WAD)
    low = desk.oracle.quote(desk.protocols.tokens["SUSD"].address).read().low
    pull(desk, "SUSD", 0.993)
    # Our interval reaches as far down as the pool does, and a bound at its end would let the thief have all of it.
    assert low < wad(0.996)
    carol = desk.chain.accounts["carol"]
    assert type(refusal(desk.option.sync().simulate, carol)).__name__ == "BelowMinimum"
    pull(desk, "SUSD", 0.9999)
    desk.warp(1_200)
    desk.post_price(0.993, "SUSD/USD")
    desk.option.sync().send(desk.chain.signers["carol"], gas=3_000_000)
    assert desk.balance("SUSD", desk.option) < SCALE
