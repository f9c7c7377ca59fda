"""What a deployment leaves for others: its file, and the mandate's numbers in it."""

import json
from pathlib import Path

import pytest
from web3 import Web3

from evenkeel.deploy import DeploymentFile, Placed, Protocols, plan_of
from evenkeel.deploy.plan import UNBOUNDED
from evenkeel.deploy.protocols import Token
from evenkeel.keeper.config import read_addresses
from evenkeel.strategy import load_mandate

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "examples/demo.toml"
STEPS = ("authority", "oracle", "vol_source", "valuer", "guard", "vault", "lens")
VENUES = {
    "spot": "uniswap-v3",
    "lending": "aave-v3",
    "perp/perp-a": "perp-a",
    "perp/perp-b": "perp-b",
    "option": "lyra-v1",
}
KEEPER = "0x" + "00" * 19 + "99"


def address(number):
    return Web3.to_checksum_address(f"0x{number:040x}")


@pytest.fixture
def file(tmp_path):
    placed = {
        step: Placed("Contract", address(number), "0x", 1)
        for number, step in enumerate((*STEPS, "source/WETH/twap", *VENUES), start=1)
    }
    made = DeploymentFile(tmp_path / "7.json", 7, address(1), placed=placed, complete=True, keeper=KEEPER)
    made.save()
    return made


def test_the_file_names_what_others_look_for(file):
    written = json.loads(file.path.read_text())
    for name in ("vault", "lens", "guard", "oracle", "vol_source", "authority"):
        assert written[name] == written["contracts"][name]["address"]
    assert written["keeper"] == KEEPER
    assert written["venues"] == {name: written["contracts"][step]["address"] for step, name in VENUES.items()}
    assert DeploymentFile.read(file.path) == file


def test_the_demo_mandate_resolves_on_what_the_deployer_writes(file):
    known = read_addresses(file.path)
    mandate = load_mandate(DEMO).resolve(known.vault, known.venues)
    assert mandate.vault == file.placed["vault"].address
    assert {name: mandate.venue(name).address for name in mandate.venues} == file.venues


def chain_of(**tokens):
    there = {
        symbol: Token(address=address(number), decimals=18) for number, symbol in enumerate(tokens, start=1)
    }
    return Protocols(chain_id=7, tokens=there)


def test_a_plan_takes_the_mandates_numbers():
    mandate = load_mandate(DEMO)
    plan = plan_of(mandate, chain_of(USDC=1, WETH=2, SUSD=3))
    assert plan.max_loss_per_call == mandate.max_loss_per_call
    assert plan.limits["WETH"].delta == (-0.05, 0.05)
    assert plan.limits["WETH"].gamma == (-10_000, UNBOUNDED)
    assert plan.limits["SUSD"].delta == (-0.3, 0.3)
    spot, option = plan.terms("spot"), plan.terms("option")
    assert (spot.cap, spot.min_health) == (0.2, 0)
    assert (option.min_health, option.target_health, option.critical_health) == (1.08, 1.2, 1.03)
    assert plan.spot_tokens == ("WETH",)


def test_a_plan_leaves_out_what_the_mandate_or_the_chain_lacks():
    mandate = load_mandate(DEMO)
    only_spot = mandate.model_copy(update={"venues": {"uniswap-v3": mandate.venue("uniswap-v3")}})
    plan = plan_of(only_spot, chain_of(USDC=1, WETH=2))
    assert set(plan.limits) == {"WETH"}
    assert plan.terms("spot") is not None
    assert plan.terms("option") is None
    assert plan.terms("perp/perp-a") is None


@pytest.mark.parametrize("chain_id", [11155111, 421614, 84532])
def test_a_shipped_protocols_file_is_whole_and_names_its_sources(chain_id):
    protocols = Protocols.load(ROOT / f"deployments/protocols/{chain_id}.json")
    assert protocols.chain_id == chain_id
    assert {"USDC", "WETH"} <= set(protocols.tokens)
    assert {"ETH/USD", "USDC/USD"} <= set(protocols.feeds)
    sections = {name.partition(".")[0] for name in protocols.sources}
    assert sections == {"tokens", "feeds", "uniswap", *(["aave"] if protocols.aave else [])}
