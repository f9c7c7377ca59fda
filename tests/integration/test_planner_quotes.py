"""Plans for a real vault on the real protocols: quoted by them, carried out by them, explained to the cent."""

from pathlib import Path

import pytest
from vault_desk import WAD

from evenkeel.bindings import VaultLens
from evenkeel.bindings.types import Kind, Trade
from evenkeel.chain.block import BlockRef
from evenkeel.chain.snapshot import Quote, Snapshot
from evenkeel.demo.ledger import executed
from evenkeel.instruments import book_from_state
from evenkeel.market import market_from_state
from evenkeel.planner import candidates, plan
from evenkeel.risk import Columns, explain, greeks
from evenkeel.strategy import load_mandate

pytestmark = pytest.mark.integration

DEMO = Path(__file__).parents[2] / "examples" / "demo.toml"
DAY = 86_400


@pytest.fixture
def mandate(desk):
    """The demo's, which lets the option venue's own vols be here: these tests are about trades."""
    found = load_mandate(DEMO).resolve(desk.vault.address, desk.deployment.names)
    return found.model_copy(update={"sync_seconds": 1e12})


def snapshot(desk):
    state = VaultLens(desk.deployment.lens, desk.w3).state(desk.vault.address).read()
    return Snapshot(BlockRef(state.block_number, "0x" + "00" * 32, "0x" + "00" * 32, state.timestamp), state)


def decide(desk, mandate):
    taken, keeper = snapshot(desk), desk.chain.signers["keeper"].address
    quotes = []
    for request in candidates(taken, mandate):
        call = desk.vault.rebalance(list(request.instructions), desk.now + 600, b"\1" * 32)
        quotes.append(Quote(request.key, results=tuple(call.simulate(keeper, gas=25_000_000))))
    return plan(taken, mandate, quotes)


def carry_out(desk, action, number):
    keeper = desk.chain.signers["keeper"]
    if action.top_up:
        top = action.top_up
        return desk.vault.top_up(top.venue, top.unit, top.assets, top.min_posted).send(keeper, gas=10_000_000)
    call = desk.vault.rebalance(list(action.instructions), desk.now + 600, number.to_bytes(32))
    return call.send(keeper, gas=25_000_000)


def sell_calls(desk, contracts, collateral):
    expiry = desk.chain.start_time + 42 * DAY
    desk.post_vol(expiry, 0.75)
    listing = next(
        x.listing for x in desk.option.listings().read() if (x.strike, x.expiry) == (3_000 * WAD, expiry)
    )
    desk.rebalance(desk.option.trade(Trade(0, listing, True, -contracts * WAD, collateral * WAD, 0)))


def test_book_is_worth_the_chains_mid_and_has_its_greeks(desk, mandate):
    sell_calls(desk, 20, 40_000)
    state = snapshot(desk).state
    book, market = book_from_state(state), market_from_state(state)
    assert float(Columns.of(book, market).value()) == pytest.approx(state.valuation.mid / WAD, rel=1e-12)
    found = greeks(book, market)
    weth = desk.protocols.tokens["WETH"].address
    for name in ("delta", "gamma", "vega", "theta"):
        chain = sum(getattr(e.greeks, name) for e in state.valuation.exposures if e.underlying == weth) / WAD
        assert found.of(name, weth) == pytest.approx(chain, rel=2e-3)
    assert {v.kind for v in state.venues} == set(Kind)


def test_delta_outside_its_band_is_hedged_on_the_cheapest_venue(desk, mandate):
    sell_calls(desk, 20, 40_000)
    (action,) = decide(desk, mandate).actions
    assert action.kind == "hedge"
    assert action.reason.startswith("delta -3")
    assert "all-in" in action.reason
    assert action.reason.count(" on ") == 3
    receipt = carry_out(desk, action, 77)
    assert receipt.gas_used < 5_000_000
    assert decide(desk, mandate).actions == ()


def test_a_unit_under_target_is_topped_up_to_just_under_it(desk, mandate):
    sell_calls(desk, 20, 28_000)
    (unit,) = desk.option.margin_units().read()
    assert 1.08 < desk.option.unit_health(unit).read() / WAD < 1.19
    action = decide(desk, mandate).actions[0]
    assert action.kind == "top_up"
    carry_out(desk, action, 78)
    assert 1.185 < desk.option.unit_health(unit).read() / WAD < 1.2
    assert "top_up" not in [a.kind for a in decide(desk, mandate).actions]


def test_gamma_outside_its_limit_is_bought_back_and_hedged_in_one_batch(desk, mandate):
    sell_calls(desk, 20, 40_000)
    carry_out(desk, decide(desk, mandate).actions[0], 79)
    state = snapshot(desk).state
    now = greeks(book_from_state(state), market_from_state(state)).total().gamma_usd_1pct
    # The mandate alone is tightened: the vault's own limits still hold, so the batch is judged by its other rules.
    floor = mandate.gamma_usd_1pct.model_copy(update={"limit": now / 2})
    tighter = mandate.model_copy(update={"gamma_usd_1pct": floor})
    (action,) = decide(desk, tighter).actions
    assert action.kind == "buy_back"
    carry_out(desk, action, 80)
    state = snapshot(desk).state
    after = greeks(book_from_state(state), market_from_state(state))
    assert after.total().gamma_usd_1pct == pytest.approx(now / 2 * 0.99, rel=1e-3)
    assert "buy_back" not in [a.kind for a in decide(desk, tighter).actions]


def test_an_action_is_explained_by_its_fills(desk, mandate):
    sell_calls(desk, 20, 40_000)
    before = snapshot(desk).state
    (action,) = decide(desk, mandate).actions
    receipt = carry_out(desk, action, 81)
    after = snapshot(desk).state
    logs = receipt.raw["logs"]
    fills, transfers = executed(before, after, logs)
    views = [(book_from_state(s), market_from_state(s)) for s in (before, after)]
    parts = explain(*views, fills, transfers)
    assert parts.total == pytest.approx((after.valuation.mid - before.valuation.mid) / WAD, abs=1e-6)
    assert parts.fees < 0
    assert abs(parts.residual) < 0.01 * parts.gross
