"""Errors of everything that talks to a chain or keeps the journal."""

from evenkeel._errors import EvenkeelError, InputError


class ChainError(EvenkeelError):
    """Anything that goes wrong between this process and a chain."""


class UnreachableRpc(ChainError):  # noqa: N818 - the name says the state, as callers speak of it
    """No usable answer came back. Whether the node acted on the request is unknown."""


class RpcError(ChainError):
    """The node answered with an error.

    `code` and `message` are JSON-RPC's; `data` is the error's data where it is hex, else empty.
    """

    def __init__(self, method: str, code: int, message: str, data: bytes = b"") -> None:
        super().__init__(f"{method}: {message} (code {code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data


class UnknownBlock(RpcError):  # noqa: N818 - a state, not a fault: poll again
    """The node does not have the block hash that was asked for as canonical (yet, or any more): poll again."""


class Reverted(RpcError):  # noqa: N818 - the EVM's own word
    """The call reverted; `data` is the revert data, decoded by the bindings."""


class WrongChain(InputError):  # noqa: N818 - reads as the user's mistake
    """The endpoint serves another chain than the one that was configured."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"wrong chain id: expected {expected}, the RPC serves {actual}")
        self.expected = expected
        self.actual = actual


class JournalError(InputError):
    """The journal cannot be used: another keeper holds it, or it belongs to another vault or version."""


class SpendCapReached(ChainError):  # noqa: N818 - a limit, not a fault
    """Sending would spend more gas within a day than allowed; all in wei."""

    def __init__(self, spent: int, reserve: int, cap: int) -> None:
        super().__init__(f"spend cap: {spent} wei spent in a day and {reserve} wei needed, {cap} wei allowed")
        self.spent = spent
        self.reserve = reserve
        self.cap = cap
