"""The root of the error tree. Each layer derives its own errors from these in its `errors.py`."""


class EvenkeelError(Exception):
    """Anything Evenkeel raises on purpose. Its text is one line that a user can act on."""


class InputError(EvenkeelError):
    """What the user gave is wrong: the text names the field, file or line and what was expected."""
