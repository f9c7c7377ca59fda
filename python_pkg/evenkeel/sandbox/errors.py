"""What can go wrong while packages are fetched, a node is started or protocols are deployed."""

from datetime import UTC, datetime

from evenkeel import EvenkeelError, InputError


class SandboxError(EvenkeelError):
    """The sandbox could not do what was asked."""


class PackageError(SandboxError):
    """A third-party package is missing, could not be fetched, or is not what its hash says."""


class ArtifactError(SandboxError):
    """A compiled artifact is missing, or was asked for code it cannot give."""


class NodeNotFoundError(SandboxError):
    """No anvil binary is installed."""


class NodeStartError(SandboxError):
    """The node ended, or did not answer, before it was ready."""


class PortInUseError(SandboxError):
    """The port asked for is taken."""


class DeployError(SandboxError):
    """A transaction of a deployment failed."""


class WaitUntilError(SandboxError):
    """Time must pass before the deployment can go on: run it again at `timestamp` (unix seconds)."""

    def __init__(self, timestamp: int) -> None:
        self.timestamp = timestamp
        super().__init__(
            f"wait until {datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC, then run this again"
        )


class CacheError(SandboxError):
    """The cached state is missing, damaged or of other inputs."""


class PathError(InputError):
    """A price file is wrong; the text names the file and the line."""
