"""SVI slices: the published example, jump wings, fits and repairs."""

import math

import mpmath
import numpy as np
import pytest

from evenkeel.market.svi import JumpWingError, Ssvi, SviError, SviSlice

# Axel Vogt's slice: Gatheral and Jacquier, Arbitrage-free SVI volatility surfaces, Quantitative Finance 14(1), 2014, section 3.
VOGT = SviSlice(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153, years=1.0)
# Its jump wings as printed in section 5.1, with the call wing and the least variance of the two repairs there: the slice of the
# surface SVI family, and the one chosen between it and Vogt's.
VOGT_WINGS = (0.01742625, -0.1752111, 0.6997381, 1.316798, 0.0116249)
FAMILY_WINGS = (0.01742625, -0.1752111, 0.6997381, 0.3493158, 0.01548182)
CHOSEN_WINGS = (0.01742625, -0.1752111, 0.6997381, 0.8564763, 0.0116249)
K = np.linspace(-1.5, 1.5, 301)


def exact_g(s, k):
    """g from w alone, with mpmath's own derivatives."""
    with mpmath.workdps(60):

        def w(x):
            return s.a + s.b * (s.rho * (x - s.m) + mpmath.sqrt((x - s.m) ** 2 + mpmath.mpf(s.sigma) ** 2))

        x = mpmath.mpf(k)
        w0, w1, w2 = w(x), mpmath.diff(w, x), mpmath.diff(w, x, 2)
        return float((1 - x * w1 / (2 * w0)) ** 2 - w1**2 / 4 * (1 / w0 + mpmath.mpf(1) / 4) + w2 / 2)


def test_g_against_high_precision():
    for k in (-1.2, -0.3, 0.0, 0.3586, 0.8, 1.25, 3.0):
        assert VOGT.g(k) == pytest.approx(exact_g(VOGT, k), rel=1e-11, abs=1e-12)


def test_vogts_slice_holds_a_butterfly():
    ((low, high),) = VOGT.butterfly_arbitrage()
    assert low == pytest.approx(0.6424, abs=5e-5)
    assert high == pytest.approx(1.2569, abs=5e-5)
    assert VOGT.g((low + high) / 2) < 0.0
    assert VOGT.g(low) == pytest.approx(0.0, abs=1e-9)
    assert not VOGT.is_arbitrage_free()


def test_the_price_of_vogts_butterfly_is_negative():
    # Call prices by Black at 50 digits: the second difference over strikes has the sign of g.
    def call(strike):
        with mpmath.workdps(50):
            k = mpmath.log(strike)
            w = VOGT.a + VOGT.b * (VOGT.rho * (k - VOGT.m) + mpmath.sqrt((k - VOGT.m) ** 2 + VOGT.sigma**2))
            d1 = -k / mpmath.sqrt(w) + mpmath.sqrt(w) / 2
            return mpmath.ncdf(d1) - strike * mpmath.ncdf(d1 - mpmath.sqrt(w))

    for k, sign in ((0.60, 1), (0.9, -1), (1.2, -1), (1.3, 1)):
        strike = mpmath.exp(k)
        butterfly = call(strike * 0.999) - 2 * call(strike) + call(strike * 1.001)
        assert mpmath.sign(butterfly) == sign


def test_jump_wings_as_published():
    wings = VOGT.to_jump_wings()
    np.testing.assert_allclose((wings.v, wings.psi, wings.p, wings.c, wings.vt), VOGT_WINGS, rtol=5e-7)
    back = SviSlice.from_jump_wings(*VOGT_WINGS, 1.0)
    np.testing.assert_allclose(back.total_variance(K), VOGT.total_variance(K), atol=2e-7)


def test_published_repairs_are_free_of_arbitrage():
    assert SviSlice.from_jump_wings(*FAMILY_WINGS, 1.0).is_arbitrage_free()
    assert SviSlice.from_jump_wings(*CHOSEN_WINGS, 1.0).is_arbitrage_free()


def test_repair_is_no_further_off_than_the_published_one():
    repaired = VOGT.repair()
    assert repaired.is_arbitrage_free()
    before, after = VOGT.to_jump_wings(), repaired.to_jump_wings()
    assert after.v == pytest.approx(before.v, rel=1e-9)
    assert after.psi == pytest.approx(before.psi, rel=1e-9)
    published = SviSlice.from_jump_wings(*CHOSEN_WINGS, 1.0)
    k = np.linspace(-0.5, 0.5, 101)
    aim = VOGT.total_variance(k)
    assert np.abs(repaired.total_variance(k) - aim).max() <= np.abs(published.total_variance(k) - aim).max()
    assert repaired.repair() is repaired


def test_repair_of_slices_outside_the_family():
    steep = SviSlice(0.01, 3.0, 0.2, 0.0, 0.1, 0.5)
    skewed = SviSlice(0.001, 0.5, -0.95, 0.1, 0.02, 0.05)
    for broken in (steep, skewed):
        assert not broken.is_arbitrage_free()
        repaired = broken.repair()
        assert repaired.is_arbitrage_free()
        assert repaired.total_variance(0.0) == pytest.approx(broken.total_variance(0.0), rel=1e-9)


def test_steep_wings_are_arbitrage_out_to_infinity():
    assert SviSlice(0.1, 1.2, 0.8, 0.0, 0.5, 1.0).butterfly_arbitrage()[-1][1] == math.inf
    assert SviSlice(0.1, 1.2, -0.8, 0.0, 0.5, 1.0).butterfly_arbitrage()[0][0] == -math.inf


def test_a_flat_smile_is_a_slice():
    flat = SviSlice.from_jump_wings(0.64, 0.0, 0.0, 0.0, 0.64, 0.25)
    np.testing.assert_allclose(flat.vol(K), 0.8)
    np.testing.assert_allclose(flat.g(K), 1.0)
    assert flat.is_arbitrage_free()


def test_least_variance_at_m():
    # beta = 0 is a case of its own in the published inverse: the least variance is where the smile's two arms meet.
    s = SviSlice(0.02, 0.3, -0.4, 0.0, 0.2, 0.5)
    wings = s.to_jump_wings()
    back = SviSlice.from_jump_wings(wings.v, wings.psi, wings.p, wings.c, wings.vt, 0.5)
    np.testing.assert_allclose(back.total_variance(K), s.total_variance(K), rtol=1e-12)


@pytest.mark.parametrize(
    ("wings", "message"),
    [
        ((0.64, -1.5, 0.4, 0.5, 0.6), "psi: beta = .* is outside"),
        ((0.64, 0.0, 0.4, 0.5, 0.6), "psi, vt: psi = 0 and vt = v go together"),
        ((0.64, 0.0, 0.4, 0.4, 0.64), "leave the curvature open"),
        ((0.64, -0.1, 0.4, 0.5, 0.64), "psi, vt"),
        ((0.64, -0.1, 0.4, 0.5, 0.7), "vt: expected at most v = 0.64"),
        ((0.64, -0.1, -0.4, 0.5, 0.6), "p: expected 0 or more"),
        ((0.64, -0.1, 0.4, 0.5, -0.6), "vt: expected 0 or more"),
        ((0.0, -0.1, 0.4, 0.5, 0.0), "v: expected more than 0"),
        ((0.64, -0.1, 0.0, 0.0, 0.6), "flat wings need psi = 0"),
        ((float("nan"), -0.1, 0.4, 0.5, 0.6), "v: expected"),
    ],
)
def test_jump_wings_of_no_slice(wings, message):
    with pytest.raises(JumpWingError, match=message):
        SviSlice.from_jump_wings(*wings, 1.0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((0.1, -0.1, 0.0, 0.0, 0.1, 1.0), "b: expected 0 or more"),
        ((0.1, 0.1, 1.1, 0.0, 0.1, 1.0), "rho: expected between -1 and 1"),
        ((0.1, 0.1, 0.0, 0.0, 0.0, 1.0), "sigma: expected more than 0"),
        ((0.1, 0.1, 0.0, 0.0, 0.1, 0.0), "years: expected more than 0"),
        ((-0.1, 0.1, 0.0, 0.0, 0.1, 1.0), "a: the least total variance is -0.09"),
        ((0.1, 0.1, 0.0, float("inf"), 0.1, 1.0), "m: expected a finite number"),
    ],
)
def test_parameters_of_no_slice(parameters, message):
    with pytest.raises(SviError, match=message):
        SviSlice(*parameters)


def test_fit_finds_the_slice_behind_exact_quotes():
    k = np.linspace(-1.0, 1.0, 11)
    fitted = SviSlice.fit(k, VOGT.vol(k), years=1.0)
    np.testing.assert_allclose(fitted.total_variance(K), VOGT.total_variance(K), rtol=1e-9)


def test_fit_is_a_minimum():
    generator = np.random.default_rng(1)
    k = np.linspace(-0.6, 0.5, 25)
    truth = SviSlice(0.02, 0.2, -0.3, 0.05, 0.15, 0.2)
    vol = truth.vol(k) + generator.normal(0.0, 0.01, k.size)
    weights = generator.uniform(0.5, 2.0, k.size)
    fitted = SviSlice.fit(k, vol, weights, years=0.2)

    def cost(a, b, rho, m, sigma):
        return weights @ (SviSlice(a, b, rho, m, sigma, 0.2).vol(k) - vol) ** 2

    best = (fitted.a, fitted.b, fitted.rho, fitted.m, fitted.sigma)
    assert cost(*best) <= cost(truth.a, truth.b, truth.rho, truth.m, truth.sigma)
    for i in range(5):
        for step in (-1e-4, 1e-4):
            near = list(best)
            near[i] += step
            assert cost(*near) >= cost(*best)


def test_weights_decide_which_quotes_count():
    k = np.linspace(-0.5, 0.5, 12)
    vol = np.full(12, 0.6)
    vol[3] = 2.0
    weights = np.ones(12)
    weights[3] = 0.0
    np.testing.assert_allclose(SviSlice.fit(k, vol, weights, years=0.1).vol(k), 0.6, rtol=1e-6)


def test_fit_keeps_to_possible_wings():
    k = np.linspace(-2.0, 2.0, 21)
    fitted = SviSlice.fit(k, np.sqrt(0.1 + 5.0 * np.abs(k)), years=1.0)
    assert fitted.b * (1.0 + abs(fitted.rho)) <= 2.0 + 1e-9


@pytest.mark.parametrize(
    ("k", "vol", "weights", "message"),
    [
        ([0.0, 0.1, 0.2, 0.3], [0.5] * 4, None, "a slice needs 5 quotes at different strikes, got 4"),
        ([0.0] * 6, [0.5] * 6, None, "got 1"),
        ([0.0, 0.1, 0.2, 0.3, 0.4], [0.5, 0.5, -0.5, 0.5, 0.5], None, "quote 2: expected"),
        ([0.0, 0.1], [0.5], None, "one length"),
        ([0.0, 0.1, 0.2, 0.3, 0.4], [0.5] * 5, [1, 1, 1, 1, -1], "weights"),
    ],
)
def test_quotes_of_no_fit(k, vol, weights, message):
    with pytest.raises(SviError, match=message):
        SviSlice.fit(k, vol, weights, years=1.0)


def test_surface_svi_is_svi():
    ssvi = Ssvi(-0.3, 1.2, 0.4)
    theta, years = 0.09, 0.25
    phi = 1.2 / (theta**0.4 * (1 + theta) ** 0.6)
    expected = theta / 2 * (1 - 0.3 * phi * K + np.sqrt((phi * K - 0.3) ** 2 + 1 - 0.09))
    np.testing.assert_allclose(ssvi.slice(theta, years).total_variance(K), expected, rtol=1e-13)


@pytest.mark.parametrize("parameters", [(1.0, 0.5, 0.4), (0.5, 1.5, 0.4), (0.5, 0.0, 0.4), (0.5, 1.0, 0.6)])
def test_surface_svi_with_arbitrage_is_refused(parameters):
    with pytest.raises(SviError):
        Ssvi(*parameters)
