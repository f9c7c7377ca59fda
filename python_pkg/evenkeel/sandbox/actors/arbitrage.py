"""The arbitrageur: brings each Uniswap pool to its outside price by one swap that stops exactly there."""

from collections.abc import Mapping, Sequence
from typing import Any

from eth_typing import ChecksumAddress

from evenkeel.deploy.protocols import Token, Uniswap
from evenkeel.sandbox.actors.blocks import Read, Transaction, address
from evenkeel.sandbox.protocols import uniswap as v3

_SWAP_GAS = 400_000
_CLOSE = 2e-6
"""Relative distance of the square root price under which a pool is left alone."""


class Arbitrage:
    """Trades every pool of `uniswap`. The account holds more of each token than a pool does."""

    def __init__(self, uniswap: Uniswap, tokens: Mapping[str, Token], account: ChecksumAddress) -> None:
        self._router = address(uniswap.router)
        self._pools = dict(uniswap.pools)
        self._tokens = dict(tokens)
        self._account = account

    def reads(self) -> list[Read]:
        """Return what `trade` needs to know: each pool's slot0."""
        return [
            Read(address(pool.address), v3.core("UniswapV3Pool"), "slot0") for pool in self._pools.values()
        ]

    def trade(self, price: float, slots: Sequence[Any]) -> list[Transaction]:
        """Return the swaps that bring WETH to `price` (USD) and every pair of dollars to 1. `slots` answers `reads`."""
        swaps = []
        for (pair, pool), slot in zip(self._pools.items(), slots, strict=True):
            base_symbol, quote_symbol = pair.split("/")
            base, quote = self._tokens[base_symbol], self._tokens[quote_symbol]
            worth = round(price * 1e8) * 10**10 if base_symbol == "WETH" else v3.WAD
            target = v3.sqrt_price_x96(base, quote, worth)
            now = int(slot[0])
            if abs(target - now) <= now * _CLOSE:
                continue
            first, second = sorted((base.address, quote.address), key=lambda text: int(text, 16))
            # Selling token0 lowers the pool's price. The amount is only a bound: the limit price ends the swap.
            sold, bought = (first, second) if target < now else (second, first)
            order = (address(sold), address(bought), pool.fee, self._account, self._purse(sold), 0, target)
            data = v3.router().encode("exactInputSingle", order)
            swaps.append(Transaction(f"{pair}: arbitrage", self._account, self._router, data, _SWAP_GAS))
        return swaps

    def _purse(self, token: str) -> int:
        """Return an amount that no swap here can use up, far below what the account holds."""
        decimals = next(each.decimals for each in self._tokens.values() if each.address == token)
        whole = 10**7 if token == self._tokens["WETH"].address else 10**11
        return int(whole * 10**decimals)
