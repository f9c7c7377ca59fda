"""What a stolen keeper key costs in a day on the real protocols: at most a call's and a day's loss. See docs/invariants.md."""

import os
from collections import Counter

import pytest
from thief import Thief
from vault_desk import WAD, wad

from evenkeel.bindings import RiskGuard

pytestmark = pytest.mark.integration

PER_CALL, PER_DAY = 0.0025, 0.0075
DAYS = (("fees", 1), ("errors", 30), ("anything", 30), ("fees", 30), ("errors", 30), ("anything", 1))
"""What a thief lives on, and the vault's size in millions: in a small one, moving a deep pool costs more than it brings."""
USUAL = 3
SEED = 12
"""Of the first day: from here on each kind of action succeeds at least twice in the usual days."""
DUST = WAD // 1_000
KINDS = (
    "wash pool",
    "wash market",
    "squeeze pool",
    "squeeze market",
    "squeeze both",
    "reduce only",
    "lend",
    "take back",
    "borrow",
    "repay",
    "move",
    "move back",
    "post",
    "free",
    "top up",
    "enter",
    "leave",
    "mark",
    "sell blind",
)


def limit(desk, per_call, per_day):
    guard, curator = RiskGuard(desk.deployment.guard, desk.w3), desk.chain.signers["curator"]
    guard.set_max_loss_per_call(wad(per_call)).send(curator)
    guard.set_max_loss_per_day(wad(per_day)).send(curator)


def live(desk, number, done, hours=24):
    """The day of that number, from the block that all start from."""
    return spend(desk, *DAYS[number % len(DAYS)], number, done, hours)


def spend(desk, style, millions, number, done, hours=24):
    """One day; parts of the bound that the thief made and the vault lost."""
    node = desk.chain.node
    start = node.rpc("evm_snapshot")
    if millions > 1:
        desk.deposit((millions - 1) * 1_000_000)
    thief = Thief(desk, style, SEED + number)
    result = thief.day(hours)
    node.rpc("evm_revert", start)
    done.update(thief.done)
    bound = result.highest * (PER_CALL + PER_DAY) + DUST
    parts = result.profit / bound, result.fall / bound
    print(f"day {number}, {style}, {millions}M: made {parts[0]:.1%} of the bound, cost {parts[1]:.1%}")
    return parts


def test_a_day_costs_at_most_its_bound(desk):
    """$EVENKEEL_EXAMPLES asks for a fiftieth as many days."""
    limit(desk, PER_CALL, PER_DAY)
    done, parts = Counter(), []
    for number in range(max(USUAL, int(os.environ.get("EVENKEEL_EXAMPLES", "0")) // 50)):
        parts.append(live(desk, number, done))
        assert max(parts[-1]) <= 1
    print(dict(sorted(done.items())))
    assert not [kind for kind in KINDS if not done[kind]]
    # A thief that never came near its bound would have tried nothing.
    assert max(made for made, _ in parts) > 0.7


@pytest.mark.parametrize(
    ("per_call", "per_day", "hours"), [(0.02, PER_DAY, 2), (PER_CALL, 0.05, 12)], ids=["call", "day"]
)
def test_the_bound_is_what_stops_the_thief(desk, per_call, per_day, hours):
    """With either half of the limit at its ceiling the same thief takes more."""
    limit(desk, per_call, per_day)
    made, _ = live(desk, 0, Counter(), hours)
    assert made > 1


def test_funding_costs_at_most_the_bound(desk):
    """Both markets are held off their index all day, against a long and a short as large as perps may be."""
    limit(desk, PER_CALL, PER_DAY)
    done = Counter()
    parts = spend(desk, "funding", 30, 0, done)
    assert done["pair"] >= 1
    assert max(parts) <= 1
