"""What can be wrong with the files that name protocols and deployments, and with a deployment."""

from evenkeel import EvenkeelError, InputError


class ProtocolsError(InputError):
    """A protocols file cannot be used; the text names the file and the field."""


class DeploymentFileError(InputError):
    """A deployment's file cannot be used; the text names the file and what was expected."""


class DeploymentError(EvenkeelError):
    """A deployment cannot go on; the text names the step. Running it again continues from there."""
