"""Deploy a vault and everything of ours around it, on any chain, for the protocols that the chain has.

One order for every chain; what is done is in the deployment's file after each step, so that a run that stopped goes on where it
was and a run that ended sends nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel.chain.signer import Signer
from evenkeel.deploy._steps import Estimator, Sender
from evenkeel.deploy._walk import Walk
from evenkeel.deploy.errors import DeploymentError
from evenkeel.deploy.names import is_venue, venue_name
from evenkeel.deploy.plan import Roles, VaultPlan
from evenkeel.deploy.pools import existing_pools
from evenkeel.deploy.protocols import Protocols
from evenkeel.deploy.record import DeploymentFile

_LOCAL_CHAINS = frozenset({1337, 31337})


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where everything is. `venues` are by name ("spot", "lending", "perp/<instance>", "option"), `sources` by what they read."""

    chain_id: int
    asset: ChecksumAddress
    authority: ChecksumAddress
    oracle: ChecksumAddress
    vol_source: ChecksumAddress
    valuer: ChecksumAddress
    guard: ChecksumAddress
    vault: ChecksumAddress
    queue: ChecksumAddress
    lens: ChecksumAddress
    venues: Mapping[str, ChecksumAddress]
    sources: Mapping[str, ChecksumAddress]
    venue_vol: ChecksumAddress | None = None
    """What stores the option venue's own vol; None where the vault trades no options."""
    omitted: tuple[str, ...] = ()
    """What the chain lacks and the vault therefore goes without, a line each."""
    transactions: int = 0
    """Sent by this run."""
    gas_used: int = 0

    @property
    def names(self) -> Mapping[str, ChecksumAddress]:
        """The venues by the names that mandates use ("uniswap-v3", "perp-a")."""
        return {venue_name(step): address for step, address in self.venues.items()}


@dataclass(frozen=True, slots=True)
class GasEstimate:
    """What the rest of a deployment takes at most: transactions, gas, and wei at twice today's base fee and tip."""

    transactions: int
    gas: int
    wei: int


def estimate(
    w3: Web3,
    deployer: ChecksumAddress,
    protocols: Protocols,
    plan: VaultPlan,
    roles: Roles,
    *,
    path: Path | None = None,
) -> GasEstimate:
    """Count the gas of what is not deployed yet. Sends nothing. Raises `DeploymentError`, `DeploymentFileError`."""
    file = _open(w3, path, deployer)
    protocols, _ = existing_pools(w3, protocols)
    counter = Estimator(w3, file)
    Walk(w3, counter, file, protocols, plan, roles).run()
    return _priced(w3, counter)


def deploy(
    w3: Web3,
    signer: Signer,
    protocols: Protocols,
    plan: VaultPlan,
    roles: Roles,
    *,
    path: Path | None = None,
    timeout: float = 600,
    say: Callable[[str], None] = lambda _line: None,
) -> Deployment:
    """Deploy what is missing and return where everything is.

    `path` is the deployment's file (`deployments/<chain-id>.json`); None keeps it in memory. `timeout` is how many
    seconds one transaction may take to be mined. `say` gets a line a step. Raises `DeploymentError` (also before anything is
    spent, where the account cannot pay for all of it), `DeploymentFileError`.
    """
    if protocols.chain_id != w3.eth.chain_id:
        raise DeploymentError(
            f"protocols: of chain {protocols.chain_id}, but this is chain {w3.eth.chain_id}"
        )
    file = _open(w3, path, signer.address)
    file.keeper = roles.keeper
    protocols, missing = existing_pools(w3, protocols)
    counter = Estimator(w3, file)
    Walk(w3, counter, file, protocols, plan, roles).run()
    needed = _priced(w3, counter)
    balance = w3.eth.get_balance(signer.address)
    if needed.transactions and balance < needed.wei:
        raise DeploymentError(
            f"{signer.address} has {balance} wei, but {needed.transactions} transactions may take {needed.wei}"
        )
    most = Web3.from_wei(needed.wei, "ether")
    say(
        f"{needed.transactions} transactions to send, at most {needed.gas:,} gas, {most:.6f} ETH at most at twice today's fees"
    )
    sender = Sender(w3, signer, file, timeout=timeout, say=say)
    walk = Walk(w3, sender, file, protocols, plan, roles)
    walk.run()
    file.omitted, file.complete = (*missing, *walk.omitted), True
    file.save()
    return _result(file, protocols, plan, transactions=sender.transactions, gas_used=sender.gas_used)


def load(path: Path, protocols: Protocols, plan: VaultPlan) -> Deployment:
    """Read a finished deployment. Raises `DeploymentFileError`, and `DeploymentError` where it is not finished."""
    file = DeploymentFile.read(path)
    if not file.complete:
        raise DeploymentError(f"{path}: the deployment is not finished; run it again")
    return _result(file, protocols, plan)


def _open(w3: Web3, path: Path | None, deployer: ChecksumAddress) -> DeploymentFile:
    """Open the file and check that what it says is placed is there."""
    file = DeploymentFile.open(path, chain_id=w3.eth.chain_id, deployer=deployer)
    missing = [step for step, placed in file.placed.items() if not w3.eth.get_code(placed.address)]
    if missing and file.chain_id in _LOCAL_CHAINS:
        # A local chain that was started anew: nothing of this is there any more.
        file.clear()
    elif missing:
        step = missing[0]
        raise DeploymentError(
            f"{path}: there is no code at {file.placed[step].address} ({step}); the node may lag, else move the file away"
        )
    return file


def _priced(w3: Web3, counter: Estimator) -> GasEstimate:
    base = w3.eth.get_block("latest").get("baseFeePerGas", 0)
    tip = w3.eth.max_priority_fee if base else w3.eth.gas_price
    return GasEstimate(counter.transactions, counter.gas, 2 * counter.gas * (base + tip))


def _result(
    file: DeploymentFile,
    protocols: Protocols,
    plan: VaultPlan,
    *,
    transactions: int = 0,
    gas_used: int = 0,
) -> Deployment:
    at = {step: placed.address for step, placed in file.placed.items()}
    return Deployment(
        chain_id=file.chain_id,
        asset=Web3.to_checksum_address(protocols.tokens[plan.asset].address),
        authority=at["authority"],
        oracle=at["oracle"],
        vol_source=at["vol_source"],
        valuer=at["valuer"],
        guard=at["guard"],
        vault=at["vault"],
        queue=at["queue"],
        lens=at["lens"],
        venues={name: at[name] for name in at if is_venue(name)},
        sources={name.partition("/")[2]: at[name] for name in at if name.startswith("source/")},
        venue_vol=at.get("venue_vol"),
        omitted=file.omitted,
        transactions=transactions,
        gas_used=gas_used,
    )
