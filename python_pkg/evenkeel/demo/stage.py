"""The demo's stage: a sandbox, a vault on it, two depositors, and the book that the keeper will hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from web3 import Web3

from evenkeel.bindings import ERC20, LendingVenue, OptionVenue, Vault, VaultLens
from evenkeel.bindings.types import Instruction, Trade
from evenkeel.demo.errors import DemoError
from evenkeel.deploy import Roles, VaultPlan, deploy
from evenkeel.sandbox.accounts import VOL_SIGNER_ROLES, VOL_THRESHOLD
from evenkeel.sandbox.actors import Market
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.protocols import lyra, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from eth_typing import ChecksumAddress

    from evenkeel.bindings import Call, Receipt
    from evenkeel.bindings.types import Listing, VaultState
    from evenkeel.deploy import Deployment
    from evenkeel.sandbox import Sandbox
    from evenkeel.strategy import Mandate

ALICE, BOB = 300_000, 700_000
"""Deposits in whole USDC."""
SUPPLIED = 200_000
"""USDC lent to Aave at the start."""
STRADDLES, BATCHES = 60, 6
"""Sold in batches, because the guard bounds the loss of a call and of a day."""
TENOR_DAYS = 42
_WAD = 10**18
_OPTION = "lyra-v1"
_DAY = 86_400
_DEADLINE = 600
_GAS = 16_000_000


@dataclass
class Stage:
    """Everything that acts in the demo. `deployment_file` is what a keeper is given."""

    sandbox: Sandbox
    mandate: Mandate
    deployment: Deployment
    deployment_file: Path
    market: Market
    vault: Vault
    lens: VaultLens
    names: dict[str, ChecksumAddress]
    """Venues by the mandate's names."""
    deposited: VaultState | None = None
    """The vault when the deposits were in and nothing was traded."""
    opening_logs: list[Mapping[str, Any]] = field(default_factory=list)
    """What the trades that opened the book logged."""
    _plans: Any = field(default_factory=count)

    @property
    def w3(self) -> Web3:
        """The chain."""
        return self.sandbox.w3

    def state(self, block: int | str = "latest") -> VaultState:
        """Read the vault's whole state at `block`."""
        return self.lens.state(self.vault.address).read(block)

    def now(self) -> int:
        """Return the head's time, unix seconds."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def instruct(self, *calls: Call[Any]) -> Call[tuple[bytes, ...]]:
        """Return the rebalance that carries out `calls`."""
        plan_id = (next(self._plans) + (1 << 200)).to_bytes(32)
        instructions = [Instruction(venue=call.to, data=call.data) for call in calls]
        return self.vault.rebalance(instructions, self.now() + _DEADLINE, plan_id)

    def send(self, *calls: Call[Any]) -> Receipt:
        """Send `calls` as one rebalance from the keeper's account."""
        return self.instruct(*calls).send(self.sandbox.signers["keeper"], gas=_GAS)


def set_up(sandbox: Sandbox, mandate: Mandate, plan: VaultPlan, vol: float, folder: Path) -> Stage:
    """Deploy the vault, let the market start at `vol`, take the deposits and open the book. `folder` gets the files."""
    who = sandbox.accounts
    roles = Roles(
        keeper=who["keeper"],
        curator=who["curator"],
        guardian=who["guardian"],
        vol_signers=tuple(who[role] for role in VOL_SIGNER_ROLES),
        vol_threshold=VOL_THRESHOLD,
    )
    path = folder / f"{sandbox.protocols.chain_id}.json"
    path.unlink(missing_ok=True)
    deployment = deploy(sandbox.w3, sandbox.signers["deployer"], sandbox.protocols, plan, roles, path=path)
    market = Market(sandbox.w3, sandbox.protocols, who, vol_source=deployment.vol_source)
    market.step(sandbox.start_price, vol)
    stage = Stage(
        sandbox,
        mandate,
        deployment,
        path,
        market,
        Vault(deployment.vault, sandbox.w3),
        VaultLens(deployment.lens, sandbox.w3),
        dict(deployment.names),
    )
    _deposit(stage, "alice", ALICE)
    _deposit(stage, "bob", BOB)
    stage.deposited = stage.state()
    _lend(stage)
    _sell(stage, vol)
    return stage


def _deposit(stage: Stage, role: str, dollars: int) -> None:
    signer = stage.sandbox.signers[role]
    amount = dollars * 10**6
    minter = Deployer(stage.w3, stage.sandbox.signers["deployer"])
    tokens.give(
        minter, f"demo/{role}", stage.sandbox.protocols.tokens, "USDC", to=signer.address, amount=amount
    )
    minter.flush()
    ERC20(stage.deployment.asset, stage.w3).approve(stage.vault.address, amount).send(signer)
    stage.vault.deposit(amount, signer.address).send(signer)


def _lend(stage: Stage) -> None:
    aave = LendingVenue(stage.names["aave-v3"], stage.w3)
    receipt = stage.send(aave.supply(stage.deployment.asset, SUPPLIED * 10**6))
    stage.opening_logs += receipt.raw["logs"]


def _sell(stage: Stage, vol: float) -> None:
    """Sell the straddles at the strike nearest to spot, each short with collateral at its venue's target health.

    A batch an hour, in a market that stands still: sold at once, they would overrun what the guard lets a vault lose in a day.
    """
    venue = OptionVenue(stage.names["lyra-v1"], stage.w3)
    listing = _at_the_money(stage, venue.listings().read())
    target = stage.mandate.venue(_OPTION).target_health
    positions: dict[bool, int] = {}
    per_batch = STRADDLES // BATCHES
    for batch in range(1, BATCHES + 1):
        if batch > 1:
            stage.market.step(stage.sandbox.start_price, vol)
        calls = []
        for is_call in (True, False):
            required = _requirement(stage, listing, is_call=is_call, contracts=batch * per_batch)
            calls.append(
                venue.trade(
                    Trade(
                        position_id=positions.get(is_call, 0),
                        listing=listing.listing,
                        is_call=is_call,
                        size=-per_batch * _WAD,
                        collateral=round(required * target),
                        limit=0,
                    )
                )
            )
        stage.opening_logs += stage.send(*calls).raw["logs"]
        positions = {option.is_call: option.position_id for option in venue.positions().read()}


def _at_the_money(stage: Stage, listings: Sequence[Listing]) -> Listing:
    now = stage.now()
    expiries = {listing.expiry for listing in listings}
    expiry = min(expiries, key=lambda at: abs(at - now - TENOR_DAYS * _DAY))
    spot = next(u.mid for u in stage.state().underlyings if u.symbol == "WETH")
    board = [listing for listing in listings if listing.expiry == expiry]
    if not board:
        raise DemoError("the option venue lists no strike")
    return min(board, key=lambda entry: abs(entry.strike - spot))


def _requirement(stage: Stage, listing: Listing, *, is_call: bool, contracts: int) -> int:
    """Return Lyra's least collateral of a short of `contracts`, sUSD at 1e18."""
    protocol = stage.sandbox.protocols.lyra
    if protocol is None:
        raise DemoError("the demo needs Lyra on its chain")
    spot = next(u.mid for u in stage.state().underlyings if u.symbol == "WETH")
    reader = Deployer(stage.w3, stage.sandbox.signers["deployer"])
    answer = reader.call(
        Web3.to_checksum_address(protocol.option_greek_cache),
        lyra.contract("OptionGreekCache"),
        "getMinCollateral",
        3 if is_call else 4,
        listing.strike,
        listing.expiry,
        spot,
        contracts * _WAD,
    )
    return cast("int", answer)
