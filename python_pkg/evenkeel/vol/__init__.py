"""Slices of implied volatility on their way to the oracle: fitted from a signer's own data, checked, signed and posted."""
