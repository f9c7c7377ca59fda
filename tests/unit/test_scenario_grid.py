"""Grids of spot, volatility and time against revaluing the book one scenario at a time."""

from dataclasses import replace

import numpy as np
import pytest

from evenkeel.instruments import (
    Book,
    Columns,
    DatedFuture,
    EuropeanOption,
    Loan,
    LpRange,
    Perp,
    Position,
    PowerPerp,
    Spot,
)
from evenkeel.market import LendingRates, Market, PerpQuote, PowerQuote
from evenkeel.risk import RiskError, grid, stress_loss, stress_scenarios

DAY = 86400
NOW = 1_750_000_000
NEAR, FAR = NOW + 5 * DAY, NOW + 60 * DAY

MARKET = Market(
    NOW,
    "USDC",
    {"WETH": 3000.0, "WBTC": 60_000.0, "sUSD": 0.99},
    vols={(t, e): v for t in ("WETH", "WBTC") for e, v in ((NEAR, 0.8), (FAR, 0.7))},
    perps={("curie", "vETH"): PerpQuote(3003.0, 3000.0, 0.001, 0.0)},
    rates={("aave", "USDC"): LendingRates(0.04, 0.06)},
    quote_tokens=frozenset({"sUSD"}),
    ratios={("WETH", FAR): 1.02},
    bases={("curie", "vETH"): 3.0},
    powers={("opyn", "oSQTH"): PowerQuote(0.6, 0.8)},
)
BOOK = Book(
    (
        Position(EuropeanOption("WETH", NEAR, 3000.0, True), -5.0, "lyra", 1),
        Position(EuropeanOption("WETH", FAR, 2500.0, False), 3.0, "lyra", 2),
        Position(EuropeanOption("WBTC", FAR, 65_000.0, True, inverse=True), 0.4, "deribit"),
        Position(Spot("sUSD"), 20_000.0, "lyra", 1),
        Position(Perp("WETH", "vETH"), 2.0, "curie"),
        Position(DatedFuture("WETH", FAR), -1.5, "deribit"),
        Position(Loan("USDC"), 50_000.0, "aave"),
        Position(PowerPerp("WETH", "oSQTH"), -3.0, "opyn"),
        Position(LpRange("WBTC", "WETH", 5.0, 12.0, 28.0), 1.0, "uniswap"),
    ),
    10_000.0,
)
SPOTS, VOLS, DAYS = (-0.3, 0.0, 0.2), (-0.1, 0.0, 0.3), (0.0, 1.0, 6.0)


def moved(move, shock, shift, days):
    """The market of one scenario, made by hand; the normalisation shrinks at the volatility of the scenario."""
    tokens = ("WETH", "WBTC") if move == "spot" else (move,)
    power = MARKET.powers["opyn", "oSQTH"]
    vol = power.vol + shift
    return replace(
        MARKET,
        timestamp=NOW + round(days * DAY),
        spots={t: s * (1.0 + shock * (t in tokens)) for t, s in MARKET.spots.items()},
        vols={key: v + shift for key, v in MARKET.vols.items()},
        powers={("opyn", "oSQTH"): PowerQuote(power.normalisation * np.exp(-(vol**2) * days / 365.0), vol)},
    )


def carry_a_day(book):
    found = book.greeks(MARKET)
    return sum(found.of("carry", t) for t in found.underlyings) + found.asset_carry


def test_grid_equals_one_revaluation_a_scenario():
    found = grid(BOOK, MARKET, SPOTS, VOLS, DAYS)
    assert found.moves == ("spot", "WBTC", "WETH")
    assert found.pnl.shape == (3, 3, 3, 3)
    now = BOOK.value(MARKET)
    for m, move in enumerate(found.moves):
        for s, shock in enumerate(SPOTS):
            for v, shift in enumerate(VOLS):
                for d, days in enumerate(DAYS):
                    want = BOOK.value(moved(move, shock, shift, days)) - now + days * carry_a_day(BOOK)
                    assert found.pnl[m, s, v, d] == pytest.approx(want, abs=1e-7), (move, shock, shift, days)


def test_worst_names_its_scenario_and_units_add_up():
    found = grid(BOOK, MARKET, SPOTS, VOLS, DAYS)
    assert found.worst.amount == pytest.approx(-found.pnl.min())
    assert found.describe(int(np.argmin(found.pnl))) == found.worst.scenario
    assert found.unit_pnl.sum(axis=0) == pytest.approx(found.pnl)
    lyra = Book(tuple(p for p in BOOK.positions if (p.venue, p.unit) == ("lyra", 1)))
    assert found.margin["lyra", 1] == pytest.approx(grid(lyra, MARKET, SPOTS, VOLS, DAYS).worst.amount)
    assert found.margin["aave", 0] == 0.0
    assert set(found.margin) == {(p.venue, p.unit) for p in BOOK.positions}


def test_large_books_are_valued_in_blocks_to_the_same_numbers():
    rng = np.random.default_rng(1)
    legs = [
        Position(
            EuropeanOption("WETH", FAR, float(k), bool(i % 2), bool(i % 3)), float(q), f"v{i % 7}", i % 2
        )
        for i, (k, q) in enumerate(zip(rng.uniform(2000, 4000, 300), rng.normal(size=300), strict=True))
    ]
    book = Book(tuple(legs))
    found = grid(book, MARKET, np.linspace(-0.5, 0.5, 21), np.linspace(-0.2, 0.3, 11))
    # 231 scenarios x 300 positions is more than one block.
    columns = Columns.of(book, MARKET)
    prices = np.array([[*columns.spots]])
    prices[..., columns.tokens.index("WETH")] *= 1.5
    whole = columns.values(prices, 0.3) - columns.values()
    assert found.pnl[0, -1, -1, 0] == pytest.approx(whole.sum(), rel=1e-12)
    for (venue, unit), gain in zip(found.units, found.unit_pnl[:, 0, -1, -1, 0], strict=True):
        mine = [i for i, p in enumerate(legs) if (p.venue, p.unit) == (venue, unit)]
        assert gain == pytest.approx(whole[0, mine].sum(), rel=1e-11, abs=1e-8)


def test_stress_loss_is_the_worst_of_its_own_grid():
    prices, shifts, names = stress_scenarios(Columns.of(BOOK, MARKET), MARKET)
    columns = Columns.of(BOOK, MARKET)
    changes = columns.value(prices, shifts) - columns.value()
    worst = int(np.argmin(changes))
    loss = stress_loss(BOOK, MARKET)
    assert loss.market.amount == pytest.approx(-changes[worst], rel=1e-12)
    assert loss.market.scenario == names[worst]
    assert loss.quotes["sUSD"].amount == pytest.approx(0.3 * 0.99 * 20_000.0)
    assert loss.venues["aave"].amount == pytest.approx(50_000.0)


def test_a_book_of_cash_loses_nothing():
    found = grid(Book((), 1000.0), MARKET, SPOTS, VOLS)
    assert (found.worst.amount, found.margin) == (0.0, {})
    assert stress_loss(Book((), 1000.0), MARKET).market.amount == 0.0


def test_axes_that_mean_nothing_are_refused():
    with pytest.raises(RiskError, match="at least one number each"):
        grid(BOOK, MARKET, ())
    with pytest.raises(RiskError, match="days from 0 on"):
        grid(BOOK, MARKET, SPOTS, VOLS, (-1.0,))
