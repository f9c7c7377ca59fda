"""Errors of fitting, signing and posting slices of implied volatility."""

from evenkeel._errors import InputError


class VolError(InputError):
    """Slices, quotes or signatures that cannot be used; the text says which and why."""


class QuotesError(VolError):
    """A file of quotes that cannot be read; the text names file, line and column."""


class RefusedError(VolError):
    """A slice that the oracle would refuse; the text has the number that was compared and its bound."""


class DisagreementError(VolError):
    """A proposal whose vol is further from the signer's own than it tolerates; the text has both vols."""


class SignedFileError(VolError):
    """A file of signed slices that cannot be read, or that does not go with another one."""


class SignatureError(VolError):
    """Signatures that the oracle would refuse: too few, of a stranger, twice by one signer, or of something else."""
