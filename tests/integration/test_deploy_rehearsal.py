"""A deployment rehearsed for Sepolia: its chain id, EIP-1559 fees, a key file, and no account that the node would sign for."""

import json

import pytest
from eth_account import Account

from brownie_project import Home
from evenkeel.bindings import Authority, RiskGuard, Vault, VolOracle
from evenkeel.bindings.errors import AccessManagerNotReady, AccessManagerNotScheduled
from evenkeel.chain import LocalSigner
from evenkeel.chain.keystore import KEYSTORE, PASSWORD_FILE
from evenkeel.deploy import CURATOR, GUARDIAN, KEEPER, DeploymentError, DeploymentFile
from evenkeel.deploy.protocols import Pool
from evenkeel.operate import Chain, OperateError, deploy_vault
from evenkeel.sandbox import up

SEPOLIA = 11155111
PASSWORD = "a password"
GWEI = 10**9
ETHER = 10**18
TRANSACTION_GAS = 2**24
"""The most that one transaction may take (EIP-7825)."""
DELAY = 86_400
ROLES = {"governor": 0, "keeper": KEEPER, "curator": CURATOR, "guardian": GUARDIAN}


@pytest.fixture(scope="module")
def sepolia(tmp_path_factory):
    """An anvil with Sepolia's chain id and every protocol, and the protocols file of that chain."""
    with up(chain_id=SEPOLIA) as sandbox:
        file = tmp_path_factory.mktemp("sepolia") / "protocols.json"
        sandbox.protocols.model_copy(update={"chain_id": SEPOLIA}).save(file)
        yield sandbox, file


@pytest.fixture
def account(sepolia, tmp_path, monkeypatch):
    """A new funded account in a key file that the environment names."""
    sandbox, _ = sepolia
    made = Account.create()
    sandbox.node.rpc("anvil_setBalance", made.address, hex(ETHER))
    (tmp_path / "key.json").write_text(json.dumps(Account.encrypt(made.key, PASSWORD, iterations=2)))
    (tmp_path / "password").write_text(PASSWORD)
    monkeypatch.setenv(KEYSTORE, str(tmp_path / "key.json"))
    monkeypatch.setenv(PASSWORD_FILE, str(tmp_path / "password"))
    return made


def nonce(sandbox, account):
    return sandbox.w3.eth.get_transaction_count(account.address)


def test_brownie_deploys_once_and_a_second_run_sends_nothing(sepolia, account, tmp_path):
    sandbox, protocols = sepolia
    home = Home(tmp_path / "home", EVENKEEL_ACCOUNT="rehearsal")
    home.add_network("rehearsal", sandbox.url, SEPOLIA)
    keys = home.folder / ".brownie/accounts"
    keys.mkdir(parents=True, exist_ok=True)
    (keys / "rehearsal.json").write_text((tmp_path / "key.json").read_text())
    home.compile()
    path = tmp_path / "deployment.json"
    given = (str(protocols), "", str(path))
    before = sandbox.w3.eth.get_balance(account.address)

    first = home.run("deploy", *given, network="rehearsal", stdin=PASSWORD + "\n")
    assert first.returncode == 0, first.stderr
    estimate = first.stdout.index("transactions to send, at most ")
    assert estimate < first.stdout.index("authority: Authority at ")
    file, sent = DeploymentFile.read(path), nonce(sandbox, account)
    assert file.complete
    assert file.chain_id == SEPOLIA
    assert sent == len(file.placed) + len(file.calls)
    promised = float(first.stdout[estimate:].split(" gas, ")[1].split()[0])
    assert 0 < before - sandbox.w3.eth.get_balance(account.address) <= promised * ETHER
    gas = {step: _gas(sandbox, placed.transaction) for step, placed in file.placed.items()}
    assert max(gas.values()) < TRANSACTION_GAS, gas
    made = sandbox.w3.eth.get_transaction(file.placed["vault"].transaction)
    assert made["type"] == 2
    assert made["maxFeePerGas"] > made["maxPriorityFeePerGas"] > 0

    second = home.run("deploy", *given, network="rehearsal", stdin=PASSWORD + "\n")
    assert second.returncode == 0, second.stderr
    assert "0 transactions sent" in second.stdout
    assert nonce(sandbox, account) == sent
    assert DeploymentFile.read(path) == file

    assert Vault(file.placed["vault"].address, sandbox.w3).guard().read() == file.placed["guard"].address
    member, _ = (
        Authority(file.placed["authority"].address, sandbox.w3).has_role(KEEPER, account.address).read()
    )
    assert member
    guard = RiskGuard(file.placed["guard"].address, sandbox.w3)
    assert guard.max_loss_per_call().read() == 25 * 10**14


@pytest.mark.parametrize("after", ["create", "call"])
def test_a_run_that_stopped_is_continued(sepolia, account, tmp_path, monkeypatch, after):
    sandbox, protocols = sepolia
    chain, path = Chain.at(sandbox.url), tmp_path / "deployment.json"
    left, real = {"create": 12, "call": 25}[after], LocalSigner.send
    sent = []

    def dies(signer, w3, tx):
        sent.append(real(signer, w3, tx))
        if len(sent) == left:
            raise KeyboardInterrupt
        return sent[-1]

    monkeypatch.setattr(LocalSigner, "send", dies)
    with pytest.raises(KeyboardInterrupt):
        deploy_vault(chain, protocols=protocols, path=path, say=lambda _: None)
    begun = DeploymentFile.read(path)
    assert not begun.complete
    monkeypatch.setattr(LocalSigner, "send", real)

    made = deploy_vault(chain, protocols=protocols, path=path, say=lambda _: None)
    file = DeploymentFile.read(path)
    assert file.complete
    assert {step: file.placed[step] for step in begun.placed} == begun.placed
    # A call may be repeated, which changes nothing; a contract never is.
    assert (
        len(file.placed) + len(file.calls)
        <= nonce(sandbox, account)
        <= len(file.placed) + len(file.calls) + 1
    )
    created = [
        sandbox.w3.eth.get_transaction_receipt(tx)["contractAddress"]
        for tx in _transactions(sandbox, account)
    ]
    assert sorted(a for a in created if a) == sorted(placed.address for placed in file.placed.values())
    assert made.vault == file.placed["vault"].address
    assert deploy_vault(chain, protocols=protocols, path=path, say=lambda _: None).transactions == 0


def test_what_the_chain_lacks_is_left_out_and_said(sepolia, account, tmp_path):
    sandbox, _ = sepolia
    full = sandbox.protocols
    nowhere = Pool(address="0x" + "00" * 19 + "77", fee=3000)
    uniswap = full.uniswap.model_copy(update={"pools": {"WETH/USDC": nowhere}})
    few = full.model_copy(update={"chain_id": SEPOLIA, "perps": (), "lyra": None, "uniswap": uniswap})
    few.save(tmp_path / "few.json")
    said = []
    made = deploy_vault(
        Chain.at(sandbox.url), protocols=tmp_path / "few.json", path=tmp_path / "d.json", say=said.append
    )
    assert set(made.venues) == {"lending"}
    assert set(made.sources) == {"USDC/chainlink", "WETH/chainlink", "SUSD/chainlink"}
    left_out = [line.partition(": ")[2] for line in said if line.startswith("left out: ")]
    assert [line.partition(":")[0] for line in left_out] == [
        "price of WETH/USDC by its average",
        "spot",
        "perp",
        "option",
        "vols",
    ]


def test_roles_go_to_whom_the_environment_names(sepolia, account, tmp_path, monkeypatch):
    sandbox, protocols = sepolia
    named = {role: Account.create().address for role in ("keeper", "curator", "guardian", "governor")}
    for role, address in named.items():
        monkeypatch.setenv(f"EVENKEEL_{role.upper()}", address)
    made = deploy_vault(
        Chain.at(sandbox.url), protocols=protocols, path=tmp_path / "d.json", say=lambda _: None
    )
    authority = Authority(made.authority, sandbox.w3)
    held = {role: authority.has_role(number, named[role]).read()[0] for role, number in ROLES.items()}
    assert all(held.values()), held
    assert not authority.has_role(0, account.address).read()[0]
    assert DeploymentFile.read(tmp_path / "d.json").keeper == named["keeper"]


def test_vols_are_signed_by_whom_the_environment_names(sepolia, account, tmp_path, monkeypatch):
    sandbox, protocols = sepolia
    signers = sorted((Account.create().address for _ in range(3)), key=lambda address: int(address, 16))
    monkeypatch.setenv("EVENKEEL_VOL_SIGNERS", ", ".join(reversed(signers)))
    made = deploy_vault(
        Chain.at(sandbox.url), protocols=protocols, path=tmp_path / "d.json", say=lambda _: None
    )
    oracle = VolOracle(made.vol_source, sandbox.w3)
    assert oracle.signers().read() == tuple(signers)
    assert oracle.threshold().read() == 2


@pytest.mark.parametrize(
    ("signers", "threshold", "expected"),
    [
        ("0x1", "", "EVENKEEL_VOL_SIGNERS: expected an address that is not zero, got 0x1"),
        ("0x" + "11" * 20, "2", "EVENKEEL_VOL_THRESHOLD: expected 1 to 1, the number of signers, got 2"),
        ("0x" + "11" * 20, "all", "EVENKEEL_VOL_THRESHOLD: expected 1 to 1, the number of signers, got all"),
    ],
)
def test_vol_signers_that_cannot_be_are_refused(
    sepolia, account, tmp_path, monkeypatch, signers, threshold, expected
):
    sandbox, protocols = sepolia
    monkeypatch.setenv("EVENKEEL_VOL_SIGNERS", signers)
    monkeypatch.setenv("EVENKEEL_VOL_THRESHOLD", threshold)
    with pytest.raises(OperateError, match=expected):
        deploy_vault(Chain.at(sandbox.url), protocols=protocols, path=tmp_path / "d.json")
    assert nonce(sandbox, account) == 0


def test_what_may_raise_risk_waits_for_the_delay(sepolia, account, tmp_path, monkeypatch):
    sandbox, protocols = sepolia
    curator = LocalSigner(Account.create())
    sandbox.node.rpc("anvil_setBalance", curator.address, hex(ETHER))
    monkeypatch.setenv("EVENKEEL_CURATOR", curator.address)
    monkeypatch.setenv("EVENKEEL_DELAY", str(DELAY))
    made = deploy_vault(
        Chain.at(sandbox.url), protocols=protocols, path=tmp_path / "d.json", say=lambda _: None
    )
    authority, guard = Authority(made.authority, sandbox.w3), RiskGuard(made.guard, sandbox.w3)
    assert authority.has_role(0, account.address).read() == (True, DELAY)

    guard.lower_max_loss_per_call(10**15).send(curator)
    assert guard.max_loss_per_call().read() == 10**15

    raised = guard.set_max_loss_per_call(2 * 10**15)
    with pytest.raises(AccessManagerNotScheduled):
        raised.send(curator)
    authority.schedule(guard.address, raised.data, 0).send(curator)
    with pytest.raises(AccessManagerNotReady):
        authority.execute(guard.address, raised.data).send(curator)
    now = sandbox.w3.eth.get_block("latest")["timestamp"]
    sandbox.node.rpc("evm_setNextBlockTimestamp", now + DELAY)
    sandbox.node.rpc("evm_mine")
    authority.execute(guard.address, raised.data).send(curator)
    assert guard.max_loss_per_call().read() == 2 * 10**15


def test_a_delay_that_is_no_number_is_refused(sepolia, account, tmp_path, monkeypatch):
    sandbox, protocols = sepolia
    monkeypatch.setenv("EVENKEEL_DELAY", "a day")
    with pytest.raises(
        OperateError, match="EVENKEEL_DELAY: expected whole seconds, at most 2592000, got 'a day'"
    ):
        deploy_vault(Chain.at(sandbox.url), protocols=protocols, path=tmp_path / "d.json")
    assert nonce(sandbox, account) == 0


def test_a_role_for_nobody_is_refused(sepolia, account, tmp_path, monkeypatch):
    sandbox, protocols = sepolia
    monkeypatch.setenv("EVENKEEL_KEEPER", "0x" + "00" * 20)
    with pytest.raises(OperateError, match="EVENKEEL_KEEPER: expected an address that is not zero"):
        deploy_vault(Chain.at(sandbox.url), protocols=protocols, path=tmp_path / "d.json")
    assert nonce(sandbox, account) == 0


def test_nothing_is_spent_where_the_account_cannot_pay_for_all(sepolia, account, tmp_path):
    sandbox, protocols = sepolia
    sandbox.node.rpc("anvil_setBalance", account.address, hex(GWEI))
    with pytest.raises(DeploymentError, match=r"has 1000000000 wei, but \d+ transactions may take"):
        deploy_vault(Chain.at(sandbox.url), protocols=protocols, path=tmp_path / "d.json", say=lambda _: None)
    assert nonce(sandbox, account) == 0


def test_an_account_must_be_named(sepolia, tmp_path):
    sandbox, protocols = sepolia
    with pytest.raises(OperateError, match="EVENKEEL_ACCOUNT: expected the name of a Brownie account"):
        deploy_vault(Chain.at(sandbox.url), protocols=protocols, path=tmp_path / "d.json")


def _gas(sandbox, transaction):
    return sandbox.w3.eth.get_transaction_receipt(transaction)["gasUsed"]


def _transactions(sandbox, account):
    head = sandbox.w3.eth.block_number
    for number in range(head - 120, head + 1):
        for tx in sandbox.w3.eth.get_block(number, full_transactions=True)["transactions"]:
            if tx["from"] == account.address:
                yield tx["hash"]
