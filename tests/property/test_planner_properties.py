"""Whatever the book: carried out at quoted prices, a plan ends inside the band, never trades small and never sells spot short."""

from eth_abi import decode
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from demo_mandate import raw
from evenkeel.bindings.types import Exposure, Greeks
from evenkeel.instruments import book_from_state
from evenkeel.market import market_from_state
from evenkeel.planner import candidates, delta_band, plan
from evenkeel.risk import greeks
from evenkeel.strategy import parse_mandate
from examples import examples
from model_vault import ADDRESSES, ORDER, PERP_A, PERP_B, SWAP, TRADE, VAULT, WAD, WETH, ModelVault

RULES = parse_mandate(raw()).resolve(VAULT, ADDRESSES)


@st.composite
def vaults(draw):
    vault = ModelVault(idle=draw(st.floats(400_000.0, 900_000.0)), held=draw(st.floats(0.0, 30.0)))
    vault.short_straddles(draw(st.floats(5.0, 60.0)), strike=draw(st.sampled_from((2700.0, 3000.0, 3300.0))))
    vault.spot = draw(st.floats(2400.0, 3600.0))
    vault.vol = draw(st.floats(0.6, 1.1))
    vault.lent = draw(st.floats(0.0, 200_000.0))
    for at in (PERP_A, PERP_B):
        vault.perps[at].size = draw(st.floats(-25.0, 25.0))
        vault.perps[at].equity = 0.2 * abs(vault.perps[at].size) * vault.spot
        vault.perps[at].cost = draw(st.floats(0.0002, 0.003))
    return vault


@settings(max_examples=examples(60), deadline=None)
@given(vaults())
def test_a_plan_ends_inside_the_band(vault):
    snapshot = vault.snapshot()
    while asked := candidates(snapshot, RULES):
        snapshot = snapshot.with_quotes([vault.quote(r) for r in asked])
    result = plan(snapshot, RULES)
    assert result == plan(snapshot, RULES)
    traded = False
    for action in result.actions:
        assert action.reason
        for item in action.instructions:
            selector, body = item.data[:4], item.data[4:]
            if selector == SWAP:
                size = decode(["address", "int256", "uint256"], body)[1]
            elif selector == ORDER:
                size = decode(["address", "int256", "uint256", "bool"], body)[1]
            elif selector == TRADE:
                size = decode(["(uint256,uint256,bool,int256,uint256,uint256)"], body)[0][3]
            else:
                continue
            traded = True
            assert abs(size) / WAD * vault.spot >= 500.0 * (1 - 1e-9)
        if action.top_up:
            vault.top_up(action.top_up)
        vault.execute(action.instructions)
    assume(not any(a.kind == "alert" for a in result.actions))
    assert vault.held >= -1e-9
    state = vault.state()
    found = greeks(book_from_state(state), market_from_state(state))
    band = delta_band(RULES, vault.spot, found.of("gamma", WETH), state.valuation.low / WAD)
    slack = 510.0 / vault.spot
    assert abs(found.of("delta", WETH)) <= band.trigger * (1.0 + 1e-3) + slack
    if traded:
        again = plan(vault.snapshot(), RULES)
        assert not any(a.kind in {"hedge", "buy_back"} for a in again.actions)


@settings(max_examples=examples(60), deadline=None)
@given(vaults(), st.lists(st.floats(-20.0, 20.0), min_size=1, max_size=3))
def test_whatever_pending_orders_fill_a_hedge_makes_delta_no_worse(vault, orders):
    vault.pending = tuple(Exposure(WETH, 0, Greeks(round(size * WAD), 0, 0, 0)) for size in orders)
    snapshot = vault.snapshot()
    while asked := candidates(snapshot, RULES):
        snapshot = snapshot.with_quotes([vault.quote(r) for r in asked])
    result = plan(snapshot, RULES)
    assume([a.kind for a in result.actions if a.instructions] == ["hedge"])
    before = vault.delta()
    for action in result.actions:
        vault.execute(action.instructions)
    traded = vault.delta() - before
    for filled in (sum(o for o in orders if o < 0), sum(o for o in orders if o > 0)):
        assert abs(before + filled + traded) <= abs(before + filled)
