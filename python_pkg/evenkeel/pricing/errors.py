"""Errors of the pricing kernels."""

from evenkeel._errors import InputError


class PricingError(InputError):
    """An input lies outside a formula's domain; the text names it and says what was expected."""
