"""The story: the same fall twice, first with nobody at the helm, then with the keeper."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hexbytes import HexBytes

from evenkeel.demo import measure
from evenkeel.demo.ending import redeem_all, refuse
from evenkeel.demo.errors import DemoError
from evenkeel.demo.keeper_process import KeeperProcess
from evenkeel.demo.ledger import executed, traded_usd
from evenkeel.demo.memory import peak_mb
from evenkeel.demo.report import Action, Counterfactual, Liquidation, Report, Step
from evenkeel.instruments import Book, book_from_state
from evenkeel.market import Market, market_from_state
from evenkeel.risk import Attribution, explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from web3.types import TxReceipt

    from evenkeel.bindings.types import VaultState
    from evenkeel.chain.records import Transaction
    from evenkeel.demo.stage import Stage
    from evenkeel.demo.table import View
    from evenkeel.sandbox.actors import StepResult
    from evenkeel.sandbox.paths import PricePath

_TRADES = frozenset({"hedge", "buy_back"})
_COSTS = ("fees", "slippage")


@dataclass
class _Run:
    """What a run has gathered so far."""

    steps: list[Step] = field(default_factory=list)
    parts: Attribution = field(default_factory=Attribution)
    hedging_cost: float = 0.0
    gas: int = 0
    liquidations: list[Liquidation] = field(default_factory=list)


def without_keeper(stage: Stage, path: PricePath) -> Counterfactual:
    """Play `path` with nobody at the helm and put the chain back as it was."""
    rpc = stage.sandbox.node.rpc
    snapshot = rpc("evm_snapshot")
    start = measure.nav(stage.state())
    liquidated: list[str] = []
    first: int | None = None
    breached: int | None = None
    for index, result in _moves(stage, path):
        ours = _ours(stage, result)
        liquidated += [f"{venue} #{unit}" for venue, unit in ours]
        if ours and first is None:
            first = index
        if breached is None:
            state = stage.state()
            low, high = measure.limits(state)["delta_usd"]
            if not low <= measure.greeks(state)["delta_usd"] <= high:
                breached = index
    loss = start - measure.nav(stage.state())
    rpc("evm_revert", snapshot)
    return Counterfactual(first, tuple(liquidated), breached, loss)


def with_keeper(
    stage: Stage,
    path: PricePath,
    mandate: Path,
    folder: Path,
    view: View,
    alone: Counterfactual,
    *,
    speed: float | None = None,
) -> Report:
    """Play `path` with the real keeper, then send a bad instruction and let the first depositor leave.

    `speed` is how many steps a second are shown at most; None shows them as fast as they are decided.
    """
    start = stage.deposited
    if start is None:
        raise DemoError("the stage was not set up")
    state = stage.state()
    run = _Run(parts=explain(_priced(start), _priced(state), *executed(start, state, stage.opening_logs)))
    with KeeperProcess(stage, mandate, folder) as keeper:
        state = _act(stage, keeper.settle(), run, state, 0, view)
        for index, result in _moves(stage, path):
            run.liquidations += [Liquidation(index, venue, unit) for venue, unit in _ours(stage, result)]
            mined = keeper.settle()
            before = _before(stage, mined)
            run.parts += explain(_priced(state), _priced(before))
            state = _act(stage, mined, run, before, index, view)
            if speed:
                time.sleep(1 / speed)
        memory = {"keeper": keeper.peak_mb}
    end = state
    memory |= {"node": peak_mb(stage.sandbox.node.pid), "demo and actors": _own_peak()}
    refused = refuse(stage)
    redemption = redeem_all(stage, "alice")
    start_nav, end_nav = measure.nav(start), measure.nav(end)
    return Report(
        steps=tuple(run.steps),
        start_nav=start_nav,
        end_nav=end_nav,
        pnl=_pnl(run.parts, end_nav - start_nav),
        hedging_cost=run.hedging_cost,
        gas=run.gas,
        liquidations=tuple(run.liquidations),
        refused=refused,
        redemption=redemption,
        memory_mb=memory,
        counterfactual=alone,
    )


def _moves(stage: Stage, path: PricePath) -> Iterator[tuple[int, StepResult]]:
    origin = stage.now()
    for index in range(1, path.steps + 1):
        due = origin + int(path.seconds[index])
        yield (
            index,
            stage.market.step(float(path.prices[index]), float(path.ivs[index]), due - stage.now()),
        )


def _before(stage: Stage, mined: Sequence[Transaction]) -> VaultState:
    """Return the state before the first of `mined`: the keeper may have acted before the market's step was over."""
    if not mined:
        return stage.state()
    first = min(receipt["blockNumber"] for receipt in _receipts(stage, mined))
    return stage.state(first - 1)


def _receipts(stage: Stage, mined: Sequence[Transaction]) -> list[TxReceipt]:
    return [stage.w3.eth.get_transaction_receipt(HexBytes(t.hash or "")) for t in mined]


def _act(
    stage: Stage, mined: Sequence[Transaction], run: _Run, before: VaultState, index: int, view: View
) -> VaultState:
    """Account for what the keeper did since `before`, and return the state that it left."""
    after = stage.state()
    receipts = _receipts(stage, mined)
    logs = [log for receipt in receipts for log in receipt["logs"]]
    fills, moves = executed(before, after, logs)
    parts = explain(_priced(before), _priced(after), fills, moves)
    run.parts += parts
    run.hedging_cost -= sum(getattr(parts, name) for name in _COSTS)
    run.gas += sum(receipt["gasUsed"] for receipt in receipts)
    names: dict[str, str] = {address: name for name, address in stage.names.items()}
    actions = tuple(_action(t, receipt) for t, receipt in zip(mined, receipts, strict=True))
    token = measure.underlying(after)
    vols = [p.mid / 1e18 for p in after.valuation.vols if p.underlying == token.token]
    step = Step(
        index=index,
        block=after.block_number,
        spot=token.mid / 1e18,
        vol=vols[0] if vols else 0.0,
        greeks_before=measure.greeks(before),
        greeks_after=measure.greeks(after),
        limits=measure.limits(after),
        venues=measure.units(after, names),
        actions=actions,
        nav=measure.nav(after),
    )
    if index:
        run.steps.append(step)
    view.step(step)
    return after


def _action(transaction: Transaction, receipt: TxReceipt) -> Action:
    size = traded_usd(receipt["logs"])
    kind = transaction.intent.kind
    return Action(
        kind=kind,
        reason=transaction.intent.reason,
        tx=transaction.hash or "",
        gas=receipt["gasUsed"],
        size_usd=size if kind in _TRADES else None,
    )


def _ours(stage: Stage, result: StepResult) -> list[tuple[str, int]]:
    """Return the liquidations that hit the vault's venues."""
    venues = set(stage.deployment.venues.values())
    return [(hit.venue, hit.position or 0) for hit in result.liquidations if hit.account in venues]


def _priced(state: VaultState) -> tuple[Book, Market]:
    return book_from_state(state), market_from_state(state)


def _pnl(parts: Attribution, total: float) -> dict[str, float]:
    """Return every part to the cent, such that they sum to the change of NAV to the cent."""
    names: Sequence[str] = [name for name in Attribution.__slots__ if name != "residual"]
    rounded = {name: round(getattr(parts, name), 2) for name in names}
    whole = round(total, 2)
    return {**rounded, "residual": round(whole - sum(rounded.values()), 2), "total": whole}


def _own_peak() -> float:
    return peak_mb(os.getpid())
