"""A vault deployed once a session, and put back to its first day for every test."""

import pytest
from vault_desk import Desk

from evenkeel.deploy import Roles, VaultPlan, deploy
from evenkeel.sandbox.accounts import VOL_SIGNER_ROLES, VOL_THRESHOLD


@pytest.fixture(scope="session")
def deployed(sandbox):
    """A vault with every venue of the sandbox. The loss limits are the greatest there are: these tests are about venues."""
    accounts = sandbox.accounts
    roles = Roles(
        keeper=accounts["keeper"],
        curator=accounts["curator"],
        guardian=accounts["guardian"],
        vol_signers=tuple(accounts[role] for role in VOL_SIGNER_ROLES),
        vol_threshold=VOL_THRESHOLD,
    )
    plan = VaultPlan(max_loss_per_call=0.02, max_loss_per_day=0.05)
    return deploy(sandbox.w3, sandbox.signers["deployer"], sandbox.protocols, plan, roles)


@pytest.fixture
def desk(deployed, chain):
    """The vault with a million dollars in it."""
    made = Desk(chain, deployed)
    made.deposit(1_000_000)
    return made
