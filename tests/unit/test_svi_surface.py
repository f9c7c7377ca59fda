"""SVI surfaces: joining smiles, calendar arbitrage, and fits of whole chains."""

import numpy as np
import pytest

from evenkeel.instruments import YEAR
from evenkeel.market.svi import ChainQuotes, Ssvi, SviError, SviSlice, SviSurface

NOW = 1_769_747_115.0
TERMS = np.array([0.02, 0.08, 0.25, 0.5])
EXPIRIES = NOW + TERMS * YEAR
FORWARDS = (2760.0, 2765.0, 2775.0, 2790.0)
SSVI = Ssvi(-0.25, 1.1, 0.45)
THETAS = 0.6**2 * TERMS
SLICES = tuple(SSVI.slice(float(theta), float(t)) for theta, t in zip(THETAS, TERMS, strict=True))
K = np.linspace(-0.8, 0.8, 41)


@pytest.fixture
def surface():
    return SviSurface(SLICES, FORWARDS, NOW)


def test_vol_at_the_expiries_is_the_slices(surface):
    for s, forward, expiry in zip(SLICES, FORWARDS, EXPIRIES, strict=True):
        np.testing.assert_allclose(surface.vol(expiry, forward * np.exp(K)), s.vol(K), rtol=1e-9)


def test_vol_before_and_after_the_expiries_is_flat_in_time(surface):
    early, late = NOW + 0.01 * YEAR, NOW + 2.0 * YEAR
    np.testing.assert_allclose(surface.vol(early, 2760.0 * np.exp(K)), SLICES[0].vol(K), rtol=1e-9)
    np.testing.assert_allclose(surface.vol(late, 2790.0 * np.exp(K)), SLICES[-1].vol(K), rtol=1e-9)


def test_vol_between_expiries_is_linear_in_total_variance(surface):
    expiry = NOW + 0.165 * YEAR
    forward = np.sqrt(2765.0 * 2775.0)
    assert surface.forward(expiry) == pytest.approx(forward, rel=1e-9)
    w = 0.5 * (SLICES[1].total_variance(K) + SLICES[2].total_variance(K))
    np.testing.assert_allclose(surface.vol(expiry, forward * np.exp(K)), np.sqrt(w / 0.165), rtol=1e-9)


def test_vol_broadcasts(surface):
    assert surface.vol(EXPIRIES[:, None], [2500.0, 2800.0, 3200.0]).shape == (4, 3)


def test_a_bare_surface_counts_seconds_from_now_and_multiples_of_the_forward():
    surface = SviSurface(SLICES)
    np.testing.assert_allclose(surface.vol(TERMS[2] * YEAR, np.exp(K)), SLICES[2].vol(K), rtol=1e-9)


def test_a_surface_of_surface_svi_is_free(surface):
    assert surface.is_arbitrage_free()
    assert surface.repair().slices == SLICES


def test_calendar_crossings_are_where_total_variance_falls():
    near = SviSlice(0.04, 0.2, 0.0, 0.0, 0.2, 0.25)
    far = SviSlice(0.10, 0.1, 0.0, 0.0, 0.2, 0.5)
    (crossing,) = SviSurface([near, far]).calendar_arbitrage()
    assert (crossing.near, crossing.far) == (0, 1)
    # 0.1 sqrt(k^2 + 0.04) = 0.06 at k^2 = 0.32.
    edge = np.sqrt(0.32)
    (left, right) = crossing.intervals
    assert left == (-np.inf, pytest.approx(-edge, rel=1e-9))
    assert right == (pytest.approx(edge, rel=1e-9), np.inf)


def test_butterflies_are_named_by_slice():
    vogt = SviSlice(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153, 1.0)
    surface = SviSurface([*SLICES, vogt])
    assert list(surface.butterfly_arbitrage()) == [4]
    assert not surface.is_arbitrage_free()
    assert surface.repair().butterfly_arbitrage() == {}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SviSurface([]), "slices: expected one or more"),
        (lambda: SviSurface(SLICES[::-1]), "slices: expected rising years"),
        (lambda: SviSurface(SLICES, (1.0,)), "forwards: expected 4, one a slice, got 1"),
        (lambda: SviSurface(SLICES, (1.0, 1.0, 0.0, 1.0)), "forwards: expected positive"),
        (lambda: SviSurface(SLICES, FORWARDS, NOW).vol(NOW, 2800.0), "expiry: expected after"),
        (lambda: SviSurface(SLICES, FORWARDS, NOW).vol(EXPIRIES[0], -1.0), "strike: expected more than 0"),
        (lambda: SviSurface(SLICES).total_variance(0.0, 0.0), "years: expected more than 0"),
    ],
)
def test_refuses_what_is_no_surface(make, message):
    with pytest.raises(SviError, match=message):
        make()


def chain(strikes, spread=0.02, noise=0.0, seed=0):
    """Two-sided quotes of the surface above at `strikes`, standard deviations of the log price, by expiry."""
    generator = np.random.default_rng(seed)
    columns = []
    for s, forward, expiry, at in zip(SLICES, FORWARDS, EXPIRIES, strikes, strict=True):
        k = np.asarray(at) * np.sqrt(s.total_variance(0.0))
        mid = s.vol(k) + generator.normal(0.0, noise, k.size)
        columns.append([np.full_like(k, expiry), forward * np.exp(k), np.full_like(k, forward), mid])
    expiry, strike, forward, mid = np.concatenate(columns, axis=1)
    return ChainQuotes(NOW, expiry, strike, forward, mid - spread / 2, mid + spread / 2)


def test_fit_of_a_full_chain():
    fitted = SviSurface.fit(chain([np.linspace(-2, 2, 15)] * 4))
    assert fitted.timestamp == NOW
    np.testing.assert_allclose(fitted.forwards, FORWARDS)
    for s, truth in zip(fitted.slices, SLICES, strict=True):
        k = K * np.sqrt(truth.total_variance(0.0)) * 2.5
        np.testing.assert_allclose(s.vol(k), truth.vol(k), rtol=1e-6)


def test_few_quotes_borrow_the_shape_of_the_rest():
    full, few = np.linspace(-2, 2, 15), [-0.3, 0.0, 0.4]
    fitted = SviSurface.fit(chain([full, few, full, [0.1]], noise=0.002))
    for i in (1, 3):
        k = np.linspace(-2, 2, 21) * np.sqrt(SLICES[i].total_variance(0.0))
        assert np.abs(fitted.slices[i].vol(k) - SLICES[i].vol(k)).max() < 0.02


def test_a_chain_of_few_quotes_gives_a_free_surface():
    fitted = SviSurface.fit(chain([[0.0], [-0.5, 0.5], [0.1], [-1.0, 0.9]]))
    assert fitted.is_arbitrage_free()


def test_tight_quotes_count_more():
    quotes = chain([np.linspace(-2, 2, 15)] * 4)
    bid, ask = np.array(quotes.bid), np.array(quotes.ask)
    wrong = np.arange(bid.size) % 15 == 7
    bid[wrong] += 0.1 - 0.2
    ask[wrong] += 0.1 + 0.2
    wide = ChainQuotes(NOW, quotes.expiry, quotes.strike, quotes.forward, bid, ask)
    for s, truth in zip(SviSurface.fit(wide).slices, SLICES, strict=True):
        assert s.vol(0.0) == pytest.approx(float(truth.vol(0.0)), abs=1e-3)


def crossed_chain():
    """Fifteen quotes an expiry whose total variance falls from the second expiry to the third, and Vogt's smile as the fourth."""
    vogt = SviSlice(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153, float(TERMS[3]))
    falling = SviSlice(0.01, 0.15, 0.3, 0.0, 0.1, float(TERMS[2]))
    columns = []
    for s, expiry, forward in zip((*SLICES[:2], falling, vogt), EXPIRIES, FORWARDS, strict=True):
        k = np.linspace(-1.2, 1.2, 15) * (1.0 if s is vogt else 0.5)
        columns.append([np.full_like(k, expiry), forward * np.exp(k), np.full_like(k, forward), s.vol(k)])
    expiry, strike, forward, mid = np.concatenate(columns, axis=1)
    return ChainQuotes(NOW, expiry, strike, forward, mid - 0.01, mid + 0.01)


def test_a_market_with_arbitrage_is_fitted_with_and_without_it():
    market = SviSurface.fit(crossed_chain())
    assert market.calendar_arbitrage()
    assert 3 in market.butterfly_arbitrage()
    free = SviSurface.fit(crossed_chain(), arbitrage_free=True)
    assert free.is_arbitrage_free()
    # The smiles that hold no arbitrage among themselves stay where they are quoted.
    np.testing.assert_allclose(free.slices[0].vol(K / 2), SLICES[0].vol(K / 2), rtol=1e-3)


def test_a_free_market_is_not_moved():
    quotes = chain([np.linspace(-2, 2, 15)] * 4)
    free = SviSurface.fit(quotes, arbitrage_free=True)
    np.testing.assert_allclose(
        free.vol(quotes.expiry, quotes.strike),
        SviSurface.fit(quotes).vol(quotes.expiry, quotes.strike),
        rtol=1e-6,
    )


def test_quotes_without_two_sides_are_left_out():
    quotes = chain([np.linspace(-2, 2, 15)] * 4)
    bid, ask = np.array(quotes.bid), np.array(quotes.ask)
    bid[::15] = np.nan
    bid[1::15] = 0.0
    ask[2::15] = bid[2::15] - 0.3
    holes = ChainQuotes(NOW, quotes.expiry, quotes.strike, quotes.forward, bid, ask)
    for s, truth in zip(SviSurface.fit(holes).slices, SLICES, strict=True):
        assert s.vol(0.0) == pytest.approx(float(truth.vol(0.0)), rel=1e-6)


@pytest.mark.parametrize(
    ("quotes", "message"),
    [
        (
            ChainQuotes(NOW, [EXPIRIES[0]], [1.0, 2.0], [1.0], [0.5], [0.6]),
            r"one length, got expiry \(1,\), strike \(2,\)",
        ),
        (ChainQuotes(NOW, [NOW - 1], [1.0], [1.0], [0.5], [0.6]), "none has a bid"),
        (ChainQuotes(NOW, [EXPIRIES[0]], [1.0], [1.0], [float("nan")], [0.6]), "none has a bid"),
        (ChainQuotes(NOW, [EXPIRIES[0]], [-1.0], [1.0], [0.5], [0.6]), "strike, forward: expected positive"),
        (
            ChainQuotes(NOW, [EXPIRIES[0]] * 2, [1.0, 2.0], [1.0, 1.1], [0.5] * 2, [0.6] * 2),
            "forward: expected one",
        ),
    ],
)
def test_refuses_what_is_no_chain(quotes, message):
    with pytest.raises(SviError, match=message):
        SviSurface.fit(quotes)
