"""What a vault holds: instruments, positions and the book they make. Chain integers become floats here."""

from evenkeel.instruments._book import Book, Position
from evenkeel.instruments._decode import book_from_state, name_of, to_float
from evenkeel.instruments._instruments import YEAR, EuropeanOption, Instrument, Loan, Perp, Spot
from evenkeel.instruments.errors import InstrumentError

__all__ = [
    "YEAR",
    "Book",
    "EuropeanOption",
    "Instrument",
    "InstrumentError",
    "Loan",
    "Perp",
    "Position",
    "Spot",
    "book_from_state",
    "name_of",
    "to_float",
]
