"""A book's Greeks, as a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evenkeel.instruments import Book, BookGreeks
    from evenkeel.market import Market


def greeks(book: Book, market: Market) -> BookGreeks:
    """Return `book`'s Greeks by (underlying, expiry) in one vectorised pass; `MarketError` where a price is not known."""
    return book.greeks(market)
