"""The Pyth source on Pyth's own contract for tests: its exponents, its clock, its rule for which price it keeps."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from oracle_desk import DOLLAR, WAD, Oracle, refusal
from web3 import Web3
from web3.contract import Contract

from evenkeel.sandbox import places, up

PACKAGE = places.PACKAGES / "pythnetwork-pyth-sdk-solidity"
ETH = bytes(range(32))
MAX_AGE = 600
DRIFT = 9 * WAD // 1000
MAX_CONFIDENCE = WAD // 100


class Pyth:
    """Pyth on a sandbox, and the source that reads ETH from it as the oracle's second source of WETH."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.w3 = oracle.w3
        factory = self.w3.eth.contract(
            abi=json.loads((PACKAGE / "abis" / "MockPyth.json").read_text()),
            bytecode="0x" + (PACKAGE / "build" / "MockPyth_sol_MockPyth.bin").read_text().strip(),
        )
        sent = factory.constructor(MAX_AGE, 1).transact({"from": oracle.sandbox.accounts["deployer"]})
        address = self.w3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
        self.contract = self.w3.eth.contract(address=address, abi=factory.abi)
        self.source = self.source_of(ETH)

    def source_of(self, identifier: bytes) -> Contract:
        terms = (identifier, MAX_AGE, 100 * WAD, 100_000 * WAD, MAX_CONFIDENCE, DRIFT)
        return self.oracle.deploy("PythSource", self.oracle.weth, DOLLAR, self.contract.address, terms)

    def now(self) -> int:
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def bring(self, price: int, conf: int, expo: int, published: int) -> None:
        """Bring a price on chain, as anybody may."""
        arguments = (ETH, price, conf, expo, price, conf, published, published)
        update = [self.contract.functions.createPriceFeedUpdateData(*arguments).call()]
        fee = self.contract.functions.getUpdateFee(update).call()
        call = self.contract.functions.updatePriceFeeds(update)
        sent = call.transact({"from": self.oracle.sandbox.accounts["keeper"], "value": fee})
        assert self.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1

    def read(self) -> tuple[int, int, int]:
        return tuple(self.source.functions.read().call())


@pytest.fixture(scope="module")
def deployed() -> Iterator[Pyth]:
    with up() as sandbox:
        yield Pyth(Oracle(sandbox))


# Each test reverts what it did, so that one node serves them all.
@pytest.fixture
def pyth(deployed: Pyth) -> Iterator[Pyth]:
    node: Any = deployed.oracle.sandbox.node
    snapshot = node.rpc("evm_snapshot")
    yield deployed
    node.rpc("evm_revert", snapshot)


def test_before_anybody_brought_a_price_it_is_pyths_own_error(pyth: Pyth) -> None:
    refusal(pyth.source, pyth.source.functions.read(), "PriceFeedNotFound()")


def test_the_price_and_three_of_its_confidences(pyth: Pyth) -> None:
    published = pyth.now()
    pyth.bring(3000_12345678, 1_50000000, -8, published)
    price, half_width, updated_at = pyth.read()
    assert price == 3000_12345678 * 10**10
    age = pyth.now() - published
    drifted = price * DRIFT / WAD * (age / 3600) ** 0.5
    assert half_width == pytest.approx(4.5 * WAD + drifted, rel=1e-12)
    assert updated_at == published


def test_the_source_refuses_an_old_an_uncertain_and_an_absurd_price(pyth: Pyth) -> None:
    read = pyth.source.functions.read()
    published = pyth.now()
    pyth.bring(3000, 1, 0, published)
    pyth.oracle.wait(MAX_AGE + 60)
    assert refusal(pyth.source, read, "Stale(uint256,uint256)") == (published, MAX_AGE)

    pyth.bring(3000, 31, 0, pyth.now())
    confidence, most = refusal(pyth.source, read, "TooUncertain(uint256,uint256)")
    assert confidence == -(-31 * WAD // 3000)
    assert most == MAX_CONFIDENCE

    pyth.oracle.wait(1)
    pyth.bring(3, 0, 6, pyth.now())
    refused = refusal(pyth.source, read, "OutOfBounds(uint256,uint256,uint256)")
    assert refused == (3_000_000 * WAD, 100 * WAD, 100_000 * WAD)


def test_an_older_price_cannot_replace_a_newer_one(pyth: Pyth) -> None:
    published = pyth.now()
    pyth.bring(3000, 1, 0, published)
    pyth.bring(2000, 1, 0, published - 60)
    assert pyth.read()[0] == 3000 * WAD


def test_beside_the_feed_it_widens_the_interval_to_the_hull(pyth: Pyth) -> None:
    oracle = pyth.oracle
    oracle.configure(oracle.weth, [oracle.eth_feed, pyth.source], 2)
    quote = oracle.adapter.functions.quote(oracle.weth)
    assert refusal(oracle.adapter, quote, "TooFewSources(address,uint256,uint256)")[1:] == (1, 2)
    pyth.bring(3060_00000000, 3_00000000, -8, pyth.now())
    low, mid, high, _ = oracle.quote(oracle.weth)
    assert mid == 3030 * WAD
    assert low < 2986 * WAD
    assert high > 3069 * WAD
    first = oracle.adapter.functions.primary(oracle.weth).call()
    assert first[1] == 3000 * WAD
    assert Web3.to_checksum_address(oracle.adapter.functions.configuration(oracle.weth).call()[0][1]) == (
        pyth.source.address
    )
