"""One deployed vault in the hands of an operator: what it holds, what should be done, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from evenkeel.bindings import BindingError, Vault, VaultLens
from evenkeel.bindings.types import Kind
from evenkeel.chain import BlockRef, Quote, Snapshot
from evenkeel.chain.txmanager import MAX_GAS
from evenkeel.deploy import DeploymentFile
from evenkeel.instruments import book_from_state
from evenkeel.keeper.actions import Targets, call_of, plan_id
from evenkeel.keeper.config import read_addresses
from evenkeel.keeper.decision import Decided, decide
from evenkeel.market import market_from_state
from evenkeel.operate.errors import OperateError
from evenkeel.risk import greeks, unit_healths
from evenkeel.sandbox import places
from evenkeel.strategy import load_mandate

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3 import Web3
    from web3.types import TxParams

    from evenkeel.bindings import Call, Receipt
    from evenkeel.bindings.types import VaultState
    from evenkeel.chain import Signer
    from evenkeel.instruments import Book
    from evenkeel.operate.chain import Chain
    from evenkeel.planner import Action, QuoteRequest
    from evenkeel.risk import Report
    from evenkeel.strategy import Mandate

DEADLINE: Final = 300
"""Seconds of chain time until which what was planned may be mined."""
_GAS_MARGIN: Final = 150
"""Per cent of the node's estimate: venues take more once prices have moved, and reads that fail for lack of gas are caught."""
MANDATE: Final = Path("examples/demo.toml")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan and the snapshot it rests on; shows itself in words."""

    decided: Decided

    @property
    def actions(self) -> tuple[Action, ...]:
        """What is to be done, in order."""
        return self.decided.plan.actions

    def __repr__(self) -> str:
        lines = [f"{action.kind}: {action.reason}" for action in self.actions] or ["nothing to do"]
        return f"at block {self.decided.snapshot.block}:\n  " + "\n  ".join(lines)


@dataclass(frozen=True, slots=True)
class Session:
    """A vault with its mandate. `sender` is the account in whose name plans are quoted and sent.

    `venues` are the deployment's by the mandate's names.
    """

    w3: Web3
    vault: Vault
    lens: VaultLens
    mandate: Mandate
    sender: ChecksumAddress
    venues: dict[str, ChecksumAddress]

    @classmethod
    def open(
        cls,
        chain: Chain,
        *,
        deployment: Path | None = None,
        mandate: Path = MANDATE,
        sender: ChecksumAddress | None = None,
    ) -> Session:
        """Read the files and check them against the chain.

        `deployment` None takes deployments/<chain-id>.json, or what the demo or a console left of a local one; `sender` None the deployment's
        keeper. Raises `InputError`s that name the file.
        """
        path = deployment or find_deployment(chain)
        known = read_addresses(path)
        if known.chain_id != chain.chain_id:
            raise OperateError(f"{path}: is of chain {known.chain_id}, but this is chain {chain.chain_id}")
        if not chain.w3.eth.get_code(known.vault):
            raise OperateError(f"{path}: there is no vault at {known.vault} on this chain")
        file = DeploymentFile.read(path)
        who = sender or file.keeper
        if who is None:
            raise OperateError(f"{path}: does not name its keeper; deploy again to complete it")
        return cls(
            w3=chain.w3,
            vault=Vault(known.vault, chain.w3),
            lens=VaultLens(known.lens, chain.w3),
            mandate=load_mandate(mandate).resolve(known.vault, known.venues),
            sender=who,
            venues=file.venues,
        )

    def state(self) -> VaultState:
        """Read the vault at the head."""
        return self.snapshot().state

    def snapshot(self) -> Snapshot:
        """Read the vault at the head's hash."""
        head = self.w3.eth.get_block("latest")
        block = BlockRef(
            number=head["number"],
            hash=head["hash"].to_0x_hex(),
            parent_hash=head["parentHash"].to_0x_hex(),
            timestamp=head["timestamp"],
        )
        return Snapshot(block, self.lens.state(self.vault.address).read(block.hash))

    def book(self) -> Book:
        """Return every position and the idle cash."""
        return book_from_state(self.state())

    def greeks(self) -> dict[str, Report]:
        """Return the Greeks of each underlying in dollars, by its symbol."""
        state = self.state()
        of_book = greeks(book_from_state(state), market_from_state(state))
        symbols = {item.token: item.symbol for item in state.underlyings}
        return {symbols.get(token, token): of_book.report(token) for token in of_book.underlyings}

    def plan(self) -> Proposal:
        """Return what the keeper would do now, with quotes where a band is left."""
        snapshot = self.snapshot()
        return Proposal(decide(snapshot, self.mandate, lambda request: self._quote(request, snapshot.block)))

    def send(self, proposal: Proposal, signer: Signer) -> list[Receipt]:
        """Send the actions in order and wait for each. A refusal is raised as the contract's typed error, and ends it.

        What is only for where the action before it is refused is left out.
        """
        block, targets = (
            proposal.decided.snapshot.block,
            Targets.of(self.vault, proposal.decided.snapshot.state),
        )
        calls = [
            call_of(action, index, targets, block, DEADLINE)
            for index, action in enumerate(proposal.actions)
            if not action.instead
        ]
        return [self._send(call, signer) for call in calls if call is not None]

    def top_up(self, venue: str, unit: int, amount: float, signer: Signer) -> Receipt:
        """Post `amount` whole asset tokens of idle to margin unit `unit` of `venue`, a mandate's name, and wait.

        Raises `OperateError` for a venue that there is not, and the vault's typed refusal.
        """
        if venue not in self.venues:
            known = ", ".join(sorted(self.venues)) or "none"
            raise OperateError(f"venue: {venue} is unknown; the deployment has {known}")
        if not (amount > 0 and isfinite(amount)):
            raise OperateError(f"amount: expected more than 0, got {amount:g}")
        state = self.state()
        assets = round(amount * 10**state.asset_decimals)
        at = next(item for item in state.venues if item.venue == self.venues[venue])
        price = (
            market_from_state(state).spots.get(at.option_terms.quote, 1.0) if at.kind == Kind.OPTION else 1.0
        )
        least = int(assets / price * (1 - 2 * self.mandate.slippage_tolerance))
        return self._send(self.vault.top_up(at.venue, unit, assets, least), signer)

    def health(self, venue: str, unit: int) -> float:
        """Return a unit's equity over its maintenance margin; infinite where nothing is owed, not a number where there is no such unit."""
        found = [
            item
            for item in unit_healths(self.state())
            if (item.venue, item.unit) == (self.venues[venue], unit)
        ]
        return found[0].health if found else nan

    def _send(self, call: Call[Any], signer: Signer) -> Receipt:
        call.simulate(signer.address)
        needed = self.w3.eth.estimate_gas(cast("TxParams", call.parameters(signer.address)))
        return call.send(signer, gas=min(needed * _GAS_MARGIN // 100, MAX_GAS))

    def _quote(self, request: QuoteRequest, block: BlockRef) -> Quote:
        ident = plan_id(self.vault.address, block, 0)
        call = self.vault.rebalance(list(request.instructions), block.timestamp + DEADLINE, ident)
        try:
            return Quote(request.key, results=tuple(call.read(block.hash, self.sender)))
        except BindingError as error:
            return Quote(request.key, failure=str(error))


def find_deployment(chain: Chain) -> Path:
    """Return the file of the vault on `chain`: deployments/<chain-id>.json, on a sandbox also what the demo or a console left.

    Raises `OperateError` where neither describes it.
    """
    name = f"{chain.chain_id}.json"
    usual = Path("deployments") / name
    local = [places.STATE / "demo" / name, places.STATE / "console" / name] if chain.sandbox else []
    # Sandboxes are born alike, so that files of several may name the same address: the youngest is of this one.
    there = sorted(
        (path for path in [usual, *local] if path.exists()), key=lambda path: -path.stat().st_mtime
    )
    for path in there:
        vault = DeploymentFile.read(path).placed.get("vault")
        if vault is not None and chain.w3.eth.get_code(vault.address):
            return path
    raise OperateError(f"{usual}: no vault of chain {chain.chain_id} in it; `brownie run deploy` first")
