"""The demo's opened book - 60 short straddles on the real protocols - and a keeper in process on it."""

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from demo_mandate import raw
from evenkeel.bindings import OracleAdapter, RiskGuard
from evenkeel.chain import Journal
from evenkeel.demo.stage import Stage
from evenkeel.instruments import book_from_state
from evenkeel.keeper import KeeperConfig, Request, build
from evenkeel.market import market_from_state
from evenkeel.risk import greeks, stress_loss
from evenkeel.strategy import load_mandate, on_chain_limits

WAD = 10**18
NEVER = 1e12


def toml(values, table=""):
    """`values`, nested tables of plain ones, as TOML."""
    lines = [f"[{table}]"] if table else []
    lines += [f"{key} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for key, value in values.items():
        if isinstance(value, dict):
            lines.append(toml(value, f"{table}.{json.dumps(key)}" if table else key))
    return "\n".join(lines) + "\n"


@dataclass
class OpenBook:
    """`stage` is the demo's own; `folder` gets mandates and journals."""

    CONFIG: ClassVar = replace(KeeperConfig(), once=True)

    stage: Stage
    folder: Path

    @property
    def node(self):
        return self.stage.sandbox.node

    @property
    def weth(self):
        return self.stage.sandbox.protocols.tokens["WETH"].address

    @property
    def nonce(self):
        return self.stage.w3.eth.get_transaction_count(self.stage.sandbox.accounts["keeper"])

    @property
    def journal_path(self):
        return self.folder / "journal.sqlite"

    def mandate_file(self, **changes):
        """The demo's mandate with changes such as `delta_usd__limit=0.04`. The venue's own vols are let be: `test_keeper_sync.py` is about them."""
        path = self.folder / "mandate.toml"
        path.write_text(toml(raw(**{"sync_seconds": NEVER, **changes})))
        return path

    def mandate(self, **changes):
        found = load_mandate(self.mandate_file(**changes))
        return found.resolve(self.stage.vault.address, self.stage.names)

    @contextmanager
    def keeper(self, *, dry=False, said=None, config=None, **changes):
        """A live keeper, or a dry one whose words go to the list `said`."""
        self.journal_path.unlink(missing_ok=True)
        request = Request(
            mandate=self.mandate_file(**changes),
            rpc=self.stage.sandbox.url,
            deployment=self.stage.deployment_file,
            journal=self.journal_path,
            dry_run=dry,
            unlocked=self.stage.sandbox.accounts["keeper"],
        )
        say = print if said is None else said.append
        made = build(request, config or self.CONFIG, say=say)
        try:
            yield made
        finally:
            made.close()

    def limit_on_chain(self, **changes):
        """Set the guard's limits of ether as a mandate with these changes has them."""
        limits = on_chain_limits(self.mandate(**changes), "WETH")
        guard = RiskGuard(self.stage.deployment.guard, self.stage.w3)
        guard.set_limits(self.weth, limits).send(self.stage.sandbox.signers["curator"])

    def report(self):
        """Ether's Greeks in reporting units."""
        state = self.stage.state()
        return greeks(book_from_state(state), market_from_state(state)).report(self.weth)

    def stress(self):
        """The worst market shock's loss as a fraction of low NAV."""
        state = self.stage.state()
        loss = stress_loss(book_from_state(state), market_from_state(state))
        return loss.market.amount / (state.valuation.low / WAD)

    def shorts(self):
        """Contracts short, by position."""
        state = self.stage.state()
        return {o.position_id: -o.size / WAD for v in state.venues for o in v.options}

    def decisions(self):
        with Journal.open_read_only(self.journal_path) as journal:
            return journal.decisions()

    def transactions(self):
        with Journal.open_read_only(self.journal_path) as journal:
            return journal.transactions()


def step(keeper):
    """Step until a head came: the node mines a little after it took a transaction."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        if outcome := keeper.step():
            return outcome
    raise AssertionError("no head")


def settle(keeper, most=12):
    """Step until a head asks for no transaction; returns every outcome."""
    found = []
    while len(found) < most:
        found.append(step(keeper))
        if found[-1].kind not in ("sent", "waiting"):
            return found
    raise AssertionError([(o.kind, o.detail) for o in found])


def renew_levels(stage):
    """Opening the book takes six hours, after which the keeper would first have old levels renewed."""
    oracle = OracleAdapter(stage.vault.oracle().read(), stage.w3)
    for underlying in stage.state().underlyings:
        oracle.poke(underlying.token).send(stage.sandbox.signers["bob"])


def kinds(outcome):
    return [action.kind for action in outcome.decided.plan.actions]


def reasons(outcome):
    return "\n".join(action.reason for action in outcome.decided.plan.actions)


def wait(book, seconds):
    book.node.rpc("evm_setNextBlockTimestamp", book.stage.now() + seconds)
    book.node.rpc("evm_mine")
