"""What holds for every SVI slice and surface."""

from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from evenkeel.instruments import YEAR
from evenkeel.market.svi import ChainQuotes, JumpWingError, Ssvi, SviSlice, SviSurface
from examples import examples

years = st.floats(0.01, 2.0)

# A slice is many numbers of which some are drawn again; now and then that is more than hypothesis likes, and no fault.
DRAWS = (HealthCheck.data_too_large,)


@st.composite
def slices(draw):
    """Smiles of crypto's size: vol 20% to 150%, wings and curvature in proportion."""
    term = draw(years)
    w = draw(st.floats(0.2, 1.5)) ** 2 * term
    root = np.sqrt(w)
    return SviSlice(
        a=w * draw(st.floats(0.1, 0.95)),
        b=root * draw(st.floats(0.02, 0.9)),
        rho=draw(st.floats(-0.95, 0.95)),
        m=root * draw(st.floats(-1.0, 1.0)),
        sigma=root * draw(st.floats(0.1, 2.0)),
        years=term,
    )


def spread(s):
    return np.linspace(-4.0, 4.0, 401) * np.sqrt(s.total_variance(0.0))


@given(slices())
def test_jump_wings_return_the_smile(s):
    wings = s.to_jump_wings()
    # Near the money's own minimum the wings no longer hold the curvature: v - vt is lost in rounding.
    assume(wings.v - wings.vt > 1e-6 * wings.v)
    back = SviSlice.from_jump_wings(wings.v, wings.psi, wings.p, wings.c, wings.vt, s.years)
    np.testing.assert_allclose(back.total_variance(spread(s)), s.total_variance(spread(s)), rtol=1e-6)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=DRAWS)
@given(slices())
def test_search_finds_every_negative_g(s):
    k = spread(s)
    inside = np.zeros(k.size, dtype=bool)
    for low, high in s.butterfly_arbitrage():
        inside |= (k > low) & (k < high)
    g = s.g(k)
    assert np.all(g[~inside] >= -1e-9)
    assert np.all(g[inside] <= 1e-9)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=DRAWS)
@given(slices())
def test_repair_frees_every_slice(s):
    repaired = s.repair()
    assert repaired.is_arbitrage_free()
    np.testing.assert_allclose(repaired.total_variance(0.0), s.total_variance(0.0), rtol=1e-9)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=DRAWS)
@given(slices())
def test_fit_returns_the_smile(s):
    # Steeper wings than 2 are arbitrage, and the fit does not go there.
    assume(s.b * (1.0 + abs(s.rho)) < 1.99)
    k = np.linspace(-2.5, 2.5, 13) * np.sqrt(s.total_variance(0.0))
    fitted = SviSlice.fit(k, s.vol(k), years=s.years)
    np.testing.assert_allclose(fitted.vol(k), s.vol(k), rtol=1e-5)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=DRAWS)
@given(
    st.floats(-0.95, 0.95),
    st.floats(0.05, 1.0),
    st.floats(0.01, 0.5),
    st.lists(st.floats(1e-4, 0.5), min_size=2, max_size=5),
)
def test_surface_svi_is_free_of_arbitrage(rho, share, gamma, steps):
    ssvi = Ssvi(rho, 2.0 * share / (1.0 + abs(rho)), gamma)
    surface = SviSurface([ssvi.slice(t, 0.1 * (i + 1)) for i, t in enumerate(np.cumsum(steps))])
    assert surface.butterfly_arbitrage() == {}
    assert surface.calendar_arbitrage() == ()


@given(st.lists(slices(), min_size=2, max_size=2), st.floats(0.0, 1.0), st.floats(-1.0, 1.0))
def test_total_variance_lies_between_its_neighbours(pair, share, k):
    near, far = sorted(pair, key=lambda s: s.years)
    assume(far.years - near.years > 1e-3)
    surface = SviSurface([near, far])
    w = surface.total_variance(k, near.years + share * (far.years - near.years))
    ends = near.total_variance(k), far.total_variance(k)
    np.testing.assert_allclose(w, ends[0] + share * (ends[1] - ends[0]), rtol=1e-9)


@given(
    st.floats(0.01, 1.0),
    st.floats(-1.0, 1.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    years,
)
def test_jump_wings_give_a_slice_with_them_or_a_typed_error(v, psi, p, c, share, term):
    try:
        s = SviSlice.from_jump_wings(v, psi, p, c, share * v, term)
    except JumpWingError:
        return
    wings = s.to_jump_wings()
    scale = np.sqrt(v * term)
    np.testing.assert_allclose([wings.p * scale, wings.c * scale], [p * scale, c * scale], atol=1e-6)


@settings(max_examples=examples(15), deadline=None, suppress_health_check=DRAWS)
@given(st.lists(slices(), min_size=2, max_size=3), st.integers(3, 12))
def test_any_chain_has_a_surface_without_arbitrage(smiles, count):
    smiles = sorted(smiles, key=lambda s: s.years)
    assume(all(b.years - a.years > 1e-3 for a, b in pairwise(smiles)))
    columns = []
    for s in smiles:
        k = np.linspace(-2.0, 2.0, count) * np.sqrt(s.total_variance(0.0))
        columns.append([np.full_like(k, s.years * YEAR), np.exp(k), np.ones_like(k), s.vol(k)])
    expiry, strike, forward, mid = np.concatenate(columns, axis=1)
    surface = SviSurface.fit(
        ChainQuotes(0.0, expiry, strike, forward, 0.99 * mid, 1.01 * mid), arbitrage_free=True
    )
    assert surface.is_arbitrage_free()


@settings(max_examples=examples(20), deadline=None, suppress_health_check=DRAWS)
@given(slices(), st.integers(0, 2**32 - 1))
def test_no_other_solver_fits_noise_better(s, seed):
    assume(s.b * (1.0 + abs(s.rho)) < 1.5)
    k = np.linspace(-2.5, 2.5, 17) * np.sqrt(s.total_variance(0.0))
    vol = s.vol(k) * (1.0 + np.random.default_rng(seed).normal(0.0, 0.01, k.size))

    def residual(x):
        a, b, rho, m, sigma = x
        w = a + b * (rho * (k - m) + np.hypot(k - m, sigma))
        return np.sqrt(np.maximum(w, 1e-12) / s.years) - vol

    fitted = SviSlice.fit(k, vol, years=s.years)
    span = np.ptp(k)
    bounds = ([-5, 0, -0.999, k[0] - span, 0.01 * span], [5, 2, 0.999, k[-1] + span, 10 * span])
    start = np.clip([s.a, s.b, s.rho, s.m, s.sigma], np.array(bounds[0]) * 0.999, np.array(bounds[1]) * 0.999)
    theirs = least_squares(residual, start, bounds=bounds, x_scale="jac").x
    # Scipy's knows nothing of a least variance above 0 and of wings that are possible.
    assume(theirs[1] * (1.0 + abs(theirs[2])) <= 2.0)
    assume(theirs[0] + theirs[1] * theirs[4] * np.sqrt(1.0 - theirs[2] ** 2) > 0.0)
    ours = residual([fitted.a, fitted.b, fitted.rho, fitted.m, fitted.sigma])
    assert ours @ ours <= (1.0 + 1e-4) * (residual(theirs) @ residual(theirs))
