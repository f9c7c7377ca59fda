"""Our own checks of a slice against the contract's, on slices that are good, bad, and just between."""

import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vol_world import DAY, WAD, vol_world, wad

from evenkeel.bindings import BindingError, try_batch
from evenkeel.bindings.types import Slice
from evenkeel.vol._svi import moneyness
from evenkeel.vol.errors import RefusedError
from examples import examples

pytestmark = pytest.mark.integration

VERDICTS = {
    "Expired": "has expired",
    "TooFar": "the furthest taken",
    "NotNewer": "not after that of the last post",
    "FromTheFuture": "after the chain's time",
    "SignedTooLongAgo": "s old, more than",
    "ForwardOutOfRange": "forward",
    "SigmaTooSmall": "sigma is",
    "RhoOutOfRange": "rho is",
    "WingOutOfRange": "the steeper wing",
    "NegativeVariance": "the least total variance is",
    "VolOutOfRange": "vol",
    "Butterfly": "butterfly",
    "Calendar": "calendar",
    "MoveTooLarge": "moves from",
}
"""Each error of the contract, and what our line of it says."""


@pytest.fixture(scope="module")
def book(sandbox):
    """An oracle with smiles at 20, 40 and 80 days that were posted two hours ago."""
    before = sandbox.node.rpc("evm_snapshot")
    world = vol_world(sandbox)
    now = world.now
    world.post(
        *(
            world.flat(
                now + days * DAY, 0.75, b=wad(0.04 * math.sqrt(days / 20)), rho=-WAD // 3, sigma=WAD // 5
            )
            for days in (20, 40, 80)
        )
    )
    world.warp(7200)
    yield world
    sandbox.node.rpc("evm_revert", before)


number = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def slices(draw, world):
    """Mostly near to what stands, now and then far from anything possible."""
    now = world.now
    expiry = world.view().book.standing[draw(st.integers(0, 2))].slice_.expiry
    expiry += draw(st.sampled_from([0, 0, 0, -5 * DAY, 5 * DAY, -60 * DAY, 200 * DAY, 1200 * DAY]))
    timestamp = now + draw(st.sampled_from([0, 0, 0, -600, -7000, -7300, -11_000, 60]))
    years = max(expiry - timestamp, 1) / (365 * DAY)
    vol = draw(st.floats(0.68, 0.82) | st.floats(0.005, 12.0))
    b = draw(st.floats(0.0, 0.15) | st.floats(0.0, 2.2))
    rho = draw(st.floats(-0.7, 0.2) | st.floats(-1.05, 1.05))
    sigma = draw(st.floats(0.05, 0.4) | st.floats(0.0001, 2.0))
    m = draw(st.floats(-0.1, 0.1) | st.floats(-2.0, 2.0))
    least = draw(st.sampled_from([0.0, 0.0, 1.0]))
    a = vol * vol * years - (1.0 - least) * b * (math.hypot(m, sigma) - rho * m)
    return Slice(
        underlying=world.weth,
        expiry=expiry,
        timestamp=timestamp,
        forward=draw(st.sampled_from([3000 * WAD, 2950 * WAD, 3300 * WAD, 1500 * WAD, 0, 2**112])),
        a=min(max(wad(a), -(2**63)), 2**63 - 1),
        b=wad(b),
        rho=wad(rho),
        m=wad(m),
        sigma=wad(sigma),
    )


def refusal(view, slice_):
    """Our line of why not, or None."""
    try:
        view.check(slice_)
    except RefusedError as error:
        return str(error)
    return None


def test_our_checks_and_the_contracts_agree(book):
    view = book.view().book

    @settings(
        max_examples=examples(40),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(batch=st.lists(slices(book), min_size=25, max_size=25))
    def agree(batch):
        answers = try_batch(book.chain.w3, [book.oracle.check(slice_) for slice_ in batch])
        for slice_, answer in zip(batch, answers, strict=True):
            error = refusal(view, slice_)
            if error is None:
                assert answer is (view.at(slice_.expiry) is not None), (slice_, answer)
            else:
                assert isinstance(answer, BindingError), (slice_, error)
                name = type(answer).__name__
                assert VERDICTS[name] in error, (slice_, answer, error)

    agree()


@pytest.mark.parametrize(
    ("days", "vol", "changes", "name"),
    [
        (-1, 0.75, {}, "Expired"),
        (1200, 0.75, {}, "TooFar"),
        (40, 0.75, {"timestamp": -7300}, "NotNewer"),
        (40, 0.75, {"timestamp": 60}, "FromTheFuture"),
        (60, 0.75, {"timestamp": -11_000}, "SignedTooLongAgo"),
        (60, 0.75, {"forward": 0}, "ForwardOutOfRange"),
        (60, 0.75, {"sigma": 10**15 - 1}, "SigmaTooSmall"),
        (60, 0.75, {"rho": WAD}, "RhoOutOfRange"),
        (60, 0.75, {"b": 2 * WAD, "rho": WAD // 10}, "WingOutOfRange"),
        (60, 0.75, {"a": -WAD // 10}, "NegativeVariance"),
        (60, 0.005, {}, "VolOutOfRange"),
        (10, 12.0, {}, "VolOutOfRange"),
        (60, 0.75, {"b": WAD, "rho": -wad(0.99), "m": WAD // 2, "sigma": WAD // 100}, "Butterfly"),
        (60, 0.50, {}, "Calendar"),
        (40, 0.80, {}, "MoveTooLarge"),
        (40, 0.75, {}, None),
    ],
)
def test_each_refusal_by_its_name(book, days, vol, changes, name):
    expiry = book.view().book.standing[1].slice_.expiry + (days - 40) * DAY
    base = book.flat(expiry, vol, b=0)
    if days == 40 and name is None:
        base = replace(book.view().book.standing[1].slice_, timestamp=book.now)
    if "timestamp" in changes:
        changes = {"timestamp": book.now + changes["timestamp"]}
    slice_ = replace(base, **changes)
    (answer,) = try_batch(book.chain.w3, [book.oracle.check(slice_)])
    if name is None:
        assert answer is True
        book.view().book.check(slice_)
        return
    assert type(answer).__name__ == name
    with pytest.raises(RefusedError, match=VERDICTS[name]) as caught:
        book.view().book.check(slice_)
    assert str(caught.value).startswith(f"expiry {expiry}: ")


@given(strike=st.floats(1e-6, 1e9), forward=st.floats(1e-3, 1e9))
def test_log_moneyness_is_exact(strike, forward):
    expected = math.log(wad(strike) * WAD // wad(forward) / WAD)
    assert moneyness(wad(strike), wad(forward)) / WAD == pytest.approx(expected, abs=1e-14, rel=1e-14)
