"""Plans for what a vault owes others: the redeem queue, the oracle, and units that only their protocol can read."""

import pytest
from eth_abi import encode

from demo_mandate import raw
from evenkeel.bindings.errors import BreakerTripped
from evenkeel.bindings.types import Breaker, VenueVolState
from evenkeel.planner import CriticalTopUp, Sync, plan
from evenkeel.strategy import parse_mandate
from model_vault import (
    AAVE,
    ADDRESSES,
    EXPIRY,
    LYRA,
    NOW,
    PERP_A,
    USDC,
    VAULT,
    WAD,
    WETH,
    ModelVault,
    Perp,
)

VOLS = "0x" + "77" * 20
"""Where a venue's vols are stored."""


def mandate(**changes):
    return parse_mandate(raw(**changes)).resolve(VAULT, ADDRESSES)


def actions(vault, **changes):
    return plan(vault.snapshot(), mandate(**changes)).actions


def kinds(vault, **changes):
    return [action.kind for action in actions(vault, **changes)]


# The queue: a million shares, so a share is worth a millionth of NAV


def test_the_line_is_paid_from_idle():
    (action,) = actions(ModelVault(idle=1_000_000.0, waiting=200_000.0, requests=3))
    assert (action.kind, action.process) == ("redeem", 3)
    # 0.2% under the mid of a million: the low NAV.
    assert "owed 199,600.00 USD; idle reaches 199,600.00" in action.reason


def test_no_more_requests_are_looked_at_than_a_transaction_holds():
    assert actions(ModelVault(waiting=200_000.0, requests=5_000))[0].process == 40


def test_a_line_that_would_be_refused_is_not_sent():
    class Wide(ModelVault):
        def state(self):
            found = super().state()
            object.__setattr__(found.queue, "max_width", 3 * 10**15)
            return found

    assert kinds(Wide(idle=1_000_000.0, waiting=200_000.0, requests=1)) == []
    assert kinds(ModelVault(idle=1_000_000.0, requests=1)) == []


def test_dust_in_line_is_not_worth_its_gas():
    """A payment's gas is 0.30 dollars here."""
    assert kinds(ModelVault(idle=1_000_000.0, waiting=2.0, requests=1)) == []
    assert kinds(ModelVault(idle=1_000_000.0, waiting=4.0, requests=1)) == ["redeem"]


def test_lending_is_drawn_on_before_the_line_is_paid():
    vault = ModelVault(idle=300_000.0, lent=700_000.0, waiting=600_000.0, requests=1)
    withdraw, pay = (a for a in actions(vault) if a.kind != "alert")
    assert (withdraw.kind, pay.kind) == ("withdraw", "redeem")
    vault.execute(withdraw.instructions)
    # What is owed at the high NAV and 5% of the rest, less what there was.
    owed = 0.6 * 1_000_000 * 1.002 * 1.001
    rest = 1_000_000 * 0.998 - 0.6 * 1_000_000 * 0.998
    assert vault.idle == pytest.approx(owed + 0.05 * rest, rel=1e-9)
    assert "owed to the redeem queue; withdraws " in withdraw.reason


def test_margin_is_freed_down_to_its_target_and_no_further():
    vault = ModelVault(idle=100_000.0, waiting=400_000.0, requests=1)
    vault.perps[PERP_A] = Perp(vault.perps[PERP_A].market, equity=300_000.0)
    free = next(a for a in actions(vault) if a.kind == "free").free
    assert (free.venue, free.unit) == (PERP_A, 0)
    owed = 400_000.0 * 0.4 * 1.002 * 1.001
    assert free.assets / 1e6 == pytest.approx(owed - 100_000, rel=1e-6)
    # Ten short ether owe 1,875 of maintenance; three times that stays, and a little for the way.
    vault.perps[PERP_A] = Perp(vault.perps[PERP_A].market, size=-10.0, equity=40_000.0)
    vault.held, vault.idle, vault.waiting = 10.0, 30_000.0, 900_000.0
    free = next(a for a in actions(vault) if a.kind == "free").free
    assert free.assets / 1e6 == pytest.approx(40_000 - 1.02 * 3.0 * 1_875, rel=1e-6)


def test_what_cannot_be_raised_is_told_and_what_is_there_is_paid():
    found = actions(ModelVault(idle=10_000.0, held=10.0, waiting=600_000.0, requests=1))
    assert any("can neither be withdrawn nor freed" in action.reason for action in found)
    assert "idle reaches 10,000.00" in next(a for a in found if a.kind == "redeem").reason


def test_a_critical_unit_goes_before_the_line():
    class Critical(ModelVault):
        def state(self):
            found = super().state()
            for venue in found.venues:
                if venue.venue == PERP_A:
                    object.__setattr__(venue.config, "critical_health", 13 * 10**17)
            return found

    vault = Critical(idle=20_000.0, held=100.0, waiting=300_000.0, requests=1)
    vault.perps[PERP_A] = Perp(vault.perps[PERP_A].market, size=-100.0, equity=15_000.0)
    found = actions(vault)
    assert [a.kind for a in found[:2]] == ["top_up", "top_up"]
    assert isinstance(found[1].top_up, CriticalTopUp)
    assert found[1].instead
    pay = next(a for a in found if a.kind == "redeem")
    # 1.3 x 18,750 less 15,000 of idle is the unit's.
    assert "idle reaches 10,625.00" in pay.reason


# The oracle


def tripped(token, rounds=0, round_at=0, read_at=0):
    numbers = (4_400 * WAD, 3_000 * WAD, 4 * WAD // 10)
    error = BreakerTripped.SELECTOR + encode(["address", *["uint256"] * 3], [token, *numbers])
    return ModelVault(
        priced=False,
        failures={token: error},
        breakers={token: Breaker(3_000 * WAD, NOW - 600, WAD, 0, round_at, rounds)},
        read_at=read_at,
    )


def test_a_tripped_breaker_is_poked_once_a_round():
    first = actions(tripped(WETH))
    assert [a.kind for a in first] == ["poke", "alert"]
    assert first[0].poke == WETH
    assert "BreakerTripped(token=" in first[0].reason
    assert kinds(tripped(WETH, rounds=1, round_at=NOW - 300, read_at=NOW - 1)) == ["alert"]
    assert kinds(tripped(WETH, rounds=1, round_at=NOW - 300, read_at=NOW)) == ["poke", "alert"]


def test_a_breaker_is_not_poked_for_want_of_another_price():
    """The asset's own breaker holds ether's dollar price back; ether's rounds would not count."""
    vault = tripped(USDC)
    vault.failures = {WETH: vault.failures[USDC]}
    assert kinds(vault) == ["alert"]


def test_old_levels_are_renewed_and_young_ones_left():
    old = Breaker(3_000 * WAD, NOW - 21_600, WAD, 0, 0, 0)
    vault = ModelVault(breakers={WETH: old})
    (action,) = actions(vault)
    assert (action.kind, action.poke) == ("poke", WETH)
    assert action.reason == "WETH: the breaker's level of 3,000.0000 is 6.0 h old; has it renewed"
    assert kinds(vault, poke_seconds=21_601) == []
    # No breaker, no poke.
    assert kinds(ModelVault(breakers={WETH: Breaker(0, 0, 0, 0, 0, 0)})) == []


# Venues' stored vols


def test_vols_that_were_stored_long_ago_are_stored_anew_and_young_ones_left():
    young, old, never = (
        VenueVolState(VOLS, WETH, expiry, at)
        for expiry, at in ((EXPIRY, NOW - 3_599), (EXPIRY + 1, NOW - 3_600), (EXPIRY + 2, 0))
    )
    found = actions(ModelVault(venue_vols=(young, old, never)))
    assert [(a.kind, a.sync) for a in found] == [
        ("sync", Sync(VOLS, WETH, EXPIRY + 2)),
        ("sync", Sync(VOLS, WETH, EXPIRY + 1)),
    ]
    assert found[0].reason.endswith(": the venue's own vol was never stored; has it stored anew")
    assert found[1].reason.startswith("WETH 20")
    assert found[1].reason.endswith(": the venue's own vol was stored 1.0 h ago; has it stored anew")
    assert kinds(ModelVault(venue_vols=(old,)), sync_seconds=3_601) == []
    # Of what cannot be priced nothing is stored: it would widen nothing.
    assert kinds(ModelVault(venue_vols=(old,), unreadable=(LYRA,))) == ["alert"]


# Units


def test_a_unit_of_a_venue_that_cannot_be_valued_is_topped_up():
    vault = ModelVault(unreadable=(LYRA,)).short_straddles(health=1.1)
    found = actions(vault)
    assert [a.kind for a in found] == ["top_up", "top_up", "alert"]
    assert {a.top_up.venue for a in found[:2]} == {LYRA}


def test_without_prices_cash_for_a_top_up_is_freed_from_lending():
    vault = ModelVault(idle=0.0, lent=200_000.0, unreadable=(LYRA,)).short_straddles(n=10.0, health=1.1)
    found = actions(vault)
    assert [a.kind for a in found] == ["free", "free", "alert"]
    assert {a.free.venue for a in found[:2]} == {AAVE}


def test_a_frozen_venue_is_told_and_not_topped_up():
    class Frozen(ModelVault):
        def state(self):
            found = super().state()
            object.__setattr__(next(v for v in found.venues if v.venue == LYRA), "frozen", True)
            return found

    vault = Frozen().short_straddles(n=5.0, health=1.1)
    found = [a for a in actions(vault) if a.venue == LYRA]
    assert [a.kind for a in found] == ["alert", "alert"]
    assert "the guardian froze the venue" in found[0].reason
