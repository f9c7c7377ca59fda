"""A signer's own quotes: a CSV file with one line an option."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from evenkeel.market.svi import ChainQuotes
from evenkeel.vol.errors import QuotesError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS: Final = ("timestamp", "expiry", "strike", "forward", "bid_vol", "ask_vol")
_TIMES: Final = 2
_MOST_VOL: Final = 10.0


def read_quotes(path: Path) -> ChainQuotes:
    """Read quotes of one underlying at one moment.

    Columns, in any order, others ignored: `timestamp` and `expiry` in unix seconds or ISO time (UTC where it names no zone), `strike` and
    `forward` (of that expiry) in the vault's asset, `bid_vol` and `ask_vol` a year, 0.75 for 75%; an empty vol is a side without a quote.
    Raises `QuotesError` naming file and line for what cannot be read, a price that is not above 0, a bid above its ask and a second
    timestamp.
    """
    rows = list(_rows(path))
    if not rows:
        raise QuotesError(f"{path}: no quotes in it")
    first = rows[0][1][0]
    for line, row in rows:
        if row[0] != first:
            raise QuotesError(
                f"{path}, line {line}: timestamp {row[0]:.0f}, expected {first:.0f} as before it: one moment a file"
            )
    _, expiry, strike, forward, bid, ask = (
        list(column) for column in zip(*(r for _, r in rows), strict=True)
    )
    return ChainQuotes(first, expiry, strike, forward, bid, ask)


def _rows(path: Path) -> Iterator[tuple[int, tuple[float, ...]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [cell.strip() for cell in next(reader, [])]
            missing = [column for column in COLUMNS if column not in header]
            if missing:
                there = ", ".join(header) or "none"
                raise QuotesError(f"{path}, line 1: no column {missing[0]!r}; there are {there}")
            places = [header.index(column) for column in COLUMNS]
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, _row(f"{path}, line {reader.line_num}", cells, places)
    except OSError as error:
        raise QuotesError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise QuotesError(f"{path}: not a CSV file: {error}") from None


def _row(where: str, cells: list[str], places: list[int]) -> tuple[float, ...]:
    if len(cells) <= max(places):
        raise QuotesError(f"{where}: {len(cells)} columns, expected at least {max(places) + 1}")
    texts = [cells[place].strip() for place in places]
    times = [_time(where, name, text) for name, text in zip(COLUMNS[:_TIMES], texts[:_TIMES], strict=True)]
    prices = [_price(where, name, text) for name, text in zip(COLUMNS[2:4], texts[2:4], strict=True)]
    bid, ask = (_vol(where, name, text) for name, text in zip(COLUMNS[4:], texts[4:], strict=True))
    if bid > ask:
        raise QuotesError(f"{where}: bid_vol {bid:g} is above ask_vol {ask:g}")
    return (*times, *prices, bid, ask)


def _time(where: str, name: str, text: str) -> float:
    if text.isdigit():
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise QuotesError(f"{where}: {name} {text!r}: expected unix seconds or an ISO time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _price(where: str, name: str, text: str) -> float:
    value = _number(where, name, text)
    if not 0.0 < value < math.inf:
        raise QuotesError(f"{where}: {name} {text}: expected a price above 0")
    return value


def _vol(where: str, name: str, text: str) -> float:
    if not text:
        return math.nan
    value = _number(where, name, text)
    if not 0.0 <= value <= _MOST_VOL:
        raise QuotesError(
            f"{where}: {name} {text}: expected a vol a year from 0 to {_MOST_VOL:g}, 0.75 for 75%"
        )
    return value


def _number(where: str, name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise QuotesError(f"{where}: {name} {text!r}: expected a number") from None
