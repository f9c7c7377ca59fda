"""Every action of the option adapter against the real Lyra v1."""

from dataclasses import replace

import mpmath
import pytest
from vault_desk import USDC, WAD, wad
from web3 import Web3

from evenkeel.bindings import ContractError, VolOracle
from evenkeel.bindings.types import Status, Trade
from evenkeel.sandbox.protocols import lyra

pytestmark = pytest.mark.integration

SCALE = 10**12
VOL = 0.75
DAY = 86_400
CALL, PUT = True, False
ACTIVE = 1
RATE_IS_INVALID = Web3.keccak(text="RateIsInvalid(address,uint256,bool)")[:4]
"""Lyra's own refusal to act on an old price."""


@pytest.fixture
def option(desk):
    desk.post_vol(expiry_of(desk), VOL)
    return desk.option


def expiry_of(desk, days=42):
    return desk.chain.start_time + days * DAY


def listing(desk, strike=3_000, days=42):
    found = desk.option.listings().read()
    return next(x.listing for x in found if (x.strike, x.expiry) == (strike * WAD, expiry_of(desk, days)))


def ask(desk, contract, function, *args):
    names = {
        "OptionMarket": "option_market",
        "OptionToken": "option_token",
        "OptionGreekCache": "option_greek_cache",
        "SynthetixAdapter": "synthetix_adapter",
    }
    address = getattr(desk.protocols.lyra, names[contract])
    return desk.ask(address, lyra.contract(contract), function, *args)


def held(desk, position):
    """Lyra's own record: (id, strike, type, amount, collateral, state)."""
    return ask(desk, "OptionToken", "getOptionPosition", position)


def least_collateral(desk, position):
    _, strike, kind, amount, _, _ = held(desk, position)
    price, expiry = ask(desk, "OptionMarket", "getStrikeAndExpiry", strike)
    spot = ask(desk, "SynthetixAdapter", "getSpotPriceForMarket", desk.protocols.lyra.option_market)
    return ask(desk, "OptionGreekCache", "getMinCollateral", kind, price, expiry, spot, amount)


def sell(desk, is_call, contracts=10, collateral=15_000, *, strike=3_000, limit=0):
    """Sell as a new position; returns (id, filled, cash, fee)."""
    order = Trade(0, listing(desk, strike), is_call, -contracts * WAD, collateral * WAD, limit)
    (answer,) = desk.rebalance(desk.option.trade(order))
    return answer


def black76(forward, strike, seconds, vol):
    """Closed form with 40 digits: (call, put, delta, gamma, vega, theta)."""
    mpmath.mp.dps = 40
    f, k, v = mpmath.mpf(forward) / WAD, mpmath.mpf(strike), mpmath.mpf(vol)
    t = mpmath.mpf(seconds) / (365 * DAY)
    s = v * mpmath.sqrt(t)
    d1 = mpmath.log(f / k) / s + s / 2
    density = mpmath.npdf(d1)
    call = f * mpmath.ncdf(d1) - k * mpmath.ncdf(d1 - s)
    vega = f * density * mpmath.sqrt(t)
    theta = -f * density * v / (2 * mpmath.sqrt(t))
    return call, call - f + k, mpmath.ncdf(d1), density / (f * s), vega, theta


def independent(desk, legs, vol=VOL):
    """Mid and the Greeks of `legs` [(is call, contracts, strike, collateral)] without any contract of ours but the prices.

    Lyra strikes in dollars and pays in sUSD; our prices are in USDC.
    """
    dollar = mpmath.mpf(desk.oracle.asset_quote().read().mid) / WAD
    spot, quote = desk.price("WETH") * dollar, mpmath.mpf(desk.price("SUSD")) / WAD
    mid = delta = gamma = vega = theta = mpmath.mpf(0)
    for is_call, contracts, strike, collateral in legs:
        call, put, d, g, v, t = black76(spot, strike, expiry_of(desk) - desk.now, vol)
        mid += quote * ((call if is_call else put) * contracts + collateral)
        delta += quote * contracts * (d if is_call else d - 1) * dollar
        gamma += quote * contracts * g * dollar**2
        vega += quote * contracts * v
        theta += quote * contracts * t
    return [float(x) for x in (mid, delta, gamma, vega, theta)]


def book_of(desk):
    """Mid and the Greeks of the 42-day options in the adapter's book, in whole units."""
    book = desk.option.book().read()
    greeks = next(e.greeks for e in book.exposures if e.expiry == expiry_of(desk))
    return [x / WAD for x in (book.mid, greeks.delta, greeks.gamma, greeks.vega, greeks.theta)]


def idle_quote(desk):
    return desk.balance("SUSD", desk.option)


def pool_and_market(desk):
    susd = desk.protocols.lyra
    return desk.balance("SUSD", susd.liquidity_pool), desk.balance("SUSD", susd.option_market)


def test_selling_opens_a_short_with_its_collateral(desk, option):
    pool, market = pool_and_market(desk)
    shorts = desk.balance("SUSD", desk.protocols.lyra.short_collateral)
    before = desk.idle
    position, filled, cash, fee = sell(desk, CALL)
    assert filled == 10 * WAD
    assert held(desk, position)[3:] == (10 * WAD, 15_000 * WAD, ACTIVE)
    assert desk.balance("SUSD", desk.protocols.lyra.short_collateral) - shorts == 15_000 * WAD
    # The premium is what Lyra's pool paid less what its market kept as a fee.
    pool_after, market_after = pool_and_market(desk)
    premium = (pool - pool_after) - (market_after - market)
    assert cash == pytest.approx(premium, rel=1e-5)
    assert 0 < fee < premium // 20
    # The vault put up the collateral that the premium did not, and the pool's 5 bps each way on 15,000 and the premium.
    paid = (before - desk.idle) * SCALE
    assert paid == pytest.approx(15_000 * WAD - premium, rel=0.002)
    assert idle_quote(desk) < SCALE
    assert desk.balance("USDC", desk.option) == 0


def test_the_book_is_our_black_76(desk, option):
    sell(desk, CALL)
    sell(desk, PUT, contracts=8, collateral=12_000)
    legs = [(CALL, -10, 3_000, 15_000), (PUT, -8, 3_000, 12_000)]
    assert book_of(desk) == pytest.approx(independent(desk, legs), rel=1e-9)
    call, put = desk.option.positions().read()
    price = black76(desk.price("WETH"), 3_000, expiry_of(desk) - desk.now, VOL)
    quote = desk.price("SUSD") / WAD
    assert call.price / WAD == pytest.approx(float(price[0]) * quote, rel=1e-12)
    assert put.price / WAD == pytest.approx(float(price[1]) * quote, rel=1e-12)
    assert (call.size, put.size) == (-10 * WAD, -8 * WAD)
    # The oracle holds total variance at 1e18, of which vol is the root: 16 digits.
    assert call.vol == pytest.approx(wad(VOL), abs=100)
    assert put.collateral == 12_000 * WAD
    book = desk.option.book().read()
    susd = next(e for e in book.exposures if e.underlying == desk.protocols.tokens["SUSD"].address)
    assert susd.expiry == 0
    assert abs(book.mid - susd.greeks.delta * desk.price("SUSD") // WAD) <= 1
    # 1% of the options, 0.05% of spot a contract, 5 bps of the quote token.
    worth = sum(abs(p.size) * p.price // WAD for p in (call, put))
    exit_cost = worth * 0.01 + 18 * desk.price("WETH") * quote * 0.0005 + book.mid * 0.0005
    assert book.half_width == pytest.approx(exit_cost, rel=1e-9)


def test_a_mark_reads_the_positions_without_lyra_s_vol(desk, option):
    sell(desk, CALL)
    sell(desk, PUT, contracts=8, collateral=12_000)
    (quote, carried) = option.carried().read()
    assert quote == desk.protocols.tokens["SUSD"].address == option.terms().read().quote
    positions = option.positions().read()
    assert all(p.venue_vol > 0 for p in positions)
    assert carried == tuple(replace(p, venue_vol=0) for p in positions)


def test_vegas_of_two_strikes_cancel_but_for_what_a_skew_may_do(desk, option):
    sell(desk, CALL)
    desk.rebalance(option.trade(Trade(0, listing(desk, 2_700), PUT, 8 * WAD, 0, 8 * 200 * WAD)))
    call, put = option.positions().read()
    assert call.greeks.vega < 0 < put.greeks.vega
    vols = VolOracle(desk.deployment.vol_source, desk.w3)
    weth, dollar = desk.protocols.tokens["WETH"].address, desk.oracle.asset_quote().read().mid
    reach = 0
    for strike in (3_000, 2_700):
        vol = vols.vol(weth, expiry_of(desk), strike * WAD * WAD // dollar).read()
        reach = max(reach, vol.mid - vol.low, vol.high - vol.mid)
    # If the put's vol falls by that and the call's rises, the netted vega sees nothing of what cancels in it.
    cancelled = -call.greeks.vega + put.greeks.vega - abs(call.greeks.vega + put.greeks.vega)
    assert cancelled == 2 * min(-call.greeks.vega, put.greeks.vega)
    quote = desk.price("SUSD") / WAD
    worth = sum(abs(p.size) * p.price // WAD for p in (call, put))
    susd = next(e for e in option.book().read().exposures if e.expiry == 0).greeks.delta
    exit_cost = worth * 0.01 + 18 * desk.price("WETH") * quote * 0.0005 + susd * quote * 0.0005
    width = option.book().read().half_width
    assert width == pytest.approx(exit_cost + cancelled * reach / WAD, rel=1e-6)
    assert width - exit_cost > 30 * WAD


def test_dollars_and_quote_tokens_are_priced_apart(desk, option):
    sell(desk, CALL)
    sell(desk, PUT, strike=2_700)
    desk.post_price(0.99, "USDC/USD")
    desk.post_price(0.97, "SUSD/USD")
    legs = [(CALL, -10, 3_000, 15_000), (PUT, -10, 2_700, 15_000)]
    assert book_of(desk) == pytest.approx(independent(desk, legs), rel=1e-9)


def test_our_vol_moves_nav_and_lyra_s_does_not(desk, option):
    sell(desk, CALL)
    sell(desk, PUT)
    legs = [(CALL, -10, 3_000, 15_000), (PUT, -10, 3_000, 15_000)]
    before = desk.vault.nav().read().mid
    # A stranger buys 800 calls, which takes Lyra's vol up by 8 points.
    lyra_vol = desk.option.positions().read()[0].venue_vol
    buy_as_stranger(desk, 800)
    assert desk.option.positions().read()[0].venue_vol - lyra_vol == pytest.approx(0.08 * WAD, rel=1e-3)
    assert book_of(desk) == pytest.approx(independent(desk, legs), rel=1e-9)
    assert desk.vault.nav().read().mid == pytest.approx(before, abs=20 * WAD)
    desk.post_vol(expiry_of(desk), VOL + 0.10)
    assert book_of(desk) == pytest.approx(independent(desk, legs, VOL + 0.10), rel=1e-9)
    fall = before - desk.vault.nav().read().mid
    # Ten straddles have about 8,050 dollars of vega a unit of vol.
    assert fall == pytest.approx(0.10 * -book_of(desk)[3] * WAD, rel=0.05)


def test_grow_shrink_and_close(desk, option):
    position, *_ = sell(desk, PUT)
    put = listing(desk)
    grown = Trade(position, put, PUT, -5 * WAD, 22_000 * WAD, 0)
    (answer,) = desk.rebalance(option.trade(grown))
    assert answer[0] == position
    assert held(desk, position)[3:] == (15 * WAD, 22_000 * WAD, ACTIVE)
    shrunk = Trade(position, put, PUT, 6 * WAD, 13_000 * WAD, wad(6 * 400))
    (answer,) = desk.rebalance(option.trade(shrunk))
    assert held(desk, position)[3:] == (9 * WAD, 13_000 * WAD, ACTIVE)
    assert -6 * 400 * WAD < answer[2] < -6 * 250 * WAD
    before = desk.idle
    (answer,) = desk.rebalance(option.trade(Trade(position, put, PUT, 9 * WAD, 0, wad(9 * 400))))
    # The collateral comes back less the cost and 5 bps in the pool.
    back = (desk.idle - before) * SCALE
    assert back == pytest.approx(13_000 * WAD + answer[2], rel=0.001)
    assert option.positions().read() == ()
    assert option.margin_units().read() == ()
    assert idle_quote(desk) < SCALE


def test_a_long_is_bought_within_its_limit_and_sold(desk, option):
    before = desk.idle
    order = Trade(0, listing(desk), CALL, 5 * WAD, 0, 5 * 340 * WAD)
    ((position, filled, cash, _),) = desk.rebalance(option.trade(order))
    assert filled == 5 * WAD
    assert held(desk, position)[2:4] == (0, 5 * WAD)
    spent = (before - desk.idle) * SCALE
    assert spent <= 5 * 340 * WAD
    assert spent == pytest.approx(-cash, rel=0.002)
    assert option.margin_units().read() == ()
    assert book_of(desk) == pytest.approx(independent(desk, [(CALL, 5, 3_000, 0)]), rel=1e-8)
    before = desk.idle
    ((_, _, cash, _),) = desk.rebalance(
        option.trade(Trade(position, listing(desk), CALL, -5 * WAD, 0, 5 * 280 * WAD))
    )
    assert (desk.idle - before) * SCALE == pytest.approx(cash, rel=0.001)
    assert option.positions().read() == ()


def test_a_price_beyond_the_limit_is_refused(desk, option):
    with pytest.raises(ContractError):
        sell(desk, CALL, limit=10 * 350 * WAD)
    with pytest.raises(ContractError):
        desk.rebalance(option.trade(Trade(0, listing(desk), CALL, 5 * WAD, 0, 5 * 250 * WAD)))
    assert desk.idle == 1_000_000 * USDC


def test_margin_is_lyra_s_minimum_collateral(desk, option):
    call, *_ = sell(desk, CALL)
    put, *_ = sell(desk, PUT)
    assert option.margin_units().read() == (call, put)
    for unit in (call, put):
        margin = option.margin(unit).read()
        assert margin.equity == 15_000 * WAD
        assert margin.initial == margin.maintenance == least_collateral(desk, unit)
        assert option.unit_health(unit).read() == 15_000 * WAD * WAD // margin.maintenance
    assert option.health().read() == min(option.unit_health(unit).read() for unit in (call, put))
    with pytest.raises(ContractError) as refused:
        option.margin(put + 1).read()
    assert type(refused.value).__name__ == "UnknownUnit"


def test_post_and_free_change_the_collateral(desk, option):
    position, *_ = sell(desk, PUT)
    before = desk.idle
    (posted,) = desk.rebalance(option.post(position, 4_000 * USDC, 3_990 * USDC))
    assert before - desk.idle == 4_000 * USDC
    collateral = held(desk, position)[4]
    assert (collateral - 15_000 * WAD) // SCALE == posted
    assert posted == pytest.approx(4_000 * USDC * 0.9995, rel=1e-4)
    before = desk.idle
    (freed,) = desk.rebalance(option.free(position, 2_000 * USDC, 1_990 * USDC))
    # The answer is of a second earlier, when our average of sUSD was another in the last digits.
    assert desk.idle - before == pytest.approx(freed, rel=1e-6)
    assert freed == pytest.approx(2_000 * USDC * 0.9995, rel=1e-4)
    assert collateral - held(desk, position)[4] == pytest.approx(2_000 * WAD, rel=1e-4)
    for call in (option.post(position, USDC, USDC), option.free(position, USDC, USDC)):
        with pytest.raises(ContractError) as refused:
            desk.rebalance(call)
        assert type(refused.value.cause).__name__ == "BelowMinimum"


def test_the_keeper_tops_a_unit_up_and_not_past_its_target(desk, option):
    position, *_ = sell(desk, PUT, collateral=11_800)
    assert wad(1.08) < option.unit_health(position).read() < wad(1.15)
    posted = desk.top_up(option, position, 500)
    assert (held(desk, position)[4] - 11_800 * WAD) // SCALE == pytest.approx(posted, rel=1e-6)
    assert option.unit_health(position).read() < wad(1.20)
    with pytest.raises(ContractError) as refused:
        desk.top_up(option, position, 5_000)
    assert type(refused.value).__name__ == "PastTarget"


def test_a_stale_cache_is_refreshed_before_a_trade(desk, option):
    desk.warp(3 * 3_600 + 1_300)
    desk.post_price(3_000)
    board = ask(desk, "OptionMarket", "getStrikeAndBoard", listing(desk))[1][0]
    assert ask(desk, "OptionGreekCache", "isBoardCacheStale", board)
    sell(desk, CALL)
    assert not ask(desk, "OptionGreekCache", "isBoardCacheStale", board)
    assert ask(desk, "OptionGreekCache", "getOptionBoardCache", board)[5] == desk.now


def test_a_stale_feed_stops_trades(desk, option):
    position, *_ = sell(desk, PUT)
    desk.warp(3 * 3_600 + 1)
    with pytest.raises(ContractError) as refused:
        desk.rebalance(option.trade(Trade(position, listing(desk), PUT, -WAD, 17_000 * WAD, 0)))
    assert refused.value.data[:4] == RATE_IS_INVALID
    with pytest.raises(ContractError) as refused:
        option.margin(position).read()
    assert refused.value.data[:4] == RATE_IS_INVALID


def test_reduce_closes_a_fraction_in_the_ordinary_way(desk, option):
    position, *_ = sell(desk, PUT)
    before = desk.idle
    (status,) = desk.rebalance(option.reduce(position, WAD * 4 // 10, wad(400)))
    assert status == Status.FILLED
    assert held(desk, position)[3:5] == (6 * WAD, 9_000 * WAD)
    assert 0 < (desk.idle - before) < 6_000 * USDC


def test_reduce_outside_the_delta_bounds_is_forced(desk, option):
    position, *_ = sell(desk, PUT, collateral=20_000)
    desk.post_price(2_200)
    with pytest.raises(ContractError):
        option.trade(Trade(position, listing(desk), PUT, 2 * WAD, 16_000 * WAD, wad(4_000))).read(
            sender=desk.vault.address
        )
    assert option.reduce(position, WAD // 5, wad(1_000)).read(sender=desk.vault.address) == Status.FILLED
    with pytest.raises(ContractError):
        option.reduce(position, WAD // 5, wad(500)).read(sender=desk.vault.address)


def test_settlement_by_anyone_after_expiry(desk, option):
    call, *_ = sell(desk, CALL)
    put, *_ = sell(desk, PUT)
    with pytest.raises(ContractError) as refused:
        option.settle(put).read()
    assert (type(refused.value).__name__, refused.value.expiry) == ("NotExpired", expiry_of(desk))
    settle_other_boards(desk)
    desk.warp(expiry_of(desk) - desk.now + 60)
    for pair in ("USDC/USD", "SUSD/USD"):
        desk.post_price(1, pair)
    desk.post_price(2_800)
    # Ten puts 200 in the money, at our price of the moment until Lyra fixes its own.
    spot, quote = desk.price("WETH"), desk.price("SUSD")
    book = option.book().read()
    owed = 10 * max(3_000 * WAD - spot, 0) - 10 * max(spot - 3_000 * WAD, 0) * -1
    assert abs(book.mid - (30_000 * WAD - owed) * quote // WAD) <= 10
    weth = next(e for e in book.exposures if e.underlying == desk.protocols.tokens["WETH"].address)
    assert (weth.expiry, weth.greeks.vega) == (0, 0)
    assert option.margin_units().read() == ()
    before = desk.idle
    stranger = desk.chain.signers["carol"]
    option.settle(put).send(stranger, gas=5_000_000)
    assert desk.idle - before == pytest.approx((15_000 - 10 * 200) * USDC * 0.9995, rel=1e-4)
    before = desk.idle
    option.settle(call).send(stranger, gas=5_000_000)
    assert desk.idle - before == pytest.approx(15_000 * USDC * 0.9995, rel=1e-4)
    assert option.positions().read() == ()
    assert idle_quote(desk) < SCALE


def test_what_settles_without_a_price_of_the_quote_token_waits_for_one(desk, option):
    put, *_ = sell(desk, PUT)
    settle_other_boards(desk)
    desk.warp(expiry_of(desk) - desk.now + 60)
    desk.post_price(1, "USDC/USD")
    desk.post_price(2_800)
    idle, stranger = desk.idle, desk.chain.signers["carol"]
    option.settle(put).send(stranger, gas=5_000_000)
    # No stranger chooses the moment of a sale that no price of ours limits.
    assert desk.idle == idle
    assert idle_quote(desk) == pytest.approx(13_000 * WAD, rel=1e-9)
    option.sync().send(stranger, gas=5_000_000)
    assert desk.idle == idle
    desk.post_price(1, "SUSD/USD")
    assert option.book().read().mid == pytest.approx(13_000 * desk.price("SUSD"), rel=1e-9)
    option.sync().send(stranger, gas=5_000_000)
    assert desk.idle - idle == pytest.approx(13_000 * USDC * 0.9995, rel=1e-4)
    assert idle_quote(desk) < SCALE


def test_what_expires_near_its_strike_is_wide_until_lyra_fixes_its_price(desk, option):
    call, *_ = sell(desk, CALL)
    settle_other_boards(desk)
    desk.warp(expiry_of(desk) - desk.now + 60)
    for pair in ("USDC/USD", "SUSD/USD"):
        desk.post_price(1, pair)
    desk.post_price(2_995)
    spot = desk.oracle.quote(desk.protocols.tokens["WETH"].address).read()
    dollar, quote = desk.oracle.asset_quote().read().mid, desk.price("SUSD")
    # The call is out of the money at mid and may be in it: no delta says so, and the ten contracts may cost this much.
    assert option.book().read().mid == pytest.approx(15_000 * quote, abs=10)
    reach = max(spot.high - spot.mid, spot.mid - spot.low)
    cost = 10 * ((spot.mid + reach) * dollar // WAD - 3_000 * WAD) * quote // WAD
    assert cost > 50 * WAD
    pool_fee = 15_000 * quote * 5 // 10_000
    assert option.book().read().half_width == pytest.approx(cost + pool_fee, rel=1e-9)
    option.settle(call).send(desk.chain.signers["carol"], gas=5_000_000)
    assert option.book().read().half_width < WAD


def test_a_liquidation_by_a_stranger_is_seen_and_what_is_left_comes_home(desk, option):
    # Barely over the least that the guard allows, so that a fall which our oracle still stands behind is enough.
    position, *_ = sell(desk, PUT, collateral=11_600)
    call, *_ = sell(desk, CALL)
    desk.post_price(2_750)
    assert option.unit_health(position).read() < WAD
    liquidator = desk.chain.accounts["liquidator"]
    desk.act(
        "liquidator",
        desk.protocols.lyra.option_market,
        lyra.contract("OptionMarket"),
        "liquidatePosition",
        position,
        liquidator,
    )
    left = idle_quote(desk)
    assert left > 1_000 * WAD
    assert option.margin_units().read() == (call,)
    book = option.book().read()
    legs = [(CALL, -10, 3_000, 15_000 + left / WAD)]
    assert book.mid / WAD == pytest.approx(independent(desk, legs)[0], rel=1e-9)
    before = desk.idle
    receipt = option.sync().send(desk.chain.signers["carol"], gas=3_000_000)
    seen = next(event for event in receipt.events if type(event).__name__ == "LiquidationSeen")
    assert (seen.position_id, seen.collateral_left) == (position, left)
    assert desk.idle - before == pytest.approx(left / SCALE * 0.9995, rel=1e-4)
    assert [p.position_id for p in option.positions().read()] == [call]


def test_what_is_not_ours_is_unknown(desk, option):
    for call in (
        option.settle(99),
        option.trade(Trade(99, listing(desk), PUT, WAD, 0, WAD)),
    ):
        with pytest.raises(ContractError) as refused:
            call.read(sender=desk.vault.address)
        assert type(refused.value).__name__ == "UnknownPosition"


def test_a_listing_that_is_not_there_is_refused(desk, option):
    # 2^64 more names the same strike in 64 bits.
    for number in (0, 999, listing(desk) + 2**64):
        with pytest.raises(ContractError) as refused:
            desk.rebalance(option.trade(Trade(0, number, PUT, -WAD, 2_000 * WAD, 0)))
        cause = refused.value.cause
        assert (type(cause).__name__, cause.listing) == ("UnknownListing", number)


def test_listings_and_terms_are_lyra_s(desk, option):
    found = option.listings().read()
    assert len(found) == 3 * 13
    assert {x.expiry for x in found} == {expiry_of(desk, days) for days in (14, 42, 84)}
    assert {x.venue_vol for x in found} == {wad(0.8), wad(0.75)}
    terms = option.terms().read()
    assert (terms.min_delta, terms.cutoff) == (wad(0.15), DAY // 2)
    assert terms.quote == desk.protocols.lyra.quote


def buy_as_stranger(desk, contracts):
    """Buy ATM calls on Lyra from another account."""
    trader = desk.chain.accounts["trader"]
    desk.give("SUSD", trader, 1_000_000 * WAD)
    market = desk.protocols.lyra.option_market
    desk.token("SUSD").approve(market, 10**30).send(desk.chain.signers["trader"])
    order = (listing(desk), 0, 1, 0, contracts * WAD, 0, 0, 2**256 - 1)
    desk.act("trader", market, lyra.contract("OptionMarket"), "openPosition", order)


def settle_other_boards(desk):
    """Settle the board that expires first, as Lyra's keepers would: its cache must not hold the others up."""
    desk.warp(expiry_of(desk, 14) - desk.now + 60)
    desk.post_price(3_000)
    desk.act(
        "trader", desk.protocols.lyra.option_market, lyra.contract("OptionMarket"), "settleExpiredBoard", 1
    )
