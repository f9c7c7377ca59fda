"""The file of one deployment: what stands where, and which calls were made. Rewritten whole after every step.

Beside the steps it names what others look for: `vault`, `lens`, `keeper`, `guard`, `oracle`, `vol_source`, `authority`, and
`venues` by the names that mandates use.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel.deploy.errors import DeploymentFileError
from evenkeel.deploy.names import is_venue, venue_name

_NAMED = ("vault", "lens", "guard", "oracle", "vol_source", "authority")


@dataclass(frozen=True, slots=True)
class Placed:
    """A contract of ours: its class, address, and the transaction and block that made it."""

    contract: str
    address: ChecksumAddress
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class Pending:
    """A creation that was about to be sent: the address it takes if its nonce is used for it."""

    step: str
    contract: str
    address: ChecksumAddress
    nonce: int


@dataclass(slots=True)
class DeploymentFile:
    """What is known of a deployment. `placed` and `calls` are by step; `calls` holds transaction hashes.

    `keeper` holds the keeper's role, None before that is known.
    """

    path: Path | None
    chain_id: int
    deployer: ChecksumAddress
    placed: dict[str, Placed] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    omitted: tuple[str, ...] = ()
    pending: Pending | None = None
    complete: bool = False
    keeper: ChecksumAddress | None = None

    @property
    def venues(self) -> dict[str, ChecksumAddress]:
        """The venues placed so far, by the names that mandates use."""
        return {venue_name(step): made.address for step, made in self.placed.items() if is_venue(step)}

    @classmethod
    def open(cls, path: Path | None, *, chain_id: int, deployer: ChecksumAddress) -> Self:
        """Read the file, or start a new one where there is none. Raises `DeploymentFileError`."""
        if path is None or not path.exists():
            return cls(path, chain_id, deployer)
        found = cls.read(path)
        if found.chain_id != chain_id:
            raise DeploymentFileError(f"{path}: is of chain {found.chain_id}, but this is chain {chain_id}")
        if found.deployer != deployer:
            raise DeploymentFileError(
                f"{path}: was begun by {found.deployer}, not {deployer}; use that account or move the file away"
            )
        return found

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file. Raises `DeploymentFileError` where it is missing or not one."""
        try:
            raw = json.loads(path.read_text())
            return cls(
                path=path,
                chain_id=int(raw["chain_id"]),
                deployer=Web3.to_checksum_address(raw["deployer"]),
                placed={step: _placed(value) for step, value in raw["contracts"].items()},
                calls=dict(raw["calls"]),
                omitted=tuple(raw["omitted"]),
                pending=_pending(raw.get("pending")),
                complete=bool(raw["complete"]),
                keeper=Web3.to_checksum_address(raw["keeper"]) if raw.get("keeper") else None,
            )
        except OSError as error:
            raise DeploymentFileError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DeploymentFileError(f"{path}: not a deployment's file ({error!r})") from error

    def clear(self) -> None:
        """Forget everything: the chain that this was about is gone."""
        self.placed.clear()
        self.calls.clear()
        self.pending, self.complete = None, False

    def save(self) -> None:
        """Write the file whole or not at all."""
        if self.path is None:
            return
        content = {
            "chain_id": self.chain_id,
            "deployer": self.deployer,
            "complete": self.complete,
            "keeper": self.keeper,
            **{name: self.placed[name].address for name in _NAMED if name in self.placed},
            "venues": self.venues,
            "contracts": {step: asdict(value) for step, value in self.placed.items()},
            "calls": self.calls,
            "omitted": list(self.omitted),
            "pending": asdict(self.pending) if self.pending else None,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f".{self.path.name}.partial")
        partial.write_text(json.dumps(content, indent=2) + "\n")
        partial.replace(self.path)


def _placed(raw: Mapping[str, Any]) -> Placed:
    address = Web3.to_checksum_address(raw["address"])
    return Placed(str(raw["contract"]), address, str(raw["transaction"]), int(raw["block"]))


def _pending(raw: Mapping[str, Any] | None) -> Pending | None:
    if raw is None:
        return None
    address = Web3.to_checksum_address(raw["address"])
    return Pending(str(raw["step"]), str(raw["contract"]), address, int(raw["nonce"]))
