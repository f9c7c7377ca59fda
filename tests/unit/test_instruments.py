"""Every instrument against published numbers, closed forms and differences worked out by hand."""

import csv
import math
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from evenkeel.instruments import (
    BUCKETS,
    SQUEETH_PERIOD,
    Book,
    DatedFuture,
    EuropeanOption,
    InstrumentError,
    LpRange,
    Perp,
    Position,
    PowerPerp,
    Spot,
)
from evenkeel.market import Market, MarketError, PerpQuote, PowerQuote
from evenkeel.market.svi import SviSlice, SviSurface
from evenkeel.pricing import black76
from evenkeel.risk import explain

DAY = 86400
NOW = 1_750_000_000
EXPIRY = NOW + 42 * DAY


def at(spot=3000.0, **kwargs):
    return Market(NOW, "USDC", {"WETH": spot, "WBTC": 60_000.0}, **kwargs)


def one(instrument, quantity=1.0):
    return Book((Position(instrument, quantity, "venue"),))


def held(book, market, token="WETH"):
    found = book.greeks(market)
    return {
        name: found.of(name, token)
        for name in ("delta", "gamma", "vega", "theta", "basis", "carry", "delta_coin")
    }


def test_range_holds_what_the_uniswap_book_computes():
    # Kuzmin, "Uniswap V3 Development Book", calculating liquidity: 5,000 between 4,545 and 5,500.
    pool = LpRange("WETH", "USDC", 1517882343751509868544 / 1e18, 4545.0, 5500.0)
    found = one(pool).greeks(at(5000.0))
    assert found.of("delta", "WETH") == pytest.approx(0.998976618347425408, rel=1e-12)
    assert one(pool).value(at(5000.0)) == pytest.approx(5000.0 + 5000.0 * 0.998976618347425408, rel=1e-12)


def test_range_takes_the_amounts_of_elsts_example():
    # Elsts, "Liquidity math in Uniswap v3", 2021, example 1: 2 ETH at 2,000 within 1,500 to 2,500 need 5,076.10 USDC.
    liquidity = 2.0 / (1.0 / math.sqrt(2000.0) - 1.0 / math.sqrt(2500.0))
    worth = one(LpRange("WETH", "USDC", liquidity, 1500.0, 2500.0)).value(at(2000.0))
    assert worth - 4000.0 == pytest.approx(5076.10, abs=0.01)


def test_full_range_is_the_constant_product():
    pool = one(LpRange("WETH", "USDC", 100.0, 0.0, math.inf))
    assert pool.value(at()) == pytest.approx(2.0 * 100.0 * math.sqrt(3000.0), rel=1e-14)
    # Impermanent loss of a doubling is 2 sqrt(2) / 3 - 1 of holding.
    doubled = pool.value(at(6000.0)) / (pool.value(at()) * 1.5)
    assert doubled - 1.0 == pytest.approx(2.0 * math.sqrt(2.0) / 3.0 - 1.0, rel=1e-12)


@pytest.mark.parametrize("spot", [1900.0, 2100.0, 2500.0, 2999.0, 3400.0])
def test_range_greeks_equal_differences_and_vanish_outside(spot):
    pool, h = one(LpRange("WETH", "USDC", 250.0, 2000.0, 3000.0)), 0.5

    def value(ds):
        return pool.value(at(spot + ds))

    delta = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
    found = held(pool, at(spot))
    assert found["delta"] == pytest.approx(delta, rel=1e-8, abs=1e-9)
    if 2000.0 < spot < 3000.0:
        assert found["gamma"] == pytest.approx(-250.0 / (2.0 * spot**1.5), rel=1e-13)
    else:
        assert found["gamma"] == 0.0
        assert found["delta"] == pytest.approx(
            0.0 if spot > 3000.0 else 250.0 * (2000.0**-0.5 - 3000.0**-0.5)
        )


def test_range_of_two_risky_tokens_has_cross_gamma():
    pool = one(LpRange("WBTC", "WETH", 40.0, 10.0, 30.0))
    found = pool.greeks(at())
    cross = 40.0 / (2.0 * math.sqrt(60_000.0 * 3000.0))
    assert found.cross_gamma == {("WBTC", "WETH"): pytest.approx(cross, rel=1e-13)}
    # Worth is homogeneous of degree one in both prices: what each delta changes in proportion cancels.
    for token, own, other in (("WETH", 3000.0, 60_000.0), ("WBTC", 60_000.0, 3000.0)):
        assert found.of("gamma", token) * own + cross * other == pytest.approx(0.0, abs=1e-16 * own)
    worth = found.of("delta", "WETH") * 3000.0 + found.of("delta", "WBTC") * 60_000.0
    assert worth == pytest.approx(pool.value(at()), rel=1e-13)


def test_squeeth_is_worth_what_its_implied_vol_says():
    # Opyn: implied vol = sqrt(ln(mark / index) / (17.5 / 365)); oSQTH = normalisation x mark / 10,000.
    index, mark, factor = 3000.0**2, 3000.0**2 * 1.03, 0.7
    quote = PowerQuote.from_mark(mark, index, factor, SQUEETH_PERIOD)
    assert quote.vol == pytest.approx(math.sqrt(math.log(1.03) * 365.0 / 17.5), rel=1e-14)
    book = one(PowerPerp("WETH", "oSQTH"), 10.0)
    world = at(powers={("venue", "oSQTH"): quote})
    worth = 10.0 * factor * mark / 1e4
    assert book.value(world) == pytest.approx(worth, rel=1e-14)
    found = held(book, world)
    assert found["delta"] * 3000.0 == pytest.approx(2.0 * worth)
    # Funding pays for gamma exactly at the implied volatility: theta + 1/2 gamma S^2 vol^2 = 0.
    assert found["theta"] == pytest.approx(-0.5 * found["gamma"] * 3000.0**2 * quote.vol**2, rel=1e-13)
    assert book.greeks(world).by_bucket("WETH")["30d"].vega_usd_pt == pytest.approx(found["vega"] / 100.0)
    with pytest.raises(MarketError, match="mark: expected at least the index"):
        PowerQuote.from_mark(index, mark, factor, SQUEETH_PERIOD)


def test_inverse_option_is_black_over_forward_in_coin():
    world = at(vols={("WETH", EXPIRY): 0.7}, ratios={("WETH", EXPIRY): 1.02}, discounts={EXPIRY: 0.97})
    black = black76(3060.0, 3200.0, 42 / 365, 0.7, True)
    book = one(EuropeanOption("WETH", EXPIRY, 3200.0, True, inverse=True), 5.0)
    mark = float(black.price) / 3060.0
    assert book.value(world) == pytest.approx(5.0 * mark * 3000.0, rel=1e-14)
    found = held(book, world)
    assert found["delta"] == pytest.approx(5.0 * float(black.delta), rel=1e-14)
    assert found["delta_coin"] == pytest.approx(5.0 * (float(black.delta) - mark), rel=1e-13)
    # The coin that margins it is a spot leg: one that pays the premium in coin leaves the coin delta as it was.
    margined = Book((*book.positions, Position(Spot("WETH"), -5.0 * mark, "venue")))
    assert held(margined, world)["delta"] == pytest.approx(found["delta_coin"], rel=1e-13)
    assert held(margined, world)["delta_coin"] == pytest.approx(found["delta_coin"], rel=1e-13)


def test_deribits_own_example_of_a_net_delta():
    # Deribit, "Delta decay during settlement": a call deep in the money, delta 1.0 and mark 0.3, has a net delta of 0.7.
    world = at(10_000.0, vols={("WETH", EXPIRY): 0.01})
    found = held(one(EuropeanOption("WETH", EXPIRY, 7000.0, True, inverse=True)), world)
    assert found["delta"] == pytest.approx(1.0)
    assert found["delta_coin"] == pytest.approx(0.7)


CHAIN = "deribit_eth_chain_20260130T042515Z.csv"


@pytest.mark.skipif(
    not (Path(os.environ.get("EVENKEEL_DATA", "")) / CHAIN).is_file(), reason=f"EVENKEEL_DATA has no {CHAIN}"
)
def test_deribit_chain_in_one_book():
    with (Path(os.environ["EVENKEEL_DATA"]) / CHAIN).open() as file:
        rows = [
            r
            for r in csv.DictReader(file)
            if float(r["time_to_maturity"]) > 2 / 365 and float(r["mark_price"]) > 0
        ]
    now = datetime.fromisoformat(rows[0]["timestamp"]).timestamp()
    gaps, marks = [], []
    for row in rows:
        expiry = round(datetime.fromisoformat(row["expiry_datetime"]).timestamp())
        spot, strike = float(row["index_price"]), float(row["strike"])
        world = Market(
            round(now),
            "USDC",
            {"ETH": spot},
            vols={("ETH", expiry): float(row["implied_volatility"])},
            ratios={("ETH", expiry): float(row["futures_price"]) / spot},
        )
        found = one(EuropeanOption("ETH", expiry, strike, row["option_type"] == "call", inverse=True)).greeks(
            world
        )
        gaps.append(abs(found.of("delta", "ETH") - float(row["delta"])))
        coin = found.of("delta", "ETH") - found.of("delta_coin", "ETH")
        marks.append(abs(coin - float(row["mark_price"])))
    assert len(gaps) > 100
    assert max(gaps) < 6e-3
    assert np.median(gaps) < 2e-4
    assert max(marks) < 3e-4
    assert np.median(marks) < 2e-5


def test_dated_future_moves_with_its_ratio_and_rolls_to_spot():
    world = at(ratios={("WETH", EXPIRY): 1.03})
    book = one(DatedFuture("WETH", EXPIRY), -4.0)
    found = held(book, world)
    assert book.value(world) == pytest.approx(-4.0 * 3090.0)
    assert found["delta"] == pytest.approx(-4.0 * 1.03)
    assert found["basis"] == pytest.approx(-4.0 * 3090.0)
    assert found["carry"] == pytest.approx(4.0 * 3090.0 * math.log(1.03) / 42.0)
    # Held to expiry with spot still, the whole premium is carry.
    parts = explain((book, world), (book, replace(world, timestamp=EXPIRY)))
    assert parts.carry == pytest.approx(4.0 * 90.0)
    assert parts.basis == pytest.approx(0.0, abs=1e-9)
    assert parts.residual == pytest.approx(0.0, abs=1e-9)


def test_inverse_future_pays_in_coin():
    entry, end = 3000.0, 3300.0
    book = Book(
        (
            Position(DatedFuture("WETH", EXPIRY, inverse=True), 6000.0, "venue"),
            Position(Spot("WETH"), 6000.0 / entry, "venue"),
        )
    )
    world = at(ratios={("WETH", EXPIRY): 1.03})
    # Deribit: 6,000 of notional bought at 3,000 and closed at F pay 6,000 (1 / 3,000 - 1 / F) coins.
    assert book.value(world) == pytest.approx(3000.0 * 6000.0 * (1.0 / entry - 1.0 / 3090.0))
    assert book.value(at(end)) == pytest.approx(end * 6000.0 * (1.0 / entry - 1.0 / end))
    found = held(book, world)
    assert found["delta"] == pytest.approx(2.0)
    assert found["delta_coin"] == pytest.approx(6000.0 / 3090.0)
    assert found["basis"] == pytest.approx(6000.0 / 1.03)
    parts = explain((book, world), (book, replace(world, timestamp=EXPIRY)))
    assert parts.carry == pytest.approx(book.value(at()) - book.value(world))
    moved = explain(
        (book, world), (book, replace(at(end, ratios={("WETH", EXPIRY): 1.05}), timestamp=NOW + DAY))
    )
    assert moved.residual == pytest.approx(0.0, abs=1e-9)
    assert moved.basis > 0.0 > moved.carry


def test_inverse_perpetual_pays_in_coin():
    """BitMEX's and Deribit's inverse perpetual: contracts x (1 / entry - 1 / mark) coins."""
    entry, quote = 2500.0, {("venue", "vETH"): PerpQuote(3012.0, 3000.0, 0.001, 0.0)}
    legs = (
        Position(Perp("WETH", "vETH", inverse=True), 5000.0, "venue"),
        Position(Spot("WETH"), 5000.0 / entry, "venue"),
    )
    world, book = at(perps=quote, bases={("venue", "vETH"): 12.0}), Book(legs)
    assert book.value(world) == pytest.approx(3000.0 * 5000.0 * (1.0 / entry - 1.0 / 3012.0))
    # Without a basis all of the delta is in the coins, and one asset unit of notional is worth -1 at any price.
    assert held(book, at())["delta"] == pytest.approx(2.0)
    assert Book(legs[:1]).value(at(1234.0)) == -5000.0
    found = held(book, world)
    assert found["delta"] == pytest.approx(2.0 - 5000.0 * 12.0 / 3012.0**2)
    assert found["basis"] == pytest.approx(5000.0 * 3000.0 / 3012.0)
    # A long pays the funding rate on its notional, in coin.
    assert found["carry"] == pytest.approx(-0.001 * 5000.0 * 3000.0 / 3012.0)
    moved = at(3001.0, perps=quote, bases={("venue", "vETH"): 5.0})
    parts = explain((book, world), (book, moved))
    assert parts.total == pytest.approx(book.value(moved) - book.value(world))
    assert parts.basis == pytest.approx(5000.0 * (3001.0 / 3013.0 - 3001.0 / 3006.0))
    assert parts.residual == pytest.approx(0.0, abs=1e-6)


def test_perpetual_keeps_its_dollar_basis():
    quote = {("venue", "vETH"): PerpQuote(3012.0, 3000.0, 0.001, 0.0)}
    world, book = at(perps=quote, bases={("venue", "vETH"): 12.0}), one(Perp("WETH", "vETH"), 2.0)
    found = held(book, world)
    assert (found["delta"], found["basis"]) == (2.0, 2.0 * 3012.0)
    assert book.value(world) == pytest.approx(6024.0)
    parts = explain((book, world), (book, replace(at(3100.0, perps=quote), bases={("venue", "vETH"): 5.0})))
    assert parts.delta == pytest.approx(200.0)
    assert parts.basis == pytest.approx(-14.0)
    assert parts.residual == pytest.approx(0.0, abs=1e-9)


def test_buckets_hold_their_edges():
    days = (0.5, 7.0, 7.5, 30.0, 31.0, 90.0, 91.0)
    expiries = [NOW + round(d * DAY) for d in days]
    world = at(vols={("WETH", e): 0.7 for e in expiries})
    legs = [Position(EuropeanOption("WETH", e, 3000.0, True), 1.0, "venue") for e in expiries]
    found = Book((*legs, Position(Spot("WETH"), 3.0, "venue"))).greeks(world)
    assert [BUCKETS[b] for b in found.bucket] == [
        "perpetual",
        "7d",
        "7d",
        "30d",
        "30d",
        "90d",
        "90d",
        "longer",
    ]
    assert found.by_bucket("WETH")["perpetual"].delta_usd == pytest.approx(9000.0)


def test_weighted_vega_scales_by_the_root_of_tenor():
    def vega(days):
        expiry = NOW + days * DAY
        world = at(vols={("WETH", expiry): 0.7})
        found = one(EuropeanOption("WETH", expiry, 3000.0, True)).greeks(world)
        return found.weighted_vega("WETH") / found.of("vega", "WETH")

    assert vega(30) == pytest.approx(1.0)
    assert vega(3) == pytest.approx(10.0**0.3)
    assert vega(300) == pytest.approx(10.0**-0.13)


def test_gross_vega_does_not_net():
    world = at(vols={("WETH", EXPIRY): 0.7})
    legs = [
        Position(EuropeanOption("WETH", EXPIRY, 3000.0, c), q, "venue")
        for c, q in ((True, 2.0), (False, -2.0))
    ]
    found = Book(tuple(legs)).greeks(world)
    assert found.of("vega", "WETH") == pytest.approx(0.0, abs=1e-9)
    assert found.of("gross_vega", "WETH") == pytest.approx(
        4.0 * float(black76(3000.0, 3000.0, 42 / 365, 0.7, True).vega)
    )


def test_an_empty_book_has_no_greeks():
    found = Book((), 5.0).greeks(at())
    assert found.underlyings == ()
    assert found.total().delta_usd == 0.0
    assert Book((), 5.0).value(at()) == 5.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LpRange("WETH", "USDC", 1.0, 3000.0, 2000.0), "lower, upper: expected 0 <= lower < upper"),
        (lambda: LpRange("WETH", "USDC", -1.0, 1.0, 2.0), "liquidity: expected 0 or more"),
        (lambda: LpRange("WETH", "WETH", 1.0, 1.0, 2.0), "quote: expected another token"),
        (lambda: LpRange("WETH", "USDC", 1.0, math.nan, 2.0), "lower, upper"),
        (lambda: PowerPerp("WETH", "m", period=0.0), "period: expected more than 0"),
        (lambda: EuropeanOption("WETH", EXPIRY, -1.0, True), "strike: expected 0 or more"),
    ],
)
def test_fields_outside_their_domain_are_named(make, message):
    with pytest.raises(InstrumentError, match=message):
        make()


def test_a_power_perpetual_needs_its_quote():
    with pytest.raises(MarketError, match="no normalisation and volatility of oSQTH at venue"):
        one(PowerPerp("WETH", "oSQTH")).value(at())


def test_a_fitted_surface_values_options_strike_by_strike():
    slices = [
        SviSlice(0.02, 0.1, -0.3, 0.02, 0.1, 21 / 365),
        SviSlice(0.05, 0.15, -0.3, 0.02, 0.15, 84 / 365),
    ]
    surface = SviSurface(slices, (3000.0, 3000.0), NOW)
    world = at(surfaces={"WETH": surface}, vols={("WETH", EXPIRY): 9.0})
    strikes = (2400.0, 3000.0, 3600.0)
    legs = [Position(EuropeanOption("WETH", EXPIRY, k, False), 1.0, "venue") for k in strikes]
    vols = np.array([float(surface.vol(EXPIRY, k)) for k in strikes])
    black = black76(3000.0, strikes, 42 / 365, vols, False)
    found = Book(tuple(legs)).greeks(world)
    assert Book(tuple(legs)).value(world) == pytest.approx(black.price.sum(), rel=1e-14)
    assert found.of("delta", "WETH") == pytest.approx(black.delta.sum(), rel=1e-13)
    # The strike keeps its volatility when spot moves, so the bump agrees with the sticky-strike delta.
    up, down = (Book(tuple(legs)).value(replace(world, spots={"WETH": 3000.0 + h})) for h in (0.3, -0.3))
    assert (up - down) / 0.6 == pytest.approx(found.of("delta", "WETH"), rel=1e-6)
    assert Book(tuple(legs)).value(replace(world, timestamp=EXPIRY)) == 600.0


def test_an_option_that_expires_at_its_strike_leaves_gamma_finite():
    world = at(vols={("WETH", NOW): 0.7, ("WETH", EXPIRY): 0.7})
    legs = [
        Position(EuropeanOption("WETH", e, 3000.0, True), q, "venue")
        for e, q in ((NOW, 1.0), (NOW, -2.0), (EXPIRY, 1.0))
    ]
    found = Book(tuple(legs)).greeks(world)
    assert found.of("gamma", "WETH") == pytest.approx(
        float(black76(3000.0, 3000.0, 42 / 365, 0.7, True).gamma)
    )
    assert found.of("delta", "WETH") == pytest.approx(
        float(black76(3000.0, 3000.0, 42 / 365, 0.7, True).delta) - 0.5
    )
