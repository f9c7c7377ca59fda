"""Plans for a vault in plain arithmetic: what is traded, where, how much, and what is said."""

import pytest
from eth_abi import decode

from demo_mandate import raw
from evenkeel.bindings.types import Exposure, Greeks
from evenkeel.instruments import book_from_state
from evenkeel.market import market_from_state
from evenkeel.planner import PlannerError, candidates, plan
from evenkeel.risk import Columns, greeks, stress_loss, unit_healths
from evenkeel.strategy import parse_mandate
from model_vault import (
    ADDRESSES,
    EXPIRY,
    LYRA,
    ORDER,
    PERP_A,
    PERP_B,
    POST,
    UNISWAP,
    VAULT,
    WAD,
    WETH,
    WITHDRAW,
    ModelVault,
    Perp,
)


def mandate(**changes):
    return parse_mandate(raw(**changes)).resolve(VAULT, ADDRESSES)


def decide(vault, rules=None):
    """The plan with every quote it asks for."""
    rules = rules or mandate()
    snapshot = vault.snapshot()
    while asked := candidates(snapshot, rules):
        snapshot = snapshot.with_quotes([vault.quote(r) for r in asked])
    return plan(snapshot, rules)


def kinds(result):
    return [a.kind for a in result.actions]


def carry_out(vault, result):
    for action in result.actions:
        if action.top_up:
            vault.top_up(action.top_up)
        vault.execute(action.instructions)


def hedged():
    """60 short straddles whose delta a perpetual holds at zero."""
    vault = ModelVault().short_straddles()
    vault.perps[PERP_A] = Perp(vault.perps[PERP_A].market, size=-vault.delta(), equity=20_000.0)
    return vault


def test_decoding_keeps_nav_and_greeks():
    vault = hedged()
    vault.held, vault.lent, vault.susd = 1.5, 50_000.0, 0.998
    state = vault.state()
    book, market = book_from_state(state), market_from_state(state)
    assert float(Columns.of(book, market).value()) == pytest.approx(vault.nav(), rel=1e-12)
    assert greeks(book, market).of("delta", WETH) == pytest.approx(vault.delta(), abs=1e-9)
    assert greeks(book, market).of("delta", next(iter(market.quote_tokens))) == pytest.approx(
        sum(o.collateral for o in vault.options)
    )
    healths = {(u.venue, u.unit): u.health for u in unit_healths(state)}
    assert healths[LYRA, 1] == pytest.approx(1.3)
    assert healths[PERP_B, 0] == float("inf")


def test_inside_the_band_nothing_is_asked_or_done():
    vault = hedged()
    assert candidates(vault.snapshot(), mandate()) == []
    assert plan(vault.snapshot(), mandate()).actions == ()


def test_outside_the_band_the_cheapest_venue_trades_to_the_inner_edge():
    vault = hedged()
    vault.spot = 2850.0
    before = vault.delta()
    result = decide(vault)
    assert kinds(result) == ["hedge"]
    (action,) = result.actions
    assert action.venue == PERP_A
    assert "outside +-" in action.reason
    assert "on perp-a at 2,8" in action.reason
    assert "against" in action.reason
    assert "on uniswap-v3" not in action.reason or before < 0
    carry_out(vault, result)
    assert 0 < abs(vault.delta()) < abs(before)
    assert plan(vault.snapshot(), mandate()).actions == ()


def test_margin_is_posted_before_the_order_that_needs_it():
    vault = ModelVault().short_straddles()
    vault.spot = 3200.0
    result = decide(vault)
    (action,) = result.actions
    selectors = [i.data[:4] for i in action.instructions]
    assert selectors == [POST, ORDER]
    carry_out(vault, result)
    perp = vault.perps[PERP_A]
    assert perp.equity / (abs(perp.size) * vault.spot * 0.0625) == pytest.approx(3.0, rel=0.05)


def test_margin_comes_from_lending_where_idle_is_short():
    vault = ModelVault(idle=50_500.0, lent=750_000.0).short_straddles()
    vault.spot = 3200.0
    (action,) = [a for a in decide(vault).actions if a.kind == "hedge"]
    assert [i.data[:4] for i in action.instructions] == [WITHDRAW, POST, ORDER]


def test_expected_funding_turns_the_choice():
    vault = ModelVault().short_straddles()
    vault.spot = 3200.0
    vault.perps[PERP_A].funding = 0.003
    (action,) = decide(vault).actions
    assert action.venue == PERP_B
    vault.perps[PERP_B].funding = 0.003
    (action,) = decide(vault).actions
    assert action.venue == UNISWAP


def test_spot_is_never_sold_beyond_what_is_held():
    vault = ModelVault(held=12.0).short_straddles()
    for perp in vault.perps.values():
        perp.working = False
    vault.spot = 2750.0
    result = decide(vault)
    (action,) = result.actions
    assert action.venue == UNISWAP
    assert "wanted" in action.reason
    carry_out(vault, result)
    assert vault.held == pytest.approx(0.0, abs=1e-5)
    assert kinds(decide(vault)) == ["alert"]


def test_failed_quotes_are_told():
    vault = ModelVault().short_straddles()
    vault.spot = 2750.0
    for perp in vault.perps.values():
        perp.working = False
    (action,) = decide(vault).actions
    assert action.kind == "alert"
    assert "perp-a: CH_TLRS" in action.reason
    assert "uniswap-v3: holds 0.0000 WETH to sell" in action.reason


def orders(*sizes):
    """Pending perpetual orders."""
    return tuple(Exposure(WETH, 0, Greeks(round(size * WAD), 0, 0, 0)) for size in sizes)


def test_what_a_pending_order_would_mend_is_not_hedged_again():
    vault = ModelVault().short_straddles()
    vault.spot = 3100.0
    short = vault.delta()
    vault.pending = orders(-short)
    (action,) = decide(vault).actions
    assert action.kind == "hold"
    assert "outside +-" in action.reason
    assert "an order is still pending" in action.reason


def test_what_no_fill_would_mend_is_hedged_at_once():
    vault = ModelVault().short_straddles()
    vault.spot = 3200.0
    (alone,) = decide(vault).actions
    vault.pending = orders(3.0)
    (action,) = decide(vault).actions
    assert action.kind == "hedge"
    (whole,), (rest,) = sizes(alone), sizes(action)
    assert rest == pytest.approx(whole - 3.0, abs=1e-5)
    # The other way round, the order's fill would add to the need: what is certain is hedged, no more.
    vault.pending = orders(-3.0)
    assert sizes(decide(vault).actions[0]) == pytest.approx([whole])


def test_an_order_that_would_carry_delta_out_is_told_before_it_fills():
    vault = hedged()
    vault.pending = orders(30.0)
    (action,) = decide(vault).actions
    assert action.kind == "alert"
    assert "delta is between 0 and 90,000 USD" in action.reason.replace("-0 and", "0 and")
    vault.pending = orders(1.0, -1.0)
    assert decide(vault).actions == ()


def test_a_pending_purchase_is_not_bought_twice_and_a_pending_sale_counts():
    vault = hedged()
    gamma = greeks(book_from_state(vault.state()), market_from_state(vault.state())).of("gamma", WETH)
    rules = mandate(gamma_usd_1pct__limit=-4000.0, stress_loss__limit=0.9)
    vault.pending = (Exposure(WETH, EXPIRY, Greeks(0, round(-gamma / 2 * WAD), 0, 0)),)
    assert decide(vault, rules).actions == ()
    vault.pending = (Exposure(WETH, EXPIRY, Greeks(0, round(gamma * WAD), 0, 0)),)
    (action,) = decide(vault, mandate()).actions
    assert action.kind == "buy_back"
    assert "gamma_usd_1pct -11," in action.reason


def sizes(action):
    """The units of every perpetual order of an action."""
    bodies = [i.data[4:] for i in action.instructions if i.data[:4] == ORDER]
    return [decode(["address", "int256", "uint256", "bool"], body)[1] / WAD for body in bodies]


def test_top_up_ends_just_under_target():
    vault = hedged()
    vault.options[1].collateral = 1.12 * vault.options[1].minimum
    (action,) = decide(vault).actions
    assert (action.kind, action.venue, action.top_up.unit) == ("top_up", LYRA, 2)
    assert "lyra-v1 unit 2 health 1.120 under target 1.20" in action.reason
    assert action.top_up.min_posted < action.top_up.assets
    vault.top_up(action.top_up)
    assert 1.19 < vault.options[1].collateral / vault.options[1].minimum < 1.2
    assert decide(vault).actions == ()


def test_the_worst_unit_comes_first_and_small_gaps_wait():
    vault = hedged()
    vault.options[0].collateral = 1.15 * vault.options[0].minimum
    vault.options[1].collateral = 1.05 * vault.options[1].minimum
    assert [a.top_up.unit for a in decide(vault).actions] == [2, 1]
    vault.options[0].collateral = vault.options[1].collateral = 1.19 * vault.options[1].minimum
    assert decide(vault).actions == ()


def test_top_up_draws_on_lending_then_on_the_reserve():
    vault = hedged()
    vault.options[1].collateral = 1.06 * vault.options[1].minimum
    vault.idle, vault.lent = 51_000.0, 750_000.0
    (action,) = [a for a in decide(vault).actions if a.kind == "top_up"]
    assert [i.data[:4] for i in action.instructions] == [WITHDRAW, POST]
    vault.lent = 0.0
    vault.idle = 9_000.0
    (action,) = [a for a in decide(vault).actions if a.kind == "top_up"]
    assert action.top_up.assets <= 9_000 * 10**6
    vault.idle = 0.0
    assert kinds(decide(vault))[0] == "alert"


def test_reserve_is_restored_from_lending():
    vault = hedged()
    vault.idle, vault.lent = 10_000.0, 800_000.0
    rules = mandate(**{"venues__aave-v3__cap": 0.9})
    (action,) = decide(vault, rules).actions
    assert action.kind == "withdraw"
    vault.execute(action.instructions)
    assert vault.idle >= 0.05 * vault.nav() * 0.997
    assert decide(vault, rules).actions == ()


def test_gamma_outside_its_limit_buys_back_the_smallest_equal_fraction():
    vault = ModelVault(idle=1_500_000.0).short_straddles(60).short_straddles(80)
    vault.perps[PERP_A] = Perp(vault.perps[PERP_A].market, size=-vault.delta(), equity=90_000.0)
    rules = mandate(vega_usd_pt__limit=-5000.0, stress_loss__limit=0.5)
    result = decide(vault, rules)
    (action,) = result.actions
    assert action.kind == "buy_back"
    assert "gamma_usd_1pct -13," in action.reason
    carry_out(vault, result)
    book, market = book_from_state(vault.state()), market_from_state(vault.state())
    gamma = greeks(book, market).report(WETH).gamma_usd_1pct
    assert gamma == pytest.approx(-9_900, rel=1e-5)
    assert vault.options[0].size / 60 == pytest.approx(vault.options[2].size / 80, rel=1e-6)
    assert decide(vault, rules).actions == ()


def test_a_part_is_bought_back_where_all_of_it_is_refused():
    vault = hedged()
    rules = mandate(gamma_usd_1pct__limit=-4000.0)
    vault.most_contracts = 5.0
    bought = []
    while vault.options[0].size < -43.0:
        result = decide(vault, rules)
        assert kinds(result) == ["buy_back"]
        before = vault.options[0].size
        carry_out(vault, result)
        bought.append(vault.options[0].size - before)
        if max(bought) < bought[0] or len(bought) == 1:
            assert "all of it at once is refused: LossTooLarge" in result.actions[0].reason
    assert all(2.5 < size <= 5.0 for size in bought[:-1])
    vault.most_contracts = 0.1
    rules = mandate(gamma_usd_1pct__limit=-2000.0)
    result = decide(vault, rules)
    assert "alert" in kinds(result)
    assert "the buy-back is refused: LossTooLarge" in result.actions[-1].reason


def test_delta_is_held_where_the_buy_back_is_refused():
    vault = hedged()
    vault.spot, vault.most_contracts = 2800.0, 0.0
    result = decide(vault, mandate(gamma_usd_1pct__limit=-100.0))
    assert kinds(result) == ["alert", "hedge"]
    assert "the buy-back is refused: LossTooLarge" in result.actions[0].reason


def test_a_part_is_hedged_where_all_of_it_is_refused():
    vault = ModelVault().short_straddles()
    vault.spot, vault.most_ether = 3200.0, 4.0
    (whole,) = decide(ModelVault(spot=3200.0).short_straddles()).actions
    (action,) = decide(vault).actions
    assert action.kind == "hedge"
    assert "all of it at once is refused: perp-a: LossTooLarge" in action.reason.replace(
        "uniswap-v3: LossTooLarge; ", ""
    )
    assert sizes(action)[0] == pytest.approx(sizes(whole)[0] / 4, abs=1e-5)


def test_a_bleeding_theta_buys_nothing_back():
    vault = hedged()
    for option in vault.options:
        option.size = -option.size
    vault.options[0].size = -1.0
    vault.perps[PERP_A].size -= vault.delta()
    result = decide(vault, mandate(theta_usd_day__limit=-5.0))
    assert kinds(result) == ["alert"]
    assert "there are no shorts to buy back that would mend it" in result.actions[0].reason


def test_stress_outside_its_limit_is_restored_too():
    vault = hedged()
    rules = mandate(stress_loss__limit=0.02)
    result = decide(vault, rules)
    assert "stress loss" in result.actions[0].reason
    carry_out(vault, result)
    after = vault.state()
    loss = stress_loss(book_from_state(after), market_from_state(after)).market.amount
    assert 0.019 < loss / vault.nav() <= 0.02


def test_forbidden_buy_backs_are_told_and_delta_is_still_held():
    vault = hedged()
    vault.spot, vault.min_delta = 2600.0, 0.45
    rules = mandate(gamma_usd_1pct__limit=-100.0)
    result = decide(vault, rules)
    assert kinds(result) == ["alert", "hedge"]
    assert "forbid buying back 2 shorts" in result.actions[0].reason


def test_a_buy_back_that_moves_delta_hedges_in_the_same_batch():
    vault = hedged()
    vault.options[0].size = -140.0
    result = decide(
        vault, mandate(gamma_usd_1pct__limit=-4000.0, stress_loss__limit=0.9, vega_usd_pt__limit=-9e3)
    )
    (action,) = result.actions
    assert action.kind == "buy_back"
    assert "; then delta" in action.reason
    assert ORDER in [i.data[:4] for i in action.instructions]
    carry_out(vault, result)
    assert abs(vault.delta()) * vault.spot < 0.02 * vault.nav()


def test_without_prices_margins_are_still_kept():
    vault = hedged()
    vault.options[1].collateral = 1.05 * vault.options[1].minimum
    vault.priced = False
    assert kinds(decide(vault)) == ["top_up", "alert"]
    vault.priced, vault.unreadable = True, (PERP_A,)
    result = decide(vault)
    assert kinds(result) == ["top_up", "alert"]
    assert "cannot read perp-a" in result.actions[1].reason


def test_a_venue_over_its_cap_is_told():
    vault = hedged()
    vault.options[0].collateral *= 5
    (action,) = decide(vault).actions
    assert action.kind == "alert"
    assert "lyra-v1 holds " in action.reason
    assert "its cap is 2" in action.reason or "its cap is 3" in action.reason


def test_expired_options_do_not_stop_the_plan():
    vault = hedged()
    vault.timestamp = EXPIRY + 60
    vault.spot = 3300.0
    assert "hedge" in kinds(decide(vault))


def test_an_expired_option_is_settled_and_counts_as_what_its_venue_says():
    vault = hedged()
    vault.timestamp, vault.spot = EXPIRY + 60, 3100.0
    result = decide(vault)
    assert result.actions[0].kind == "withdraw"
    assert "position 1, 2 expired" in result.actions[0].reason
    assert len(result.actions[0].instructions) == 2
    book, market = book_from_state(vault.state()), market_from_state(vault.state())
    assert float(Columns.of(book, market).value()) == pytest.approx(vault.nav(), rel=1e-12)
    assert greeks(book, market).of("delta", WETH) == pytest.approx(vault.perps[PERP_A].size)


def test_unknown_underlying_is_named():
    with pytest.raises(PlannerError, match="the vault has no limits for WBTC; it knows WETH, sUSD"):
        plan(ModelVault().snapshot(), mandate(underlyings=["WBTC"]))
