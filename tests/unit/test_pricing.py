"""Black-76 against 60-digit arithmetic, its limits and its refusals."""

import itertools

import mpmath as mp
import numpy as np
import pytest

from evenkeel.pricing import PricingError, black76
from evenkeel.pricing._erfcx import erfcx


def exact(f, k, t, v, is_call, df=1.0):
    """Price, delta, gamma, vega, theta, rho, vanna, volga by the formulas at 60 digits, with a scale for each."""
    with mp.workdps(60):
        f, k, t, v, df = (mp.mpf(float(a)) for a in (f, k, t, v, df))
        s = v * mp.sqrt(t)
        d1 = mp.log(f / k) / s + s / 2
        d2 = d1 - s
        pdf = mp.exp(-d1 * d1 / 2) / mp.sqrt(2 * mp.pi)
        sign = 1 if is_call else -1

        def cdf(x):
            return mp.erfc(-x / mp.sqrt(2)) / 2

        price = df * sign * (f * cdf(sign * d1) - k * cdf(sign * d2))
        rate = -mp.log(df) / t
        vega = df * f * pdf * mp.sqrt(t)
        decay = df * f * pdf * v / (2 * mp.sqrt(t))
        values = {
            "price": (price, price),
            "delta": (df * sign * cdf(sign * d1),) * 2,
            "gamma": (df * pdf / (f * s),) * 2,
            "vega": (vega, vega),
            "theta": (rate * price - decay, abs(rate * price) + decay),
            "rho": (-t * price, t * price),
            "vanna": (-df * pdf * d2 / v, max(1, abs(d2)) * df * pdf / v),
            "volga": (vega * d1 * d2 / v, max(1, abs(d1 * d2)) * vega / v),
        }
        return {name: (float(a), float(b)) for name, (a, b) in values.items()}


def test_erfcx_matches_sixty_digits():
    x = np.concatenate([np.linspace(0, 8, 400), np.geomspace(8, 1e5, 60)])
    with mp.workdps(60):
        want = [float(mp.exp(mp.mpf(a) ** 2) * mp.erfc(mp.mpf(a))) if a < 1e3 else None for a in x.tolist()]
    got = erfcx(x)
    for value, known, at in zip(got, want, x, strict=True):
        reference = known or (1 - 1 / (2 * at**2) + 3 / (4 * at**4)) / (at * np.sqrt(np.pi))
        assert abs(value - reference) <= 1e-15 * reference


@pytest.mark.parametrize("df", [1.0, 0.93])
def test_grid_matches_sixty_digits(df):
    points = list(
        itertools.product(
            (0.6, 0.95, 1.0, 1.0001, 1.3, 1.9),
            (1 / 365, 14 / 365, 42 / 365, 1.0),
            (0.3, 0.75, 2.0),
            (True, False),
        )
    )
    m, t, v, c = (np.array(a) for a in zip(*points, strict=True))
    greeks = black76(2000.0, 2000.0 * m, t, v, c, df)
    for i in range(len(points)):
        reference = exact(2000.0, 2000.0 * m[i], t[i], v[i], bool(c[i]), df)
        if abs(np.log(m[i])) > 7 * v[i] * np.sqrt(t[i]):
            continue  # below 1e-10 of the forward, the exponent's own rounding is larger than the bound
        for name, (want, scale) in reference.items():
            got = getattr(greeks, name)[i]
            assert abs(got - want) <= 3e-13 * abs(scale), (name, points[i], got, want)


@pytest.mark.parametrize(("years", "vol"), [(0.0, 0.8), (0.1, 0.0), (0.0, 0.0)])
def test_no_time_or_no_vol_is_intrinsic(years, vol):
    greeks = black76([90.0, 100.0, 110.0], 100.0, years, vol, [[True], [False]], 0.9)
    np.testing.assert_allclose(greeks.price, [[0, 0, 9.0], [9.0, 0, 0]], atol=1e-14)
    np.testing.assert_allclose(greeks.delta, [[0, 0.45, 0.9], [-0.9, -0.45, 0]], atol=1e-14)
    assert np.all(greeks.gamma[:, [0, 2]] == 0)
    assert np.all(np.isinf(greeks.gamma[:, 1]))
    for name in ("vega", "vanna", "volga"):
        assert np.all(getattr(greeks, name) == 0)


def test_zero_strike_zero_forward_and_infinite_vol():
    call = black76(100.0, 0.0, 0.5, 0.8, True, 0.9)
    assert (float(call.price), float(call.delta)) == (90.0, 0.9)
    put = black76(0.0, 100.0, 0.5, 0.8, False, 0.9)
    assert (float(put.price), float(put.delta)) == (90.0, -0.9)
    assert float(black76(0.0, 0.0, 0.5, 0.8, True).price) == 0.0
    assert float(black76(100.0, 120.0, 0.5, np.inf, True).price) == 100.0
    for greeks in (call, put):
        for name in ("gamma", "vega", "theta", "vanna", "volga", "rho"):
            assert np.isfinite(getattr(greeks, name))


def test_far_out_of_the_money_stays_positive_and_finite():
    greeks = black76(1.0, [1e-6, 1e6], 0.5, 0.4, [False, True])
    assert np.all(greeks.price >= 0)
    assert all(
        np.all(np.isfinite(getattr(greeks, n)))
        for n in ("price", "delta", "gamma", "vega", "theta", "vanna", "volga")
    )


def test_nan_passes_through():
    assert np.isnan(black76(np.nan, 100.0, 0.5, 0.8, True).price)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((-1.0, 1.0, 1.0, 1.0), "forward: expected 0 or more, got -1.0"),
        ((1.0, 1.0, 1.0, -0.2), "vol: expected 0 or more, got -0.2"),
    ],
)
def test_negative_input_is_named(arguments, text):
    with pytest.raises(PricingError, match=text):
        black76(*arguments, True)
    with pytest.raises(PricingError, match="discount"):
        black76(1.0, 1.0, 1.0, 1.0, True, 0.0)
