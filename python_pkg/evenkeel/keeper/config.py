"""What a keeper is told at its start."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evenkeel.chain.fees import FeePolicy
from evenkeel.chain.txmanager import LanePolicy
from evenkeel.deploy.names import is_venue
from evenkeel.deploy.record import DeploymentFile
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
    """What the keeper needs of a deployment.

    `venues` are by the mandates' names and by the deployment's steps ("uniswap-v3" and "spot", "perp-a" and "perp/perp-a").
    `keeper` is who has the keeper's role, where the file says so.
    """

    chain_id: int
    vault: ChecksumAddress
    lens: ChecksumAddress
    venues: dict[str, str]
    keeper: str | None = None


def read_addresses(path: Path) -> Addresses:
    """Read the addresses from a deployment's file. Raises `ConfigError` and `DeploymentFileError`, naming the file."""
    if not path.exists():
        raise ConfigError(f"--deployment: no file at {path}; deploy first or name another one")
    file = DeploymentFile.read(path)
    if not file.complete:
        raise ConfigError(f"{path}: the deployment is not finished; run it again")
    named = {step: placed.address for step, placed in file.placed.items()}
    venues = {step: named[step] for step in named if is_venue(step)}
    try:
        vault, lens = named["vault"], named["lens"]
    except KeyError as missing:
        raise ConfigError(
            f"{path}: contracts.{missing.args[0]}: expected an address, there is none"
        ) from None
    return Addresses(file.chain_id, vault, lens, {**file.venues, **venues}, file.keeper)


def wei(text: str) -> int:
    """Read an amount of ether. Raises `ConfigError`."""
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise ConfigError(f"--spend-cap: expected a positive amount of ether, got {text}")
    return int(amount * ETHER)
