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
from evenkeel.pricing import PricingError, use_engine
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


@pytest.fixture(params=["numpy", "numba"])
def engine(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    use_engine(request.param)
    yield request.param
    use_engine("auto")


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


@pytest.mark.usefixtures("engine")
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


@pytest.mark.usefixtures("engine")
def test_worst_names_its_scenario_and_units_add_up():
    found = grid(BOOK, MARKET, SPOTS, VOLS, DAYS)
    assert found.worst.amount == pytest.approx(-found.pnl.min())
    assert found.describe(int(np.argmin(found.pnl))) == found.worst.scenario
    assert found.unit_pnl.sum(axis=0) == pytest.approx(found.pnl)
    lyra = Book(tuple(p for p in BOOK.positions if (p.venue, p.unit) == ("lyra", 1)))
    assert found.margin["lyra", 1] == pytest.approx(grid(lyra, MARKET, SPOTS, VOLS, DAYS).worst.amount)
    assert found.margin["aave", 0] == 0.0
    assert set(found.margin) == {(p.venue, p.unit) for p in BOOK.positions}


@pytest.mark.usefixtures("engine")
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


def test_both_engines_give_the_same_grid_to_the_last_digits_of_its_gross():
    """With options that have expired, have no volatility, or no strike, are exactly at the money, or far from it."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(3)
    expiries = (NOW - DAY, NOW, NOW + 60, NEAR, FAR)
    strikes = (0.0, 1e-3, 3000.0, 3060.0, 1e9, *rng.uniform(2000.0, 4000.0, 60).tolist())
    legs = tuple(
        Position(
            EuropeanOption(token, expiry, strike, bool(rng.integers(2)), bool(rng.integers(2))),
            float(rng.normal()),
            f"v{rng.integers(3)}",
            int(rng.integers(4)),
        )
        for token in ("WETH", "WBTC")
        for expiry in expiries
        for strike in strikes
    )
    vols = {(leg.instrument.underlying, leg.instrument.expiry): 0.5 for leg in legs}
    at_strike = {("WETH", FAR, 3000.0): 0.0, ("WETH", NEAR, 3060.0): np.inf}
    market = replace(MARKET, vols=vols, strike_vols=at_strike, discounts={FAR: 0.98})
    book = Book((*legs, Position(Spot("WETH"), 2.0, "v0")))
    found = {}
    for name in ("numpy", "numba"):
        use_engine(name)
        found[name] = grid(
            book, market, np.linspace(-0.99, 3.0, 19), (-0.6, -0.5, 0.0, 4.0), (0.0, 5.0, 90.0)
        )
    use_engine("auto")
    columns = Columns.of(book, market)
    gross = dict.fromkeys(found["numpy"].units, 0.0)
    for venue, unit, worth in zip(columns.venue, columns.unit, columns.values(), strict=True):
        gross[venue, unit] += abs(float(worth))
    assert found["numba"].units == found["numpy"].units
    for i, unit in enumerate(found["numpy"].units):
        error = np.abs(found["numba"].unit_pnl[i] - found["numpy"].unit_pnl[i]).max()
        assert error <= 1e-13 * gross[unit]


def test_no_move_gains_exactly_nothing(engine):
    legs = tuple(
        Position(EuropeanOption("WETH", FAR, 2000.0 + k, bool(k % 2)), 0.1 * k, "lyra", k % 3)
        for k in range(300)
    )
    found = grid(Book(legs), MARKET, (0.0, 0.1), (0.0, 0.1), (0.0, 1.0))
    assert np.all(found.unit_pnl[:, :, 0, 0, 0] == 0.0), engine


@pytest.mark.usefixtures("engine")
def test_a_market_out_of_the_formulas_domain_is_refused():
    book = Book((Position(EuropeanOption("WETH", FAR, 3000.0, True), 1.0, "lyra"),))
    with pytest.raises(PricingError, match="forward: expected 0 or more"):
        grid(book, replace(MARKET, ratios={("WETH", FAR): -1.0}), SPOTS)
    with pytest.raises(PricingError, match="discount: expected more than 0"):
        grid(book, replace(MARKET, discounts={FAR: 0.0}), SPOTS)


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
