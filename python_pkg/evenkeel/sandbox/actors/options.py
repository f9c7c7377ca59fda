"""The option trader, who keeps Lyra's Greeks fresh and its vol on its path, and the liquidator of unhealthy shorts.

Lyra's vol has no outside price: a board's base IV moves by trades alone, one point per `standardSize` contracts. The
trader buys puts to raise it and sells them to lower it, in the strike nearest the money. Where Lyra would refuse
that trade (no strike inside its delta bounds, or too little free in its pool) the market's owner sets the IV of the
frozen board, as Lyra provides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import erf, log, sqrt

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel.deploy.protocols import Lyra
from evenkeel.sandbox.actors.blocks import LocalChain, Read, Transaction, address
from evenkeel.sandbox.actors.logs import EventLog
from evenkeel.sandbox.protocols import lyra as protocol
from evenkeel.sandbox.protocols.lyra_parameters import DAY, PRICING, TRADE_LIMITS, WAD

LONG_PUT, SHORT_PUT_QUOTE = 1, 4
YEAR = 365 * 86400
_DELTA_MARGIN = 0.05
"""How far inside Lyra's delta bounds a strike must be to be traded."""
_SMALLEST = WAD // 10_000
"""A vol difference below a hundredth of a point is left alone."""
_REFRESH_GAS, _TRADE_GAS, _SETTLE_GAS, _OWNER_GAS = 4_000_000, 3_000_000, 3_000_000, 1_000_000
_LIST_GAS = 12_000_000
_NO_LIMIT = 2**256 - 1
_TRANSFER = Web3.to_hex(Web3.keccak(text="Transfer(address,address,uint256)"))
_NOBODY = "0x" + "0" * 64


@dataclass(frozen=True, slots=True)
class Board:
    """A live board: `iv` at 1e18, `strikes` as (id, strike price at 1e18), `skews` what a strike's vol is of `iv`, at 1e18."""

    board_id: int
    expiry: int
    iv: int
    strikes: tuple[tuple[int, int], ...]
    skews: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """A position of the trader's: `sign` +1 for bought puts, -1 for sold ones; `amount` at 1e18."""

    position_id: int
    strike_id: int
    sign: int
    amount: int


class Options:
    """Works one Lyra market. `trader` holds sUSD; `owner` is the market's; `liquidator` takes the liquidation fees."""

    def __init__(
        self,
        chain: LocalChain,
        lyra: Lyra,
        *,
        trader: ChecksumAddress,
        owner: ChecksumAddress,
        liquidator: ChecksumAddress,
    ) -> None:
        self._chain = chain
        self._market = address(lyra.option_market)
        self._cache = address(lyra.option_greek_cache)
        self._token = address(lyra.option_token)
        self._pool = address(lyra.liquidity_pool)
        self._trader = trader
        self._owner = owner
        self._liquidator = liquidator
        self._log = EventLog(chain, [lyra.option_token], _TRANSFER)
        self._owners: dict[int, ChecksumAddress] = {}

    def boards(self) -> list[Board]:
        """Return the live boards, those that have expired and wait for settlement included."""
        code = protocol.contract("OptionMarket")
        ids = self._chain.read([Read(self._market, code, "getLiveBoards")])[0]
        found = self._chain.read(
            [Read(self._market, code, "getBoardAndStrikeDetails", (each,)) for each in ids]
        )
        return [
            Board(
                board[0],
                board[1],
                board[2],
                tuple((strike[0], strike[1]) for strike in strikes),
                tuple(strike[2] for strike in strikes),
            )
            for board, strikes, _, _ in found
        ]

    def follow(self, boards: Sequence[Board], price: float, iv: float | None, now: int) -> list[Transaction]:
        """Return what a block at `now` needs: boards settled and listed, or refreshed, then trades to bring them to `iv`.

        `price` is the spot the block posts (USD), `iv` a vol such as 0.8, or None to leave vols alone.
        """
        code, cache = protocol.contract("OptionMarket"), protocol.contract("OptionGreekCache")
        done = [board for board in boards if board.expiry <= now]
        live = [board for board in boards if board.expiry > now]
        block: list[Transaction] = []
        for board in done:
            settle = code.encode("settleExpiredBoard", board.board_id)
            block.append(self._call(f"settle board {board.board_id}", settle, _SETTLE_GAS))
            block.append(self._list(board, price, iv, now))
        block += [
            Transaction(
                f"lyra: refresh board {board.board_id}",
                self._trader,
                self._cache,
                cache.encode("updateBoardCachedGreeks", board.board_id),
                _REFRESH_GAS,
            )
            for board in live
        ]
        if iv is not None and live:
            held, free = self._held(price)
            for board in live:
                block += self._move(board, held, price, _wad(iv), now=now, room=free // (2 * len(live)))
        return block

    def _list(self, settled: Board, price: float, iv: float | None, now: int) -> Transaction:
        """Return the listing of a board in the place of a settled one, around today's price, so that there is always one."""
        spec = protocol.LyraSpec()
        strikes = [round(price * percent) * WAD // 100 for percent in spec.strikes]
        expiry = settled.expiry + max(board.days for board in spec.boards) * DAY
        data = protocol.contract("OptionMarket").encode(
            "createOptionBoard",
            max(expiry, now + DAY),
            settled.iv if iv is None else _wad(iv),
            strikes,
            [WAD] * len(strikes),
            False,
        )
        return Transaction("lyra: list a board", self._owner, self._market, data, _LIST_GAS)

    def _move(
        self, board: Board, held: Sequence[_Held], price: float, target: int, *, now: int, room: int
    ) -> Iterator[Transaction]:
        """Yield the trades that move `board` to `target`: what is held the other way is closed first.

        `room` is how much sUSD of the pool's new trades may tie up.
        """
        left = target - board.iv
        if abs(left) < _SMALLEST or board.expiry - now <= int(TRADE_LIMITS["tradingCutoff"]):
            return
        sign = 1 if left > 0 else -1
        contracts = abs(left) * 100 * int(PRICING["standardSize"]) // WAD
        open_strikes = [
            strike
            for strike in board.strikes
            if _tradable(strike[1] / WAD, price, target / WAD, board.expiry - now)
        ]
        if not open_strikes or contracts * price > room:
            yield from self._set(board, target)
            return
        tradable = dict(open_strikes)
        for position in held:
            if position.strike_id in tradable and position.sign == -sign and contracts > 0:
                amount = min(contracts, position.amount)
                contracts -= amount
                yield self._trade(board, position, tradable[position.strike_id], -amount * position.sign)
        if contracts > 0:
            strike_id, strike = min(open_strikes, key=lambda pair: abs(log(pair[1] / WAD / price)))
            same = (each for each in held if each.strike_id == strike_id and each.sign == sign)
            position = next(same, _Held(0, strike_id, sign, 0))
            yield self._trade(board, position, strike, contracts * sign)

    def _trade(self, board: Board, position: _Held, strike: int, size: int) -> Transaction:
        """Return the trade of `size` (puts at 1e18, bought if positive) in `position`; sold puts are fully collateralised."""
        opens = (size > 0) == (position.sign > 0)
        after = position.amount + abs(size) if opens else position.amount - abs(size)
        order = (
            position.strike_id,
            position.position_id,
            1,
            LONG_PUT if position.sign > 0 else SHORT_PUT_QUOTE,
            abs(size),
            0 if position.sign > 0 else -(-strike * after // WAD),
            0,
            _NO_LIMIT,
        )
        data = protocol.contract("OptionMarket").encode("openPosition" if opens else "closePosition", order)
        return self._call(f"trade board {board.board_id}", data, _TRADE_GAS)

    def _set(self, board: Board, target: int) -> Iterator[Transaction]:
        code = protocol.contract("OptionMarket")
        for function, args in (
            ("setBoardFrozen", (board.board_id, True)),
            ("setBoardBaseIv", (board.board_id, target)),
            ("setBoardFrozen", (board.board_id, False)),
        ):
            data = code.encode(function, *args)
            yield Transaction(
                f"lyra: {function} {board.board_id}", self._owner, self._market, data, _OWNER_GAS
            )

    def _call(self, what: str, data: bytes, gas: int) -> Transaction:
        return Transaction(f"lyra: {what}", self._trader, self._market, data, gas)

    def _held(self, price: float) -> tuple[list[_Held], int]:
        """Return the trader's positions in puts, and the pool's free sUSD."""
        positions, liquidity = self._chain.read(
            [
                Read(self._token, protocol.contract("OptionToken"), "getOwnerPositions", (self._trader,)),
                Read(self._pool, protocol.contract("LiquidityPool"), "getLiquidity", (round(price) * WAD,)),
            ]
        )
        held = [
            _Held(position[0], position[1], 1 if position[2] == LONG_PUT else -1, position[3])
            for position in positions
            if position[2] in {LONG_PUT, SHORT_PUT_QUOTE}
        ]
        return held, liquidity[0]

    def liquidations(self) -> list[tuple[int, ChecksumAddress, Transaction]]:
        """Return (position id, account, transaction) of each liquidation that would succeed now."""
        self._scan()
        code = protocol.contract("OptionMarket")
        tried = [
            (
                position_id,
                owner,
                Transaction(
                    f"lyra: liquidation of position {position_id}",
                    self._liquidator,
                    self._market,
                    code.encode("liquidatePosition", position_id, self._liquidator),
                    _TRADE_GAS,
                ),
            )
            for position_id, owner in self._owners.items()
            if owner != self._trader
        ]
        good = self._chain.succeeds([transaction for _, _, transaction in tried])
        return [entry for entry, works in zip(tried, good, strict=True) if works]

    def _scan(self) -> None:
        """Learn who holds which position."""
        anew, entries = self._log.news()
        if anew:
            self._owners.clear()
        for entry in entries:
            _, _, receiver, position = entry["topics"]
            if receiver == _NOBODY:
                self._owners.pop(int(position, 16), None)
            else:
                self._owners[int(position, 16)] = address("0x" + receiver[-40:])


def _wad(vol: float) -> int:
    return round(vol * 10**9) * 10**9


def _tradable(strike: float, spot: float, vol: float, seconds: int) -> bool:
    """Say whether Lyra would trade this strike: the call's delta lies well inside its bounds."""
    deviation = vol * sqrt(seconds / YEAR)
    delta = 0.5 + 0.5 * erf((log(spot / strike) / deviation + deviation / 2) / sqrt(2))
    bound = int(TRADE_LIMITS["minDelta"]) / WAD + _DELTA_MARGIN
    return bound < delta < 1 - bound
