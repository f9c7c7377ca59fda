"""Our deployer on a sandbox: whole, interrupted anywhere, repeated, for a chain that lacks protocols, and with a key of its own."""

import json
from dataclasses import replace

import pytest
from eth_account import Account

from evenkeel.bindings import LyraVol, OptionVenue, OracleAdapter, RiskGuard, Vault, VolOracle
from evenkeel.chain.signer import LocalSigner
from evenkeel.deploy import (
    DeploymentError,
    DeploymentFileError,
    Roles,
    VaultPlan,
    deploy,
    estimate,
    load,
)
from evenkeel.sandbox import up
from evenkeel.sandbox.accounts import VOL_SIGNER_ROLES, VOL_THRESHOLD
from evenkeel.sandbox.artifacts import own

pytestmark = pytest.mark.integration

PLAN = VaultPlan()


class Stopping:
    """A signer that dies at its `allowed`-th transaction, before sending it or (`late`) right after."""

    def __init__(self, signer, allowed, *, late):
        self.signer, self.allowed, self.late = signer, allowed, late
        self.address = signer.address

    def send(self, w3, tx):
        self.allowed -= 1
        if self.allowed >= 0:
            return self.signer.send(w3, tx)
        if self.late:
            self.signer.send(w3, tx)
        raise KeyboardInterrupt


@pytest.fixture
def roles(chain):
    a = chain.accounts
    signers = tuple(a[role] for role in VOL_SIGNER_ROLES)
    return Roles(a["keeper"], a["curator"], a["guardian"], a["governor"], signers, VOL_THRESHOLD)


@pytest.fixture
def deployer(chain):
    return chain.signers["deployer"]


def sent_by(chain, address):
    return chain.w3.eth.get_transaction_count(address)


def test_everything_stands_and_answers(chain, roles, deployer, tmp_path):
    path = tmp_path / "31337.json"
    before = sent_by(chain, deployer.address)
    told = estimate(chain.w3, deployer.address, chain.protocols, PLAN, roles, path=path)
    done = deploy(chain.w3, deployer, chain.protocols, PLAN, roles, path=path)
    assert done.transactions == told.transactions == sent_by(chain, deployer.address) - before
    assert done.gas_used < told.gas < 2 * done.gas_used
    assert done.omitted == ()
    vault = Vault(done.vault, chain.w3)
    assert set(vault.venues().read()) == set(done.venues.values())
    assert (vault.oracle().read(), vault.guard().read()) == (done.oracle, done.guard)
    weth = chain.protocols.tokens["WETH"].address
    assert OracleAdapter(done.oracle, chain.w3).quote(weth).read().mid == pytest.approx(
        3_000 * 10**18, rel=1e-3
    )
    limits = RiskGuard(done.guard, chain.w3).limits(weth).read()
    assert (limits.delta.min, limits.delta.max) == (-5 * 10**16, 5 * 10**16)
    assert limits.gamma.min == -10_000 * 10**18
    config = vault.venue_config(done.venues["option"]).read()
    assert (config.cap, config.target_health) == (3 * 10**17, 12 * 10**17)
    assert load(path, chain.protocols, PLAN).venues == done.venues


def test_roles_are_handed_over(chain, roles, deployer):
    done = deploy(chain.w3, deployer, chain.protocols, PLAN, roles)
    held = {}
    for role, name in enumerate(("governor", "keeper", "curator", "guardian")):
        for account in ("deployer", name):
            data = own("Authority").encode("hasRole", role, chain.accounts[account])
            answer = chain.w3.eth.call({"to": done.authority, "data": data})
            held[role, account] = bool(int.from_bytes(answer[:32]))
    assert all(has == (account != "deployer") for (_, account), has in held.items())


def test_vols_are_signed_by_those_who_were_named(chain, roles, deployer):
    oracle = VolOracle(deploy(chain.w3, deployer, chain.protocols, PLAN, roles).vol_source, chain.w3)
    assert set(oracle.signers().read()) == set(roles.vol_signers)
    assert oracle.threshold().read() == VOL_THRESHOLD


def test_lyras_own_vol_widens_ours_once_somebody_stores_it(chain, roles, deployer):
    done = deploy(chain.w3, deployer, chain.protocols, PLAN, roles)
    weth = chain.protocols.tokens["WETH"].address
    assert VolOracle(done.vol_source, chain.w3).venue_vol(weth).read() == done.venue_vol
    venue = LyraVol(done.venue_vol, chain.w3)
    listed = OptionVenue(done.venues["option"], chain.w3).listings().read()
    for expiry in {option.expiry for option in listed}:
        assert venue.synced_at(weth, expiry).read() == 0
        venue.sync(weth, expiry).send(chain.signers["alice"])
    for option in listed:
        assert venue.iv(weth, option.expiry, option.strike).read() == pytest.approx(
            option.venue_vol, rel=1e-5
        )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"keeper": "vol_signer_2"}, "is the keeper, who must not sign what it trades at"),
        ({"vol_threshold": 4}, "a threshold of 4, expected 1 to 3"),
        ({"vol_threshold": 0}, "a threshold of 0, expected 1 to 3"),
    ],
)
def test_vol_signers_that_cannot_be_are_refused_before_anything_is_sent(
    chain, roles, deployer, changes, expected
):
    wrong = replace(roles, **{name: chain.accounts.get(value, value) for name, value in changes.items()})
    before = sent_by(chain, deployer.address)
    with pytest.raises(DeploymentError, match=expected):
        deploy(chain.w3, deployer, chain.protocols, PLAN, wrong)
    assert sent_by(chain, deployer.address) == before


def test_a_second_run_sends_nothing(chain, roles, deployer, tmp_path):
    path = tmp_path / "31337.json"
    first = deploy(chain.w3, deployer, chain.protocols, PLAN, roles, path=path)
    text, before = path.read_text(), sent_by(chain, deployer.address)
    second = deploy(chain.w3, deployer, chain.protocols, PLAN, roles, path=path)
    assert (second.transactions, sent_by(chain, deployer.address)) == (0, before)
    assert second == replace(first, transactions=0, gas_used=0)
    assert path.read_text() == text


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("allowed", [0, 16, 24])
def test_a_killed_run_goes_on_without_deploying_twice(chain, roles, deployer, tmp_path, allowed, late):
    start = chain.w3.eth.block_number
    path = tmp_path / "31337.json"
    told = estimate(chain.w3, deployer.address, chain.protocols, PLAN, roles)
    with pytest.raises(KeyboardInterrupt):
        deploy(chain.w3, Stopping(deployer, allowed, late=late), chain.protocols, PLAN, roles, path=path)
    code_before = {p["address"] for p in json.loads(path.read_text())["contracts"].values()}
    done = deploy(chain.w3, deployer, chain.protocols, PLAN, roles, path=path)
    contracts = {p["address"] for p in json.loads(path.read_text())["contracts"].values()}
    assert code_before <= contracts
    creations = len(contracts)
    # A call that was mined and not written down is repeated; a creation never is.
    assert done.transactions <= told.transactions - allowed
    assert created_since(chain, start, deployer.address) == creations
    assert set(Vault(done.vault, chain.w3).venues().read()) == set(done.venues.values())


def created_since(chain, block, account):
    """Count the contracts that `account` made after `block`, whoever recorded them."""
    blocks = (
        chain.w3.eth.get_block(number, full_transactions=True)
        for number in range(block + 1, chain.w3.eth.block_number + 1)
    )
    return sum(tx["from"] == account and tx.get("to") is None for b in blocks for tx in b["transactions"])


def test_a_chain_without_protocols_gets_what_it_can(chain, roles, deployer):
    poor = chain.protocols.model_copy(update={"perps": (), "lyra": None, "aave": None})
    done = deploy(chain.w3, deployer, poor, PLAN, roles)
    assert set(done.venues) == {"spot"}
    assert [line.partition(":")[0] for line in done.omitted] == ["lending", "perp", "option"]
    assert done.venue_vol is None


def test_a_purse_too_small_is_found_before_anything_is_spent(chain, roles):
    poor = Account.create()
    chain.node.rpc("anvil_setBalance", poor.address, hex(10**15))
    with pytest.raises(DeploymentError, match=r"has 1000000000000000 wei, but \d+ transactions may take"):
        deploy(chain.w3, LocalSigner(poor), chain.protocols, PLAN, roles)
    assert sent_by(chain, poor.address) == 0


def test_files_of_another_chain_account_or_kind_are_refused(chain, roles, deployer, tmp_path):
    path = tmp_path / "31337.json"
    wrong = chain.protocols.model_copy(update={"chain_id": 1})
    with pytest.raises(DeploymentError, match="of chain 1, but this is chain 31337"):
        deploy(chain.w3, deployer, wrong, PLAN, roles, path=path)
    content = {"chain_id": 1, "deployer": deployer.address, "complete": False}
    content |= {"contracts": {}, "calls": {}, "omitted": [], "pending": None}
    for change, said in (
        ({}, "is of chain 1"),
        ({"chain_id": 31337, "deployer": roles.keeper}, "was begun by"),
        ({"calls": 3}, "not a deployment's file"),
    ):
        path.write_text(json.dumps(content | change))
        with pytest.raises(DeploymentFileError, match=said):
            deploy(chain.w3, deployer, chain.protocols, PLAN, roles, path=path)
    path.write_text("{")
    with pytest.raises(DeploymentFileError, match="not a deployment's file"):
        deploy(chain.w3, deployer, chain.protocols, PLAN, roles, path=path)


def test_an_unfinished_file_is_not_loaded(chain, roles, deployer, tmp_path):
    path = tmp_path / "31337.json"
    with pytest.raises(DeploymentFileError, match="cannot be read"):
        load(path, chain.protocols, PLAN)
    with pytest.raises(KeyboardInterrupt):
        deploy(chain.w3, Stopping(deployer, 5, late=False), chain.protocols, PLAN, roles, path=path)
    with pytest.raises(DeploymentError, match="not finished"):
        load(path, chain.protocols, PLAN)


def test_a_rehearsal_with_a_key_on_another_chain_id(roles, tmp_path):
    """As on Sepolia: chain id 11155111, EIP-1559 fees, a key that signs here, twice in a row."""
    with up(chain_id=11_155_111) as testnet:
        signer = LocalSigner(Account.from_key(testnet.key("deployer")))
        protocols = testnet.protocols.model_copy(update={"chain_id": 11_155_111})
        path = tmp_path / "11155111.json"
        first = deploy(testnet.w3, signer, protocols, PLAN, roles, path=path)
        assert len(first.venues) == 5
        before = testnet.w3.eth.get_transaction_count(signer.address)
        assert deploy(testnet.w3, signer, protocols, PLAN, roles, path=path).transactions == 0
        assert testnet.w3.eth.get_transaction_count(signer.address) == before
        last = testnet.w3.eth.get_block("latest", full_transactions=True)["transactions"][0]
        assert last["type"] == 2
        assert last["chainId"] == 11_155_111
