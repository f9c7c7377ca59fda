"""Deribit's own numbers against ours, and the example that fits its chain."""

import csv
import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from evenkeel import InputError
from evenkeel.market.svi import SviSurface
from evenkeel.pricing import black76

ROOT = Path(__file__).parents[2]
FILE = "deribit_eth_chain_20260130T042515Z.csv"
HEADER = "timestamp,option_type,strike,expiry_datetime,underlying,bid_price,ask_price"
TIME, EXPIRY = "2026-01-30T04:25:15+00:00", "2026-03-27T08:00:00+00:00"


def load_example():
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("fit_chain", ROOT / "examples" / "fit_chain.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def path():
    folder = os.environ.get("EVENKEEL_DATA")
    if not folder or not Path(folder, FILE).is_file():
        pytest.skip(f"needs {FILE} in the folder named by EVENKEEL_DATA")
    return Path(folder, FILE)


@pytest.fixture(scope="module")
def published(path):
    """The chain's columns above 2 days to expiry, below which Deribit damps its Greeks."""
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if float(row["time_to_maturity"]) > 2 / 365]
    names = ("strike", "time_to_maturity", "underlying", "mark_price", "implied_volatility", "delta", "vega")
    columns = {name: np.array([float(row[name]) for row in rows]) for name in names}
    columns["is_call"] = np.array([row["option_type"] == "call" for row in rows])
    return columns


@pytest.fixture(scope="module")
def ours(published):
    return black76(
        published["underlying"],
        published["strike"],
        published["time_to_maturity"],
        published["implied_volatility"],
        published["is_call"],
    )


def test_delta_is_deribits(published, ours):
    error = np.abs(ours.delta - published["delta"])
    assert error.size > 600
    assert error.max() < 6e-3
    assert np.median(error) < 2e-4


def test_vega_is_deribits(published, ours):
    # Theirs is for one point of volatility, with 5 decimals.
    error = np.abs(ours.vega / 100.0 - published["vega"])
    assert np.median(error / (1e-3 + published["vega"])) < 1e-3
    assert error.max() < 0.02


def test_mark_is_deribits(published, ours):
    # Theirs is in coin, from a vol with 2 decimals of a point: 5e-5 of vol times vega, and 6 decimals of its own.
    coin = ours.price / published["underlying"]
    error = np.abs(coin - published["mark_price"])
    assert np.median(error) < 2e-5
    assert error.max() < 1.5e-4


def test_the_market_is_fitted_inside_its_spread(path):
    example = load_example()
    quotes = example.quotes_of(example.read_chain(path))
    surface = SviSurface.fit(quotes)
    assert len(surface.slices) == 11
    bid, ask = np.asarray(quotes.bid), np.asarray(quotes.ask)
    two_sided = np.isfinite(bid) & np.isfinite(ask)
    fitted = surface.vol(quotes.expiry, quotes.strike)[two_sided]
    inside = (fitted >= bid[two_sided]) & (fitted <= ask[two_sided])
    assert inside.mean() > 0.99
    assert np.median(np.abs(fitted - 0.5 * (bid + ask)[two_sided])) < 0.003


def test_the_market_has_a_surface_without_arbitrage_inside_its_spread(path):
    example = load_example()
    quotes = example.quotes_of(example.read_chain(path))
    surface = SviSurface.fit(quotes, arbitrage_free=True)
    assert surface.is_arbitrage_free()
    fitted = surface.vol(quotes.expiry, quotes.strike)
    two_sided = np.isfinite(quotes.bid) & np.isfinite(quotes.ask)
    inside = (fitted >= quotes.bid) & (fitted <= quotes.ask)
    assert inside[two_sided].mean() > 0.99


def test_the_example_reports_the_market(path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["fit_chain.py", str(path), "--picture", str(tmp_path / "smiles.png")])
    assert load_example().main() == 0
    printed = capsys.readouterr().out
    assert "Arbitrage at bid and ask, before fees\nnone" in printed
    assert "27 Mar 2026     51" in printed


def write(path, rows):
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_the_example_finds_a_planted_butterfly(tmp_path):
    example = load_example()
    rows = [
        f"{TIME},call,{strike},{EXPIRY},2800,{bid},{ask}"
        for strike, bid, ask in (
            (2800, 0.080, 0.081),
            (3000, 0.070, 0.071),
            (3200, 0.050, 0.051),
            (3400, 0.06, 0.061),
        )
    ]
    found = example.tradable(example.read_chain(write(tmp_path / "chain.csv", rows)))
    assert found == [
        "27 Mar 2026 calls: buy 0.50 of 2800 and 0.50 of 3200, sell 3000: 0.00400 coin",
        "27 Mar 2026 calls: buy 3200, sell 3400: 0.0090 coin",
    ]


def test_the_example_inverts_prices(tmp_path):
    example = load_example()
    years = (
        (example.read_chain(write(tmp_path / "a.csv", [f"{TIME},put,2500,{EXPIRY},2800,,"])).expiry[0]) * 0
    )
    assert years == 0
    chain = example.read_chain(tmp_path / "a.csv")
    t = (chain.expiry - chain.time) / (365 * 86400)
    price = black76(2800.0, 2500.0, t, 0.63, False).price / 2800.0
    np.testing.assert_allclose(example.vols(chain, price), 0.63, rtol=1e-9)
    assert np.isnan(example.vols(chain, np.array([2.0]))).all()
    assert np.isnan(example.vols(chain, chain.bid)).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("timestamp,strike\n2026-01-30T04:25:15+00:00,1\n", "no column 'expiry_datetime'"),
        (HEADER + "\n", "expected quotes, found none"),
        (f"{HEADER}\n{TIME},call,many,{EXPIRY},2800,,\n", "could not convert string to float"),
    ],
)
def test_the_example_refuses_what_is_no_chain(tmp_path, text, message):
    path = tmp_path / "chain.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_example().read_chain(path)
