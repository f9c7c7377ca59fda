"""Stress losses and attribution of small books whose answers can be worked out by hand."""

from itertools import pairwise

import numpy as np
import pytest

from evenkeel.instruments import (
    Book,
    DatedFuture,
    EuropeanOption,
    Loan,
    LpRange,
    Perp,
    Position,
    PowerPerp,
    Spot,
)
from evenkeel.market import LendingRates, Market, MarketError, PerpQuote, PowerQuote
from evenkeel.pricing import black76
from evenkeel.risk import Attribution, Columns, Fill, Transfer, explain, greeks, stress_loss

DAY = 86400
NOW = 1_750_000_000
EXPIRY = NOW + 42 * DAY


def market(spot=3000.0, vol=0.75, days=0.0, susd=1.0):
    return Market(
        timestamp=NOW + round(days * DAY),
        asset="USDC",
        spots={"WETH": spot, "sUSD": susd},
        vols={("WETH", EXPIRY): vol},
        perps={("curie", "vETH"): PerpQuote(spot, spot, 0.001, 0.001)},
        rates={("aave", "USDC"): LendingRates(0.04, 0.06)},
        quote_tokens=frozenset({"sUSD"}),
    )


def straddles(n=-60.0):
    legs = [
        Position(EuropeanOption("WETH", EXPIRY, 3000.0, c), n, "lyra", i + 1)
        for i, c in enumerate((True, False))
    ]
    margin = [Position(Spot("sUSD"), 73_000.0, "lyra", 1), Position(Spot("sUSD"), 64_000.0, "lyra", 2)]
    return Book((*legs, *margin), cash=880_000.0)


def nav(book, at):
    return float(Columns.of(book, at).value())


def test_default_book_matches_the_mandates_starting_numbers():
    report = greeks(straddles(), market()).report("WETH")
    assert report.gamma_usd_1pct == pytest.approx(-5600, rel=0.02)
    assert report.vega_usd_pt == pytest.approx(-483, rel=0.02)
    assert report.theta_usd_day == pytest.approx(431, rel=0.02)


def test_linear_book_by_hand():
    book = Book(
        (
            Position(Spot("WETH"), 2.0, "uniswap"),
            Position(Perp("WETH", "vETH"), -5.0, "curie"),
            Position(Loan("USDC"), 100_000.0, "aave"),
        ),
        cash=1000.0,
    )
    found = greeks(book, market())
    assert found.report("WETH").delta_usd == pytest.approx(-9000.0)
    assert found.report("WETH").carry_usd_day == pytest.approx(5 * 3000 * 0.001)
    assert found.total().carry_usd_day == pytest.approx(15.0 + 100_000 * 0.04 / 365)
    loss = stress_loss(book, market())
    assert loss.market.amount == pytest.approx(2700.0)
    assert "spot +30%" in loss.market.scenario
    assert loss.venues["aave"].amount == pytest.approx(100_000.0)


def test_stress_of_the_demo_book_is_a_full_revaluation():
    at, book = market(), straddles()
    hedged = book.with_trade(
        Position(Perp("WETH", "vETH"), -greeks(book, at).of("delta", "WETH"), "curie"), 0.0
    )
    loss = stress_loss(hedged, at)
    assert 0.027 < loss.market.amount / nav(book, at) < 0.037
    direct = [
        nav(hedged, at) - nav(hedged, market(3000.0 * (1 + ds), 0.75 + dv))
        for ds in (0, 0.1, -0.1, 0.2, -0.2, 0.3, -0.3)
        for dv in (0, 0.3)
    ]
    assert loss.market.amount == pytest.approx(max(direct), rel=1e-12)
    assert loss.quotes["sUSD"].amount == pytest.approx(137_000 * 0.3)
    price = black76(3000.0, 3000.0, 42 / 365, 0.75, [True, False]).price.sum()
    assert loss.venues["lyra"].amount == pytest.approx(137_000 - 60 * price)


def test_risky_underlyings_are_also_shocked_alone():
    book = Book((Position(Spot("WETH"), 10.0, "a"), Position(Spot("WBTC"), -0.5, "a")))
    at = Market(NOW, "USDC", {"WETH": 3000.0, "WBTC": 60_000.0})
    loss = stress_loss(book, at)
    assert loss.market.amount == pytest.approx(9000.0)
    assert loss.market.scenario in {"WETH -30%, vol +0 pts", "WBTC +30%, vol +0 pts"}


def test_a_missing_price_is_named():
    with pytest.raises(MarketError, match="no price of WBTC"):
        greeks(Book((Position(Spot("WBTC"), 1.0, "a"),)), market())
    gone = EuropeanOption("WETH", EXPIRY + DAY, 3000.0, is_call=True)
    with pytest.raises(MarketError, match="no volatility of WETH"):
        greeks(Book((Position(gone, 1.0, "a"),)), market())


def test_explain_between_states_without_trades_sums_exactly():
    book = straddles()
    before, after = market(), market(3030.0, 0.76, days=1 / 24, susd=0.999)
    parts = explain((book, before), (book, after))
    assert parts.total == pytest.approx(nav(book, after) - nav(book, before), abs=1e-6)
    assert abs(parts.residual) < 0.003 * parts.gross
    assert parts.theta > 0 > parts.gamma
    assert parts.fees == parts.slippage == parts.new_trade_edge == parts.carry == 0


def test_carry_is_measured_from_what_venues_gained():
    perp = Position(Perp("WETH", "vETH"), -5.0, "curie")
    before = Book((perp, Position(Spot("USDC"), 20_000.0, "curie"), Position(Loan("USDC"), 50_000.0, "aave")))
    after = Book((perp, Position(Spot("USDC"), 20_012.5, "curie"), Position(Loan("USDC"), 50_005.0, "aave")))
    parts = explain((before, market()), (after, market(2900.0)))
    assert parts.delta == pytest.approx(500.0)
    assert parts.carry == pytest.approx(17.5)
    assert parts.residual == pytest.approx(0.0, abs=1e-8)


def test_execution_at_unchanged_prices_splits_fees_slippage_and_edge():
    at = market()
    before = Book((Position(Spot("USDC"), 20_000.0, "curie"),), cash=100_000.0)
    option = EuropeanOption("WETH", EXPIRY, 3000.0, is_call=True)
    price = float(black76(3000.0, 3000.0, 42 / 365, 0.75, True).price)
    premium = 2 * (price - 4.0) - 3.0
    after = Book(
        (
            Position(Perp("WETH", "vETH"), 10.0, "curie"),
            # 5,000 posted; 10 bought at 3,001.5 with a fee of 30.015.
            Position(Spot("USDC"), 25_000.0 - 30_015.0 - 30.015, "curie"),
            Position(option, -2.0, "lyra", 1),
            Position(Spot("USDC"), 9_990.0, "lyra", 1),
        ),
        cash=100_000.0 - 5000.0 - 10_000.0 + premium,
    )
    fills = [
        Fill("curie", Perp("WETH", "vETH"), 10.0, -30_045.015, fee=30.015),
        Fill("lyra", option, -2.0, premium, fee=3.0),
    ]
    transfers = [Transfer("curie", 5000.0, 5000.0), Transfer("lyra", 10_000.0, 9_990.0)]
    parts = explain((before, at), (after, at), fills, transfers)
    assert parts.fees == pytest.approx(-33.015)
    assert parts.slippage == pytest.approx(-15.0 - 10.0)
    assert parts.new_trade_edge == pytest.approx(-8.0)
    assert parts.carry == pytest.approx(0.0, abs=1e-8)
    assert parts.residual == pytest.approx(0.0, abs=1e-8)


def test_deposits_are_no_profit():
    at = market()
    parts = explain((straddles(), at), (Book(straddles().positions, 980_000.0), at), flow=100_000.0)
    assert parts.total == pytest.approx(0.0, abs=1e-9)


def test_greeks_add_up_over_expiries():
    later = EXPIRY + 30 * DAY
    at = Market(NOW, "USDC", {"WETH": 3000.0}, vols={("WETH", EXPIRY): 0.75, ("WETH", later): 0.7})
    legs = [
        Position(EuropeanOption("WETH", e, 2900.0, False), q, "lyra")
        for e, q in ((EXPIRY, -3.0), (later, 2.0))
    ]
    found = greeks(Book(tuple(legs)), at)
    by_expiry = [found.report("WETH", e) for e in (EXPIRY, later)]
    assert np.isclose(found.report("WETH").vega_usd_pt, sum(r.vega_usd_pt for r in by_expiry))
    assert by_expiry[0].gamma_usd_1pct < 0 < by_expiry[1].gamma_usd_1pct


def test_a_day_of_every_instrument_is_explained_to_one_percent():
    later, coin = EXPIRY + 60 * DAY, ("opyn", "oSQTH")
    legs = (
        Position(EuropeanOption("WETH", EXPIRY, 3000.0, True), -20.0, "lyra", 1),
        Position(EuropeanOption("WETH", later, 2800.0, False, inverse=True), 10.0, "deribit"),
        Position(DatedFuture("WETH", later), -5.0, "deribit"),
        Position(Perp("WETH", "vETH"), 8.0, "curie"),
        Position(PowerPerp("WETH", "oSQTH"), -30.0, "opyn"),
        Position(LpRange("WETH", "USDC", 300.0, 2200.0, 4000.0), 1.0, "uniswap"),
        Position(LpRange("WBTC", "WETH", 10.0, 12.0, 30.0), 1.0, "uniswap"),
        Position(Loan("USDC"), 50_000.0, "aave"),
    )
    rng = np.random.default_rng(7)
    spot, coin_spot, vol, factor, ratio, basis, cash = 3000.0, 60_000.0, 0.75, 0.6, 1.02, 2.0, 0.0
    total, views = Attribution(), []
    for hour in range(25):
        world = Market(
            NOW + hour * 3600,
            "USDC",
            {"WETH": spot, "WBTC": coin_spot},
            vols={("WETH", EXPIRY): vol, ("WETH", later): vol - 0.02},
            perps={("curie", "vETH"): PerpQuote(spot + basis, spot, 0.001, 0.001)},
            rates={("aave", "USDC"): LendingRates(0.04, 0.06)},
            ratios={("WETH", later): ratio},
            bases={("curie", "vETH"): basis},
            powers={coin: PowerQuote(factor, vol)},
        )
        views.append((Book((*legs, Position(Spot("USDC"), cash, "curie")), 1e6), world))
        cash -= 8.0 * spot * 0.001 / 24
        factor *= np.exp(-((vol + 0.01) ** 2) / 8760)
        move = 0.75 / np.sqrt(8760) * rng.standard_normal()
        spot, coin_spot = spot * (1 + move), coin_spot * (1 + 0.8 * move + 0.002 * rng.standard_normal())
        vol += -0.3 * move
        ratio, basis = ratio + 2e-4 * rng.standard_normal(), basis + rng.standard_normal()
    for before, after in pairwise(views):
        total += explain(before, after)
    change = nav(*views[-1]) - nav(*views[0])
    assert total.total == pytest.approx(change, abs=1e-6)
    assert abs(total.residual) < 0.01 * total.gross
    # The last hour's funding is not paid yet; the power perpetual decays faster than its volatility said, and it is short.
    assert -24 * 8.0 < total.carry < 0.0 < total.theta
    assert total.basis != 0.0
