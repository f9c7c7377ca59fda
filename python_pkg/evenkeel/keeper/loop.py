"""The loop: a new head, one read, a plan, at most one transaction.

One transaction is under way at a time and no plan is made while it is, so that every plan rests on a state that contains all that was
done before. What a plan wants beyond its first feasible transaction is planned again on the next head.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evenkeel._errors import EvenkeelError
from evenkeel.bindings import BindingError, decode_error
from evenkeel.chain.errors import (
    ChainError,
    Reverted,
    RpcError,
    SpendCapReached,
    UnknownBlock,
    UnreachableRpc,
)
from evenkeel.chain.fees import FeesTooHigh
from evenkeel.chain.heads import Head, Heads
from evenkeel.chain.records import WAITING, State
from evenkeel.chain.snapshot import Quote, take
from evenkeel.keeper.actions import Targets, intent_of, plan_id
from evenkeel.keeper.decision import Decided, decide
from evenkeel.keeper.errors import Halted
from evenkeel.keeper.logs import event
from evenkeel.keeper.rails import ErrorBudget, stop_asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenkeel.bindings import Vault, VaultLens
    from evenkeel.chain.block import BlockRef
    from evenkeel.chain.journal import Journal
    from evenkeel.chain.records import Intent
    from evenkeel.chain.rpc import Rpc
    from evenkeel.chain.txmanager import TxManager
    from evenkeel.keeper.config import KeeperConfig
    from evenkeel.planner import QuoteRequest
    from evenkeel.strategy import Mandate

NUDGE = 1.0
"""Seconds between looks at a waiting transaction while no new head comes."""
MAX_BACKOFF = 30.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one head led to. `kind`: nothing, hold, sent, refused, dry, waiting, behind, error."""

    block: BlockRef
    kind: str
    decided: Decided | None = None
    detail: str = ""


class Keeper:
    """Holds one vault inside its mandate. Without a `lane` it runs dry: it plans and preflights, and sends nothing.

    `sender` is the account in whose name quotes and preflights are made; `say` gets a dry run's plans in words.
    """

    def __init__(
        self,
        *,
        rpc: Rpc,
        journal: Journal,
        lane: TxManager | None,
        vault: Vault,
        lens: VaultLens,
        mandate: Mandate,
        sender: str,
        config: KeeperConfig,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._rpc = rpc
        self._journal = journal
        self._lane = lane
        self._vault = vault
        self._lens = lens
        self._mandate = mandate
        self._sender = sender
        self._config = config
        self._say = say
        self._heads = Heads(rpc)
        self._errors = ErrorBudget(config.error_budget)
        self._nudged = 0.0
        self._stopping = False

    def stop(self) -> None:
        """End the loop after the step it is in. Safe to call from a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def run(self) -> None:
        """Work until stopped. Raises `Halted` when a guard rail stops it."""
        failures = 0
        while not self._stopping:
            if stop_asked(self._config.stop_file):
                event(logger, "stopped", file=self._config.stop_file)
                return
            try:
                outcome = self.step()
                failures = 0
            except UnreachableRpc as error:
                failures += 1
                event(logger, "unreachable", logging.WARNING, error=str(error), failures=failures)
                self._rest(min(self._config.poll * 2**failures, MAX_BACKOFF))
                continue
            if outcome is not None and self._config.once and self._done(outcome):
                return
            if outcome is None:
                self._rest(self._config.poll)

    def step(self) -> Outcome | None:
        """Look at the head once and deal with it; None when there is nothing new.

        Raises `UnreachableRpc` when the node does not answer, `Halted` when a guard rail stops the keeper.
        """
        head = self._heads.poll()
        try:
            if head is None:
                self._nudge()
                return None
            outcome = self._work(head)
        except UnknownBlock:
            # The node took the block back, or another one behind the same name has not seen it yet.
            self._heads.again()
            event(logger, "unknown block", block=head.block.number if head else None)
            return None
        except UnreachableRpc:
            self._heads.again()
            raise
        except SpendCapReached as error:
            raise Halted(str(error)) from None
        except RpcError as error:
            self._heads.again()
            event(logger, "rpc error", logging.WARNING, error=str(error))
            last = self._heads.last
            self._errors.charge(last.timestamp if last else 0, str(error))
            return None
        self._tell(outcome)
        event(
            logger, outcome.kind, block=outcome.block.number, hash=outcome.block.hash, detail=outcome.detail
        )
        return outcome

    # Inside

    def _rest(self, seconds: float) -> None:
        # In slices, since a signal handler only sets a flag: locks are not safe in one.
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.25))

    def _nudge(self) -> None:
        last, now = self._heads.last, time.monotonic()
        if self._lane is not None and last is not None and now - self._nudged >= NUDGE and self._lane.busy:
            self._nudged = now
            self._lane.advance(last)
            if not self._lane.busy:
                self._heads.again()

    def _work(self, head: Head) -> Outcome:
        if self._lane is not None:
            known = {tx.id: tx.state for tx in self._journal.transactions(*_UNDER_WAY)}
            self._lane.advance(head.block, reorg=head.reorg is not None)
            self._report(known, head.block)
            if self._lane.busy:
                return self._record(Outcome(head.block, WAITING, detail="a transaction is under way"))
            if self._journal.last_block(self._lane.address) > head.block.number:
                return Outcome(head.block, "behind", detail="the node is behind our last transaction")
        try:
            snapshot = take(self._rpc, self._lens, self._vault.address, head.block)
            decided = decide(snapshot, self._mandate, lambda request: self._quote(request, head.block))
        except Reverted as error:
            return self._failed(head.block, f"the vault cannot be read: {words(error.data)}")
        except ChainError:
            raise
        except EvenkeelError as error:
            return self._failed(head.block, f"{type(error).__name__}: {error}")
        return self._carry_out(decided)

    def _quote(self, request: QuoteRequest, block: BlockRef) -> Quote:
        ident = plan_id(self._vault.address, block, 0)
        call = self._vault.rebalance(
            list(request.instructions), block.timestamp + self._config.deadline, ident
        )
        try:
            answer = self._rpc.call(call.parameters(self._sender), block)
            return Quote(request.key, results=tuple(call.decode(answer)))
        except Reverted as error:
            return Quote(request.key, failure=words(error.data))
        except BindingError as error:
            return Quote(request.key, failure=str(error))

    def _carry_out(self, decided: Decided) -> Outcome:
        block, plan = decided.snapshot.block, decided.as_json()
        targets = Targets.of(self._vault, decided.snapshot.state)
        wanted = [
            (index, intent)
            for index, action in enumerate(decided.plan.actions)
            if (intent := intent_of(action, index, targets, block, self._config.deadline)) is not None
        ]
        if not wanted:
            kind = "hold" if decided.plan.actions else "nothing"
            reasons = "; ".join(f"{action.kind}: {action.reason}" for action in decided.plan.actions)
            return self._record(Outcome(block, kind, decided, reasons), plan)
        if self._lane is not None and self._lane.recheck(block):
            return self._record(
                Outcome(block, WAITING, decided, "the chain took back an earlier transaction"), plan
            )
        refusals: list[str] = []
        for index, intent in wanted:
            try:
                ready = self._preflight(intent, block)
            except Reverted as error:
                why = words(error.data)
                plan["actions"][index]["refused"] = why
                refusals.append(f"{intent.kind}: {why}")
                continue
            for later, _ in wanted:
                if later > index:
                    plan["actions"][later]["deferred"] = True
            return self._send(decided, ready, plan, refusals)
        outcome = Outcome(block, "refused", decided, "; ".join(refusals))
        self._record(outcome, plan, error=outcome.detail)
        if decided.snapshot.state.valuation.priced:
            self._charge(block, refusals)
        # Without prices the vault refuses most of it, which ends by itself: the keeper must still be there then.
        return outcome

    def _charge(self, block: BlockRef, refusals: list[str]) -> None:
        """Count the last of `refusals` that is an error.

        A loss budget that is used up is none, and refills with time; nor is margin that a venue does not set free, nor a venue's vol that it does
        not show.
        """
        errors = [why for why in refusals if _BUDGET not in why and not why.startswith(("free: ", "sync: "))]
        if errors:
            self._errors.charge(block.timestamp, errors[-1])

    def _preflight(self, intent: Intent, block: BlockRef) -> Intent:
        if self._lane is not None:
            return self._lane.preflight(intent, block)
        self._rpc.call(
            {"from": self._sender, "to": intent.to, "data": intent.data, "value": intent.value}, block
        )
        return intent

    def _send(self, decided: Decided, intent: Intent, plan: dict[str, Any], refusals: list[str]) -> Outcome:
        block, error = decided.snapshot.block, "; ".join(refusals) or None
        summary = f"{intent.kind}: {intent.reason}"
        if self._lane is None:
            return self._record(Outcome(block, "dry", decided, f"would send {summary}"), plan, error=error)
        _, (row,) = self._journal.record(
            block,
            "sent",
            greeks=decided.greeks,
            plan=plan,
            error=error,
            intents=[intent],
            sender=self._sender,
        )
        self._nudged = time.monotonic()
        try:
            sent = self._lane.send(row, block)
        except (FeesTooHigh, RpcError) as failure:
            # Nothing was signed; the decision stays and is taken up again at the next head.
            self._errors.charge(block.timestamp, str(failure))
            return Outcome(block, "sent", decided, f"not signed yet: {failure}")
        event(
            logger,
            "transaction",
            kind=intent.kind,
            hash=sent.hash,
            nonce=sent.nonce,
            state=sent.state,
            reason=intent.reason,
        )
        if sent.state is State.DROPPED:
            self._errors.charge(block.timestamp, sent.error or "refused")
        self._charge(block, refusals)
        return Outcome(block, "sent", decided, summary)

    def _record(
        self, outcome: Outcome, plan: dict[str, Any] | None = None, error: str | None = None
    ) -> Outcome:
        greeks = outcome.decided.greeks if outcome.decided else None
        content = plan if plan is not None else {"actions": [], "note": outcome.detail}
        self._journal.record(outcome.block, outcome.kind, greeks=greeks, plan=content, error=error)
        return outcome

    def _failed(self, block: BlockRef, why: str) -> Outcome:
        outcome = self._record(Outcome(block, "error", detail=why), error=why)
        self._errors.charge(block.timestamp, why)
        return outcome

    def _report(self, known: dict[int, State], block: BlockRef) -> None:
        for row, state in known.items():
            tx = self._journal.transaction(row)
            if tx.state is state:
                continue
            event(logger, "transaction", kind=tx.intent.kind, hash=tx.hash, state=tx.state, error=tx.error)
            if tx.state in (State.FAILED, State.DROPPED):
                self._errors.charge(block.timestamp, f"{tx.intent.kind}: {tx.error}")

    def _tell(self, outcome: Outcome) -> None:
        if self._lane is not None or self._say is None:
            return
        if outcome.decided is None or not outcome.decided.plan.actions:
            self._say(f"block {outcome.block.number}: {outcome.detail or 'nothing to do'}")
            return
        for action in outcome.decided.plan.actions:
            self._say(f"block {outcome.block.number}: {action.kind}: {action.reason}")
        if outcome.kind == "refused":
            self._say(f"block {outcome.block.number}: the vault would refuse: {outcome.detail}")

    def _done(self, outcome: Outcome) -> bool:
        return self._journal.settled(outcome.block.hash) and not self._journal.transactions(*_UNDER_WAY)


_BUDGET = "BudgetExceeded("
_UNDER_WAY = (State.DECIDED, State.SIGNED, State.SENT, State.MINED)


def words(data: bytes) -> str:
    """Return revert data as its typed error with its numbers."""
    try:
        return str(decode_error(data))
    except BindingError as error:
        return str(error)
