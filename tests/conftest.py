"""Fixtures shared by every kind of test."""
