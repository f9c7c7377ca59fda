"""What a vault holds: instruments, positions and the book they make. Chain integers become floats here."""

from evenkeel.instruments._book import Book
from evenkeel.instruments._columns import Columns
from evenkeel.instruments._decode import book_from_state, name_of, to_float
from evenkeel.instruments._greeks import BUCKETS, BookGreeks, Report
from evenkeel.instruments._instruments import (
    SQUEETH_PERIOD,
    YEAR,
    DatedFuture,
    EuropeanOption,
    Instrument,
    Loan,
    LpRange,
    Perp,
    PowerPerp,
    Spot,
)
from evenkeel.instruments._position import Position
from evenkeel.instruments._view import MarketView
from evenkeel.instruments.errors import InstrumentError

__all__ = [
    "BUCKETS",
    "SQUEETH_PERIOD",
    "YEAR",
    "Book",
    "BookGreeks",
    "Columns",
    "DatedFuture",
    "EuropeanOption",
    "Instrument",
    "InstrumentError",
    "Loan",
    "LpRange",
    "MarketView",
    "Perp",
    "Position",
    "PowerPerp",
    "Report",
    "Spot",
    "book_from_state",
    "name_of",
    "to_float",
]
