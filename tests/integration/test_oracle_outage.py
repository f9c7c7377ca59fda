"""What a vault with positions does while it has no price: down for a week, sources that disagree, a breaker that tripped."""

import pytest
from vault_desk import USDC, WAD, wad

from evenkeel.bindings import ContractError
from evenkeel.bindings.errors import BreakerTripped, TooFewSources, TooWide, Unpriced

pytestmark = pytest.mark.integration

PAIRS = {"ETH/USD": 3_000, "USDC/USD": 1, "SUSD/USD": 1}


@pytest.fixture
def held(desk):
    """A vault that holds ten ether, with a level for the breaker."""
    weth = desk.protocols.tokens["WETH"].address
    desk.rebalance(desk.spot.swap(weth, 10 * WAD, wad(3_100)))
    poke(desk)
    return desk


def poke(desk):
    # A level of its own for each token; gas to spare, as a poke near its estimate may just miss it.
    for symbol in ("WETH", "SUSD", "USDC"):
        token = desk.protocols.tokens[symbol].address
        desk.oracle.poke(token).send(desk.chain.signers["trader"], gas=700_000)


def feed_alone(desk):
    """Price ether by its feed alone: a pool that stays behind would be TooWide before the breaker is asked."""
    weth = desk.protocols.tokens["WETH"].address
    feed = desk.deployment.sources["WETH/chainlink"]
    desk.oracle.configure(weth, [feed], 1, wad(0.1)).send(desk.chain.signers["deployer"])


def down_for_a_week(desk):
    desk.warp(7 * 86_400)
    return TooFewSources


def disagreeing(desk):
    desk.post_price(3_600)
    return TooWide


def tripped(desk):
    feed_alone(desk)
    desk.post_price(300)
    return BreakerTripped


def resumed(desk):
    """Rounds of every feed at the old prices, which are within any allowance."""
    for pair, dollars in PAIRS.items():
        desk.post_price(dollars, pair)


def refusal(call, caller):
    with pytest.raises(ContractError) as refused:
        call.simulate(caller)
    return refused.value


@pytest.mark.parametrize("outage", [down_for_a_week, disagreeing, tripped])
def test_entry_is_closed_and_exit_open_until_a_price_is_back(held, outage):
    desk, vault = held, held.vault
    weth = desk.protocols.tokens["WETH"].address
    alice, keeper = desk.chain.signers["alice"], desk.chain.signers["keeper"]
    before = vault.nav().read()
    shares, total = vault.balance_of(alice.address).read(), vault.total_assets().read()
    assert before.priced
    assert vault.max_deposit(alice.address).read() > 0

    error = outage(desk)

    assert isinstance(refusal(desk.oracle.quote(weth), alice.address), error)
    # Entry is closed, whole.
    assert vault.max_deposit(alice.address).read() == vault.max_mint(alice.address).read() == 0
    for call in (vault.preview_deposit(USDC), vault.preview_mint(10**12)):
        assert isinstance(refusal(call, alice.address), Unpriced)
    assert isinstance(refusal(vault.mark(), alice.address), Unpriced)
    # What informs goes on, by the last mark.
    assert vault.total_assets().read() == total
    assert vault.convert_to_assets(shares).read() == pytest.approx(total, rel=1e-9)
    # No new risk.
    more = desk.spot.swap(weth, WAD, wad(100_000))
    with pytest.raises(ContractError):
        desk.rebalance(more)
    # Exit is open from idle, at a low in which the ether counts for nothing.
    now = vault.nav().read()
    assert not now.priced
    assert now.low == pytest.approx(desk.idle * 10**12, rel=1e-9)
    assert now.low < before.low
    assert vault.max_withdraw(alice.address).read() == pytest.approx(desk.idle, rel=1e-6)
    leaving = shares // 10
    paid = vault.preview_redeem(leaving).read()
    assert paid == pytest.approx(desk.idle // 10, rel=1e-6)
    held_before = desk.balance("USDC", alice)
    vault.redeem(leaving, alice.address, alice.address).send(alice, gas=20_000_000)
    assert desk.balance("USDC", alice) - held_before == paid
    # A poke is quiet, and nobody's level moves by it.
    level = desk.oracle.breaker(weth).read().level
    poke(desk)
    assert desk.oracle.breaker(weth).read().level == level

    resumed(desk)

    after = vault.nav().read()
    assert after.priced
    assert vault.max_deposit(alice.address).read() > 0
    vault.mark().send(keeper, gas=20_000_000)
    # Who left at the low without the ether left its worth to those who stayed.
    per_share = after.mid / vault.total_supply().read()
    assert per_share > before.mid / (vault.total_supply().read() + leaving)


def test_a_breaker_rearms_at_a_new_price_by_anybodys_hand(held):
    desk, vault = held, held.vault
    alice = desk.chain.signers["alice"].address
    tripped(desk)
    for dollars in (300, 301, 299):
        assert vault.max_deposit(alice).read() == 0
        desk.warp(300)
        desk.post_price(dollars)
        poke(desk)
    assert desk.price("WETH") == 299 * WAD
    assert vault.max_deposit(alice).read() > 0
