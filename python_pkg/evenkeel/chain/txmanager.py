"""One lane of transactions for one key: nothing is sent that is not on disk, and nothing is sent twice.

The signed bytes are stored before they are sent, so recovering from any crash means sending the same bytes again, which the chain
takes at most once. What became of a transaction is only ever learnt from its hash and its nonce, never from a lost answer.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evenkeel.chain.errors import Reverted, RpcError, SpendCapReached, UnreachableRpc
from evenkeel.chain.fees import FeePolicy, Fees, FeesTooHigh, suggest, within
from evenkeel.chain.journal import kill_if_asked
from evenkeel.chain.records import PENDING, Intent, State, Transaction
from evenkeel.chain.signing import transaction_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenkeel.chain.block import BlockRef
    from evenkeel.chain.journal import Journal
    from evenkeel.chain.rpc import Rpc
    from evenkeel.chain.signing import RawSigner

DAY = 86_400
MAX_GAS = 2**24
"""EIP-7825: no transaction may have more gas."""

_KNOWN = ("already known", "already imported", "known transaction", "already exists")
_USED = ("nonce too low", "nonce is too low", "old nonce", "invalid nonce")
_REFUSED = (
    "insufficient funds",
    "underpriced",
    "intrinsic gas",
    "gas limit",
    "fee cap",
    "max fee per gas",
    "max priority fee",
    "invalid chain id",
    "invalid sender",
    "fee too low",
    "gas required exceeds",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """How a lane behaves.

    confirmations: blocks, its own included, after which a transaction is final.
    stuck_after: seconds after which a waiting transaction is replaced by one that pays more.
    spend_cap: wei of gas in 24 hours of chain time, what is about to be sent counted at its maximum.
    gas_margin: gas limit over the estimate. Generous: a vault catches reads that run out of gas, so an estimate comes out low.
    lost_after: looks in a row that must agree that another transaction took the nonce (nodes behind one name can disagree).
    reorg_window: blocks below a replaced head in which finished transactions are looked at again.
    """

    confirmations: int = 1
    stuck_after: float = 45.0
    spend_cap: int = 10**17
    gas_margin: float = 1.5
    lost_after: int = 3
    reorg_window: int = 64


class TxManager:
    """Sends and follows the transactions of one key.

    `describe` turns revert data into words. Call `advance` at start, at every new head and now and then while `busy`.
    """

    def __init__(
        self,
        rpc: Rpc,
        journal: Journal,
        signer: RawSigner,
        chain_id: int,
        *,
        lane: LanePolicy | None = None,
        fees: FeePolicy | None = None,
        describe: Callable[[bytes], str] | None = None,
    ) -> None:
        self._rpc = rpc
        self._journal = journal
        self._signer = signer
        self._chain_id = chain_id
        self._lane = lane or LanePolicy()
        self._fees = fees or FeePolicy()
        self._describe = describe or _as_hex
        self._lost: dict[int, int] = {}

    @property
    def address(self) -> str:
        """The sender."""
        return self._signer.address

    @property
    def busy(self) -> bool:
        """Whether something is under way, so that the chain's state is about to change by our own hand."""
        waiting = self._journal.transactions(State.DECIDED, *PENDING)
        return any(not self._decided_by_rival(tx) for tx in waiting)

    def preflight(self, intent: Intent, block: BlockRef) -> Intent:
        """Run exactly the transaction that would be sent, at `block`; returns it with its gas limit.

        Raises `Reverted`, or `UnknownBlock` when the block is gone.
        """
        tx = {"from": self.address, "to": intent.to, "data": intent.data, "value": intent.value}
        gas = intent.gas
        if gas is None:
            gas = min(int(self._rpc.estimate_gas(tx) * self._lane.gas_margin), MAX_GAS)
        self._rpc.call({**tx, "gas": gas}, block)
        return replace(intent, gas=gas)

    def send(self, row: int, now: BlockRef) -> Transaction:
        """Sign and broadcast a transaction that is journalled as decided and was preflighted.

        Raises `SpendCapReached`, `FeesTooHigh` and RPC errors with nothing signed. After that point it raises nothing: the
        transaction's state says what is known.
        """
        tx = self._journal.transaction(row)
        fees = suggest(self._rpc.fee_history(self._fees.blocks, self._fees.percentile), self._fees)
        gas = tx.intent.gas or MAX_GAS
        try:
            self._require_budget(now, gas * fees.max_fee + tx.intent.value)
        except SpendCapReached as error:
            self._journal.move(row, State.DROPPED, str(error), error=str(error))
            raise
        nonce = self._next_nonce(now)
        if nonce is None:
            note = "an earlier transaction was taken back by the chain"
            self._journal.move(row, State.DROPPED, note, error=note)
            return self._journal.transaction(row)
        self._journal.move(row, State.SIGNED, **self._signed(tx.intent, nonce, gas, fees))
        self._broadcast(self._journal.transaction(row))
        return self._journal.transaction(row)

    def advance(self, now: BlockRef, *, reorg: bool = False) -> None:
        """Take every open transaction as far as the chain allows; with `reorg`, look at the recently finished ones again."""
        if reorg or self._journal.last_block(self.address) > now.number:
            self.recheck(now)
        for tx in self._journal.transactions(State.MINED):
            self._follow_mined(tx, now)
        for tx in self._journal.transactions(*PENDING):
            # An earlier one of the loop may have settled its rivals.
            if self._journal.transaction(tx.id).state in PENDING:
                self._follow_pending(tx, now)
        for tx in self._journal.transactions(State.DECIDED):
            self._resume(tx, now)

    def recheck(self, now: BlockRef) -> bool:
        """Look again at what is held to be in recent blocks; returns whether the chain took any of it back.

        Newest first: one that is where it was has all earlier nonces below it.
        """
        taken_back = False
        for tx in reversed(self._journal.since_block(now.number - self._lane.reorg_window)):
            if tx.hash is None:
                continue
            receipt = self._rpc.receipt(tx.hash)
            if receipt is None:
                self._take_back(tx)
                taken_back = True
            elif str(receipt["blockHash"]).lower() == tx.block_hash:
                break
            else:
                self._mined(tx, receipt)
        return taken_back

    # Inside

    def _require_budget(self, now: BlockRef, reserve: int) -> None:
        spent = self._journal.spent(self.address, now.timestamp - DAY)
        if spent + reserve > self._lane.spend_cap:
            raise SpendCapReached(spent, reserve, self._lane.spend_cap)

    def _next_nonce(self, now: BlockRef) -> int | None:
        """Return the nonce to use, or None when the chain turns out to have lost a transaction that the journal has in a block."""
        on_chain, in_journal = self._rpc.nonce(self.address), self._journal.next_nonce(self.address)
        if in_journal > on_chain and self.recheck(now):
            return None
        return max(on_chain, in_journal)

    def _signed(self, intent: Intent, nonce: int, gas: int, fees: Fees) -> dict[str, Any]:
        raw = self._signer.sign(
            {
                "type": 2,
                "chainId": self._chain_id,
                "from": self.address,
                "nonce": nonce,
                "to": intent.to,
                "value": intent.value,
                "data": intent.data,
                "gas": gas,
                "maxFeePerGas": fees.max_fee,
                "maxPriorityFeePerGas": fees.tip,
            }
        )
        return {
            "nonce": nonce,
            "gas": gas,
            "max_fee": fees.max_fee,
            "tip": fees.tip,
            "raw": raw,
            "hash": transaction_hash(raw),
        }

    def _broadcast(self, tx: Transaction) -> None:
        assert tx.raw is not None
        try:
            self._rpc.broadcast(tx.raw)
            kill_if_asked("broadcast")
        except UnreachableRpc as error:
            # It may have arrived. `advance` finds out by hash.
            logger.warning("broadcast of %s: %s", tx.hash, error)
            return
        except RpcError as error:
            message = error.message.lower()
            if any(words in message for words in _KNOWN + _USED):
                self._journal.move(tx.id, State.SENT, error.message, sent_at=tx.sent_at or time.time())
            elif any(words in message for words in _REFUSED):
                self._journal.move(
                    tx.id, State.DROPPED, error.message, error=f"refused by the node: {error.message}"
                )
            else:
                logger.warning("broadcast of %s: %s", tx.hash, error)
            return
        self._journal.move(tx.id, State.SENT, sent_at=time.time())

    def _resume(self, tx: Transaction, now: BlockRef) -> None:
        """Take up a decision that was not signed before the process ended."""
        if tx.intent.deadline and now.timestamp > tx.intent.deadline:
            self._journal.move(
                tx.id, State.DROPPED, "past its deadline", error="past its deadline before it was signed"
            )
            return
        try:
            self.preflight(tx.intent, now)
        except Reverted as error:
            why = self._describe(error.data)
            self._journal.move(tx.id, State.FAILED, why, error=f"preflight: {why}")
            return
        try:
            self.send(tx.id, now)
        except FeesTooHigh as error:
            logger.warning("a decided transaction waits: %s", error)

    def _follow_mined(self, tx: Transaction, now: BlockRef) -> None:
        assert tx.hash is not None
        receipt = self._rpc.receipt(tx.hash)
        if receipt is None:
            self._take_back(tx)
            return
        self._settle(tx, receipt, now)

    def _follow_pending(self, tx: Transaction, now: BlockRef) -> None:
        assert tx.hash is not None
        assert tx.nonce is not None
        receipt = self._rpc.receipt(tx.hash)
        if receipt is not None:
            self._mined(tx, receipt)
            self._settle(self._journal.transaction(tx.id), receipt, now)
            return
        if self._decided_by_rival(tx):
            return
        if self._rpc.nonce(self.address) > tx.nonce:
            self._nonce_taken(tx, now)
            return
        self._lost.pop(tx.id, None)
        expired = bool(tx.intent.deadline) and now.timestamp > tx.intent.deadline
        if any(rival.replaces == tx.id and rival.state in PENDING for rival in self._journal.rivals(tx)):
            return
        if self._rpc.transaction(tx.hash) is None:
            if expired:
                # The next transaction takes the same nonce, so at most one of the two can ever be mined.
                self._journal.move(
                    tx.id, State.DROPPED, "past its deadline, unknown to the node", error="past its deadline"
                )
            else:
                self._broadcast(tx)
            return
        if tx.state is State.SIGNED:
            self._journal.move(tx.id, State.SENT, "found on the node", sent_at=time.time())
        elif expired or time.time() - (tx.sent_at or 0.0) > self._lane.stuck_after:
            self._outbid(tx, now, cancel=expired)

    def _nonce_taken(self, tx: Transaction, now: BlockRef) -> None:
        for rival in self._journal.rivals(tx):
            receipt = self._rpc.receipt(rival.hash) if rival.hash else None
            if receipt is not None:
                self._mined(rival, receipt)
                self._settle(self._journal.transaction(rival.id), receipt, now)
                return
        self._lost[tx.id] = self._lost.get(tx.id, 0) + 1
        if self._lost[tx.id] >= self._lane.lost_after:
            note = f"nonce {tx.nonce} was used by a transaction that is not in the journal"
            self._journal.move(tx.id, State.DROPPED, note, error=note)
            self._lost.pop(tx.id)

    def _outbid(self, tx: Transaction, now: BlockRef, *, cancel: bool) -> None:
        """Replace a stuck transaction with one that pays more; one past its deadline with a transfer of nothing."""
        assert tx.nonce is not None
        old = Fees(tx.max_fee or 0, tx.tip or 0).bumped()
        try:
            new = suggest(self._rpc.fee_history(self._fees.blocks, self._fees.percentile), self._fees)
            fees = within(Fees(max(old.max_fee, new.max_fee), max(old.tip, new.tip)), self._fees)
            intent = Intent(self.address, b"", "cancel", reason="past its deadline") if cancel else tx.intent
            gas = 21_000 if cancel else (tx.intent.gas or MAX_GAS)
            self._require_budget(now, gas * fees.max_fee + intent.value)
        except (FeesTooHigh, SpendCapReached) as error:
            logger.warning("transaction %s waits: %s", tx.hash, error)
            return
        row = self._journal.add_replacement(tx, intent, self._signed(intent, tx.nonce, gas, fees))
        self._broadcast(self._journal.transaction(row))

    def _mined(self, tx: Transaction, receipt: dict[str, Any]) -> None:
        self._lost.pop(tx.id, None)
        self._journal.move(
            tx.id,
            State.MINED,
            block_number=int(receipt["blockNumber"], 16),
            block_hash=str(receipt["blockHash"]).lower(),
            gas_used=int(receipt["gasUsed"], 16),
            gas_price=int(receipt.get("effectiveGasPrice") or "0x0", 16),
            error=None if int(receipt["status"], 16) else "reverted on chain",
        )

    def _settle(self, tx: Transaction, receipt: dict[str, Any], now: BlockRef) -> None:
        number = int(receipt["blockNumber"], 16)
        if str(receipt["blockHash"]).lower() != tx.block_hash:
            self._mined(tx, receipt)
        if now.number - number + 1 < self._lane.confirmations:
            return
        good = int(receipt["status"], 16) == 1
        self._journal.move(tx.id, State.CONFIRMED if good else State.FAILED)
        for rival in self._journal.rivals(tx):
            if rival.state in PENDING:
                self._journal.move(rival.id, State.REPLACED, f"{tx.hash} was mined")

    def _take_back(self, tx: Transaction) -> None:
        self._journal.move(
            tx.id,
            State.SENT,
            "reorganised away",
            block_number=None,
            block_hash=None,
            gas_used=None,
            gas_price=None,
            error=None,
            sent_at=time.time(),
        )

    def _decided_by_rival(self, tx: Transaction) -> bool:
        landed = (State.MINED, State.CONFIRMED, State.FAILED)
        return tx.nonce is not None and any(rival.state in landed for rival in self._journal.rivals(tx))


def _as_hex(data: bytes) -> str:
    return f"reverted with 0x{data.hex()[:72]}" if data else "reverted without a reason"
