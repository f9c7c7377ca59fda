"""Errors of realised volatility."""

from evenkeel._errors import InputError


class RealizedError(InputError):
    """A series of prices or variances that no estimate can be made of; the text names the argument and the first bad place."""
