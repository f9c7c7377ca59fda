"""Prices and Greeks against 60-digit arithmetic, in both engines."""

import mpmath as mp
import numpy as np
import pytest

from evenkeel.pricing import black76, black_scholes, use_engine
from evenkeel.pricing._erfcx import erfcx, erfcx_pair

COUNT = 4000
NAMES = ("price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga")


def points(seed):
    """Total vols from 1e-5 to 6, up to 6.5 deviations from the money, a sixth of the strikes within 1e-15 to 1e-1 of it."""
    rng = np.random.default_rng(seed)
    s = 10 ** rng.uniform(-5, 0.8, COUNT)
    f = 10 ** rng.uniform(-3, 5, COUNT)
    k = f * np.exp(-rng.uniform(-6.5, 6.5, COUNT) * s)
    near = COUNT // 6
    k[:near] = f[:near] * (1 + 10 ** rng.uniform(-15, -1, near) * rng.choice([-1, 1], near))
    k[near : near + 20] = f[near : near + 20]
    t = 10 ** rng.uniform(-4, 0.5, COUNT)
    df = np.where(rng.random(COUNT) < 0.3, 1.0, rng.uniform(0.8, 1.02, COUNT))
    return f, k, t, s / np.sqrt(t), rng.random(COUNT) < 0.5, df


def exact(f, k, t, v, is_call, df):
    """The formulas, each with the sum of the absolute values of its terms; None below 1e-10 of min(forward, strike)."""
    f, k, t, v, df = (mp.mpf(float(a)) for a in (f, k, t, v, df))
    s = v * mp.sqrt(t)
    x = mp.log(f / k) / s
    d1, d2 = x + s / 2, x - s / 2
    sign = 1 if is_call else -1
    n1, n2, pdf = mp.ncdf(sign * d1), mp.ncdf(sign * d2), mp.npdf(d1)
    price = df * sign * (f * n1 - k * n2)
    if price - df * max(sign * (f - k), 0) < mp.mpf(10) ** -10 * df * min(f, k):
        return None
    rate, vega = -mp.log(df) / t, df * f * pdf * mp.sqrt(t)
    decay = vega * v / (2 * t)
    return (
        (price, price),
        (df * sign * n1, df * n1),
        (df * pdf / (f * s),) * 2,
        (vega, vega),
        (rate * price - decay, abs(rate) * price + decay),
        (-t * price, t * price),
        (-df * pdf * d2 / v, df * pdf / v * (abs(x) + s / 2)),
        (vega * d1 * d2 / v, vega / v * (x * x + s * s / 4)),
    )


@pytest.fixture(scope="module")
def reference():
    with mp.workdps(60):
        inputs = points(7)
        return inputs, [exact(*(a[i] for a in inputs)) for i in range(COUNT)]


@pytest.fixture(params=["numpy", "numba"])
def engine(request):
    if request.param == "numba":
        pytest.importorskip("numba", reason="the fast extra is not installed")
    use_engine(request.param)
    yield request.param
    use_engine("auto")


def test_every_corner_to_2e_14(engine, reference):
    (f, k, t, v, call, df), wanted = reference
    got = black76(f, k, t, v, call, df)
    quotable = [i for i in range(COUNT) if wanted[i] is not None]
    assert len(quotable) > COUNT // 2
    for column, name in enumerate(NAMES):
        values = getattr(got, name)
        for i in quotable:
            value, scale = wanted[i][column]
            error = float(abs(mp.mpf(float(values[i])) - value) / scale)
            assert error <= 2e-14, (name, f[i], k[i], t[i], v[i], call[i], df[i], error)


def test_few_options_as_exact_as_many(engine, reference):
    (f, k, t, v, call, df), wanted = reference
    for i in range(0, COUNT, 10):
        if wanted[i] is not None:
            one = black76(f[i], k[i], t[i], v[i], call[i], df[i])
            for column, name in enumerate(NAMES):
                value, scale = wanted[i][column]
                assert abs(mp.mpf(float(getattr(one, name))) - value) <= 2e-14 * scale, (name, i)


def test_black_scholes_is_the_derivative_of_its_price(engine):
    """Every Greek against mpmath's own differentiation of the price, so that no sign or factor is taken from our formulas."""
    with mp.workdps(40):
        for spot, strike, years, vol, rate, dividend in (
            (100.0, 95.0, 0.5, 0.4, 0.07, 0.03),
            (3000.0, 4200.0, 42 / 365, 0.9, -0.02, 0.05),
            (3000.0, 1500.0, 1.5, 0.7, 0.05, 0.0),
            (3000.0, 3001.0, 1 / 365, 0.02, 0.05, 0.01),
            (100.0, 100.4, 0.1, 1e-3, 0.07, 0.03),
        ):
            for is_call in (True, False):
                sign = 1 if is_call else -1

                def value(s, t, v, r, q, strike=strike, sign=sign):
                    d1 = (mp.log(s / strike) + (r - q + v * v / 2) * t) / (v * mp.sqrt(t))
                    d2 = d1 - v * mp.sqrt(t)
                    return sign * (
                        s * mp.exp(-q * t) * mp.ncdf(sign * d1) - strike * mp.exp(-r * t) * mp.ncdf(sign * d2)
                    )

                at = tuple(mp.mpf(a) for a in (spot, years, vol, rate, dividend))
                got = black_scholes(spot, strike, years, vol, is_call, rate, dividend)
                wanted = {
                    "price": value(*at),
                    "delta": mp.diff(value, at, (1, 0, 0, 0, 0)),
                    "gamma": mp.diff(value, at, (2, 0, 0, 0, 0)),
                    "vega": mp.diff(value, at, (0, 0, 1, 0, 0)),
                    "theta": -mp.diff(value, at, (0, 1, 0, 0, 0)),
                    "rho": mp.diff(value, at, (0, 0, 0, 1, 0)),
                    "dividend_rho": mp.diff(value, at, (0, 0, 0, 0, 1)),
                    "vanna": mp.diff(value, at, (1, 0, 1, 0, 0)),
                    "volga": mp.diff(value, at, (0, 0, 2, 0, 0)),
                }
                assert got.names() == (*NAMES, "dividend_rho")
                for name, want in wanted.items():
                    assert float(getattr(got, name)) == pytest.approx(float(want), rel=2e-13), name


def test_black_scholes_prices_to_2e_14(engine):
    """Total vols from 1e-5: there the rounding of the forward itself would be 1e-10 of the price."""
    rng = np.random.default_rng(3)
    s, t = 10 ** rng.uniform(-5, 0.5, 1000), 10 ** rng.uniform(-3, 0.5, 1000)
    rate, dividend = rng.uniform(-0.1, 0.3, (2, 1000))
    spot = 10 ** rng.uniform(-2, 5, 1000)
    strike = spot * np.exp((rate - dividend) * t - rng.uniform(-6, 6, 1000) * s)
    vol, call = s / np.sqrt(t), rng.random(1000) < 0.5
    got = black_scholes(spot, strike, t, vol, call, rate, dividend, greeks="price").price
    with mp.workdps(60):
        for i in range(1000):
            a, years, r, q = (mp.mpf(float(x[i])) for x in (spot, t, rate, dividend))
            # `exact` rounds its arguments to float64, so the forward has to come in as it is.
            forward, discount = a * mp.exp((r - q) * years), mp.exp(-r * years)
            k, v = mp.mpf(float(strike[i])), mp.mpf(float(vol[i]))
            d1 = mp.log(forward / k) / (v * mp.sqrt(years)) + v * mp.sqrt(years) / 2
            sign = 1 if call[i] else -1
            want = (
                sign
                * discount
                * (forward * mp.ncdf(sign * d1) - k * mp.ncdf(sign * (d1 - v * mp.sqrt(years))))
            )
            outside = want - discount * max(sign * (forward - k), 0)
            if outside > mp.mpf(10) ** -10 * discount * min(forward, k):
                assert abs(mp.mpf(float(got[i])) - want) <= 2e-14 * want, i


def test_erfcx_and_its_differences_match_sixty_digits():
    rng = np.random.default_rng(1)
    a = np.concatenate([rng.uniform(-0.25, 8, 200), rng.uniform(8, 30, 40), [-0.25, 0.0]])
    b = a + 10 ** rng.uniform(-9, 0.7, a.size)
    with mp.workdps(60):

        def known(x):
            return mp.exp(mp.mpf(x) ** 2) * mp.erfc(mp.mpf(x))

        wanted = [(known(x), known(y)) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
        for at_once in (slice(0, 90), slice(90, None)):  # few and many take different ways
            for i, x_a, x_b, gap in zip(
                range(a.size)[at_once],
                *erfcx_pair(np.stack([a, b])[:, at_once], (b - a)[at_once]),
                strict=True,
            ):
                exact_a, exact_b = wanted[i]
                assert abs(mp.mpf(float(x_a)) - exact_a) <= 2e-15 * exact_a
                assert abs(mp.mpf(float(x_b)) - exact_b) <= 2e-15 * exact_b
                assert abs(mp.mpf(float(gap)) - (exact_a - exact_b)) <= 6e-15 * (exact_a - exact_b)
    far = np.geomspace(1e3, 1e8, 40)
    series = (1 - 1 / (2 * far**2) + 3 / (4 * far**4)) / (far * np.sqrt(np.pi))
    np.testing.assert_allclose(erfcx(far), series, rtol=2e-15)
