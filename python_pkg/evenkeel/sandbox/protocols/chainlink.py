"""Chainlink price feeds: a FluxAggregator, which takes the median of its oracles, behind the proxy that everyone reads."""

from collections.abc import Sequence

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.constants import ADDRESS_ZERO

from evenkeel.chain.signer import Signer
from evenkeel.sandbox.artifacts import Artifact, artifact
from evenkeel.sandbox.deployer import Deployer

DECIMALS = 8
_ROUND_TIMEOUT = 1800
_LOWEST, _HIGHEST = 1, 10**15


def contract(name: str, version: str = "v0.6") -> Artifact:
    """Return the artifact of one of Chainlink's contracts, e.g. `contract("FluxAggregator")`."""
    return artifact("chainlink-contracts", f"abi/{version}/{name}.json")


def deploy(d: Deployer, pair: str, oracles: Sequence[Signer], answer: int) -> ChecksumAddress:
    """Deploy the feed of `pair` ("ETH/USD") with a first round at `answer` (8 decimals); returns the proxy.

    A round needs two submissions where there are that many oracles.
    """
    link = d.deploy("chainlink/LinkToken", contract("LinkToken", "v0.4"))
    aggregator = d.deploy(
        f"chainlink/{pair}/FluxAggregator",
        contract("FluxAggregator"),
        link,
        0,
        _ROUND_TIMEOUT,
        ADDRESS_ZERO,
        _LOWEST,
        _HIGHEST,
        DECIMALS,
        pair.replace("/", " / "),
    )
    addresses = [oracle.address for oracle in oracles]
    quorum = min(2, len(oracles))
    d.send(
        f"chainlink/{pair}/oracles",
        aggregator,
        contract("FluxAggregator"),
        "changeOracles",
        [],
        addresses,
        addresses,
        quorum,
        len(oracles),
        0,
    )
    proxy = d.deploy(
        f"chainlink/{pair}/EACAggregatorProxy", contract("EACAggregatorProxy"), aggregator, ADDRESS_ZERO
    )
    # An oracle's own account can send at once only what the deployer's has already put on chain.
    d.flush()
    submit(d, f"chainlink/{pair}/first", aggregator, oracles, round_id=1, answer=answer)
    return proxy


def submit(
    d: Deployer,
    step: str,
    aggregator: ChecksumAddress,
    oracles: Sequence[Signer],
    *,
    round_id: int,
    answer: int,
) -> None:
    """Post one round from every oracle."""
    for oracle in oracles:
        d.send(
            f"{step}/{oracle.address}",
            aggregator,
            contract("FluxAggregator"),
            "submit",
            round_id,
            answer,
            signer=oracle,
        )
    d.flush()


def post(d: Deployer, step: str, proxy: str, oracles: Sequence[Signer], answer: int) -> None:
    """Post the next round of the feed behind `proxy`, at `answer` (8 decimals)."""
    address = Web3.to_checksum_address(proxy)
    aggregator = d.call(address, contract("EACAggregatorProxy"), "aggregator")
    last = d.call(aggregator, contract("FluxAggregator"), "latestRound")
    submit(d, step, aggregator, oracles, round_id=last + 1, answer=answer)
