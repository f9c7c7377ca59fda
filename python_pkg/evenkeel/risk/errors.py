"""Errors of risk calculations."""

from evenkeel._errors import InputError


class RiskError(InputError):
    """A scenario is not one that a book can be valued in."""
