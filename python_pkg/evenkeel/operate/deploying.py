"""Deploying a vault on whatever chain a script is connected to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.deploy import Deployment, Protocols, Roles, deploy, plan_of
from evenkeel.operate.errors import OperateError
from evenkeel.operate.session import MANDATE
from evenkeel.sandbox import runs
from evenkeel.strategy import load_mandate

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenkeel.operate.chain import Chain


def deploy_vault(
    chain: Chain,
    *,
    protocols: Path | None = None,
    mandate: Path = MANDATE,
    path: Path | None = None,
    say: Callable[[str], None] = print,
) -> Deployment:
    """Deploy the vault of `mandate` on the protocols of `chain`, or what an earlier run left undone.

    `protocols` None takes the running sandbox's own file, else deployments/protocols/<chain-id>.json; `path` None is
    deployments/<chain-id>.json. Says what it will take before anything is spent. Roles are the deployer's unless the environment or a
    sandbox names others. Raises `InputError`s and `DeploymentError`, one line each.
    """
    known = Protocols.load(protocols or _protocols(chain))
    plan = plan_of(load_mandate(mandate), known)
    signer = chain.signer("deployer")
    signers, threshold = chain.vol_signers()
    roles = Roles(
        keeper=chain.role("keeper", signer.address),
        curator=chain.role("curator", signer.address),
        guardian=chain.role("guardian", signer.address),
        governor=chain.governor(),
        delay=chain.delay(),
        vol_signers=signers,
        vol_threshold=threshold,
    )
    path = path or Path("deployments") / f"{chain.chain_id}.json"
    say(f"deploying from {signer.address} on chain {chain.chain_id}; keeper {roles.keeper}")
    made = deploy(chain.w3, signer, known, plan, roles, path=path, say=say)
    for line in made.omitted:
        say(f"left out: {line}")
    say(
        f"{made.transactions} transactions sent, {made.gas_used:,} gas; vault {made.vault}, all of it in {path}"
    )
    return made


def _protocols(chain: Chain) -> Path:
    for run in runs.running():
        if run.url == chain.url:
            return Path(run.protocols)
    usual = Path("deployments/protocols") / f"{chain.chain_id}.json"
    if not usual.exists():
        raise OperateError(
            f"{usual}: no protocols file of chain {chain.chain_id}; name one, or write one with deploy_protocols"
        )
    return usual
