"""Deploy every protocol, in the one order that works, and write down where each of them is.

The same function serves the sandbox, where time is made, and a testnet, where it is waited for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel.chain.signer import Signer
from evenkeel.deploy.protocols import Aave, Curie, Protocols, Token
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.errors import DeployError
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
    perps: tuple[curie.CurieSpec, ...] = (curie.PERP_A, curie.PERP_B)

    def scaled(self, share: float) -> "Depth":
        """Return the same liquidity times `share`, at least one whole token of each."""
        return Depth(
            ether=max(7, int(self.ether * share)),
            susd=max(1, int(self.susd * share)),
            width=self.width,
            perps=tuple(
                replace(
                    spec,
                    depth=max(1, int(spec.depth * share)),
                    maker_margin=max(1, int(spec.maker_margin * share)),
                    insurance=max(1, int(spec.insurance * share)),
                )
                for spec in self.perps
            ),
        )

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
    existing: Protocols | None = None,
) -> Protocols:
    """Deploy at `price` (USD an ETH), owned by the deployer, whatever `existing` does not have; returns both.

    Liquidity in a token that is `existing`'s comes out of the deployer's balance. `start` is the time (unix seconds) from which
    option expiries count; None takes the time of this deployment's first transaction.
    Raises `WaitUntilError` where time must pass first; call again with the same record then. `DeployError` where a balance is
    too small.
    """
    depth = depth or Depth()
    wad = round(price * 10**8) * 10**10
    answers = {"ETH/USD": round(price * 10**8), "USDC/USD": 10**8, "SUSD/USD": 10**8}
    known = existing or Protocols(chain_id=d.w3.eth.chain_id)
    began = d.once("build/began", d.now())
    purse = _Purse(d, known.tokens)
    owned = purse.tokens
    feeds: dict[str, ChecksumAddress] = {
        pair: Web3.to_checksum_address(at) for pair, at in known.feeds.items()
    }
    for pair, answer in answers.items():
        if pair not in feeds:
            feeds[pair] = chainlink.deploy(d, pair, oracles, answer)
    exchange = known.uniswap or uniswap.deploy(d, owned["WETH"].address)
    for wanted, at in zip(depth.pools, (wad, WAD), strict=True):
        if wanted.name not in exchange.pools:
            pool = uniswap.create_pool(d, exchange, owned, wanted, at)
            exchange = exchange.model_copy(update={"pools": {**exchange.pools, wanted.name: pool}})
            worth = {wanted.base: wanted.amount, wanted.quote: wanted.amount * at // WAD}
            purse.fill(f"build/{wanted.name}", worth)
            uniswap.add_liquidity(d, exchange, owned, wanted, price=at, owner=d.account)
    lending = known.aave or _lend(d, purse, feeds, depth.lent(price))

    perps = known.perps or _perps(d, purse, feeds["ETH/USD"], wad, depth)
    if start is not None:
        d.wait_until(start - _LATE)
    for pair, answer in answers.items():
        if pair not in known.feeds:
            chainlink.post(d, f"build/second/{pair}", feeds[pair], oracles, answer)
    if not known.perps:
        _fund_perps(d, purse, perps, wad, depth)
    options = known.lyra or lyra.deploy(
        d,
        lyra.LyraSpec(),
        susd=Web3.to_checksum_address(owned["SUSD"].address),
        feed=feeds["ETH/USD"],
        price=wad,
        start=began if start is None else start,
    )
    d.flush()
    return known.model_copy(
        update={
            "tokens": dict(owned),
            "feeds": dict(feeds),
            "uniswap": exchange,
            "aave": lending,
            "perps": perps,
            "lyra": options,
        }
    )


def _lend(d: Deployer, purse: "_Purse", feeds: Mapping[str, str], lent: Mapping[str, int]) -> Aave:
    lending = aave.deploy(d, purse.tokens, feeds)
    purse.fill("build/aave", lent)
    aave.seed(d, lending, purse.tokens, lent, used=0.5)
    return lending


def _perps(
    d: Deployer, purse: "_Purse", feed: ChecksumAddress, price: int, depth: Depth
) -> tuple[Curie, ...]:
    """Deploy the instances and wait until their mark prices can be read."""
    usdc = Web3.to_checksum_address(purse.tokens["USDC"].address)
    perps = tuple(curie.deploy(d, spec, usdc=usdc, feed=feed, price=price) for spec in depth.perps)
    d.wait_until(max(curie.ready_at(d, spec) for spec in depth.perps))
    return perps


def _fund_perps(d: Deployer, purse: "_Purse", perps: Sequence[Curie], price: int, depth: Depth) -> None:
    usdc = Web3.to_checksum_address(purse.tokens["USDC"].address)
    for perp, spec in zip(perps, depth.perps, strict=True):
        purse.fill(f"build/{spec.name}", {"USDC": spec.maker_margin + spec.insurance})
        curie.seed(d, perp, spec, usdc=usdc, price=price)


class _Purse:
    """The deployer's tokens: those deployed here are minted (ether: wrapped), those already there must be held."""

    def __init__(self, d: Deployer, known: Mapping[str, Token]) -> None:
        self._d = d
        self._known = known
        self.tokens = {
            **tokens.deploy(d, [symbol for symbol in tokens.SYMBOLS if symbol not in known]),
            **known,
        }

    def fill(self, step: str, amounts: Mapping[str, int]) -> None:
        """Have `amounts` (whole tokens by symbol) ready for `step`. Raises `DeployError` for a token that is short."""
        for symbol, whole in amounts.items():
            token = self.tokens[symbol]
            amount = whole * 10**token.decimals
            if symbol == "WETH" or symbol not in self._known:
                tokens.give(
                    self._d, f"{step}/{symbol}", self.tokens, symbol, to=self._d.account, amount=amount
                )
            elif not self._d.done(f"{step}/{symbol}/held") and self._held(token) < amount:
                raise DeployError(f"{step}: needs {whole:,} {symbol} on {self._d.account}, which holds less")
            else:
                # Later runs find the amount spent.
                self._d.once(f"{step}/{symbol}/held", 1)

    def _held(self, token: Token) -> int:
        return int(
            self._d.call(Web3.to_checksum_address(token.address), self._d.erc20, "balanceOf", self._d.account)
        )
