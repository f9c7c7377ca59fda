"""The oracles: three of them post a round to every Chainlink feed."""

from collections.abc import Sequence

from eth_typing import ChecksumAddress

from evenkeel.sandbox.actors.blocks import LocalChain, Read, Transaction, address
from evenkeel.sandbox.protocols import chainlink

ETH, SCALE = "ETH/USD", 10**chainlink.DECIMALS
_SUBMIT_GAS = 300_000


class Feeds:
    """The oracles of `feeds` (pair to proxy). Every pair but ETH/USD is a dollar and stays at 1."""

    def __init__(self, chain: LocalChain, feeds: dict[str, str], oracles: Sequence[ChecksumAddress]) -> None:
        self._chain = chain
        self._oracles = tuple(oracles)
        proxies = {pair: address(proxy) for pair, proxy in feeds.items() if pair.endswith("/USD")}
        proxy_code = chainlink.contract("EACAggregatorProxy")
        found = chain.read([Read(proxy, proxy_code, "aggregator") for proxy in proxies.values()])
        self.aggregators = dict(zip(proxies, found, strict=True))
        """The FluxAggregator behind each proxy, by pair."""

    def reads(self) -> list[Read]:
        """Return what `post` needs to know: the last round of each feed."""
        code = chainlink.contract("FluxAggregator")
        return [Read(aggregator, code, "latestRound") for aggregator in self.aggregators.values()]

    def post(self, price: float, rounds: Sequence[int]) -> list[Transaction]:
        """Return one submission an oracle and feed: ETH at `price` (USD), the others at 1. `rounds` answers `reads`."""
        code = chainlink.contract("FluxAggregator")
        return [
            Transaction(
                f"{pair}: oracle {number}",
                oracle,
                aggregator,
                code.encode("submit", last + 1, round(price * SCALE) if pair == ETH else SCALE),
                _SUBMIT_GAS,
            )
            for (pair, aggregator), last in zip(self.aggregators.items(), rounds, strict=True)
            for number, oracle in enumerate(self._oracles, start=1)
        ]
