"""Greeks and attribution of random books of every instrument, against bumping and revaluing the whole book.

Kinks are kept away: every option has at least a day to expiry, strikes lie within three standard deviations (differences of a
function that is all tail need far smaller steps than float64 has digits for), and prices stay 2% away from the edges of ranges.
"""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

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
from evenkeel.risk import explain

DAY = 86400
NOW = 1_750_000_000
EXPIRIES = tuple(NOW + days * DAY for days in (1, 6, 21, 42, 200))
TOKENS = ("WBTC", "WETH")
EDGE = 0.02
EXAMPLES = int(os.environ.get("EVENKEEL_EXAMPLES", "60"))

signed = st.floats(0.1, 50.0).flatmap(lambda q: st.sampled_from((q, -q)))
tokens = st.sampled_from(TOKENS)


@st.composite
def markets(draw):
    spots = {"WETH": draw(st.floats(1500.0, 4500.0)), "WBTC": draw(st.floats(20_000.0, 90_000.0))}
    pairs = [(t, e) for t in TOKENS for e in EXPIRIES]
    markets_ = [("venue", "perp" + t) for t in TOKENS]
    return Market(
        NOW,
        "USDC",
        spots,
        vols={pair: draw(st.floats(0.3, 1.5)) for pair in pairs},
        perps={key: PerpQuote(0.0, 0.0, 0.0004, 0.001) for key in markets_},
        rates={("venue", t): LendingRates(0.02, 0.05) for t in TOKENS},
        ratios={pair: draw(st.floats(0.95, 1.08)) for pair in pairs},
        discounts={e: draw(st.floats(0.95, 1.0)) for e in EXPIRIES},
        bases={key: draw(st.floats(-20.0, 20.0)) for key in markets_},
        powers={
            ("venue", "sq" + t): PowerQuote(draw(st.floats(0.3, 1.0)), draw(st.floats(0.3, 1.2)))
            for t in TOKENS
        },
    )


@st.composite
def instruments(draw, market):
    token, expiry = draw(tokens), draw(st.sampled_from(EXPIRIES))
    kind = draw(
        st.sampled_from(
            ("option", "option", "inverse", "future", "perp", "coin perp", "spot", "loan", "power", "range")
        )
    )
    spot = market.spots[token]
    if kind in {"option", "inverse"}:
        width = market.vols[token, expiry] * np.sqrt(market.years(expiry))
        strike = spot * market.ratios[token, expiry] * float(np.exp(draw(st.floats(-3.0, 3.0)) * width))
        return EuropeanOption(token, expiry, strike, draw(st.booleans()), kind == "inverse")
    if kind == "range":
        quote = draw(st.sampled_from([t for t in ("USDC", *TOKENS) if t != token]))
        price = spot / market.spot(quote)
        middle = price * draw(st.floats(0.7, 1.4))
        half = draw(st.floats(1.05, 2.0))
        for edge in (middle / half, middle * half):
            assume(abs(price / edge - 1.0) > EDGE)
        return LpRange(token, quote, draw(st.floats(10.0, 1000.0)), middle / half, middle * half)
    return {
        "future": DatedFuture(token, expiry, draw(st.booleans())),
        "perp": Perp(token, "perp" + token),
        "coin perp": Perp(token, "perp" + token, inverse=True),
        "spot": Spot(token),
        "loan": Loan(token),
        "power": PowerPerp(token, "sq" + token),
    }[kind]


@st.composite
def worlds(draw):
    market = draw(markets())
    legs = draw(st.lists(st.tuples(instruments(market), signed), min_size=1, max_size=8))
    return Book(tuple(Position(i, q, "venue") for i, q in legs), 1e5), market


def bumped(market, token, ds=0.0, dv=0.0, dr=0.0, basis=0.0):
    """Move one underlying's spot (with ratios held), volatilities and forwards, and every rate."""
    spot = market.spots[token]
    own = {key: q for key, q in market.powers.items() if key[1] == "sq" + token}
    perp = ("venue", "perp" + token)
    return replace(
        market,
        spots={**market.spots, token: spot + ds},
        vols={key: v + (dv if key[0] == token else 0.0) for key, v in market.vols.items()},
        powers={**market.powers, **{key: PowerQuote(q.normalisation, q.vol + dv) for key, q in own.items()}},
        ratios={key: r * (np.exp(basis) if key[0] == token else 1.0) for key, r in market.ratios.items()},
        bases={**market.bases, perp: (spot + market.bases[perp]) * np.exp(basis) - spot},
        discounts={e: d * np.exp(-dr * market.years(e)) for e, d in market.discounts.items()},
    )


def first(f, h):
    """First derivative at 0 by 4th-order central differences."""
    return (8.0 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12.0 * h)


def second(f, h):
    return (-f(2 * h) + 16.0 * f(h) - 30.0 * f(0.0) + 16.0 * f(-h) - f(-2 * h)) / (12.0 * h * h)


def gross(book, market, name, token):
    """The sum of the legs' absolute Greeks."""
    return sum(abs(Book((p,)).greeks(market).of(name, token)) for p in book.positions)


def steps(book, market, token):
    """Steps of spot and of volatility that are small beside the narrowest option of `token`."""
    owned = [p.instrument for p in book.positions if isinstance(p.instrument, EuropeanOption)]
    widths = [
        market.vols[token, o.expiry] * market.years(o.expiry) ** 0.5 for o in owned if o.underlying == token
    ]
    return min([0.1, *widths]) * market.spots[token], 0.3


@settings(max_examples=EXAMPLES, deadline=None)
@given(worlds(), tokens)
def test_first_order_greeks_equal_bump_and_revalue(world, token):
    book, market = world
    found = book.greeks(market)
    wide, vol = steps(book, market, token)

    def value(**bump):
        return book.value(bumped(market, token, **bump))

    def aged(years):
        return float(Columns.of(book, market).value(elapsed=years))

    noise = 1e-15 * sum(abs(Book((p,)).value(market)) for p in book.positions) + 1e-10
    width = wide / market.spots[token]
    wants = {
        "delta": (first(lambda h: value(ds=h), 0.02 * wide), noise / (0.02 * wide)),
        "vega": (first(lambda h: value(dv=h), 0.01 * vol), noise / (0.01 * vol)),
        "basis": (first(lambda h: value(basis=h), 0.02 * width), noise / (0.02 * width)),
    }
    for name, (want, error) in wants.items():
        limit = 1e-6 * gross(book, market, name, token) + error
        assert found.of(name, token) == pytest.approx(want, abs=limit), name
    # Time and rates move both underlyings at once.
    for name, want, h in (
        ("theta", first(aged, 2e-5), 2e-5),
        ("rho", first(lambda h: value(dr=h), 1e-3), 1e-3),
    ):
        both = sum(found.of(name, t) for t in TOKENS)
        limit = 1e-6 * sum(gross(book, market, name, t) for t in TOKENS) + noise / h
        assert both == pytest.approx(want, abs=limit), name


@settings(max_examples=EXAMPLES, deadline=None)
@given(worlds(), tokens)
def test_second_order_greeks_equal_bump_and_revalue(world, token):
    book, market = world
    found = book.greeks(market)
    wide, vol = steps(book, market, token)
    other = TOKENS[1 - TOKENS.index(token)]

    def value(**bump):
        return book.value(bumped(market, token, **bump))

    noise = 1e-15 * sum(abs(Book((p,)).value(market)) for p in book.positions) + 1e-10
    hs, hv = 0.05 * wide, 0.02 * vol
    gamma = second(lambda h: value(ds=h), hs)
    volga = second(lambda h: value(dv=h), hv)
    vanna = first(lambda ds: first(lambda dv: value(ds=ds, dv=dv), hv), hs)

    def corner(ds, do):
        return book.value(bumped(bumped(market, token, ds=ds), other, ds=do))

    ho = 0.005 * market.spots[other]
    cross = first(lambda ds: first(lambda do: corner(ds, do), ho), 0.005 * market.spots[token])
    assert found.cross_gamma.get(TOKENS, 0.0) == pytest.approx(
        cross,
        abs=1e-4 * sum(abs(v) for p in book.positions for v in Book((p,)).greeks(market).cross_gamma.values())
        + noise / (0.005 * market.spots[token] * ho),
    )
    bends = gross(book, market, "gamma", token)
    # Values that cross zero are judged by their scale: volga by vega / vol, vanna by phi(d1) / vol = gamma S sqrt(T).
    scales = {
        "gamma": (gamma, bends, noise / hs**2),
        "volga": (
            volga,
            gross(book, market, "volga", token) + gross(book, market, "vega", token) / vol,
            noise / hv**2,
        ),
        "vanna": (
            vanna,
            gross(book, market, "vanna", token) + bends * market.spots[token],
            noise / (hs * hv),
        ),
    }
    for name, (want, scale, error) in scales.items():
        assert found.of(name, token) == pytest.approx(want, abs=1e-4 * scale + error), name


@settings(max_examples=EXAMPLES, deadline=None)
@given(worlds(), st.integers(0, 10_000))
def test_buckets_and_legs_add_up(world, seed):
    book, market = world
    found = book.greeks(market)
    rng = np.random.default_rng(seed)
    halves = [book.positions[::2], book.positions[1::2]]
    for token in TOKENS:
        report = found.report(token)
        parts = list(found.by_bucket(token).values())
        for name in report.__slots__:
            total = getattr(report, name)
            scale = sum(abs(getattr(p, name)) for p in parts) + 1e-9
            assert sum(getattr(p, name) for p in parts) == pytest.approx(total, abs=1e-12 * scale)
        for name in ("delta", "gamma", "vega", "basis", "delta_coin", "carry"):
            legs = sum(Book(half).greeks(market).of(name, token) for half in halves)
            assert found.of(name, token) == pytest.approx(
                legs, rel=1e-9, abs=1e-9 * (gross(book, market, name, token) + 1.0)
            )
    shuffled = Book(tuple(book.positions[i] for i in rng.permutation(len(book.positions))), book.cash)
    assert shuffled.value(market) == pytest.approx(book.value(market), rel=1e-12, abs=1e-6)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    worlds(), st.floats(-0.01, 0.01), st.floats(-0.02, 0.02), st.floats(-0.002, 0.002), st.integers(0, 7200)
)
def test_attribution_of_any_book_sums_to_the_change(world, ds, dv, basis, seconds):
    book, market = world
    moved = replace(
        bumped(market, "WETH", ds * market.spots["WETH"], dv, 0.0, basis),
        timestamp=market.timestamp + seconds,
    )
    parts = explain((book, market), (book, moved))
    change = book.value(moved) - book.value(market)
    scale = sum(abs(Book((p,)).value(market)) for p in book.positions) + book.cash
    assert parts.total == pytest.approx(change, abs=1e-12 * scale)
    assert parts.fees == parts.slippage == parts.new_trade_edge == 0.0
