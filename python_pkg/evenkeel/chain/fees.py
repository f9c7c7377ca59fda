"""EIP-1559 fees: what to offer, and what a replacement must offer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenkeel.chain.errors import ChainError

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class Fees:
    """Caps of one transaction in wei a unit of gas: `max_fee` in all, `tip` of it to the proposer."""

    max_fee: int
    tip: int

    def bumped(self) -> "Fees":
        """Return fees that replace a transaction offering these: 12.5% more on both, rounded up.

        Exactly 10%, the common minimum, is refused by nodes that round the other way.
        """
        return Fees(_eighth_more(self.max_fee), _eighth_more(self.tip))


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """How fees are chosen, in wei a unit of gas.

    The tip is the median over `blocks` blocks of the reward at `percentile`, clamped to [`min_tip`, `max_tip`]. No transaction
    offers more than `max_fee` in all.
    """

    min_tip: int = GWEI // 100
    max_tip: int = 5 * GWEI
    max_fee: int = 500 * GWEI
    blocks: int = 10
    percentile: float = 30.0


class FeesTooHigh(ChainError):  # noqa: N818 - a limit, not a fault
    """The chain asks for more than the policy allows; wei a unit of gas."""

    def __init__(self, wanted: int, allowed: int) -> None:
        super().__init__(f"fees too high: {wanted} wei a unit of gas wanted, {allowed} allowed")
        self.wanted = wanted
        self.allowed = allowed


def suggest(history: Mapping[str, Any], policy: FeePolicy) -> Fees:
    """Return fees for the next block from an `eth_feeHistory` answer: maxFee = 2 x next base fee + tip.

    Twice the base fee outlasts six full blocks (1.125^6 = 2.03). Raises `FeesTooHigh` when that is over `policy.max_fee`.
    """
    rewards = sorted(int(row[0], 16) for row in history.get("reward") or () if row)
    middle = rewards[len(rewards) // 2] if rewards else policy.min_tip
    tip = min(max(middle, policy.min_tip), policy.max_tip)
    base = int(history["baseFeePerGas"][-1], 16)
    return within(Fees(2 * base + tip, tip), policy)


def within(fees: Fees, policy: FeePolicy) -> Fees:
    """Return `fees`, or raise `FeesTooHigh`."""
    if fees.max_fee > policy.max_fee:
        raise FeesTooHigh(fees.max_fee, policy.max_fee)
    return fees


def _eighth_more(amount: int) -> int:
    return amount + -(-amount // 8)
