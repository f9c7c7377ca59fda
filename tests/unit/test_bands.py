"""The bands against their limiting cases and a brute-force minimum."""

import numpy as np
import pytest

from demo_mandate import raw
from evenkeel.planner.bands import (
    band_cost,
    delta_band,
    fixed_cost_band,
    lowered_trigger,
    mixed_band,
    whalley_wilmott,
    zakamouline,
)
from evenkeel.planner.errors import PlannerError
from evenkeel.strategy import parse_mandate

GAMMA, PRICE, VOL, AVERSION = 0.0617, 3000.0, 0.75, 300 / 1e6


def test_no_fixed_cost_is_whalley_wilmott():
    h, r = mixed_band(0.0015, 0.0, PRICE, GAMMA, VOL, AVERSION)
    want = whalley_wilmott(0.0015, PRICE, GAMMA, AVERSION)
    assert (h, r) == pytest.approx((want, want), rel=1e-12)
    h, r = mixed_band(0.0015, 1e-12, PRICE, GAMMA, VOL, AVERSION)
    assert (h, r) == pytest.approx((want, want), rel=1e-4)


def test_no_proportional_cost_trades_to_the_centre():
    h, r = mixed_band(0.0, 5.0, PRICE, GAMMA, VOL, AVERSION)
    assert h == pytest.approx(fixed_cost_band(5.0, GAMMA, AVERSION), rel=1e-12)
    assert r == 0.0


@pytest.mark.parametrize(
    ("cost", "fixed"), [(0.0015, 0.5), (0.0005, 5.0), (0.005, 0.05), (1e-5, 50.0), (0.01, 1e-3)]
)
def test_mixed_band_beats_every_neighbour(cost, fixed):
    h, r = mixed_band(cost, fixed, PRICE, GAMMA, VOL, AVERSION)
    best = band_cost(h, r, cost, fixed, PRICE, GAMMA, VOL, AVERSION)
    grid = [
        band_cost(x, y, cost, fixed, PRICE, GAMMA, VOL, AVERSION)
        for x in h * np.linspace(0.7, 1.4, 41)
        for y in r * np.linspace(0.5, 1.5, 41)
        if 0 <= y < x * 0.999999
    ]
    assert best <= min(grid) * (1 + 1e-12)


def test_mixed_band_over_many_scales_is_ordered_and_finite():
    for gamma in np.geomspace(1e-9, 1e3, 13):
        for fixed in (0.0, 1e-6, 1.0, 1e4):
            h, r = mixed_band(0.0015, fixed, PRICE, float(gamma), VOL, AVERSION)
            assert 0 <= r <= h < np.inf
            assert h > 0


def test_demo_band_is_about_one_and_a_half_percent_of_nav():
    band = delta_band(parse_mandate(raw()), PRICE, -GAMMA, 1e6)
    assert 0.009 < band.trigger * PRICE / 1e6 < 0.02
    assert 0 <= band.inner <= band.trigger < band.wall


def test_nothing_drifts_without_gamma():
    assert mixed_band(0.0015, 0.5, PRICE, 0.0, VOL, AVERSION) == (0.0, 0.0)
    assert whalley_wilmott(0.0015, PRICE, 0.0, AVERSION) == 0.0


def test_the_wall_keeps_one_cycles_move_inside_the_limit():
    mandate = parse_mandate(raw(risk_aversion=1.0))
    band = delta_band(mandate, PRICE, GAMMA, 1e6)
    assert band.trigger == band.wall
    assert 0 < band.wall < 0.05 * 1e6 / PRICE
    drowned = delta_band(mandate, PRICE, 40 * GAMMA, 1e6)
    assert drowned.wall < 0
    assert (drowned.trigger, drowned.inner) == (0.0, 0.0)


def test_fixed_mode_takes_fractions_of_the_limit():
    mandate = parse_mandate(raw(band__mode="fixed", band__fixed_trigger=0.4, band__fixed_inner=0.1))
    band = delta_band(mandate, 2500.0, GAMMA / 4, 1e6)
    assert (band.trigger, band.inner) == pytest.approx((8.0, 2.0))


def test_discrete_watching_lowers_the_trigger():
    deviation = GAMMA * PRICE * VOL
    assert lowered_trigger(5.0, deviation, 3600.0) == pytest.approx(5.0 - 0.5826 * deviation / np.sqrt(8760))
    assert lowered_trigger(0.1, deviation, 86400.0) == 0.0


def test_zakamouline_widens_with_cost_and_shifts_variance_as_leland():
    h, k = zakamouline(0.0015, PRICE, GAMMA, VOL, 28 / 365, AVERSION)
    wider, _ = zakamouline(0.005, PRICE, GAMMA, VOL, 28 / 365, AVERSION)
    assert 0 < h < wider
    assert -1 < k < 0


def test_bad_inputs_are_named():
    with pytest.raises(PlannerError, match="aversion: expected more than 0, got 0"):
        mixed_band(0.0015, 0.5, PRICE, GAMMA, VOL, 0.0)
