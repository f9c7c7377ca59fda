"""Errors of the planner."""

from evenkeel._errors import InputError


class PlannerError(InputError):
    """A plan cannot be made: the text says which input is missing or wrong."""
