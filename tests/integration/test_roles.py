"""Who may call what on a deployed vault: every restricted function, asked of the authority for every holder of a role."""

import re
from pathlib import Path

import pytest

from evenkeel.bindings import Authority, CuratedVolSource, OracleAdapter, RiskGuard, Vault
from evenkeel.bindings.types import Limits, Range, VenueConfig

pytestmark = pytest.mark.integration

NOBODY = "0x" + "0" * 40
ROLES = ("keeper", "curator", "guardian", "vol_poster")


def restricted(desk):
    """Each restricted function, as a call, and who may make it; the governor is the deployer here."""
    deployment, w3 = desk.deployment, desk.w3
    vault, guard = Vault(deployment.vault, w3), RiskGuard(deployment.guard, w3)
    vols, oracle = CuratedVolSource(deployment.vol_source, w3), OracleAdapter(deployment.oracle, w3)
    config = VenueConfig(0, 0, 0, 0)
    limits = Limits(*[Range(0, 0)] * 4)
    return (
        (vault.rebalance([], 0, bytes(32)), "keeper"),
        (vault.top_up(NOBODY, 0, 0, 0), "keeper"),
        (vault.add_venue(NOBODY, config), "curator"),
        (vault.configure_venue(NOBODY, config), "curator"),
        (vault.remove_venue(NOBODY), "curator"),
        (guard.set_limits(NOBODY, limits), "curator"),
        (guard.set_max_loss_per_call(0), "curator"),
        (vols.post(NOBODY, 0, 0), "vol_poster"),
        (vols.post_many([]), "vol_poster"),
        (oracle.configure(NOBODY, [], 0, 0), "deployer"),
    )


def test_each_restricted_function_has_one_role(desk):
    authority = Authority(desk.deployment.authority, desk.w3)
    for call, rightful in restricted(desk):
        for name in ("deployer", *ROLES, "alice"):
            answer = authority.can_call(desk.chain.accounts[name], call.to, call.data[:4]).read()
            assert answer.immediate == (name == rightful), (call, name)


def test_no_restricted_function_is_left_out(desk):
    sources = (Path(__file__).parents[2] / "contracts").rglob("*.sol")
    found = sum(
        len(re.findall(r"^ .*\brestricted\b(?=[\s{])", path.read_text(), re.MULTILINE)) for path in sources
    )
    assert found == len(restricted(desk))
