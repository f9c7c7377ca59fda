"""What can go wrong in the demo itself."""

from evenkeel import EvenkeelError, InputError


class DemoError(EvenkeelError):
    """The story could not be told to its end."""


class DemoInputError(InputError):
    """The demo was asked for something that it cannot do."""
