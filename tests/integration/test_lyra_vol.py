"""The vol that the real Lyra shows, as the vol oracle reads it."""

from itertools import count, pairwise

import pytest
from vault_desk import USDC, WAD, Desk
from vol_world import DAY, HALF_WIDTH, vol_world, wad

from evenkeel.bindings import LyraVol, OptionVenue
from evenkeel.bindings.errors import (
    BadWindow,
    BeyondStrikes,
    Expired,
    NotTheVenue,
    StaleIv,
    UnknownBoard,
    UnknownUnderlying,
)
from evenkeel.bindings.types import Trade
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.protocols import lyra

pytestmark = pytest.mark.integration

WINDOW = 600
SPACING = 600
MAX_AGE = 3 * 3600
GAS = 60_000
"""What the vol oracle gives a venue."""
COLD_ACCOUNT = 2_600
STEPS = count()


@pytest.fixture
def world(chain):
    """A vol oracle of its own."""
    return vol_world(chain)


@pytest.fixture
def venue(chain, deployed, world, listings):
    """The reader that `world` has as its venue, with every live board stored."""
    made = reader(chain, deployed, world.oracle)
    world.oracle.set_venue_vol(made.underlying().read(), made.address).send(chain.signers["governor"])
    sync(chain, made, listings)
    return made


@pytest.fixture
def listings(chain, deployed):
    """What our option adapter finds on Lyra, by expiry and strike."""
    found = OptionVenue(deployed.venues["option"], chain.w3).listings().read()
    return sorted(found, key=lambda x: (x.expiry, x.strike))


@pytest.fixture
def weth(chain):
    return chain.protocols.tokens["WETH"].address


def reader(chain, deployed, vols, window=WINDOW):
    market, token = chain.protocols.lyra, chain.protocols.tokens["WETH"].address
    terms = (market.option_market, market.option_greek_cache, token, deployed.oracle, vols.address, window)
    return LyraVol.deploy(*terms).send(chain.signers["deployer"], chain.w3)


def sync(chain, venue, listings):
    for expiry in sorted({shown.expiry for shown in listings}):
        venue.sync(venue.underlying().read(), expiry).send(chain.signers["alice"])


def pass_time(chain, seconds):
    chain.node.rpc("evm_setNextBlockTimestamp", chain.w3.eth.get_block("latest")["timestamp"] + seconds)
    chain.node.rpc("evm_mine")


def as_owner(chain, board, *changes):
    """What Lyra's owner does to a board while it is frozen."""
    for name, *values in (("setBoardFrozen", True), *changes, ("setBoardFrozen", False)):
        owner(chain, name, board, *values)


def owner(chain, name, *values):
    market, code = chain.protocols.lyra.option_market, lyra.contract("OptionMarket")
    d = Deployer(chain.w3, chain.signers["deployer"])
    d.send(f"owner/{next(STEPS)}", market, code, name, *values, gas=20_000_000)
    d.flush()


def ask(chain, name, *values):
    d = Deployer(chain.w3, chain.signers["deployer"])
    return d.call(chain.protocols.lyra.option_market, lyra.contract("OptionMarket"), name, *values)


def raise_vols(chain, points):
    """Every board's vol is lifted."""
    for board in ask(chain, "getLiveBoards"):
        as_owner(chain, board, ("setBoardBaseIv", ask(chain, "getOptionBoard", board)[2] + wad(points)))


def test_every_listed_strike_has_the_vol_that_lyra_shows(venue, listings, weth):
    assert len(listings) > 20
    for shown in listings:
        # Nobody has traded for the window, so the means are what is shown; intrinsic gas and calldata come on top of the call's.
        seen = venue.iv(weth, shown.expiry, shown.strike).read(gas=GAS + 23_000)
        assert seen == pytest.approx(shown.venue_vol, rel=1e-5)


def test_between_two_strikes_it_is_between_their_vols(venue, listings, weth):
    pairs = [(a, b) for a, b in pairwise(listings) if a.expiry == b.expiry]
    for left, right in pairs:
        seen = venue.iv(weth, left.expiry, (3 * left.strike + right.strike) // 4).read(gas=GAS + 23_000)
        assert seen == pytest.approx((3 * left.venue_vol + right.venue_vol) / 4, rel=1e-5)


def test_beyond_the_strikes_there_is_none(venue, listings, weth):
    first = listings[0]
    last = max(x.strike for x in listings if x.expiry == first.expiry)
    for strike, edge in ((first.strike * 992 // 1000, first.strike), (last * 1008 // 1000, last)):
        assert venue.iv(weth, first.expiry, strike).read() == venue.iv(weth, first.expiry, edge).read()
    for strike in (first.strike * 98 // 100, last * 102 // 100):
        with pytest.raises(BeyondStrikes) as refused:
            venue.iv(weth, first.expiry, strike).read()
        assert refused.value.lowest == pytest.approx(first.strike, rel=1e-3)
        assert refused.value.highest == pytest.approx(last, rel=1e-3)


def test_what_it_knows_nothing_of(chain, deployed, world, venue, listings, weth):
    usdc, expiry = chain.protocols.tokens["USDC"].address, listings[0].expiry
    for call in (venue.iv(usdc, expiry, 3000 * WAD), venue.synced_at(usdc, expiry)):
        with pytest.raises(UnknownUnderlying):
            call.read()
    with pytest.raises(UnknownUnderlying):
        venue.sync(usdc, expiry).simulate(chain.accounts["alice"])
    with pytest.raises(UnknownBoard):
        venue.iv(weth, expiry + 1, 3000 * WAD).read()
    with pytest.raises(UnknownBoard):
        venue.sync(weth, expiry + 1).simulate(chain.accounts["alice"])
    assert venue.synced_at(weth, expiry + 1).read() == 0
    for window in (59, 3601):
        with pytest.raises(BadWindow):
            reader(chain, deployed, world.oracle, window)


def test_what_has_expired_is_not_stored(chain, venue, listings, weth):
    chain.node.rpc("evm_setNextBlockTimestamp", listings[0].expiry)
    chain.node.rpc("evm_mine")
    with pytest.raises(Expired):
        venue.sync(weth, listings[0].expiry).simulate(chain.accounts["alice"])


def test_what_nobody_has_stored_for_hours_is_refused(chain, venue, listings, weth):
    shown = listings[0]
    pass_time(chain, venue.synced_at(weth, shown.expiry).read() + MAX_AGE - world_now(chain))
    venue.iv(weth, shown.expiry, shown.strike).read()
    pass_time(chain, 1)
    with pytest.raises(StaleIv) as refused:
        venue.iv(weth, shown.expiry, shown.strike).read()
    assert refused.value.max_age == MAX_AGE
    venue.sync(weth, shown.expiry).send(chain.signers["bob"])
    assert venue.iv(weth, shown.expiry, shown.strike).read() == pytest.approx(shown.venue_vol, rel=1e-5)


def test_a_second_sync_soon_after_the_first_does_nothing(chain, venue, listings, weth):
    expiry, strike = listings[0].expiry, listings[0].strike
    first, before = venue.synced_at(weth, expiry).read(), venue.iv(weth, expiry, strike).read()
    raise_vols(chain, 0.05)
    pass_time(chain, first + SPACING - 2 - world_now(chain))
    # An estimate made a second before there is something to do is too low.
    venue.sync(weth, expiry).send(chain.signers["bob"], gas=3_000_000)
    assert (venue.synced_at(weth, expiry).read(), venue.iv(weth, expiry, strike).read()) == (first, before)
    venue.sync(weth, expiry).send(chain.signers["bob"], gas=3_000_000)
    assert venue.synced_at(weth, expiry).read() == first + SPACING
    assert venue.iv(weth, expiry, strike).read() > before + wad(0.04)


def test_a_trade_moves_it_only_as_time_passes_and_somebody_looks(desk, world, venue, listings, weth):
    expiry = desk.chain.start_time + 42 * DAY
    desk.post_vol(expiry, 0.75)
    at_strike = [x for x in desk.option.listings().read() if (x.strike, x.expiry) == (3000 * WAD, expiry)]
    (before,) = at_strike
    desk.warp(SPACING)
    order = Trade(0, before.listing, True, -10 * WAD, 15_000 * WAD, 0)
    desk.rebalance(desk.option.trade(order))
    (after,) = (x for x in desk.option.listings().read() if x.listing == before.listing)
    moved = before.venue_vol - after.venue_vol
    assert moved >= WAD // 1000

    def seen():
        return venue.iv(weth, expiry, 3000 * WAD).read()

    look = venue.sync(weth, expiry)
    look.send(desk.chain.signers["alice"])
    assert before.venue_vol - seen() < moved / 100
    stored = seen()
    desk.warp(WINDOW)
    assert seen() == stored
    look.send(desk.chain.signers["alice"])
    assert seen() == pytest.approx(after.venue_vol, rel=1e-5)


def test_strikes_that_lyra_adds_are_learnt_by_the_next_sync(chain, venue, listings, weth):
    expiry = listings[0].expiry
    top = max((x for x in listings if x.expiry == expiry), key=lambda x: x.strike)
    added = top.strike + 200 * WAD
    (board,) = (b for b in ask(chain, "getLiveBoards") if ask(chain, "getOptionBoard", b)[1] == expiry)
    as_owner(chain, board, ("addStrikeToBoard", added, WAD))
    with pytest.raises(BeyondStrikes):
        venue.iv(weth, expiry, added).read()
    pass_time(chain, WINDOW + 1)
    venue.sync(weth, expiry).send(chain.signers["alice"])
    base = ask(chain, "getOptionBoard", board)[2]
    assert venue.iv(weth, expiry, added).read() == pytest.approx(base, rel=1e-5)
    middle = venue.iv(weth, expiry, (added + top.strike) // 2).read()
    assert middle == pytest.approx((base + top.venue_vol) / 2, rel=1e-5)


def test_strikes_are_dollars_at_the_price_of_the_sync(chain, deployed, world, venue, listings, weth):
    first, second = (x for x in listings[:2])
    Desk(chain, deployed).post_price(1.05, "USDC/USD")
    cheaper = first.strike * 100 // 105
    with pytest.raises(BeyondStrikes):
        venue.iv(weth, first.expiry, cheaper).read()
    pass_time(chain, SPACING)
    venue.sync(weth, first.expiry).send(chain.signers["alice"])
    for shown in (first, second):
        seen = venue.iv(weth, shown.expiry, shown.strike * 100 // 105).read()
        assert seen == pytest.approx(shown.venue_vol, rel=1e-5)
    # The vols are what they were, but not at the same strikes of the asset.
    assert world.oracle.posted_at(weth).read() == world_now(chain)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 10, 20])
def test_boards_of_any_size_and_uneven_strikes(chain, venue, weth, count):
    expiry = chain.start_time + 30 * DAY
    strikes = [round(1_800 * 1.07**place) * WAD for place in range(count)]
    skews = [wad(1.3 - 0.6 * place / 20 + 0.01 * (place % 3)) for place in range(count)]
    # Lyra keeps strikes in the order in which they are given.
    order = sorted(range(count), key=lambda place: (place * 7) % 20)
    given = ([strikes[place] for place in order], [skews[place] for place in order])
    owner(chain, "createOptionBoard", expiry, wad(0.8), *given, False)
    pass_time(chain, WINDOW + 1)
    venue.sync(weth, expiry).send(chain.signers["alice"])

    def seen(strike):
        return venue.iv(weth, expiry, strike).read(gas=GAS + 23_000) / WAD

    vols = [0.8 * skew / WAD for skew in skews]
    for strike, vol in zip(strikes, vols, strict=True):
        assert seen(strike) == pytest.approx(vol, rel=1e-5)
    for (low, high), (left, right) in zip(pairwise(strikes), pairwise(vols), strict=True):
        assert seen((low + 3 * high) // 4) == pytest.approx((left + 3 * right) / 4, rel=1e-4)
    for strike in (strikes[0] * 98 // 100, strikes[-1] * 102 // 100):
        with pytest.raises(BeyondStrikes):
            venue.iv(weth, expiry, strike).read()


def test_a_book_reads_it_cheaply(desk, weth):
    """What the deployed vault's own book spends on it, four positions on one board; the first read finds all of it cold."""
    chain, expiry = desk.chain, desk.chain.start_time + 42 * DAY
    venue = LyraVol(desk.deployment.venue_vol, desk.w3)
    first = venue.sync(weth, expiry).send(chain.signers["alice"])
    desk.warp(SPACING)
    again = venue.sync(weth, expiry).send(chain.signers["alice"])
    desk.post_vol(expiry, 0.75)
    board = [x for x in desk.option.listings().read() if x.expiry == expiry]
    for shown in sorted(board, key=lambda x: abs(x.strike - 3000 * WAD))[:4]:
        desk.rebalance(desk.option.trade(Trade(0, shown.listing, True, -5 * WAD, 12_000 * WAD, 0)))
    spent = calls_to(chain, desk.option.book(), venue.address)
    assert (len(board), len(spent)) == (13, 4)
    assert spent[0] + COLD_ACCOUNT <= 12_500
    assert max(spent[1:]) <= 8_100
    assert again.gas_used <= 410_000 < first.gas_used <= 1_010_000


def test_a_mark_from_before_a_sync_that_changed_something_is_not_carried(desk, weth):
    expiry = desk.chain.start_time + 42 * DAY
    desk.post_vol(expiry, 0.75)
    (at_strike,) = (x for x in desk.option.listings().read() if (x.strike, x.expiry) == (3000 * WAD, expiry))
    desk.rebalance(desk.option.trade(Trade(0, at_strike.listing, True, -20 * WAD, 30_000 * WAD, 0)))
    raise_vols(desk.chain, 0.3)
    desk.warp(WINDOW + 1)
    desk.vault.mark().send(desk.chain.signers["alice"])
    before = desk.vault.preview_deposit(1000 * USDC).read()
    LyraVol(desk.deployment.venue_vol, desk.w3).sync(weth, expiry).send(desk.chain.signers["alice"])
    # The live interval is wider now by 30 points of the book's vega less what our own vols allow; a carried mark would not know.
    assert desk.vault.preview_deposit(1000 * USDC).read() < before * 999 // 1000


def calls_to(chain, call, to):
    """Gas that each call to `to` used inside `call`, in order."""
    order = {"from": chain.accounts["alice"], "to": call.to, "data": "0x" + call.data.hex()}
    found, open_ = [], [chain.node.rpc("debug_traceCall", order, "latest", {"tracer": "callTracer"})]
    while open_:
        frame = open_.pop()
        if frame["to"].lower() == to.lower():
            found.append(int(frame["gasUsed"], 16))
        open_ += reversed(frame.get("calls", []))
    return found


def world_now(chain):
    return chain.w3.eth.get_block("latest")["timestamp"]


def test_the_vol_oracle_widens_to_it(chain, world, venue, listings, weth):
    shown = listings[len(listings) // 2]
    world.post(world.flat(shown.expiry, shown.venue_vol / WAD + 0.1))
    wider = world.oracle.vol(weth, shown.expiry, shown.strike).read()
    world.oracle.set_venue_vol(weth, "0x" + "0" * 40).send(chain.signers["governor"])
    alone = world.oracle.vol(weth, shown.expiry, shown.strike).read()
    assert (wider.mid, wider.high) == (alone.mid, alone.high)
    assert wider.low == pytest.approx(shown.venue_vol, rel=1e-5)
    assert alone.low - wider.low == pytest.approx(wad(0.08), rel=1e-3)


def test_whoever_enters_before_a_sync_and_leaves_after_it_gains_nothing(chain, world, venue, listings, weth):
    """Lyra's vol is thrown about for a window each time, the intervals are those of a strike in the middle."""
    shown = listings[len(listings) // 2]
    world.post(world.flat(shown.expiry, shown.venue_vol / WAD))
    seen = []
    for points in (0.3, -0.55, 0.4):
        before = world.oracle.vol(weth, shown.expiry, shown.strike).read()
        raise_vols(chain, points)
        pass_time(chain, WINDOW + 1)
        venue.sync(weth, shown.expiry).send(chain.signers["alice"])
        after = world.oracle.vol(weth, shown.expiry, shown.strike).read()
        assert after.low <= before.high - 2 * HALF_WIDTH
        assert before.low <= after.high - 2 * HALF_WIDTH
        assert after.mid == before.mid
        seen.append((after.low, after.high))
    assert len(set(seen)) == 3
    # And what nobody stores again is gone.
    pass_time(chain, MAX_AGE + 1)
    alone = world.oracle.vol(weth, shown.expiry, shown.strike).read()
    assert (alone.low, alone.high) == (alone.mid - HALF_WIDTH, alone.mid + HALF_WIDTH)


def test_a_sync_that_changes_something_is_a_change_of_vol_and_no_other_is(
    chain, world, venue, listings, weth
):
    expiry = listings[0].expiry
    told = world.oracle.posted_at(weth).read()
    assert told == world_now(chain) or told == max(venue.synced_at(weth, x.expiry).read() for x in listings)
    pass_time(chain, SPACING)
    venue.sync(weth, expiry).send(chain.signers["alice"])
    assert (world.oracle.posted_at(weth).read(), venue.synced_at(weth, expiry).read()) == (
        told,
        world_now(chain),
    )
    raise_vols(chain, 0.01)
    pass_time(chain, SPACING)
    venue.sync(weth, expiry).send(chain.signers["alice"])
    assert world.oracle.posted_at(weth).read() == world_now(chain)
    # What was refused for its age and is back has changed too.
    pass_time(chain, MAX_AGE + SPACING)
    venue.sync(weth, expiry).send(chain.signers["alice"])
    assert world.oracle.posted_at(weth).read() == world_now(chain)


def test_only_the_venue_that_counts_says_that_its_vol_moved(chain, deployed, world, venue, listings, weth):
    with pytest.raises(NotTheVenue):
        world.oracle.venue_vol_moved(weth).simulate(chain.accounts["alice"])
    other = reader(chain, deployed, world.oracle)
    with pytest.raises(NotTheVenue):
        other.sync(weth, listings[0].expiry).simulate(chain.accounts["alice"])
