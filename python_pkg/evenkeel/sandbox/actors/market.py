"""The market: one step moves every protocol to the same price, in one block, and lets an hour pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel.deploy.protocols import Protocols
from evenkeel.sandbox.accounts import VOL_SIGNER_ROLES, addresses
from evenkeel.sandbox.accounts import accounts as accounts_of_all
from evenkeel.sandbox.actors.arbitrage import Arbitrage
from evenkeel.sandbox.actors.blocks import LocalChain, Read, Transaction, address
from evenkeel.sandbox.actors.errors import MarketError
from evenkeel.sandbox.actors.feeds import Feeds
from evenkeel.sandbox.actors.funding import fund, funded
from evenkeel.sandbox.actors.options import Options
from evenkeel.sandbox.actors.perps import SPACING, Perps
from evenkeel.sandbox.actors.vol_signers import VolSigners

SETTLE = 900
"""Seconds between the block that moves the market and the one in which a step ends: the averages of Uniswap and Curie have
caught up by then."""
_ROUNDS_OF_LIQUIDATION = 4


@dataclass(frozen=True, slots=True)
class Liquidation:
    """A position that a liquidator closed. `position` is Lyra's position id, or None on a perp venue."""

    venue: str
    account: ChecksumAddress
    position: int | None = None

    def __str__(self) -> str:
        what = "an account" if self.position is None else f"position {self.position}"
        return f"{what} of {self.account} on {self.venue}"


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step did.

    `block` is the number of the (first) block with its transactions, `transactions` how many there were in all, `timestamp` the chain's
    time at the end.
    """

    price: float
    block: int
    timestamp: int
    transactions: int
    liquidations: tuple[Liquidation, ...]


class Market:
    """The actors of one sandbox.

    `accounts` maps a role of `evenkeel.sandbox.accounts` to its address; the node must hold their keys. With `vol_source` the
    sandbox's vol signers sign slices of Lyra's vols and post them to that VolOracle in every step that names a vol.
    Raises `MarketError` where a protocol is missing.
    """

    def __init__(
        self,
        w3: Web3,
        protocols: Protocols,
        accounts: Mapping[str, ChecksumAddress] | None = None,
        *,
        vol_source: str | None = None,
    ) -> None:
        who = dict(accounts or addresses())
        self._chain = LocalChain(w3)
        if protocols.uniswap is None or protocols.lyra is None or not protocols.perps:
            raise MarketError("the market needs Uniswap, Lyra and at least one perp venue")
        oracles = [account for role, account in who.items() if role.startswith("oracle")]
        self._feeds = Feeds(self._chain, dict(protocols.feeds), oracles)
        self._arbitrage = Arbitrage(protocols.uniswap, protocols.tokens, who["arbitrageur"])
        self._perps = Perps(
            self._chain,
            protocols.perps,
            trader=who["trader"],
            liquidator=who["liquidator"],
            exempt=[who["deployer"]],
        )
        self._options = Options(
            self._chain,
            protocols.lyra,
            trader=who["maker"],
            owner=who["deployer"],
            liquidator=who["liquidator"],
        )
        self._vol_signers = (
            VolSigners(
                self._chain,
                address(vol_source),
                address(protocols.tokens[protocols.lyra.underlying].address),
                [accounts_of_all()[role] for role in VOL_SIGNER_ROLES],
            )
            if vol_source is not None
            else None
        )
        if not funded(self._chain, protocols, who["arbitrageur"]):
            fund(self._chain, protocols, who)

    def step(self, price: float, iv: float | None = None, seconds: int = 3600) -> StepResult:
        """Move every protocol to `price` (USD an ETH) and let `seconds` pass.

        `iv` (0.8 is 80%) is what every live board of Lyra ends at; None leaves vols alone. All transactions are in one
        block, `SETTLE` seconds before the end (half of `seconds` if that is less); the block that ends the step is empty and
        comes in the same request. More blocks, `SPACING` seconds apart, come only where the move is beyond Curie's
        limit for one. Afterwards liquidators close what is unhealthy, a second later.
        Raises `ActorError` naming the actor whose transaction failed, `MarketError` for a step that makes no sense.
        """
        if not (isfinite(price) and price > 0) or not (iv is None or 0 < iv < 5) or seconds < 2:
            raise MarketError(
                f"no step to price {price}, vol {iv} in {seconds} s: expected positive, vol under 5"
            )
        end = self._chain.now() + seconds
        settle = min(SETTLE, seconds // 2)
        blocks = self._plan(price, iv, end - settle)
        start = end - settle - (len(blocks) - 1) * SPACING
        if start <= end - seconds:
            raise MarketError(
                f"a move to {price} takes {end - start} s with Curie's limit, but the step has {seconds}"
            )
        numbers = [
            self._chain.mine(block, start + place * SPACING, settle=settle if place == len(blocks) - 1 else 0)
            for place, block in enumerate(blocks)
        ]
        liquidations = self._liquidate()
        return StepResult(
            price=price,
            block=numbers[0],
            timestamp=self._chain.now(),
            transactions=sum(map(len, blocks)) + len(liquidations),
            liquidations=liquidations,
        )

    def _plan(self, price: float, iv: float | None, moved: int) -> list[list[Transaction]]:
        """Return the transactions of the step by block; the last of them is at `moved`, `SPACING` seconds after the one before."""
        groups: list[list[Read]] = [self._feeds.reads(), self._arbitrage.reads(), self._perps.reads()]
        answers = iter(self._chain.read([read for group in groups for read in group]))
        rounds, pools, perps = ([next(answers) for _ in group] for group in groups)
        boards = self._options.boards()
        pushes = self._perps.push(price, perps)
        block = self._feeds.post(price, rounds) + self._arbitrage.trade(price, pools)
        block += pushes[0] if pushes else []
        start = moved - SPACING * max(0, len(pushes) - 1)
        block += self._options.follow(boards, price, iv, start)
        if self._vol_signers is not None and iv is not None:
            block += self._vol_signers.post(boards, price, iv, start)
        return [block, *pushes[1:]]

    def _liquidate(self) -> tuple[Liquidation, ...]:
        """Close what can be liquidated now, and what its closing leaves unhealthy, a block at a time."""
        done: list[Liquidation] = []
        for _ in range(_ROUNDS_OF_LIQUIDATION):
            perps, options = self._perps.liquidations(), self._options.liquidations()
            if not perps and not options:
                break
            block = [transaction for _, _, transaction in perps] + [
                transaction for _, _, transaction in options
            ]
            self._chain.mine(block, self._chain.now() + 1)
            done += [Liquidation(venue, account) for venue, account, _ in perps]
            done += [Liquidation("lyra", account, position) for position, account, _ in options]
        return tuple(done)
