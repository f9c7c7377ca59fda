"""An oracle of its own on a sandbox's real feeds and pool, and how a test reads a refusal."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi import decode
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError

from evenkeel.sandbox import Sandbox
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

    def poke(self, token: str) -> None:
        # The root of a reading's age costs a little more or less gas a second later.
        terms = {"from": self.sandbox.accounts["keeper"], "gas": 500_000}
        sent = self.adapter.functions.poke(token).transact(terms)
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


def refusal(contract: Contract, call: Any, error: str) -> tuple[Any, ...]:
    """The arguments of the custom error that `call` reverts with, which must be `error`, e.g. "Stale(uint256,uint256)"."""
    with pytest.raises(ContractCustomError) as raised:
        call.call()
    data = bytes.fromhex(str(raised.value.data).removeprefix("0x"))
    assert data[:4] == Web3.keccak(text=error)[:4], f"{contract.address} reverted with {data.hex()}"
    types = error[error.index("(") + 1 : -1]
    return decode(types.split(",") if types else [], data[4:])
