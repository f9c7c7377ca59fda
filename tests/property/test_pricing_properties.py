"""Laws that hold for every option: parity, bounds, homogeneity, differences, round trips, and both engines alike."""

import importlib.util
import os

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evenkeel.pricing import black76, black_scholes, implied_vol, use_engine

many = settings(max_examples=int(os.environ.get("EVENKEEL_EXAMPLES", "100")), deadline=None)

forwards = st.floats(1e-2, 1e6)
moneyness = st.floats(0.2, 5.0)
terms = st.floats(1e-3, 5.0)
vols = st.floats(0.02, 3.0)
discounts = st.floats(0.5, 1.05)
rates = st.floats(-0.1, 0.3)


@pytest.fixture(autouse=True, scope="module")
def numpy_engine():
    use_engine("numpy")
    yield
    use_engine("auto")


@many
@given(forwards, moneyness, terms, vols, discounts)
def test_parity_and_bounds(f, m, t, v, df):
    k = f * m
    call, put = (black76(f, k, t, v, is_call, df) for is_call in (True, False))
    unit = 4e-16 * df * max(f, k)
    assert abs(call.price - put.price - df * (f - k)) <= 4 * unit
    assert df * max(f - k, 0.0) - unit <= call.price <= df * f + unit
    assert df * max(k - f, 0.0) - unit <= put.price <= df * k + unit
    assert abs(call.delta - put.delta - df) <= 1e-15
    for name in ("gamma", "vega", "vanna", "volga"):
        np.testing.assert_allclose(getattr(call, name), getattr(put, name), rtol=1e-14)
    assert call.gamma >= 0
    assert call.vega >= 0


@many
@given(forwards, moneyness, terms, vols, st.floats(1e-3, 1e3))
def test_prices_scale_with_money(f, m, t, v, scale):
    one, many = (black76(a * f, a * f * m, t, v, True) for a in (1.0, scale))
    assume(one.price > 1e-10 * min(f, f * m))
    np.testing.assert_allclose(many.price, scale * one.price, rtol=1e-12)
    np.testing.assert_allclose(many.delta, one.delta, rtol=1e-12)


@many
@given(forwards, st.floats(0.6, 1.7), st.floats(0.02, 3.0), st.floats(0.2, 2.0), rates, rates, st.booleans())
def test_greeks_are_differences_of_the_price(s, m, t, v, r, q, is_call):
    """Fourth-order central differences, at most four deviations from the money, where a step of 1e-3 leaves 1e-8 of truncation."""
    assume(abs(np.log(m)) <= 4.0 * v * np.sqrt(t))
    k = s * m
    got = black_scholes(s, k, t, v, is_call, r, q)

    def slope(values, step):
        return (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * step)

    around = np.array([-2.0, -1.0, 1.0, 2.0])
    for name, of, move, step in (
        ("delta", "price", "s", 1e-3 * s * v * np.sqrt(t)),
        ("gamma", "delta", "s", 1e-3 * s * v * np.sqrt(t)),
        ("vanna", "vega", "s", 1e-3 * s * v * np.sqrt(t)),
        ("vega", "price", "v", 1e-3 * v),
        ("volga", "vega", "v", 1e-3 * v),
        ("rho", "price", "r", 1e-3 * v / np.sqrt(t)),
        ("dividend_rho", "price", "q", 1e-3 * v / np.sqrt(t)),
        ("theta", "price", "t", 1e-3 * t),
    ):
        at = {"s": s, "t": t, "v": v, "r": r, "q": q}
        at[move] = at[move] + around * step
        moved = black_scholes(at["s"], k, at["t"], at["v"], is_call, at["r"], at["q"], greeks=of)
        values = getattr(moved, of)
        difference = slope(values, step) * (-1 if name == "theta" else 1)
        # What the price may lose to rounding, over the step, bounds the difference from below.
        scale = abs(float(getattr(got, name))) + 1e-3 * np.abs(values).max() / step
        assert abs(difference - getattr(got, name)) <= 1e-7 * scale, name


@many
@given(forwards, moneyness, terms, vols, discounts)
def test_implied_vol_returns_the_vol(f, m, t, v, df):
    k, is_call = f * m, m >= 1.0
    assume(v * np.sqrt(t) <= 3.0)
    price = black76(f, k, t, v, is_call, df).price
    assume(price > 1e-10 * f)
    # The price carries the kernel's own 1e-14 and a rounding; far from the money both tell less about the vol, not more.
    np.testing.assert_allclose(implied_vol(price, f, k, t, is_call, df), v, rtol=3e-14)


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="the fast extra is not installed")
@many
@given(
    st.lists(st.tuples(forwards, moneyness, terms, vols, discounts, st.booleans()), min_size=1, max_size=300)
)
def test_engines_agree(options):
    f, m, t, v, df, call = (np.array(column) for column in zip(*options, strict=True))
    found = {}
    for engine in ("numpy", "numba"):
        use_engine(engine)
        greeks = black76(f, f * m, t, v, call, df)
        found[engine] = greeks, implied_vol(greeks.price, f, f * m, t, call, df)
    use_engine("numpy")
    (one, one_vol), (other, other_vol) = found.values()
    quotable = one.price - df * np.where(call, f - f * m, f * m - f).clip(0) > 1e-10 * np.minimum(f, f * m)
    scale = {
        "vanna": one.vega / f * (1 + np.abs(np.log(m)) / v**2 / t),
        "volga": one.vega / v * (1 + (np.log(m) / v) ** 2 / t + v * v * t),
        "theta": np.abs(one.theta) + np.abs(np.log(df)) * one.price / t,
    }
    for name in one.names():
        a, b = getattr(one, name), getattr(other, name)
        assert np.all((np.abs(a - b) <= 1e-13 * scale.get(name, np.abs(a)))[quotable]), name
    outside = quotable & (call == (m >= 1.0)) & (v * np.sqrt(t) <= 3.0)
    np.testing.assert_allclose(one_vol[outside], other_vol[outside], rtol=1e-13)
