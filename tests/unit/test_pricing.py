"""What the kernels promise besides exactness: limits, refusals, shapes, subsets, memory and a quick import."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from evenkeel.pricing import PricingError, black76, black_scholes, use_engine

NAMES = ("price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga")


@pytest.fixture(autouse=True, params=["numpy", "numba"])
def engine(request):
    if request.param == "numba":
        pytest.importorskip("numba", reason="the fast extra is not installed")
    use_engine(request.param)
    yield request.param
    use_engine("auto")


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
    unbounded = black76([80.0, 120.0], 100.0, 0.5, np.inf, [True, False], 0.9)
    np.testing.assert_array_equal(unbounded.price, [72.0, 90.0])
    np.testing.assert_array_equal(unbounded.delta, [0.9, 0.0])
    for greeks in (call, put, unbounded):
        for name in ("gamma", "vega", "theta", "vanna", "volga", "rho"):
            assert np.all(np.isfinite(getattr(greeks, name)))


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


@pytest.mark.parametrize("name", ["spot", "strike", "years", "vol"])
def test_black_scholes_names_the_bad_input(name):
    arguments = {"spot": 1.0, "strike": 1.0, "years": 1.0, "vol": 1.0, name: [1.0, -0.5]}
    with pytest.raises(PricingError, match=f"{name}: expected 0 or more, got -0.5"):
        black_scholes(is_call=True, **arguments)


@pytest.mark.parametrize("name", ["forward", "strike", "years", "discount"])
def test_infinite_input_is_named(name):
    arguments = {"forward": 1.0, "strike": 1.0, "years": 1.0, "discount": 1.0, name: [np.nan, np.inf, 1.0]}
    with pytest.raises(PricingError, match=f"{name}: expected a finite number, got inf"):
        black76(vol=0.5, is_call=True, **arguments)


@pytest.mark.parametrize("name", ["spot", "strike", "years"])
def test_black_scholes_names_the_infinite_input(name):
    arguments = {"spot": 1.0, "strike": 1.0, "years": 1.0, name: [1.0, np.inf]}
    with pytest.raises(PricingError, match=f"{name}: expected a finite number, got inf"):
        black_scholes(vol=0.5, is_call=True, rate=0.01, **arguments)


def test_nan_does_not_hide_a_negative_number_beside_it():
    with pytest.raises(PricingError, match="vol"):
        black76([100.0, 100.0], 100.0, 0.5, [np.nan, -1.0], True)


def test_limits_are_approached():
    """The values at the limit are those of options ever closer to it."""
    for name in NAMES:
        for small in (1e-9, 1e-11):
            close = getattr(black76([90.0, 110.0], 100.0, small, 0.8, [[True], [False]], 0.9, name), name)
            limit = getattr(black76([90.0, 110.0], 100.0, 0.0, 0.8, [[True], [False]], 0.9, name), name)
            if name != "theta":  # -ln(0.9) / years has no limit
                np.testing.assert_allclose(close, limit, rtol=1e-12, atol=1e-8)
            still = getattr(black76([90.0, 110.0], 100.0, 0.5, small, [[True], [False]], 0.9, name), name)
            limit = getattr(black76([90.0, 110.0], 100.0, 0.5, 0.0, [[True], [False]], 0.9, name), name)
            np.testing.assert_allclose(still, limit, rtol=1e-12, atol=1e-12)
    tiny = black76(100.0, [1e-12, 1e-200], 0.5, 0.8, True, 0.9)
    np.testing.assert_allclose(tiny.price, 90.0, rtol=1e-13)
    np.testing.assert_allclose(tiny.delta, 0.9, rtol=1e-15)
    assert np.all(tiny.vega < 1e-100)


def test_black_scholes_limits():
    greeks = black_scholes([90.0, 110.0], 100.0, 0.0, 0.8, [[True], [False]], 0.05, 0.02)
    np.testing.assert_array_equal(greeks.price, [[0.0, 10.0], [10.0, 0.0]])
    np.testing.assert_array_equal(greeks.delta, [[0.0, 1.0], [-1.0, 0.0]])
    # Holding the option earns what its parts do: the yield of the spot, the interest of the strike.
    np.testing.assert_allclose(greeks.theta, [[0.0, 0.02 * 110 - 5.0], [5.0 - 0.02 * 90, 0.0]], atol=1e-13)
    for name in ("rho", "dividend_rho", "vega", "gamma", "vanna", "volga"):
        np.testing.assert_array_equal(getattr(greeks, name), 0.0)
    call = black_scholes(100.0, 0.0, 2.0, 0.8, True, 0.05, 0.02)
    assert float(call.price) == pytest.approx(100 * np.exp(-0.04), rel=1e-14)
    assert float(call.dividend_rho) == pytest.approx(-200 * np.exp(-0.04), rel=1e-14)
    assert float(call.rho) == 0.0


def test_black_scholes_without_rates_is_black76():
    of_spot = black_scholes(3000.0, [2500.0, 3500.0], 0.2, 0.7, [True, False])
    of_forward = black76(3000.0, [2500.0, 3500.0], 0.2, 0.7, [True, False])
    for name in ("price", "delta", "gamma", "vega", "theta", "vanna", "volga"):
        np.testing.assert_allclose(getattr(of_spot, name), getattr(of_forward, name), rtol=1e-13)


@pytest.mark.parametrize("function", [black76, black_scholes])
def test_subsets_hold_what_was_asked_and_no_more(function):
    arguments = (3000.0, [2500.0, 3500.0], 0.2, 0.7, [True, False], 0.97)
    everything = function(*arguments)
    for name in everything.names():
        alone = function(*arguments, greeks=name)
        assert alone.names() == (name,)
        np.testing.assert_array_equal(getattr(alone, name), getattr(everything, name))
    some = function(*arguments, greeks=["vega", "delta"])
    assert some.names() == ("delta", "vega")
    with pytest.raises(PricingError, match="price: was not computed"):
        _ = some.price
    assert "vega=" in repr(some)
    assert "price=" not in repr(some)
    with pytest.raises(PricingError, match="greeks: expected"):
        function(*arguments, greeks="speed")
    with pytest.raises(PricingError):
        _ = black76(*arguments).dividend_rho


def test_shapes_broadcast():
    greeks = black76(np.full((3, 1, 1), 100.0), np.array([90.0, 110.0]), np.full((4, 1), 0.5), 0.3, True)
    one = black76(100.0, 110.0, 0.5, 0.3, True)
    for name in NAMES:
        column = getattr(greeks, name)
        assert (column.shape, column.dtype) == ((3, 4, 2), np.float64)
        np.testing.assert_allclose(column[2, 3, 1], getattr(one, name), rtol=2e-15)
        assert getattr(one, name).shape == ()
    assert black76([], 100.0, 0.5, 0.3, True).price.shape == (0,)
    assert black76(100.0, 100.0, np.empty((0, 2)), 0.3, True).vega.shape == (0, 2)
    assert black76([100], 100, 1, 1, [1]).price.shape == (1,)
    # Each argument may be the only one with a length.
    whole = (
        np.full(3, 100.0),
        np.full(3, 95.0),
        np.full(3, 0.5),
        np.full(3, 0.3),
        np.ones(3, bool),
        np.full(3, 0.9),
    )
    single = (100.0, 95.0, 0.5, 0.3, True, 0.9)
    for i in range(6):
        mixed = black76(*(w if j == i else s for j, (w, s) in enumerate(zip(whole, single, strict=True))))
        for name in NAMES:
            np.testing.assert_allclose(
                getattr(mixed, name), np.full(3, getattr(black76(*single), name)), rtol=1e-14
            )
    with pytest.raises(ValueError, match="broadcast"):
        black76([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 1.0, True)


def test_views_and_read_only_arrays():
    strikes = np.linspace(80.0, 120.0, 20)
    frozen = strikes[::2].copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(
        black76(100.0, strikes[::2], 0.5, 0.3, True).price, black76(100.0, frozen, 0.5, 0.3, True).price
    )


def test_blocks_join_without_a_seam():
    strikes = np.linspace(50.0, 200.0, 5001)
    whole = black76(100.0, strikes, 0.5, 0.3, True)
    for name in NAMES:
        parts = [getattr(black76(100.0, part, 0.5, 0.3, True), name) for part in np.array_split(strikes, 7)]
        np.testing.assert_allclose(np.concatenate(parts), getattr(whole, name), rtol=1e-14, atol=1e-14)


def test_memory_beside_outputs_is_under_64_bytes_an_option(engine):
    n = 200_000
    strikes = np.linspace(50.0, 200.0, n)
    black76(100.0, strikes[:10], 0.5, 0.3, True)
    for function, outputs in ((black76, 8), (black_scholes, 9)):
        tracemalloc.start()
        function(np.full(n, 100.0), strikes, 0.5, 0.3, True, 0.05)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak / n <= 8 * (outputs + 1) + 64


def test_import_needs_neither_scipy_nor_numba():
    code = "import sys, evenkeel.pricing; print([m for m in ('scipy', 'numba') if m in sys.modules])"
    environment = {**os.environ, "EVENKEEL_FAST": "1"}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_engine_is_chosen_by_name(engine):
    with pytest.raises(PricingError, match="engine: expected"):
        use_engine("fortran")


@pytest.mark.parametrize(("rate", "dividend"), [(0.05, 0.0), (-0.05, 0.0), (0.0, -0.05)])
def test_rates_that_leave_float64_are_refused(rate, dividend):
    with pytest.raises(PricingError, match="rate, dividend: "):
        black_scholes(100.0, 90.0, 1e5, 0.5, True, rate, dividend)
