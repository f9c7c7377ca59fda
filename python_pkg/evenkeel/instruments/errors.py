"""Errors of instruments and of decoding a vault's state into a book."""

from evenkeel._errors import InputError


class InstrumentError(InputError):
    """An instrument's field is outside its domain, or a state cannot be read as a book."""
