"""The perp trader, who brings each Curie pool to the price, and the liquidator of Curie's unhealthy accounts."""

from collections.abc import Sequence
from itertools import zip_longest
from math import log
from typing import Any

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel.deploy.protocols import Curie
from evenkeel.sandbox.actors.blocks import LocalChain, Read, Transaction, address
from evenkeel.sandbox.actors.logs import EventLog
from evenkeel.sandbox.protocols import curie as protocol

TICKS_A_BLOCK = protocol.MAX_TICKS_A_BLOCK - 10
"""How far a pool is pushed in one block: Curie's limit with a little to spare."""
SPACING = 15
"""Seconds between two such blocks; Curie measures its limit from the last tick seen that long ago."""
_PUSH_GAS = 2_000_000
_LIQUIDATE_GAS = 3_000_000
_FOREVER = 2**256 - 1
_CLOSE = 2e-6
_BASE_BOUND = 10**7 * protocol.WAD
_QUOTE_BOUND = 10**11 * protocol.WAD
_CHANGED = Web3.to_hex(
    Web3.keccak(text="PositionChanged(address,address,int256,int256,uint256,int256,int256,uint256)")
)


class Perps:
    """Works every instance of `perps`. `trader` and `liquidator` have margin there; `exempt` are never liquidated."""

    def __init__(
        self,
        chain: LocalChain,
        perps: Sequence[Curie],
        *,
        trader: ChecksumAddress,
        liquidator: ChecksumAddress,
        exempt: Sequence[ChecksumAddress],
    ) -> None:
        self._chain = chain
        self._perps = tuple(perps)
        self._trader = trader
        self._liquidator = liquidator
        self._exempt = {each.lower() for each in (*exempt, trader, liquidator)}
        self._log = EventLog(chain, [perp.clearing_house for perp in perps], _CHANGED)
        self._accounts: dict[tuple[str, ChecksumAddress], None] = {}

    def reads(self) -> list[Read]:
        """Return what `push` needs to know: each pool's slot0."""
        return [Read(address(perp.pool), protocol.uniswap("UniswapV3Pool"), "slot0") for perp in self._perps]

    def push(self, price: float, slots: Sequence[Any]) -> list[list[Transaction]]:
        """Return the trades that bring each pool to `price` (USD), one list a block. `slots` answers `reads`.

        More than one block is needed beyond Curie's tick limit; they must be `SPACING` seconds apart.
        """
        rounds = [
            [self._trade(perp, int(slot[0]), limit) for limit in _limits(int(slot[0]), price)]
            for perp, slot in zip(self._perps, slots, strict=True)
        ]
        return [[trade for trade in block if trade is not None] for block in zip_longest(*rounds)]

    def _trade(self, perp: Curie, now: int, limit: int) -> Transaction:
        sells = limit < now
        order = (
            address(perp.base_token),
            sells,
            True,
            # Only a bound: the limit price ends the trade.
            _BASE_BOUND if sells else _QUOTE_BOUND,
            0,
            _FOREVER,
            limit,
            bytes(32),
        )
        data = protocol.contract("ClearingHouse").encode("openPosition", order)
        return Transaction(f"{perp.name}: push", self._trader, address(perp.clearing_house), data, _PUSH_GAS)

    def liquidations(self) -> list[tuple[str, ChecksumAddress, Transaction]]:
        """Return (venue, account, transaction) of each liquidation that would succeed now."""
        self._scan()
        houses = {perp.name: perp for perp in self._perps}
        tried = [
            (
                name,
                account,
                Transaction(
                    f"{name}: liquidation of {account}",
                    self._liquidator,
                    address(houses[name].clearing_house),
                    protocol.contract("ClearingHouse").encode(
                        "liquidate(address,address)", account, houses[name].base_token
                    ),
                    _LIQUIDATE_GAS,
                ),
            )
            for name, account in self._accounts
        ]
        good = self._chain.succeeds([transaction for _, _, transaction in tried])
        return [entry for entry, works in zip(tried, good, strict=True) if works]

    def _scan(self) -> None:
        """Learn who has ever had a position."""
        anew, entries = self._log.news()
        if anew:
            self._accounts.clear()
        names = {perp.clearing_house.lower(): perp.name for perp in self._perps}
        for entry in entries:
            account = address("0x" + entry["topics"][1][-40:])
            if account.lower() not in self._exempt:
                self._accounts[names[entry["address"].lower()], account] = None


def _limits(now: int, price: float) -> list[int]:
    """Return the square root prices to stop at, one a block, the last being the target; none where the pool is there."""
    target = protocol.sqrt_price_x96(round(price * 1e8) * 10**10)
    if abs(target - now) <= now * _CLOSE:
        return []
    distance = 2 * log(target / now) / log(1.0001)
    blocks = int(abs(distance) // TICKS_A_BLOCK) + 1
    return [int(now * 1.0001 ** (distance * step / blocks / 2)) for step in range(1, blocks)] + [target]
