"""Numbers that others printed: Haug, "Option Pricing Formulas" (McGraw-Hill 1998).

They are those that QuantLib's test-suite/europeanoption.cpp quotes with the book's pages, to its tolerance of 1e-4 at most: the book's
normal distribution is an approximation, and one of its prices is off by more than its rounding (1.8734 for 1.87334).
"""

import numpy as np
import pytest

from evenkeel.pricing import black_scholes, implied_vol

# is_call, strike, spot, dividend, rate, years, vol, printed value
PRICES = [
    # pages 2-8
    (True, 65.0, 60.0, 0.0, 0.08, 0.25, 0.30, 2.1334),
    (False, 95.0, 100.0, 0.05, 0.10, 0.50, 0.20, 2.4648),
    (False, 19.0, 19.0, 0.10, 0.10, 0.75, 0.28, 1.7011),
    (True, 19.0, 19.0, 0.10, 0.10, 0.75, 0.28, 1.7011),
    (True, 1.60, 1.56, 0.08, 0.06, 0.50, 0.12, 0.0291),
    (False, 70.0, 75.0, 0.05, 0.10, 0.50, 0.35, 4.0870),
    # page 27
    (True, 40.0, 42.0, 0.08, 0.04, 0.75, 0.35, 5.0975),
]

# Page 24: strike 100, dividend and rate 0.10; columns are spots 90, 100, 110, rows are (years, vol).
PAGE_24 = [
    (0.10, 0.15, (0.0205, 1.8734, 9.9413), (9.9210, 1.8734, 0.0408)),
    (0.10, 0.25, (0.3150, 3.1217, 10.3556), (10.2155, 3.1217, 0.4551)),
    (0.10, 0.35, (0.9474, 4.3693, 11.1381), (10.8479, 4.3693, 1.2376)),
    (0.50, 0.15, (0.8069, 4.0232, 10.5769), (10.3192, 4.0232, 1.0646)),
    (0.50, 0.25, (2.7026, 6.6997, 12.7857), (12.2149, 6.6997, 3.2734)),
    (0.50, 0.35, (4.9329, 9.3679, 15.3086), (14.4452, 9.3679, 5.7963)),
]

# Pages 11-16: name, is_call, strike, spot, dividend, rate, years, vol, printed value
GREEKS = [
    ("delta", True, 100.0, 105.0, 0.10, 0.10, 0.5, 0.36, 0.5946),
    ("delta", False, 100.0, 105.0, 0.10, 0.10, 0.5, 0.36, -0.3566),
    ("gamma", True, 60.0, 55.0, 0.0, 0.10, 0.75, 0.30, 0.0278),
    ("gamma", False, 60.0, 55.0, 0.0, 0.10, 0.75, 0.30, 0.0278),
    ("vega", True, 60.0, 55.0, 0.0, 0.10, 0.75, 0.30, 18.9358),
    ("vega", False, 60.0, 55.0, 0.0, 0.10, 0.75, 0.30, 18.9358),
    ("theta", False, 405.0, 430.0, 0.05, 0.07, 1 / 12, 0.20, -31.1924),
    ("rho", True, 75.0, 72.0, 0.0, 0.09, 1.0, 0.19, 38.7325),
    ("dividend_rho", False, 490.0, 500.0, 0.05, 0.08, 0.25, 0.15, 42.2254),
]


@pytest.mark.parametrize("row", PRICES)
def test_prices(row):
    is_call, strike, spot, dividend, rate, years, vol, printed = row
    got = black_scholes(spot, strike, years, vol, is_call, rate, dividend, greeks="price")
    assert float(got.price) == pytest.approx(printed, abs=5.1e-5)


def test_page_24():
    years, vol = (np.array([row[i] for row in PAGE_24])[:, None] for i in (0, 1))
    for is_call, column in ((True, 2), (False, 3)):
        got = black_scholes([90.0, 100.0, 110.0], 100.0, years, vol, is_call, 0.10, 0.10).price
        np.testing.assert_allclose(got, [row[column] for row in PAGE_24], atol=6e-5)


@pytest.mark.parametrize("row", GREEKS)
def test_greeks(row):
    name, is_call, strike, spot, dividend, rate, years, vol, printed = row
    got = black_scholes(spot, strike, years, vol, is_call, rate, dividend, greeks=name)
    assert float(getattr(got, name)) == pytest.approx(printed, abs=5.1e-5)


def test_elasticity_and_theta_a_day():
    put = black_scholes(105.0, 100.0, 0.5, 0.36, False, 0.10, 0.10)
    assert float(put.delta * 105.0 / put.price) == pytest.approx(-4.8775, abs=5.1e-5)
    put = black_scholes(430.0, 405.0, 1 / 12, 0.20, False, 0.07, 0.05)
    assert float(put.theta) / 365 == pytest.approx(-0.0855, abs=5.1e-5)


def test_implied_vols_of_page_24():
    """The printed prices give the vols back, as exactly as four decimals tell."""
    for years, vol, calls, puts in PAGE_24:
        for is_call, printed in ((True, calls), (False, puts)):
            spots = np.array([90.0, 100.0, 110.0])
            growth = np.exp(0.10 * years)
            found = implied_vol(printed, spots, 100.0, years, is_call, 1 / growth)
            vega = black_scholes(spots, 100.0, years, vol, is_call, 0.10, 0.10).vega
            assert np.all(np.abs(found - vol) <= 7e-5 / vega)
