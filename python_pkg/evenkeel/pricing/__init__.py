"""Array kernels: Black-76 and Black-Scholes with their Greeks, and implied volatility."""

from evenkeel.pricing._black76 import black76, black_scholes
from evenkeel.pricing._engine import use_engine
from evenkeel.pricing._greeks import Greeks
from evenkeel.pricing._implied import implied_vol
from evenkeel.pricing._scenarios import scenario_sums
from evenkeel.pricing.errors import PricingError

__all__ = ["Greeks", "PricingError", "black76", "black_scholes", "implied_vol", "scenario_sums", "use_engine"]
