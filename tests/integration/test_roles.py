"""Who may call what on a deployed vault: every restricted function, asked of the authority for every holder of a role."""

import re
from pathlib import Path

import pytest

from evenkeel.bindings import Authority, OracleAdapter, RedeemQueue, RiskGuard, Vault, VolOracle
from evenkeel.deploy import CURATOR, GUARDIAN, KEEPER, SENTINEL
from evenkeel.deploy._roles import acts_of, fees_of, restricted

pytestmark = pytest.mark.integration

NOBODY = "0x" + "0" * 40
# Not part of a deployed vault.
APART = {"VaultFactory.sol"}
ROLES = ("keeper", "curator", "guardian")


def functions(desk):
    """What the deployer gives roles, and what it leaves to the governor, who is the deployer here."""
    deployment, w3 = desk.deployment, desk.w3
    vault, guard = Vault(deployment.vault, w3), RiskGuard(deployment.guard, w3)
    queue, vols = RedeemQueue(deployment.queue, w3), VolOracle(deployment.vol_source, w3)
    oracle = OracleAdapter(deployment.oracle, w3)
    names = {KEEPER: "keeper", CURATOR: "curator", GUARDIAN: "guardian"}
    acts, fees = acts_of(guard, w3), fees_of(vault, w3)
    assert (guard.acts().read(), vault.fees().read()) == (acts.address, fees.address)
    for part in restricted(vault, fees, guard, acts, queue):
        holders = {"guardian", "curator"} if part.role == SENTINEL else {names[part.role]}
        yield from ((call, holders) for call in part.calls)
    yield oracle.configure(NOBODY, [], 0, 0), {"deployer"}
    yield oracle.set_jump(NOBODY, 0), {"deployer"}
    yield vault.set_redeem_queue(NOBODY), {"deployer"}
    yield vault.write_off(NOBODY), {"deployer"}
    yield vault.recover(NOBODY, b""), {"deployer"}
    yield vols.set_signers([], 0), {"deployer"}
    yield vols.set_venue_vol(NOBODY, NOBODY), {"deployer"}
    yield vols.drop(NOBODY, 0), {"deployer"}


def test_each_restricted_function_has_one_role(desk):
    authority = Authority(desk.deployment.authority, desk.w3)
    for call, rightful in functions(desk):
        for name in ("deployer", *ROLES, "alice"):
            answer = authority.can_call(desk.chain.accounts[name], call.to, call.data[:4]).read()
            assert answer.immediate == (name in rightful), (call, name)


def test_no_restricted_function_is_left_out(desk):
    sources = (Path(__file__).parents[2] / "contracts").rglob("*.sol")
    found = {
        path.name: len(re.findall(r"^ .*\brestricted\b(?=[\s{])", path.read_text(), re.MULTILINE))
        for path in sources
        if path.name not in APART
    }
    assert sum(found.values()) == len(list(functions(desk))), found
