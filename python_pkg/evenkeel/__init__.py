"""Evenkeel: an on-chain derivatives vault and the keeper that holds it level."""

__version__ = "0.1.0"
