"""Why a keeper does not start, or stops."""

from evenkeel._errors import EvenkeelError, InputError


class ConfigError(InputError):
    """A flag, file or address that the keeper was given is wrong; the text names it."""


class Halted(EvenkeelError):  # noqa: N818 - a state that an operator ends
    """The keeper stopped itself and stays stopped until an operator looks; the text says why."""
