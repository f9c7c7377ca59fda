"""Errors of volatility smiles and surfaces."""

from evenkeel._errors import InputError


class SviError(InputError):
    """Parameters or quotes that no smile can be made of; the text names the field and what was expected."""


class JumpWingError(SviError):
    """Jump-wing numbers that belong to no SVI slice, or to more than one."""
