"""Evenkeel: an on-chain derivatives vault and the keeper that holds it level."""

from evenkeel._errors import EvenkeelError, InputError

__all__ = ["EvenkeelError", "InputError", "__version__"]

__version__ = "0.1.0"
