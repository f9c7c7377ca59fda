"""Which role each restricted function needs; a function that is not here is the governor's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web3 import Web3
from web3.types import Nonce
from web3.utils.address import get_create_address

from evenkeel.bindings import Call, Contract, Fees, RedeemQueue, RiskGuard, Vault, VenueActs
from evenkeel.bindings.types import Limits, Range, VenueConfig
from evenkeel.deploy.plan import CURATOR, GUARDIAN, KEEPER, SENTINEL

_NOBODY = "0x" + "0" * 40


@dataclass(frozen=True, slots=True)
class Restricted:
    """Functions of `target`, each as any call of it, and the role that may make them."""

    target: Contract
    role: int
    calls: Sequence[Call[Any]]

    @property
    def selectors(self) -> list[bytes]:
        """The first four bytes of each function's calldata, which name it."""
        return [call.data[:4] for call in self.calls]


def acts_of(guard: RiskGuard, w3: Web3) -> VenueActs:
    """Return the part of `guard` that judges single acts: the first contract that it creates, also where it is not there yet."""
    return VenueActs(get_create_address(guard.address, Nonce(1)), w3)


def fees_of(vault: Vault, w3: Web3) -> Fees:
    """Return the fees of `vault`: the first contract that it creates, also where it is not there yet."""
    return Fees(get_create_address(vault.address, Nonce(1)), w3)


def restricted(
    vault: Vault, fees: Fees, guard: RiskGuard, acts: VenueActs, queue: RedeemQueue
) -> tuple[Restricted, ...]:
    """Return what the contracts around `vault` restrict to a role."""
    venue, limits = VenueConfig(0, 0, 0, 0), Limits(*[Range(0, 0)] * 4)
    return (
        Restricted(
            vault,
            KEEPER,
            (
                vault.rebalance([], 0, bytes(32)),
                vault.top_up(_NOBODY, 0, 0, 0),
                vault.keeper_reduce(_NOBODY, 0, 0, 0),
                vault.keeper_free(_NOBODY, 0, 0, 0),
            ),
        ),
        Restricted(vault, GUARDIAN, (vault.reduce(_NOBODY, 0, 0, 0), vault.free(_NOBODY, 0, 0, 0))),
        Restricted(
            vault,
            CURATOR,
            (
                vault.add_venue(_NOBODY, venue),
                vault.configure_venue(_NOBODY, venue),
                vault.remove_venue(_NOBODY),
            ),
        ),
        Restricted(vault, SENTINEL, (vault.tighten_venue(_NOBODY, venue),)),
        Restricted(
            guard,
            CURATOR,
            (
                guard.set_limits(_NOBODY, limits),
                guard.set_max_loss_per_call(0),
                guard.set_max_loss_per_day(0),
                guard.set_max_loss_per_reduce(0),
                guard.set_cap(bytes(32), 0, 0),
                guard.set_max_turnover(0),
                guard.set_max_perp_gross(0),
            ),
        ),
        Restricted(
            guard,
            SENTINEL,
            (
                guard.lower_max_loss_per_call(0),
                guard.lower_max_loss_per_day(0),
                guard.lower_max_loss_per_reduce(0),
                guard.lower_cap(bytes(32), 0, 0),
                guard.lower_max_turnover(0),
                guard.lower_max_perp_gross(0),
            ),
        ),
        Restricted(acts, GUARDIAN, (acts.freeze(_NOBODY), acts.unfreeze(_NOBODY))),
        Restricted(acts, CURATOR, (acts.set_tip(_NOBODY, 0, 0),)),
        Restricted(acts, SENTINEL, (acts.lower_tip(0, 0),)),
        Restricted(
            fees,
            CURATOR,
            (fees.set_management_fee(0), fees.set_performance_fee(0), fees.set_recipient(_NOBODY)),
        ),
        Restricted(fees, SENTINEL, (fees.lower_management_fee(0), fees.lower_performance_fee(0))),
        Restricted(queue, CURATOR, (queue.set_max_process_width(0), queue.set_cancel_fee(0))),
    )
