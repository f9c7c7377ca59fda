"""The vol that the real Lyra shows, as the vol oracle reads it."""

from itertools import pairwise

import pytest
from vault_desk import WAD
from vol_world import DAY, vol_world, wad

from evenkeel.bindings import LyraVol, OptionVenue
from evenkeel.bindings.errors import BadWindow, BeyondStrikes, UnknownBoard, UnknownUnderlying
from evenkeel.bindings.types import Trade
from evenkeel.sandbox.protocols import lyra

pytestmark = pytest.mark.integration

WINDOW = 600
GAS = 180_000
"""What the vol oracle gives a venue."""


@pytest.fixture
def venue(chain, deployed):
    """The reader, with every live board learnt."""
    made = reader(chain, deployed)
    market = chain.w3.eth.contract(
        address=chain.protocols.lyra.option_market, abi=lyra.contract("OptionMarket").abi
    )
    for board in market.functions.getLiveBoards().call():
        made.list(board).send(chain.signers["alice"])
    return made


@pytest.fixture
def listings(chain, deployed):
    """What our option adapter finds on Lyra, by expiry and strike."""
    found = OptionVenue(deployed.venues["option"], chain.w3).listings().read()
    return sorted(found, key=lambda x: (x.expiry, x.strike))


@pytest.fixture
def weth(chain):
    return chain.protocols.tokens["WETH"].address


def reader(chain, deployed, window=WINDOW):
    market, token = chain.protocols.lyra, chain.protocols.tokens["WETH"].address
    terms = (market.option_market, market.option_greek_cache, token, deployed.oracle, window)
    return LyraVol.deploy(*terms).send(chain.signers["deployer"], chain.w3)


def test_every_listed_strike_has_the_vol_that_lyra_shows(venue, listings, weth):
    assert len(listings) > 20
    for shown in listings:
        # Nobody has traded for the window, so the means are what is shown; intrinsic gas and calldata come on top of the call's.
        seen = venue.iv(weth, shown.expiry, shown.strike).read(gas=GAS + 23_000)
        assert seen == pytest.approx(shown.venue_vol, rel=1e-5)


def test_between_two_strikes_it_is_between_their_vols(venue, listings, weth):
    pairs = [(a, b) for a, b in pairwise(listings) if a.expiry == b.expiry]
    for left, right in pairs[:8]:
        seen = venue.iv(weth, left.expiry, (3 * left.strike + right.strike) // 4).read(gas=GAS + 23_000)
        assert seen == pytest.approx((3 * left.venue_vol + right.venue_vol) / 4, rel=1e-5)


def test_beyond_the_strikes_there_is_none(venue, listings, weth):
    first = listings[0]
    last = max(x.strike for x in listings if x.expiry == first.expiry)
    for strike in (first.strike * 99 // 100, last * 101 // 100):
        with pytest.raises(BeyondStrikes) as refused:
            venue.iv(weth, first.expiry, strike).read()
        assert refused.value.lowest == pytest.approx(first.strike, rel=1e-3)


def test_what_it_knows_nothing_of(chain, deployed, venue, listings, weth):
    with pytest.raises(UnknownUnderlying):
        venue.iv(chain.protocols.tokens["USDC"].address, listings[0].expiry, 3000 * WAD).read()
    with pytest.raises(UnknownBoard):
        venue.iv(weth, listings[0].expiry + 1, 3000 * WAD).read()
    for window in (59, DAY + 1):
        with pytest.raises(BadWindow):
            reader(chain, deployed, window)


def test_a_board_that_has_expired_is_not_learnt(chain, deployed, listings):
    made = reader(chain, deployed)
    chain.node.rpc("evm_setNextBlockTimestamp", listings[0].expiry)
    chain.node.rpc("evm_mine")
    with pytest.raises(UnknownBoard):
        made.list(1).simulate(chain.accounts["alice"])


def test_a_trade_moves_it_only_as_time_passes(desk, venue, weth):
    expiry = desk.chain.start_time + 42 * DAY
    desk.post_vol(expiry, 0.75)
    at_strike = [x for x in desk.option.listings().read() if (x.strike, x.expiry) == (3000 * WAD, expiry)]
    (before,) = at_strike
    order = Trade(0, before.listing, True, -10 * WAD, 15_000 * WAD, 0)
    desk.rebalance(desk.option.trade(order))
    (after,) = (x for x in desk.option.listings().read() if x.listing == before.listing)
    moved = before.venue_vol - after.venue_vol
    assert moved >= WAD // 1000
    seen = venue.iv(weth, expiry, 3000 * WAD).read()
    assert before.venue_vol - seen < moved / 100
    desk.warp(WINDOW // 2)
    seen = venue.iv(weth, expiry, 3000 * WAD).read()
    assert before.venue_vol - seen == pytest.approx(moved / 2, rel=0.05)
    desk.warp(WINDOW)
    assert venue.iv(weth, expiry, 3000 * WAD).read() == pytest.approx(after.venue_vol, rel=1e-5)


def test_the_vol_oracle_widens_to_it(chain, venue, listings, weth):
    world = vol_world(chain)
    shown = listings[len(listings) // 2]
    world.post(world.flat(shown.expiry, shown.venue_vol / WAD + 0.1))
    alone = world.oracle.vol(weth, shown.expiry, shown.strike).read()
    world.oracle.set_venue_vol(weth, venue.address).send(chain.signers["governor"])
    wider = world.oracle.vol(weth, shown.expiry, shown.strike).read()
    assert (wider.mid, wider.high) == (alone.mid, alone.high)
    assert wider.low == pytest.approx(shown.venue_vol, rel=1e-5)
    assert alone.low - wider.low == pytest.approx(wad(0.08), rel=1e-3)
