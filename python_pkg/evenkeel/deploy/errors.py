"""What can be wrong with the files that name protocols and deployments."""

from evenkeel import InputError


class ProtocolsError(InputError):
    """A protocols file cannot be used; the text names the file and the field."""
