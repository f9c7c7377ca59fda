"""Implied volatility against 60-digit arithmetic, its edges and its refusals, in both engines."""

import mpmath as mp
import numpy as np
import pytest

from evenkeel.pricing import PricingError, black76, implied_vol, use_engine

COUNT = 1500


@pytest.fixture(params=["numpy", "numba"])
def engine(request):
    if request.param == "numba":
        pytest.importorskip("numba", reason="the fast extra is not installed")
    use_engine(request.param)
    yield request.param
    use_engine("auto")


def root(price, f, k, t, is_call, df, near):
    """The vol of exactly this float64 price, by Newton's method at 60 digits, and the price's derivative there."""
    price, f, k, t, df = (mp.mpf(float(a)) for a in (price, f, k, t, df))
    vol, sign, x = mp.mpf(float(near)), 1 if is_call else -1, mp.log(f / k)
    for _ in range(6):
        s = vol * mp.sqrt(t)
        d1 = x / s + s / 2
        value = df * sign * (f * mp.ncdf(sign * d1) - k * mp.ncdf(sign * (d1 - s)))
        vega = df * f * mp.npdf(d1) * mp.sqrt(t)
        step = (price - value) / vega
        vol += step
        if abs(step) < mp.mpf(10) ** -30 * vol:
            break
    else:
        raise AssertionError("Newton's method did not converge")
    return vol, vega


def quotes(seed, *, outside):
    rng = np.random.default_rng(seed)
    s = 10 ** rng.uniform(-4, np.log10(3.0), COUNT)
    f = 10 ** rng.uniform(-3, 5, COUNT)
    deviations = rng.uniform(-6.4, 6.4, COUNT) * np.where(
        rng.random(COUNT) < 0.3, 10 ** rng.uniform(-6, 0, COUNT), 1
    )
    k = f * np.exp(deviations * s)
    t = 10 ** rng.uniform(-3, 0.5, COUNT)
    df = np.where(rng.random(COUNT) < 0.3, 1.0, rng.uniform(0.8, 1.02, COUNT))
    vol, call = s / np.sqrt(t), (k >= f) == outside
    return black76(f, k, t, vol, call, df, greeks="price").price, f, k, t, call, df, vol


def test_quotable_points_to_1e_14(engine):
    price, f, k, t, call, df, vol = quotes(11, outside=True)
    found = implied_vol(price, f, k, t, call, df)
    quotable = np.flatnonzero(price > 1e-10 * f)
    assert quotable.size > COUNT // 2
    with mp.workdps(60):
        for i in quotable:
            want, _ = root(price[i], f[i], k[i], t[i], call[i], df[i], vol[i])
            assert abs(mp.mpf(float(found[i])) - want) <= 1e-14 * want, (price[i], f[i], k[i], t[i], df[i])


def allowed(price, vol, vega):
    """4 units in the last place of the price, told in vol; or one in the last place of the vol, of which rounding takes half."""
    return np.maximum(4 * np.spacing(price) / (vol * vega), np.spacing(vol) / vol)


def test_in_the_money_to_4_ulp_of_the_price(engine):
    """Where little of the price is time value the price's own last place is all there is to tell the vol by."""
    price, f, k, t, call, df, vol = quotes(12, outside=False)
    found = implied_vol(price, f, k, t, call, df)
    vega = black76(f, k, t, vol, call, df, greeks="vega").vega
    most = allowed(price, vol, vega)
    told = np.flatnonzero(most < 4e-4)
    assert told.size > COUNT // 2
    with mp.workdps(60):
        for i in told:
            want, _ = root(price[i], f[i], k[i], t[i], call[i], df[i], vol[i])
            assert abs(float(mp.mpf(float(found[i])) / want - 1)) <= most[i], i


def test_far_beyond_what_is_quoted(engine):
    """Prices down to 1e-280 of the forward, vol sqrt(T) up to 25: what the price tells is found."""
    rng = np.random.default_rng(13)
    s = 10 ** rng.uniform(-6, 1.4, 3000)
    k = np.exp(np.minimum(rng.uniform(0, 34, 3000) * s, 230.0))
    price = black76(1.0, k, 1.0, s, True, greeks="price").price
    kept = (price > 1e-280) & (price < 1 - 1e-6) & (k < 1e100)
    found = implied_vol(price, 1.0, k, 1.0, True)
    most = allowed(price, s, black76(1.0, k, 1.0, s, True, greeks="vega").vega)
    beyond = np.flatnonzero(kept & ((price <= 1e-10) | (s > 3)))
    assert beyond.size > 1000
    with mp.workdps(60):
        for i in beyond:
            want, _ = root(price[i], 1.0, k[i], 1.0, True, 1.0, s[i])
            assert abs(float(mp.mpf(float(found[i])) / want - 1)) <= most[i], (k[i], s[i])
    np.testing.assert_allclose(
        found[kept & (price > 1e-10) & (s <= 3)], s[kept & (price > 1e-10) & (s <= 3)], rtol=2e-14
    )


def test_shapes_broadcast(engine):
    price = black76(100.0, [[90.0], [110.0]], 0.5, 0.3, [True, False, True]).price
    found = implied_vol(price, 100.0, [[90.0], [110.0]], 0.5, [True, False, True])
    assert found.shape == (2, 3)
    np.testing.assert_allclose(found, 0.3, rtol=1e-13)
    assert implied_vol(5.0, 100.0, 100.0, 0.5, True).shape == ()
    assert implied_vol([], 100.0, 100.0, 0.5, True).shape == (0,)
    strided = np.repeat(price.ravel(), 2)[::2]
    strided.flags.writeable = False
    assert implied_vol(strided, 100.0, np.repeat([90.0, 110.0], 3), 0.5, [True, False, True] * 2).shape == (
        6,
    )


def test_bounds_are_values(engine):
    assert implied_vol(0.0, 100.0, 120.0, 0.5, True) == 0.0
    assert implied_vol(18.0, 120.0, 100.0, 0.5, True, 0.9) == 0.0
    assert implied_vol(100.0, 100.0, 120.0, 0.5, True) == np.inf
    assert implied_vol(0.0, 100.0, 100.0, 0.5, False) == 0.0
    intrinsic = black76(3000.0, np.linspace(100, 1500, 200), 0.02, 0.05, True, 0.97).price
    assert np.all(implied_vol(intrinsic, 3000.0, np.linspace(100, 1500, 200), 0.02, True, 0.97) < 3)


@pytest.mark.parametrize(
    ("price", "forward", "strike", "years", "is_call"),
    [
        (-1e-9, 100.0, 120.0, 0.5, True),
        (9.99, 110.0, 100.0, 0.5, True),
        (100.1, 100.0, 120.0, 0.5, True),
        (5.0, 100.0, 100.0, 0.0, True),
        (0.0, 0.0, 100.0, 0.5, True),
        (100.0, 100.0, 0.0, 0.5, True),
        (5.0, 100.0, 100.0, np.inf, True),
        (5.0, np.inf, 100.0, 0.5, False),
        (5.0, 100.0, np.inf, 0.5, True),
        (np.nan, 100.0, 100.0, 0.5, True),
        (5.0, np.nan, 100.0, 0.5, True),
    ],
)
def test_no_vol_is_nan_or_an_error(engine, price, forward, strike, years, is_call):
    prices = np.array([price, 5.0])
    found = implied_vol(prices, [forward, 100.0], [strike, 100.0], [years, 0.5], is_call)
    assert np.isnan(found[0])
    assert found[1] > 0
    with pytest.raises(PricingError, match=r"price: expected .* for option 0"):
        implied_vol(prices, [forward, 100.0], [strike, 100.0], [years, 0.5], is_call, errors="raise")


def test_error_tells_the_bounds(engine):
    with pytest.raises(PricingError, match=r"expected 9.0 to 99.0 for option 1 .* got 8.0"):
        implied_vol([20.0, 8.0], 110.0, 100.0, 0.5, True, 0.9, errors="raise")


@pytest.mark.parametrize("name", ["forward", "strike", "years", "discount"])
def test_bad_input_is_named(engine, name):
    arguments = {"forward": 1.0, "strike": 1.0, "years": 1.0, "discount": 1.0, name: -1.0}
    with pytest.raises(PricingError, match=f"{name}: expected"):
        implied_vol(0.1, is_call=True, **arguments)
    with pytest.raises(PricingError, match="errors: expected"):
        implied_vol(0.1, 1.0, 1.0, 1.0, True, errors="ignore")
