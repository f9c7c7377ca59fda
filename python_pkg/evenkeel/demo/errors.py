"""What can go wrong in the demo itself."""

from evenkeel import EvenkeelError


class DemoError(EvenkeelError):
    """The story could not be told to its end."""
