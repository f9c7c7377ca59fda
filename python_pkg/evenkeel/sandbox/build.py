"""Deploy every protocol, in the one order that works, and write down where each of them is.

The same function serves the sandbox, where time is made, and a testnet, where it is waited for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from web3 import Web3

from evenkeel.chain.signer import Signer
from evenkeel.deploy.protocols import Protocols, Token
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.protocols import aave, chainlink, curie, lyra, tokens, uniswap

WAD = 10**18
LEAD = 4 * 3600
"""Seconds of history before a sandbox's start: more than any protocol's longest average."""
_LATE = 600
"""Seconds before the start at which the options open: their cached Greeks are good for three hours."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How much liquidity there is, in whole tokens.

    `ether` is what the deployer wraps in all: 5/7 for the WETH/USDC pool, the rest lent on Aave. The defaults let 30 ETH trade
    at 2 basis points, 200,000 sUSD at under 1, beside the fee.
    """

    ether: int = 140_000
    susd: int = 1_000_000_000
    width: float = 10

    @property
    def pools(self) -> tuple[uniswap.PoolSpec, uniswap.PoolSpec]:
        """The two Uniswap pools."""
        return (
            uniswap.PoolSpec("WETH", "USDC", 500, self.ether * 5 // 7, self.width),
            uniswap.PoolSpec("SUSD", "USDC", 500, self.susd, 2),
        )

    def lent(self, price: float) -> dict[str, int]:
        """Return what is supplied to Aave: ether, and its worth in USDC."""
        ether = self.ether * 2 // 7
        return {"USDC": int(ether * price), "WETH": ether}


def build(
    d: Deployer,
    oracles: Sequence[Signer],
    *,
    price: float,
    start: int | None = None,
    depth: Depth | None = None,
) -> Protocols:
    """Deploy the whole set at `price` (USD an ETH), owned by the deployer.

    `start` is the time (unix seconds) from which option expiries count; None takes the time of this deployment's first
    transaction. Raises `WaitUntilError` where time must pass first; call again with the same record then.
    """
    depth = depth or Depth()
    wad = round(price * 10**8) * 10**10
    answers = {"ETH/USD": round(price * 10**8), "USDC/USD": 10**8, "SUSD/USD": 10**8}
    owned = tokens.deploy(d)
    feeds = {pair: chainlink.deploy(d, pair, oracles, answer) for pair, answer in answers.items()}
    exchange = uniswap.deploy(d, owned["WETH"].address)
    for wanted, at in zip(depth.pools, (wad, WAD), strict=True):
        pool = uniswap.create_pool(d, exchange, owned, wanted, at)
        exchange = exchange.model_copy(update={"pools": {**exchange.pools, wanted.name: pool}})
        worth = {wanted.base: wanted.amount, wanted.quote: wanted.amount * at // WAD}
        _give(d, owned, f"build/{wanted.name}", worth)
        uniswap.add_liquidity(d, exchange, owned, wanted, price=at, owner=d.account)
    lending = aave.deploy(d, owned, feeds)
    lent = depth.lent(price)
    _give(d, owned, "build/aave", lent)
    aave.seed(d, lending, owned, lent, used=0.5)

    usdc, susd = (Web3.to_checksum_address(owned[symbol].address) for symbol in ("USDC", "SUSD"))
    feed = feeds["ETH/USD"]
    specs = (curie.PERP_A, curie.PERP_B)
    perps = tuple(curie.deploy(d, spec, usdc=usdc, feed=feed, price=wad) for spec in specs)
    d.wait_until(max(curie.ready_at(d, spec) for spec in specs))
    if start is not None:
        d.wait_until(start - _LATE)
    for pair, answer in answers.items():
        chainlink.post(d, f"build/second/{pair}", feeds[pair], oracles, answer)
    for perp, spec in zip(perps, specs, strict=True):
        _give(d, owned, f"build/{spec.name}", {"USDC": spec.maker_margin + spec.insurance})
        curie.seed(d, perp, spec, usdc=usdc, price=wad)
    options = lyra.deploy(
        d,
        lyra.LyraSpec(),
        susd=susd,
        feed=feed,
        price=wad,
        start=start if start is not None else d.mined_at("tokens/USDC"),
    )
    d.flush()
    return Protocols(
        chain_id=d.w3.eth.chain_id,
        tokens=owned,
        feeds=dict(feeds),
        uniswap=exchange,
        aave=lending,
        perps=perps,
        lyra=options,
    )


def _give(d: Deployer, owned: Mapping[str, Token], step: str, amounts: Mapping[str, int]) -> None:
    for symbol, whole in amounts.items():
        tokens.give(
            d, f"{step}/{symbol}", owned, symbol, to=d.account, amount=whole * 10 ** owned[symbol].decimals
        )
