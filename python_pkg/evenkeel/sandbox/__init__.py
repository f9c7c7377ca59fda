"""A local chain with the real protocols on it, and actors that move its market."""

from evenkeel.sandbox.up import START_PRICE, START_TIME, Sandbox, up

__all__ = ["START_PRICE", "START_TIME", "Sandbox", "up"]
