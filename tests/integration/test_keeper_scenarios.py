"""What a keeper does on the demo's book when something is wrong: limits, venues, cash, prices. Real keeper, real protocols."""

from dataclasses import replace

import pytest
from open_book import WAD, OpenBook, kinds, reasons, renew_levels, settle, step, wait
from vault_desk import Desk

from demo_mandate import DEMO
from evenkeel.bindings import ERC20, AccessManager, LendingVenue, RiskGuard, SpotVenue
from evenkeel.demo.stage import set_up
from evenkeel.deploy import VaultPlan
from evenkeel.sandbox import up
from evenkeel.sandbox.artifacts import hardhat
from evenkeel.sandbox.protocols import aave
from evenkeel.strategy import load_mandate

pytestmark = pytest.mark.integration

VOL = 0.75
HALF_AN_HOUR = 1_800


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with up() as sandbox:
        stage = set_up(sandbox, load_mandate(DEMO), VaultPlan(), VOL, tmp_path_factory.mktemp("stage"))
        renew_levels(stage)
        yield stage


@pytest.fixture
def book(opened, tmp_path):
    before = opened.sandbox.node.rpc("evm_snapshot")
    yield OpenBook(opened, tmp_path)
    opened.sandbox.node.rpc("evm_revert", before)


def fall(book, keeper, *prices, vol=0.9):
    """Step through `prices` with the keeper at work; returns the last outcome."""
    for price in prices:
        book.stage.market.step(price, vol)
        outcome = settle(keeper)[-1]
    return outcome


def set_cap(book, name, fraction):
    """Set a venue's cap on chain."""
    vault, venue = book.stage.vault, book.stage.names[name]
    config = replace(vault.venue_config(venue).read(), cap=round(fraction * WAD))
    vault.configure_venue(venue, config).send(book.stage.sandbox.signers["curator"])


def allow_loss(book, fraction):
    """Set what a call may lose, which is what the loss bucket holds too, on chain."""
    guard = RiskGuard(book.stage.deployment.guard, book.stage.w3)
    guard.set_max_loss_per_call(round(fraction * WAD)).send(book.stage.sandbox.signers["curator"])


def health(book, name):
    """The worst health of a venue."""
    venue = next(v for v in book.stage.state().venues if v.venue == book.stage.names[name])
    return min(u.health for u in venue.units) / WAD


# Greeks and stress outside their limits


def assert_smallest_equal_fraction(book, before, fraction):
    after = book.shorts()
    assert {i: size / before[i] for i, size in after.items()} == pytest.approx(
        dict.fromkeys(before, 1 - fraction), rel=1e-6
    )


@pytest.mark.parametrize(
    ("field", "limit"), [("gamma_usd_1pct", -4_000.0), ("vega_usd_pt", -400.0)], ids=["gamma", "vega"]
)
def test_a_greek_outside_its_limit_buys_back_the_smallest_equal_fraction(book, field, limit):
    rules = {f"{field}__limit": limit}
    book.limit_on_chain(**rules)
    # Opening the book has used most of the loss budget.
    allow_loss(book, 0.01)
    before, shorts = getattr(book.report(), field), book.shorts()
    with book.keeper(**rules) as keeper:
        outcomes = settle(keeper)
    assert [o.kind for o in outcomes] == ["sent", "nothing"]
    assert kinds(outcomes[0]) == ["buy_back"]
    after = getattr(book.report(), field)
    # Up to the cushion of 1%, within which a fraction slightly smaller would not have been enough.
    assert after == pytest.approx(0.99 * limit, rel=1e-4)
    fraction = 1 - after / before
    assert before * (1 - 0.93 * fraction) < limit
    assert_smallest_equal_fraction(book, shorts, fraction)
    assert f"{field} {before:,.0f} under {limit:,.0f}" in reasons(outcomes[0])
    assert abs(book.report().delta_usd) < 0.05 * outcomes[-1].decided.greeks["nav"]["low"]


def test_stress_outside_its_limit_is_restored_with_the_hedge_in_the_same_batch(book):
    shorts = book.shorts()
    assert book.stress() > 0.025
    allow_loss(book, 0.01)
    with book.keeper(stress_loss__limit=0.025) as keeper:
        outcomes = settle(keeper)
    assert [o.kind for o in outcomes] == ["sent", "nothing"]
    assert "stress loss " in reasons(outcomes[0])
    assert 0.98 * 0.025 < book.stress() <= 0.99 * 0.025
    assert_smallest_equal_fraction(book, shorts, 1 - book.shorts()[2] / shorts[2])


def test_a_buy_back_beyond_the_loss_budget_is_done_in_parts_as_it_refills(book):
    """The bucket now holds 0.04% of NAV, opening the book overfilled it, and it leaks 0.6% a day."""
    allow_loss(book, 0.0004)
    rules = {"gamma_usd_1pct__limit": -3_000.0}
    book.limit_on_chain(**rules)
    with book.keeper(config=replace(OpenBook.CONFIG, error_budget=0), **rules) as keeper:
        outcome = step(keeper)
        assert outcome.kind == "hold"
        assert "the buy-back is refused: LossTooLarge(loss=" in reasons(outcome)
        assert "and the smallest part of it: BudgetExceeded(loss=" in reasons(outcome)
        assert "the loss budget has 0 USD left and regains 5," in reasons(outcome)
        sent = []
        for _ in range(24):
            book.stage.market.step(3_000, VOL)
            outcomes = settle(keeper)
            sent += [o for o in outcomes if o.kind == "sent"]
            if outcomes[-1].kind == "nothing":
                break
    assert outcomes[-1].kind == "nothing"
    assert len([o for o in sent if kinds(o)[0] == "buy_back"]) > 1
    assert any("all of it at once is refused: " in reasons(o) for o in sent)
    assert book.report().gamma_usd_1pct == pytest.approx(-2_970, rel=1e-3)


def test_outside_lyras_delta_bounds_delta_is_held_and_nothing_is_sent_in_vain(book):
    loose = {"risk_aversion": 3_000.0}
    with book.keeper(**loose) as keeper:
        fall(book, keeper, 2_640, 2_320, 2_040, 1_880)
    tight = {"gamma_usd_1pct__limit": -300.0, **loose}
    book.limit_on_chain(**tight)
    with book.keeper(**tight) as keeper:
        nonce = book.nonce
        for _ in range(3):
            outcome = step(keeper)
            assert outcome.kind == "hold"
            assert kinds(outcome) == ["alert"], reasons(outcome)
            book.node.rpc("evm_mine")
        assert "the venue's bounds forbid buying back 2 shorts, so delta alone is held" in reasons(outcome)
        assert book.nonce == nonce
        assert book.transactions() == []
        assert "forbid buying back 2 shorts" in str(book.decisions()[-1].plan)
        # The breach that cannot be mended does not stop the hedge of what can.
        book.stage.market.step(1_780, 0.9)
        step(keeper)
        hedged = [o for o in settle(keeper) if o.kind == "sent"]
        assert book.transactions()[-1].intent.kind == "hedge", hedged
        assert all(tx.state == "confirmed" for tx in book.transactions())
        assert abs(book.report().delta_usd) < 5_000


def test_what_has_expired_is_settled_and_its_delta_is_gone(book):
    with book.keeper() as keeper:
        settle(keeper)
        hedge = sum(p.size for v in book.stage.state().venues for p in v.perps) / WAD
        assert hedge == pytest.approx(2.567, rel=1e-3)
        # Past the last expiry, 100 dollars in the money for the calls.
        book.stage.market.step(3_100, VOL, 43 * 86_400)
        assert book.shorts()
        idle = book.stage.state().idle
        outcomes = settle(keeper)
    first = outcomes[0].decided
    sent = [tx.intent.kind for tx in book.transactions()]
    assert [kind for kind in sent if kind != "poke"] == ["hedge", "withdraw", "hedge"]
    assert "expired with" in reasons(outcomes[0])
    # Lyra has fixed their price: what is left to hedge is the old hedge alone.
    delta = first.greeks["greeks"]["WETH"]["delta_usd"]
    assert delta == pytest.approx(hedge * 3_100, rel=1e-3)
    assert book.shorts() == {}
    assert book.stage.state().idle > idle + 100_000 * 10**6
    assert abs(book.report().delta_usd) < 500


# Cash


def supply(book, left):
    """Lend the vault's idle cash but for `left` dollars."""
    set_cap(book, "aave-v3", 1.0)
    lending = LendingVenue(book.stage.names["aave-v3"], book.stage.w3)
    book.stage.send(lending.supply(book.stage.deployment.asset, book.stage.state().idle - left * 10**6))


def test_a_short_under_its_target_is_topped_up_from_lending_when_idle_is_short(book):
    supply(book, 52_000)
    book.stage.market.step(2_700, 0.8)
    assert health(book, "lyra-v1") < 1.08
    with book.keeper(**{"venues__aave-v3__cap": 1.0}) as keeper:
        outcome = settle(keeper)[0]
    action = outcome.decided.plan.actions[0]
    assert action.kind == "top_up"
    assert "idle is short, so it withdraws from lending and posts" in action.reason
    assert [item.venue for item in action.instructions] == [
        book.stage.names["aave-v3"],
        book.stage.names["lyra-v1"],
    ]
    assert 1.18 < health(book, "lyra-v1") < 1.2


def test_a_broken_limit_does_not_keep_lent_cash_from_a_top_up(book):
    """Gamma is outside its limit, no option can be bought, and idle is at its reserve."""
    loose = {"risk_aversion": 3_000.0, "venues__aave-v3__cap": 1.0}
    with book.keeper(**loose) as keeper:
        fall(book, keeper, 2_640, 2_320, 2_040, 1_880)
    supply(book, 52_000)
    tight = {"gamma_usd_1pct__limit": -300.0, **loose}
    book.limit_on_chain(**tight)
    book.stage.market.step(1_720, 0.95)
    assert health(book, "lyra-v1") < 1.15
    with book.keeper(**tight) as keeper:
        last = settle(keeper)[-1]
    assert kinds(last) == ["alert"]
    assert [tx.intent.kind for tx in book.transactions()] == ["withdraw", "top_up", "hedge"]
    assert health(book, "lyra-v1") > 1.18


def borrow_everything(book):
    """As in a run: a stranger borrows all the USDC that Aave has."""
    desk = Desk(book.stage.sandbox, book.stage.deployment)
    protocol, usdc = desk.protocols.aave, desk.protocols.tokens["USDC"].address
    reader, pool = (
        hardhat("aave-core-v3", "misc/AaveProtocolDataProvider.sol"),
        aave.contract("pool/Pool.sol"),
    )
    a_token = desk.ask(protocol.data_provider, reader, "getReserveTokensAddresses", usdc)[0]
    stranger = desk.chain.signers["arbitrageur"]
    ether = 1_000_000 * WAD
    desk.token("WETH").approve(protocol.pool, ether).send(stranger)
    desk.act("arbitrageur", protocol.pool, pool, "supply", book.weth, ether, stranger.address, 0)
    left = desk.token("USDC").balance_of(a_token).read()
    desk.act("arbitrageur", protocol.pool, pool, "borrow", usdc, left, 2, 0, stranger.address)


def test_where_lending_is_short_too_the_reserve_is_used_and_then_it_says_so(book):
    supply(book, 9_000)
    borrow_everything(book)
    book.stage.market.step(2_700, 0.8)
    with book.keeper(**{"venues__aave-v3__cap": 1.0}) as keeper:
        first = step(keeper)
        assert "uses the reserve, 9,000 USD idle" in reasons(first)
        assert book.transactions()[0].intent.kind == "top_up"
        last = fall(book, keeper, 2_400)
    assert last.kind == "hold"
    assert "there is no cash to post" in reasons(last)


def test_a_perp_under_its_target_is_topped_up_and_a_larger_hedge_posts_first(book):
    with book.keeper() as keeper:
        opened = settle(keeper)[0]
        assert "posts 1,4" in reasons(opened)
        assert "of margin first" in reasons(opened)
        assert len(opened.decided.plan.actions[0].instructions) == 2
        assert health(book, "perp-b") == pytest.approx(3.0, rel=0.05)
        book.stage.market.step(2_700, 0.8)
        assert health(book, "perp-b") < 1.8
        outcomes = settle(keeper)
    intents = [tx.intent for tx in book.transactions()]
    assert [i.kind for i in intents] == ["hedge", "top_up", "top_up", "hedge"]
    assert "perp-b unit 0 health 1." in intents[1].reason
    assert "under target 3.00 and minimum 1.80; posts" in intents[1].reason
    assert outcomes[-1].kind == "nothing"
    assert health(book, "perp-b") > 2.9


def test_a_keeper_without_its_role_does_what_anyone_may_for_a_critical_unit(book):
    with book.keeper() as keeper:
        settle(keeper)
        authority = AccessManager(book.stage.deployment.authority, book.stage.w3)
        authority.revoke_role(1, book.stage.sandbox.accounts["keeper"]).send(
            book.stage.sandbox.signers["deployer"]
        )
        book.stage.market.step(2_600, 0.8)
        assert health(book, "perp-b") < 1.3
        outcome = step(keeper)
        assert outcome.kind == "sent"
        assert "as anyone may where it is critical" in outcome.detail
        step(keeper)
        assert health(book, "perp-b") > 2.9
    assert "AccessManagedUnauthorized" in str(book.decisions()[-2].error)


# The choice of a venue


def push(book, name, price):
    """Trade one perpetual's pool to `price` and leave the others."""
    perps = book.stage.market._perps
    chain = book.stage.market._chain
    slots = [chain.read([read])[0] for read in perps.reads()]
    (block,) = perps.push(price, slots)
    chain.mine([t for t in block if t.actor.startswith(name)], chain.now() + 60, settle=900)


def cheapest(book, **changes):
    """The first action's reason in a dry run."""
    with book.keeper(dry=True, said=[], **changes) as keeper:
        return step(keeper).decided.plan.actions[0].reason


def test_the_cheapest_of_spot_and_the_perps_is_chosen_with_expected_funding(book):
    free = cheapest(book)
    assert "WETH on perp-b at" in free
    assert "on uniswap-v3" in free.partition("against")[2]
    assert "on perp-a" in free.partition("against")[2]
    # Longs of perp-b now pay 0.17% a day: cheap to hold for an hour, dear for a month.
    push(book, "perp-b", 3_005)
    quick, slow = cheapest(book, expected_holding_days=0.0), cheapest(book, expected_holding_days=30.0)
    assert "WETH on uniswap-v3 at" in slow or "WETH on perp-a at" in slow
    dear, cheap = (float(cost(words, "perp-b")) for words in (slow, quick))
    assert dear > cheap + 300
    # The other side is paid for it.
    push(book, "perp-a", 2_995)
    paid = cheapest(book, expected_holding_days=30.0)
    assert "WETH on perp-a at" in paid
    assert float(cost(paid, "perp-a")) < 0


def cost(reason, venue):
    """The all-in cost that `reason` names for `venue`."""
    if f"on {venue} at" in reason:
        return reason.partition("all-in ")[2].split(" ")[0].replace(",", "")
    before = reason.partition("against ")[2].split(f" on {venue}")[0]
    return before.split(" ")[-1].replace(",", "")


def test_spot_is_sold_only_as_far_as_it_is_held(book):
    spot = SpotVenue(book.stage.names["uniswap-v3"], book.stage.w3)
    book.stage.send(spot.swap(book.weth, 4 * WAD, 4_000 * WAD))
    book.stage.market.step(2_700, 0.8)
    closed = {"venues__perp-a__cap": 0.0, "venues__perp-b__cap": 0.0}
    with book.keeper(**closed) as keeper:
        outcomes = settle(keeper)
    hedge = next(tx.intent.reason for tx in book.transactions() if tx.intent.kind == "hedge")
    assert "sells 4.0000 WETH on uniswap-v3" in hedge
    assert " wanted" in hedge
    weth = ERC20(book.weth, book.stage.w3)
    assert weth.balance_of(spot.address).read() < WAD // 10**5
    assert "cannot trade WETH: uniswap-v3: holds 0.0000 WETH to sell" in reasons(outcomes[-1])


# Bands


def test_a_fixed_band_trades_to_its_inner_edge(book):
    band = {"band__mode": "fixed", "band__fixed_trigger": 0.3, "band__fixed_inner": 0.1}
    nav = book.stage.state().valuation.low / WAD
    assert 0.3 * 0.05 * nav < abs(book.report().delta_usd)
    with book.keeper(**{**band, "band__fixed_trigger": 0.5}) as keeper:
        assert step(keeper).kind == "nothing"
    with book.keeper(**band) as keeper:
        assert settle(keeper)[0].kind == "sent"
    assert abs(book.report().delta_usd) == pytest.approx(0.1 * 0.05 * nav, rel=2e-3)


def test_more_aversion_hedges_more_often(book):
    hedges = {}
    for aversion in (100.0, 10_000.0):
        before = book.node.rpc("evm_snapshot")
        with book.keeper(risk_aversion=aversion, delta_usd__limit=0.2, cycle_seconds=60.0) as keeper:
            for price in (3_000, 2_985, 2_970, 2_955, 2_940):
                book.stage.market.step(price, VOL, HALF_AN_HOUR)
                settle(keeper)
        hedges[aversion] = sum(tx.intent.kind == "hedge" for tx in book.transactions())
        book.node.rpc("evm_revert", before)
    assert hedges[10_000.0] >= hedges[100.0] + 3


# What cannot be read or is refused


def test_a_stale_feed_is_waited_out(book):
    with book.keeper(config=replace(OpenBook.CONFIG, error_budget=3)) as keeper:
        settle(keeper)
        nonce = book.nonce
        wait(book, 4_600)
        for _ in range(6):
            outcome = step(keeper)
            assert outcome.kind == "hold"
            assert kinds(outcome) == ["alert"], reasons(outcome)
            wait(book, 12)
        assert "no price of WETH" in reasons(outcome)
        assert book.nonce == nonce
        assert "no price of WETH" in str(book.decisions()[-1].plan)
        book.stage.market.step(2_850, 0.8)
        assert {o.kind for o in settle(keeper)} == {"sent", "nothing"}


def test_without_a_vol_it_tops_up_and_trades_nothing(book):
    with book.keeper(config=replace(OpenBook.CONFIG, error_budget=3)) as keeper:
        settle(keeper)
        wait(book, 86_400)
        book.stage.market.step(2_700, None)
        assert health(book, "perp-b") < 1.8
        assert health(book, "lyra-v1") < 1.1
        first = step(keeper)
        assert first.kind == "sent"
        assert kinds(first)[:2] == ["top_up", "top_up"]
        assert "cannot read lyra-v1 (" in reasons(first)
        for _ in range(6):
            outcome = settle(keeper)[-1]
            assert outcome.kind == "hold"
            assert kinds(outcome) == ["alert"], reasons(outcome)
            book.node.rpc("evm_mine")
        # The short itself too: Lyra's margin needs no vol of ours.
        assert health(book, "perp-b") > 2.9
        assert health(book, "lyra-v1") > 1.18
        assert "cannot read lyra-v1 (" in reasons(outcome)
        book.stage.market.step(2_690, 0.8)
        assert [o.kind for o in settle(keeper)][-1] == "nothing"
    assert {tx.intent.kind for tx in book.transactions()} == {"hedge", "top_up", "poke"}


def test_a_venue_that_cannot_be_read_is_an_alert_and_no_crash(book):
    broken = next(p for p in book.stage.sandbox.protocols.perps if p.name == "perp-a")
    code = book.stage.w3.eth.get_code(broken.account_balance).hex()
    with book.keeper() as keeper:
        book.node.rpc("anvil_setCode", broken.account_balance, "0xfe")
        book.node.rpc("evm_mine")
        outcome = step(keeper)
        assert outcome.kind == "hold"
        assert reasons(outcome).startswith("cannot read perp-a (")
        book.node.rpc("anvil_setCode", broken.account_balance, "0x" + code.removeprefix("0x"))
        book.node.rpc("evm_mine")
        assert settle(keeper)[0].kind == "sent"


def test_caps_stricter_on_chain_than_in_the_mandate_refuse_trades_and_no_top_up(book):
    book.stage.market.step(2_750, 0.8)
    for name in ("lyra-v1", "perp-a", "perp-b", "uniswap-v3"):
        set_cap(book, name, 0.0001)
    with book.keeper() as keeper:
        last = settle(keeper)[-1]
    # What top-ups may always post is beyond any setter.
    assert {tx.intent.kind for tx in book.transactions()} == {"top_up"}
    assert health(book, "lyra-v1") > 1.18
    assert last.kind == "hold"
    assert "cannot trade WETH: " in reasons(last)
    assert "perp-b: CapExceeded(venue=" in reasons(last)


def test_a_limit_on_chain_that_the_plan_would_break_is_told(book):
    """The mandate wants delta at +3% of NAV; the guard allows 1%."""
    with book.keeper(delta_usd__target=0.03) as keeper:
        book.limit_on_chain(delta_usd__limit=0.01)
        outcomes = settle(keeper, 20)
    assert outcomes[-1].kind == "hold"
    assert "LimitBreached(underlying=" in reasons(outcomes[-1])
    assert "measure=DELTA" in reasons(outcomes[-1])
    nav = book.stage.state().valuation.low / WAD
    assert abs(book.report().delta_usd) <= 0.01 * nav * (1 + 1e-9)
    assert all(tx.state == "confirmed" for tx in book.transactions())


# What was asked of it


def test_a_dry_run_prints_its_plan_and_sends_nothing(book):
    said, nonce = [], book.nonce
    with book.keeper(dry=True, said=said) as keeper:
        first = step(keeper)
        wait(book, 12)
        second = step(keeper)
    assert (first.kind, second.kind) == ("dry", "dry")
    assert book.nonce == nonce
    assert said[0].startswith("dry run (as asked): plans as ")
    assert ": hedge: delta -18," in said[1]
    assert ": hedge: delta -18," in said[2]
