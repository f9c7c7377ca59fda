"""What can go wrong while the market moves."""

from evenkeel.sandbox.errors import SandboxError


class ActorError(SandboxError):
    """A market actor's transaction failed. `actor` is its name, e.g. "perp-a: push"; `reason` what the chain said."""

    def __init__(self, actor: str, reason: str) -> None:
        super().__init__(f"{actor}: {reason}")
        self.actor = actor
        self.reason = reason


class MarketError(SandboxError):
    """A step that was asked for makes no sense, or a protocol that it needs is not there."""
