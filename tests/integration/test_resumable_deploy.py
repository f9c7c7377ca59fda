"""Deploying the protocols with no cheat codes: stopped anywhere and run again, nothing is deployed twice."""

import json
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from eth_account import Account

from evenkeel import InputError
from evenkeel.chain import LocalSigner, NodeSigner
from evenkeel.deploy import Protocols
from evenkeel.sandbox.accounts import accounts, signers
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.errors import DeployError, WaitUntilError
from evenkeel.sandbox.node import Node
from evenkeel.sandbox.protocols import chainlink, tokens
from evenkeel.sandbox.testnet import deploy_missing

pytestmark = pytest.mark.integration

SEPOLIA = 11155111
GENESIS = 1_767_600_000


class StoppedError(Exception):
    """The process ends here."""


@dataclass
class StoppingSigner:
    """Ends the run at a given transaction: just before it is sent, or just after, with its hash lost."""

    signer: NodeSigner
    at: int
    after: bool
    sent: int = 0

    @property
    def address(self):
        return self.signer.address

    def send(self, w3, tx):
        self.sent += 1
        if self.sent == self.at and not self.after:
            raise StoppedError
        transaction = self.signer.send(w3, tx)
        if self.sent == self.at:
            raise StoppedError
        return transaction


@contextmanager
def live_chain():
    with Node(chain_id=SEPOLIA, timestamp=GENESIS) as node:
        node.rpc("anvil_setBlockTimestampInterval", 1)
        yield node


@pytest.fixture
def live():
    """A chain as public ones are: time passes by itself only, and it is not 31337."""
    with live_chain() as node:
        yield node


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an undisturbed deployment ends with: the protocols, and every contract created, in order."""
    with live_chain() as node:
        protocols, waits = finish(node, signers()["carol"], tmp_path_factory.mktemp("whole"))
        assert len(waits) == 1
        return protocols, creations(node)


def creations(node):
    """The addresses of all contracts created by transactions, in order."""
    blocks = (
        node.w3.eth.get_block(number, True)["transactions"]
        for number in range(1, node.w3.eth.block_number + 1)
    )
    made = [tx["hash"] for block in blocks for tx in block if tx.get("to") is None]
    return [node.w3.eth.get_transaction_receipt(tx)["contractAddress"] for tx in made]


def pass_time(node, timestamp):
    node.rpc("evm_setNextBlockTimestamp", timestamp)
    node.rpc("evm_mine")


def run(node, signer, folder, **options):
    lines = []
    options = {"price": 3000.0, "share": 1e-4, **options}
    file = deploy_missing(
        node.w3, signer, files=folder / "files", records=folder / "records", say=lines.append, **options
    )
    return Protocols.load(file), lines


def finish(node, signer, folder):
    """Run until done, letting time pass when told to; returns the protocols and the moments waited for."""
    waits = []
    while True:
        try:
            return run(node, signer, folder)[0], waits
        except WaitUntilError as waiting:
            assert len(waits) < 3
            waits.append(waiting.timestamp)
            pass_time(node, waiting.timestamp)


def test_it_says_until_when_to_wait_and_a_finished_deployment_sends_nothing(live, tmp_path):
    signer = LocalSigner(accounts()["carol"])
    with pytest.raises(WaitUntilError, match=r"wait until 2026-01-05 .* UTC, then run this again") as waiting:
        run(live, signer, tmp_path)
    assert live.w3.eth.get_block("latest")["timestamp"] < waiting.value.timestamp < GENESIS + 3600
    before = live.w3.eth.get_transaction_count(signer.address)
    with pytest.raises(WaitUntilError):
        run(live, signer, tmp_path)
    assert live.w3.eth.get_transaction_count(signer.address) == before
    pass_time(live, waiting.value.timestamp)
    first, _ = run(live, signer, tmp_path)
    assert first.chain_id == SEPOLIA
    assert len(first.perps) == 2
    sent = live.w3.eth.get_transaction_count(signer.address)
    again, lines = run(live, signer, tmp_path)
    assert again == first
    assert lines[0].startswith("0 transactions sent")
    assert live.w3.eth.get_transaction_count(signer.address) == sent
    newest = live.w3.eth.get_block("latest", full_transactions=True)["transactions"][0]
    assert newest["type"] in (2, "0x2")


@pytest.mark.parametrize("after", [False, True], ids=["before it is sent", "after it is sent"])
@pytest.mark.parametrize("at", [2, 60, 150, 230])
def test_stopped_half_way_it_deploys_nothing_twice(live, tmp_path, whole, at, after):
    signer = signers()["carol"]
    stopping = StoppingSigner(signer, at, after)
    with pytest.raises((DeployError, WaitUntilError)) as stopped:
        run(live, stopping, tmp_path / "stopped")
    if isinstance(stopped.value, WaitUntilError):
        pass_time(live, stopped.value.timestamp)
        with pytest.raises(DeployError):
            run(live, stopping, tmp_path / "stopped")
    assert stopping.sent == at
    resumed, _ = finish(live, signer, tmp_path / "stopped")
    assert (resumed, creations(live)) == whole


def test_what_the_chain_has_is_kept_and_only_the_rest_is_deployed(live, tmp_path):
    signer = signers()["carol"]
    whole, _ = finish(live, signer, tmp_path)
    file = tmp_path / "files" / f"{SEPOLIA}.json"
    trimmed = {key: value for key, value in whole.to_json().items() if key not in ("lyra", "_sources")}
    trimmed["_sources"] = {"aave": "the fixture"}
    file.write_text(json.dumps(trimmed))
    (tmp_path / "records").rename(tmp_path / "old")
    again, _ = finish(live, signer, tmp_path)
    assert again.lyra != whole.lyra
    assert (again.aave, again.perps, again.tokens, again.feeds) == (
        whole.aave,
        whole.perps,
        whole.tokens,
        whole.feeds,
    )
    assert again.sources["aave"] == "the fixture"
    assert "deploy_protocols" in again.sources["lyra"]


def test_a_record_of_another_chain_is_refused(tmp_path):
    signer = signers()["carol"]
    record = tmp_path / "record.jsonl"
    with Node(timestamp=GENESIS) as node:
        tokens.deploy(Deployer(node.w3, signer, record=record), ["USDC"])
    with (
        Node(timestamp=GENESIS + 5) as other,
        pytest.raises(InputError, match=r"record.jsonl: recorded genesis"),
    ):
        Deployer(other.w3, signer, record=record)


def test_a_torn_last_line_is_forgotten_and_a_damaged_one_is_named(live, tmp_path):
    signer = signers()["carol"]
    record = tmp_path / "record.jsonl"
    d = Deployer(live.w3, signer, record=record)
    first = tokens.deploy(d, ["USDC"])
    d.flush()
    whole = record.read_text()
    record.write_text(whole + '{"name": "half')
    assert tokens.deploy(Deployer(live.w3, signer, record=record), ["USDC"]) == first
    assert len(creations(live)) == 1
    record.write_text(whole + "nonsense\n" + whole.splitlines()[-1] + "\n")
    with pytest.raises(InputError, match=rf"line {len(whole.splitlines()) + 1}: not a line"):
        Deployer(live.w3, signer, record=record)


def test_a_revert_names_the_step_and_the_reason_and_is_sent_again(live, tmp_path):
    signer = signers()["carol"]
    d = Deployer(live.w3, signer, record=tmp_path / "record.jsonl")
    link = d.deploy("LINK", chainlink.contract("LinkToken", "v0.4"))
    usdc = tokens.deploy(d, ["USDC"])["USDC"].address
    d.send("pay", usdc, d.erc20, "transfer", link, 5)
    with pytest.raises(DeployError, match=r"pay: reverted: .*exceeds balance"):
        d.flush()
    d.send("mint", usdc, d.erc20, "mint(address,uint256)", d.account, 5)
    d.send("pay", usdc, d.erc20, "transfer", link, 5)
    assert d.call(usdc, d.erc20, "balanceOf", link) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [({"share": 0.0}, "share 0: expected more than 0"), ({"price": None}, "price: expected dollars an ETH")],
)
def test_bad_input_is_one_line(live, tmp_path, options, message):
    with pytest.raises(InputError, match=message) as caught:
        run(live, LocalSigner(Account.create()), tmp_path, **options)
    assert "\n" not in str(caught.value)
