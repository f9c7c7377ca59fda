"""The price oracle on the real Chainlink feeds and the real Uniswap pool."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi import decode
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError

from evenkeel.sandbox import Sandbox, up
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.protocols import chainlink

ROOT = Path(__file__).resolve().parents[2]
WAD = 10**18
WINDOW = 600
DOLLAR = "0x" + 40 * "0"
DAY = 86_400


class Oracle:
    """The oracle of a sandbox: WETH by a feed and a pool, USDC by its feed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.w3 = sandbox.w3
        protocols = sandbox.protocols
        assert protocols.uniswap is not None
        self.weth = Web3.to_checksum_address(protocols.tokens["WETH"].address)
        self.usdc = Web3.to_checksum_address(protocols.tokens["USDC"].address)
        self.pool = Web3.to_checksum_address(protocols.uniswap.pools["WETH/USDC"].address)
        self.feeds = {pair: Web3.to_checksum_address(feed) for pair, feed in protocols.feeds.items()}
        governor = sandbox.accounts["governor"]
        authority = self.deploy("AccessManager", governor)
        self.adapter = self.deploy("OracleAdapter", self.usdc, authority.address)
        self.eth_feed = self._feed_source(self.weth, "ETH/USD", 5 * WAD // 1000)
        usdc_feed = self._feed_source(self.usdc, "USDC/USD", 25 * WAD // 10_000)
        self.twap = self.deploy(
            "UniswapV3TwapSource", self.weth, self.usdc, self.pool, WINDOW, 1, 3 * WAD // 1000
        )
        self.configure(self.usdc, [usdc_feed], 1)
        self.configure(self.weth, [self.eth_feed, self.twap], 1)

    def _feed_source(self, token: str, pair: str, deviation: int) -> Contract:
        feed = self.feeds[pair]
        return self.deploy(
            "ChainlinkSource", token, DOLLAR, feed, DAY, WAD // 10, 10**6 * WAD, deviation, DOLLAR
        )

    def deploy(self, name: str, *arguments: Any) -> Contract:
        compiled = json.loads((ROOT / "out" / f"{name}.sol" / f"{name}.json").read_text())
        factory = self.w3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"]["object"])
        sent = factory.constructor(*arguments).transact({"from": self.sandbox.accounts["deployer"]})
        address = self.w3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
        return self.w3.eth.contract(address=address, abi=compiled["abi"])

    def configure(self, token: str, sources: list[Contract], quorum: int) -> None:
        call = self.adapter.functions.configure(token, [s.address for s in sources], quorum, WAD // 5)
        sent = call.transact({"from": self.sandbox.accounts["governor"]})
        assert self.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1

    def post(self, pair: str, price: float) -> None:
        oracles = [self.sandbox.signers[f"oracle_{i}"] for i in (1, 2, 3)]
        deployer = Deployer(self.w3, self.sandbox.signers["deployer"])
        chainlink.post(deployer, f"{pair}/{price}", self.feeds[pair], oracles, round(price * 10**8))

    def wait(self, seconds: int) -> None:
        now = self.w3.eth.get_block("latest")["timestamp"]
        self.sandbox.node.rpc("evm_setNextBlockTimestamp", now + seconds)
        self.sandbox.node.rpc("evm_mine")

    def quote(self, token: str) -> tuple[int, int, int, int]:
        return tuple(self.adapter.functions.quote(token).call())


@pytest.fixture(scope="module")
def deployed() -> Iterator[Oracle]:
    with up() as sandbox:
        yield Oracle(sandbox)


# Each test reverts what it did, so that one node serves them all.
@pytest.fixture
def oracle(deployed: Oracle) -> Iterator[Oracle]:
    snapshot = deployed.sandbox.node.rpc("evm_snapshot")
    yield deployed
    deployed.sandbox.node.rpc("evm_revert", snapshot)


def refusal(contract: Contract, call: Any, error: str) -> tuple[Any, ...]:
    """The arguments of the custom error that `call` reverts with, which must be `error`, e.g. "Stale(uint256,uint256)"."""
    with pytest.raises(ContractCustomError) as raised:
        call.call()
    data = bytes.fromhex(str(raised.value.data).removeprefix("0x"))
    assert data[:4] == Web3.keccak(text=error)[:4], f"{contract.address} reverted with {data.hex()}"
    return decode(error[error.index("(") + 1 : -1].split(","), data[4:])


def test_quote_holds_the_price_of_every_source(oracle: Oracle) -> None:
    low, mid, high, updated_at = oracle.quote(oracle.weth)
    assert abs(mid / WAD - 3000) < 3
    assert low < 3000 * WAD * 995 // 1000 < mid
    assert high > 3000 * WAD * 1005 // 1000
    assert updated_at <= oracle.w3.eth.get_block("latest")["timestamp"]
    assert oracle.quote(oracle.usdc)[:3] == (WAD, WAD, WAD)


def test_twap_is_the_pools_own_price_while_nobody_trades(oracle: Oracle) -> None:
    abi = [
        {
            "name": "slot0",
            "type": "function",
            "stateMutability": "view",
            "inputs": [],
            "outputs": [{"name": "", "type": t} for t in ("uint160", "int24")],
        }
    ]
    root, tick = oracle.w3.eth.contract(address=oracle.pool, abi=abi).functions.slot0().call()
    raw = (root / 2**96) ** 2 if int(oracle.weth, 16) < int(oracle.usdc, 16) else (2**96 / root) ** 2
    price, half_width, updated_at = oracle.twap.functions.read().call()
    # The pool accumulates whole ticks: at most one below its price.
    assert abs(price / WAD / (raw * 1e12) - 1) <= 1.0001e-4
    turned = tick if int(oracle.weth, 16) < int(oracle.usdc, 16) else -tick
    assert price / WAD == pytest.approx(1.0001**turned * 1e12, rel=1e-9)
    assert half_width == -(-price * 3 // 1000)
    assert updated_at == oracle.w3.eth.get_block("latest")["timestamp"]


def test_twap_refuses_a_window_older_than_the_pool(oracle: Oracle) -> None:
    young = oracle.deploy("UniswapV3TwapSource", oracle.weth, oracle.usdc, oracle.pool, 86_400, 1, 0)
    assert refusal(young, young.functions.read(), "HistoryTooShort(uint256)") == (86_400,)


def test_twap_refuses_a_thin_pool(oracle: Oracle) -> None:
    floor = 2**100
    thin = oracle.deploy("UniswapV3TwapSource", oracle.weth, oracle.usdc, oracle.pool, WINDOW, floor, 0)
    liquidity, minimum = refusal(thin, thin.functions.read(), "TooLittleLiquidity(uint256,uint256)")
    assert 0 < liquidity < minimum == floor


def test_stale_feed_is_a_typed_error_and_the_pool_alone_a_quorum_of_one(oracle: Oracle) -> None:
    oracle.wait(DAY + 1)
    source = oracle.eth_feed
    posted, max_age = refusal(source, source.functions.read(), "Stale(uint256,uint256)")
    assert max_age == DAY
    assert posted < oracle.w3.eth.get_block("latest")["timestamp"] - DAY
    # The asset's own feed is stale as well; the pool needs neither.
    assert oracle.quote(oracle.weth)[1] == oracle.twap.functions.read().call()[0]

    oracle.configure(oracle.weth, [oracle.eth_feed, oracle.twap], 2)
    quote = oracle.adapter.functions.quote(oracle.weth)
    assert refusal(oracle.adapter, quote, "TooFewSources(address,uint256,uint256)")[1:] == (1, 2)

    oracle.post("ETH/USD", 3000)
    error = "TooFewSources(address,uint256,uint256)"
    assert refusal(oracle.adapter, quote, error) == (oracle.usdc.lower(), 0, 1), (
        "the asset's price is missing"
    )
    oracle.post("USDC/USD", 1)
    assert abs(oracle.quote(oracle.weth)[1] / WAD - 3000) < 3


def test_a_depeg_of_the_asset_moves_what_ether_is_worth_in_it(oracle: Oracle) -> None:
    oracle.configure(oracle.weth, [oracle.eth_feed], 1)
    assert oracle.quote(oracle.weth)[1] == 3000 * WAD
    oracle.post("USDC/USD", 0.9)
    assert oracle.quote(oracle.weth)[1] == 3000 * WAD * 10 // 9


def test_a_feed_that_leaves_the_pool_behind_widens_the_interval(oracle: Oracle) -> None:
    before = oracle.quote(oracle.weth)
    oracle.post("ETH/USD", 3300)
    low, mid, high, _ = oracle.quote(oracle.weth)
    assert abs(mid / WAD - 3150) < 3
    assert low == pytest.approx(oracle.twap.functions.read().call()[0] * 0.997, rel=1e-9)
    assert high > 3300 * WAD
    assert high - low > 3 * (before[2] - before[0])
