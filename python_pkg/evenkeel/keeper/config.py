"""What a keeper is told at its start."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evenkeel.chain.fees import FeePolicy
from evenkeel.chain.rpc import checksummed
from evenkeel.chain.txmanager import LanePolicy
from evenkeel.keeper.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from eth_typing import ChecksumAddress

ETHER = 10**18


@dataclass(frozen=True, slots=True)
class KeeperConfig:
    """How the loop runs.

    poll: seconds between looks at the head while nothing happens.
    deadline: seconds of chain time after the snapshot's block until which a plan may be mined.
    error_budget: errors within an hour of chain time after which the keeper halts.
    stop_file: the keeper stops before its next decision once this file exists.
    once: end after the first block that is decided and whose transactions are final.
    """

    poll: float = 1.0
    deadline: int = 300
    error_budget: int = 25
    stop_file: Path | None = None
    once: bool = False
    lane: LanePolicy = field(default_factory=LanePolicy)
    fees: FeePolicy = field(default_factory=FeePolicy)


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the keeper needs of a deployment file. `keeper` is the account that was given the role, where the file says so."""

    chain_id: int
    vault: ChecksumAddress
    lens: ChecksumAddress
    keeper: ChecksumAddress | None
    venues: dict[str, str]


def read_addresses(path: Path) -> Addresses:
    """Read the addresses from a deployment file. Raises `ConfigError` naming the file and the field."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"deployment: no file at {path}; deploy first or name one with --deployment"
        ) from None
    except (OSError, ValueError):
        raise ConfigError(f"deployment {path}: expected a JSON file") from None
    if not isinstance(document, dict):
        raise ConfigError(f"deployment {path}: expected a JSON object")
    chain_id = document.get("chain_id")
    if not isinstance(chain_id, int):
        raise ConfigError(f"deployment {path}: chain_id: expected an integer")
    keeper = _address(path, document, "keeper") if "keeper" in document else None
    venues = document.get("venues")
    if not isinstance(venues, dict):
        raise ConfigError(f"deployment {path}: venues: expected a table of addresses")
    checked = {str(name): str(_address(path, venues, name)) for name in venues}
    return Addresses(
        chain_id, _address(path, document, "vault"), _address(path, document, "lens"), keeper, checked
    )


def wei(text: str) -> int:
    """Read an amount of ether. Raises `ConfigError`."""
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise ConfigError(f"--spend-cap: expected a positive amount of ether, got {text}")
    return int(amount * ETHER)


def _address(path: Path, document: dict[str, Any], name: str) -> ChecksumAddress:
    try:
        return checksummed(document[name])
    except (KeyError, TypeError, ValueError):
        raise ConfigError(f"deployment {path}: {name}: expected an address") from None
