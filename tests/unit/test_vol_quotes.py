"""A signer's file of quotes: read whole, or refused with its line."""

import numpy as np
import pytest

from evenkeel.vol.errors import QuotesError
from evenkeel.vol.quotes import read_quotes

HEADER = "timestamp,expiry,strike,forward,bid_vol,ask_vol"
ROW = "1733011200,1735603200,3000,3010.5,0.74,0.76"


def write(tmp_path, *lines):
    path = tmp_path / "quotes.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_quotes_are_read_with_their_units(tmp_path):
    path = write(
        tmp_path,
        "note,ask_vol,bid_vol,forward,strike,expiry,timestamp",
        "x,0.76,0.74,3010.5,3000,2024-12-31T00:00:00,2024-12-01T00:00:00+00:00",
        "y,,0.70,3010.5,3300,1735603200,1733011200",
    )
    quotes = read_quotes(path)
    assert quotes.timestamp == 1733011200
    assert quotes.expiry == [1735603200, 1735603200]
    assert (quotes.strike, quotes.forward) == ([3000, 3300], [3010.5, 3010.5])
    np.testing.assert_array_equal(quotes.bid, [0.74, 0.70])
    np.testing.assert_array_equal(quotes.ask, [0.76, np.nan])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "line 1: no column 'timestamp'"),
        ([HEADER], "no quotes in it"),
        ([HEADER.replace("bid_vol", "bid")], "line 1: no column 'bid_vol'"),
        ([HEADER, ROW, "1733011201" + ROW[10:]], "line 3: timestamp 1733011201, expected 1733011200"),
        ([HEADER, ROW.replace("3000", "0")], "line 2: strike 0: expected a price above 0"),
        ([HEADER, ROW.replace("3010.5", "nan")], "line 2: forward nan: expected a price above 0"),
        ([HEADER, ROW.replace("0.74", "0.77")], "line 2: bid_vol 0.77 is above ask_vol 0.76"),
        ([HEADER, ROW.replace("0.76", "76")], "line 2: ask_vol 76: expected a vol a year from 0 to 10"),
        ([HEADER, ROW.replace("0.76", "high")], "line 2: ask_vol 'high': expected a number"),
        ([HEADER, ROW.replace("1735603200", "soon")], "line 2: expiry 'soon': expected unix seconds"),
        ([HEADER, "1,2,3"], "line 2: 3 columns, expected at least 6"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path, lines, expected):
    path = write(tmp_path, *lines)
    with pytest.raises(QuotesError) as caught:
        read_quotes(path)
    assert str(caught.value).startswith(str(path))
    assert expected in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(QuotesError, match="cannot be read"):
        read_quotes(tmp_path / "gone.csv")
