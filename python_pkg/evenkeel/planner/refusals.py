"""Revert data that the lens brings, in words."""

from __future__ import annotations

from evenkeel.bindings import BindingError, decode_error


def error_words(data: bytes) -> str:
    """Return why something could not be read: its typed error with its numbers."""
    try:
        return str(decode_error(data)) if data else "it gave no reason"
    except BindingError as error:
        return str(error)
