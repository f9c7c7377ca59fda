"""Array kernels: Black-76 and its Greeks."""

from evenkeel.pricing._black76 import Greeks, black76
from evenkeel.pricing.errors import PricingError

__all__ = ["Greeks", "PricingError", "black76"]
