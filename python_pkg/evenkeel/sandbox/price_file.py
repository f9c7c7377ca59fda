"""Price paths from a user's CSV: the columns `timestamp` (ISO, UTC) and `close`; further columns are ignored."""

import csv
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from evenkeel import InputError
from evenkeel.sandbox.errors import PathError
from evenkeel.sandbox.paths import PricePath, implied_vols

DATA_FOLDER = "EVENKEEL_DATA"
"""The environment variable that names the folder where bare file names are looked up."""

_DEAREST = 10**6

Row = tuple[int, int, float]
"""Line number, unix seconds, price."""


def find_file(name: str) -> Path:
    """Return the file: as given, or for a bare name in the folder that $EVENKEEL_DATA names. Raises `PathError`."""
    path = Path(name)
    if path.is_file():
        return path
    folder = os.environ.get(DATA_FOLDER)
    if folder and path.name == name and (Path(folder) / name).is_file():
        return Path(folder) / name
    raise PathError(f"{name}: no such file" + (f", here or in ${DATA_FOLDER}" if path.name == name else ""))


def parse_time(text: str) -> int:
    """Return the unix seconds of an ISO time; without a zone it is UTC. Raises `InputError`."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{text!r}: expected an ISO time such as 2024-08-04T12:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def load_prices(name: str, *, start: str | None = None, steps: int | None = None) -> PricePath:
    """Read a path from a CSV.

    `start` is the ISO time of the first row used (default: the file's first), `steps` how many rows follow it (default:
    all). Within what is used, rows must be evenly spaced and prices positive. Raises `PathError`, naming file and line.
    """
    if steps is not None and steps < 1:
        raise PathError(f"--steps {steps}: expected at least 1")
    path = find_file(name)
    first = None if start is None else parse_time(start)
    rows: list[Row] = []
    for row in _rows(path):
        if first is not None and row[1] < first:
            continue
        if rows and row[1] <= rows[-1][1]:
            raise PathError(f"{path.name}, line {row[0]}: its time is not after the line before")
        rows.append(row)
        if steps is not None and len(rows) == steps + 1:
            break
    wanted = 2 if steps is None else steps + 1
    if len(rows) < wanted:
        where = "" if start is None else f" from {start}"
        raise PathError(f"{path.name}: {len(rows)} rows{where}, expected at least {wanted}")
    if first is not None and rows[0][1] != first:
        raise PathError(
            f"{path.name}, line {rows[0][0]}: no row at {start}, the next is at {_iso(rows[0][1])}"
        )
    _require_even(path, rows)
    seconds = np.array([row[1] - rows[0][1] for row in rows], dtype=np.int64)
    prices = np.array([row[2] for row in rows], dtype=np.float64)
    return PricePath(seconds, prices, implied_vols(prices))


def _rows(path: Path) -> Iterator[Row]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [cell.strip() for cell in next(reader, [])]
            missing = [column for column in ("timestamp", "close") if column not in header]
            if missing:
                raise PathError(
                    f"{path.name}, line 1: no column {missing[0]!r}; there are {', '.join(header) or 'none'}"
                )
            columns = header.index("timestamp"), header.index("close")
            for cells in reader:
                if cells:
                    yield _row(path, reader.line_num, cells, columns)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PathError(f"{path.name}: cannot be read as CSV: {error}") from error


def _row(path: Path, line: int, cells: list[str], columns: tuple[int, int]) -> Row:
    where = f"{path.name}, line {line}"
    if max(columns) >= len(cells):
        raise PathError(f"{where}: {len(cells)} columns, expected at least {max(columns) + 1}")
    try:
        seconds = parse_time(cells[columns[0]])
    except InputError as error:
        raise PathError(f"{where}: {error}") from error
    text = cells[columns[1]].strip()
    if not text:
        raise PathError(f"{where}: no price")
    try:
        price = float(text)
    except ValueError:
        raise PathError(f"{where}: close {text!r} is not a number") from None
    if not 0 < price <= _DEAREST:
        raise PathError(f"{where}: close {text} is not a price above 0 and up to {_DEAREST:,}")
    return line, seconds, price


def _require_even(path: Path, rows: list[Row]) -> None:
    spacing = sorted(later[1] - earlier[1] for earlier, later in pairwise(rows))
    usual = spacing[len(spacing) // 2]
    for earlier, later in pairwise(rows):
        if later[1] - earlier[1] != usual:
            raise PathError(
                f"{path.name}, line {later[0]}: {timedelta(seconds=later[1] - earlier[1])} after the line before, "
                f"expected {timedelta(seconds=usual)}"
            )


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M")
