"""Price paths: what the demo promises, what a seed fixes, and what a bad file is told."""

import re

import numpy as np
import pytest

from evenkeel import InputError
from evenkeel.sandbox.errors import PathError
from evenkeel.sandbox.paths import demo_path, jump_diffusion
from evenkeel.sandbox.price_file import load_prices

HEADER = "timestamp,open,close,volume\n"
ROWS = [f"2024-08-04T{hour:02}:00:00Z,1,{2900 - hour},5" for hour in range(12)]


def write(tmp_path, text, name="prices.csv"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_the_demo_falls_by_12_percent_in_3_steps_and_by_22_before_step_36():
    path = demo_path()
    assert path.steps == 48
    assert path.prices[0] == pytest.approx(3000)
    assert path.prices[3] / path.prices[0] == pytest.approx(0.88)
    assert path.prices[:36].min() / path.prices[0] <= 0.78 + 1e-12
    assert np.all(np.diff(path.seconds) == 3600)


def test_the_demo_is_noisy_by_the_hour_and_the_same_every_time():
    path = demo_path()
    returns = np.diff(np.log(path.prices[3:]))
    assert 0.002 < returns.std() < 0.009
    assert np.any(returns > 0)
    assert np.array_equal(path.prices, demo_path().prices)
    assert not np.array_equal(path.prices, demo_path(seed=8).prices)


def test_implied_vol_rises_by_half_a_point_to_a_point_per_percent_of_fall():
    path = demo_path()
    fall = 1 - path.prices[34] / path.prices[0]
    points_per_percent = (path.ivs[34] - path.ivs[0]) / fall
    assert 0.5 <= points_per_percent <= 1.0


def test_the_jump_diffusion_is_a_martingale_of_the_stated_vol():
    ends = np.array([jump_diffusion(24 * 30, start=1.0, seed=seed).prices[-1] for seed in range(1500)])
    assert ends.mean() == pytest.approx(1.0, abs=4 * ends.std() / np.sqrt(len(ends)))
    variance = 0.65**2 + 60 * (0.01**2 + 0.03**2)
    assert np.log(ends).std() == pytest.approx(np.sqrt(variance * 30 / 365), rel=0.08)


def test_a_seed_fixes_the_path():
    one, two = jump_diffusion(48, seed=3), jump_diffusion(48, seed=3)
    assert np.array_equal(one.prices, two.prices)
    assert not np.array_equal(one.prices, jump_diffusion(48, seed=4).prices)


@pytest.mark.parametrize(
    "arguments", [{"steps": 0}, {"steps": 5, "start": 0.0}, {"steps": 5, "start": float("nan")}]
)
def test_a_synthetic_path_that_cannot_be_is_refused(arguments):
    with pytest.raises(InputError, match="expected"):
        jump_diffusion(**arguments)


def test_a_file_is_read_from_the_time_asked_for(tmp_path):
    path = load_prices(write(tmp_path, HEADER + "\n".join(ROWS)), start="2024-08-04T02:00", steps=3)
    assert path.prices.tolist() == [2898, 2897, 2896, 2895]
    assert path.seconds.tolist() == [0, 3600, 7200, 10800]
    assert path.timestamps(1000).tolist() == [1000, 4600, 8200, 11800]


def test_a_bare_name_is_looked_up_in_the_data_folder(tmp_path, monkeypatch):
    write(tmp_path, HEADER + "\n".join(ROWS), "eth.csv")
    monkeypatch.setenv("EVENKEEL_DATA", str(tmp_path))
    assert load_prices("eth.csv").steps == 11
    with pytest.raises(PathError, match=re.escape("other.csv: no such file")):
        load_prices("other.csv")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda rows: rows.pop(4), "line 6: 2:00:00 after the line before, expected 1:00:00"),
        (lambda rows: rows.__setitem__(3, "2024-08-04T03:00:00Z,1,-5,5"), "line 5: close -5 is not a price"),
        (
            lambda rows: rows.__setitem__(3, "2024-08-04T03:00:00Z,1,nan,5"),
            "line 5: close nan is not a price",
        ),
        (lambda rows: rows.__setitem__(3, "2024-08-04T03:00:00Z,1,,5"), "line 5: no price"),
        (
            lambda rows: rows.__setitem__(3, "2024-08-04T03:00:00Z,1,abc,5"),
            "line 5: close 'abc' is not a number",
        ),
        (lambda rows: rows.__setitem__(3, "2024-08-04T03:00:00Z"), "line 5: 1 columns, expected at least 3"),
        (lambda rows: rows.__setitem__(3, "yesterday,1,5,5"), "line 5: 'yesterday': expected an ISO time"),
        (lambda rows: rows.reverse(), "line 3: its time is not after the line before"),
        (lambda rows: rows.clear(), "0 rows, expected at least 2"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path, edit, message):
    rows = list(ROWS)
    edit(rows)
    with pytest.raises(PathError, match=re.escape(message)) as caught:
        load_prices(write(tmp_path, HEADER + "\n".join(rows)))
    assert "prices.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_column_and_a_time_outside_the_file_are_named(tmp_path):
    with pytest.raises(PathError, match="line 1: no column 'close'"):
        load_prices(write(tmp_path, "timestamp,price\n2024-08-04T00:00:00Z,5\n"))
    good = write(tmp_path, HEADER + "\n".join(ROWS))
    with pytest.raises(
        PathError, match="line 3: no row at 2024-08-04T00:30, the next is at 2024-08-04T01:00"
    ):
        load_prices(good, start="2024-08-04T00:30")
    with pytest.raises(PathError, match="0 rows from 2025-01-01, expected at least 2"):
        load_prices(good, start="2025-01-01")
    with pytest.raises(PathError, match="12 rows, expected at least 49"):
        load_prices(good, steps=48)
