"""A book's Greeks against bump-and-revalue, and attribution on simulated paths."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenkeel.instruments import Book, EuropeanOption, Perp, Position, Spot
from evenkeel.market import Market
from evenkeel.risk import Attribution, Columns, explain, greeks
from examples import examples

DAY = 86400
NOW = 1_750_000_000
EXPIRIES = (NOW + 7 * DAY, NOW + 42 * DAY, NOW + 200 * DAY)

options = st.builds(
    EuropeanOption,
    st.just("WETH"),
    st.sampled_from(EXPIRIES),
    st.floats(2000.0, 4500.0),
    st.booleans(),
)
instruments = st.one_of(options, st.just(Spot("WETH")), st.just(Perp("WETH", "vETH")))
quantities = st.floats(0.1, 100.0).flatmap(lambda q: st.sampled_from((q, -q)))
books = st.lists(st.builds(Position, instruments, quantities, st.just("venue")), min_size=1, max_size=8).map(
    lambda legs: Book(tuple(legs), 1e6)
)
markets = st.builds(
    lambda spot, vols: Market(
        NOW, "USDC", {"WETH": spot}, {("WETH", e): v for e, v in zip(EXPIRIES, vols, strict=True)}
    ),
    st.floats(2500.0, 3500.0),
    st.tuples(*[st.floats(0.3, 1.5)] * 3),
)


def value(book, market, ds=0.0, dv=0.0):
    moved = replace(
        market,
        spots={"WETH": market.spots["WETH"] + ds},
        vols={key: v + dv for key, v in market.vols.items()},
    )
    return float(Columns.of(book, moved).value())


def derivative(f, h):
    """First derivative at 0 by 4th-order central differences."""
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


def second(f, h):
    return (-f(2 * h) + 16 * f(h) - 30 * f(0) + 16 * f(-h) - f(-2 * h)) / (12 * h * h)


def scale(book, market, name):
    """The sum of the legs' absolute Greeks, vanna and volga by their own scales."""
    return sum(abs(greeks(Book((p,)), market).of(name, "WETH")) for p in book.positions)


@settings(max_examples=examples(40), deadline=None)
@given(books, markets)
def test_greeks_equal_bump_and_revalue(book, market):
    found = greeks(book, market)
    s = market.spots["WETH"]
    first = {
        "delta": derivative(lambda h: value(book, market, ds=h), s * 2e-4),
        "vega": derivative(lambda h: value(book, market, dv=h), 1e-3),
    }
    for name, want in first.items():
        assert found.of(name, "WETH") == pytest.approx(want, abs=1e-6 * scale(book, market, name) + 1e-6)
    gamma = second(lambda h: value(book, market, ds=h), s * 2e-3)
    assert found.of("gamma", "WETH") == pytest.approx(gamma, abs=1e-4 * scale(book, market, "gamma") + 1e-8)
    vega = scale(book, market, "vega")
    volga = second(lambda h: value(book, market, dv=h), 4e-3)
    assert found.of("volga", "WETH") == pytest.approx(volga, abs=1e-4 * vega / 0.3 + 1e-3)
    vanna = derivative(
        lambda h: greeks(book, replace(market, spots={"WETH": s + h})).of("vega", "WETH"), s * 1e-3
    )
    assert found.of("vanna", "WETH") == pytest.approx(
        vanna, abs=1e-4 * scale(book, market, "gamma") * s + 1e-6
    )


@settings(max_examples=examples(15), deadline=None)
@given(st.integers(0, 10_000))
def test_attribution_of_an_hourly_path_of_straddles_leaves_little(seed):
    rng = np.random.default_rng(seed)
    expiry = EXPIRIES[1]
    legs = tuple(Position(EuropeanOption("WETH", expiry, 3000.0, c), -60.0, "lyra") for c in (True, False))
    spot, vol = 3000.0, 0.75
    total = Attribution()
    views = []
    for hour in range(49):
        market = Market(NOW + hour * 3600, "USDC", {"WETH": spot}, {("WETH", expiry): vol})
        hedge = Position(Perp("WETH", "vETH"), -greeks(Book(legs), market).of("delta", "WETH"), "curie")
        views.append((Book((*legs, hedge), 1e6), market))
        move = 0.75 / np.sqrt(8760) * rng.standard_normal()
        spot *= 1 + move
        vol += -0.3 * move + 0.002 * rng.standard_normal()
    start = 0.0
    for before, after in pairwise(views):
        parts = explain((before[0], before[1]), (before[0], after[1]))
        change = float(Columns.of(before[0], after[1]).value() - Columns.of(*before).value())
        assert parts.total == pytest.approx(change, abs=1e-6)
        total, start = total + parts, start + change
    assert total.total == pytest.approx(start, abs=1e-4)
    assert abs(total.residual) < 0.01 * total.gross
