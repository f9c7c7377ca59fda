"""Errors of mandates."""

from evenkeel._errors import InputError


class MandateError(InputError):
    """A mandate cannot be used: the text names the field and says what was expected."""
