"""From flags and files to a keeper that is ready to run, or one line that says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.bindings import Vault, VaultLens
from evenkeel.chain.journal import Journal
from evenkeel.chain.keystore import load
from evenkeel.chain.rpc import Rpc, checksummed
from evenkeel.chain.signing import LOCAL_CHAINS, unlocked
from evenkeel.chain.txmanager import TxManager
from evenkeel.keeper.config import read_addresses
from evenkeel.keeper.errors import ConfigError
from evenkeel.keeper.loop import Keeper, words
from evenkeel.strategy import load_mandate

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenkeel.chain.signing import RawSigner
    from evenkeel.keeper.config import Addresses, KeeperConfig

CONFIRMATIONS = 5
"""Default depth on a chain that can reorganise."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for; None where it said nothing."""

    mandate: Path
    rpc: str
    deployment: Path | None = None
    journal: Path | None = None
    dry_run: bool = False
    unlocked: str | None = None
    sender: str | None = None
    confirmations: int | None = None


def build(
    request: Request, config: KeeperConfig, *, say: Callable[[str], None], rpc: Rpc | None = None
) -> Keeper:
    """Check every input, in the order that costs least, and return the keeper.

    `say` gets the lines meant for a person. Raises InputError and `UnreachableRpc`, one line each.
    """
    mandate = load_mandate(request.mandate)
    key = load()
    rpc = rpc or Rpc(request.rpc)
    chain_id = rpc.chain_id()
    addresses = read_addresses(request.deployment or Path("deployments") / f"{chain_id}.json")
    rpc.require_chain(addresses.chain_id)
    mandate = mandate.resolve(addresses.vault, addresses.venues)
    if mandate.vault != addresses.vault:
        raise ConfigError(f"vault: the mandate is for {mandate.vault}, the deployment has {addresses.vault}")
    for name, address in (("vault", addresses.vault), ("lens", addresses.lens)):
        if not rpc.has_code(address):
            raise ConfigError(f"deployment: {name}: no contract at {address} on chain {chain_id}")
    signer: RawSigner | None = unlocked(rpc, chain_id, request.unlocked) if request.unlocked else key
    dry = request.dry_run or signer is None
    sender = _sender(request, signer, addresses)
    if dry:
        why = "as asked" if request.dry_run else "no key file is configured"
        say(f"dry run ({why}): plans as {sender}, sends nothing")
    journal = _journal(request, addresses, sender, dry=dry)
    depth = request.confirmations or (1 if chain_id in LOCAL_CHAINS else CONFIRMATIONS)
    lane = None
    if signer is not None and not dry:
        policy = replace(config.lane, confirmations=depth)
        lane = TxManager(rpc, journal, signer, chain_id, lane=policy, fees=config.fees, describe=words)
    w3 = rpc.web3()
    return Keeper(
        rpc=rpc,
        journal=journal,
        lane=lane,
        vault=Vault(addresses.vault, w3),
        lens=VaultLens(addresses.lens, w3),
        mandate=mandate,
        sender=sender,
        config=config,
        say=say,
    )


def _sender(request: Request, signer: RawSigner | None, addresses: Addresses) -> str:
    if signer is not None:
        return signer.address
    if request.sender is not None:
        try:
            return checksummed(request.sender)
        except ValueError:
            raise ConfigError(f"--as: expected an address, got {request.sender}") from None
    if addresses.keeper is not None:
        return addresses.keeper
    raise ConfigError("--as: expected the keeper's address; the deployment does not say who that is")


def _journal(request: Request, addresses: Addresses, sender: str, *, dry: bool) -> Journal:
    if dry and request.journal is None:
        return Journal.in_memory()
    default = Path(".evenkeel/journals") / f"{addresses.chain_id}-{addresses.vault.lower()}.sqlite"
    identity = {
        "chain": str(addresses.chain_id),
        "vault": addresses.vault,
        "sender": sender,
        "mode": "dry" if dry else "live",
    }
    return Journal.open(request.journal or default, identity=identity)
