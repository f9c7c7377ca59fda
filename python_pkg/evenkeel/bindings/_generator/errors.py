"""What the generator raises."""

from evenkeel._errors import EvenkeelError


class GeneratorError(EvenkeelError):
    """Bindings cannot be generated, or what is checked in is out of date."""
