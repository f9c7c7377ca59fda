"""What an operator can get wrong."""

from evenkeel import InputError


class OperateError(InputError):
    """A setting, account or file that a script was given is wrong; the text names it."""
