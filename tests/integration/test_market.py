"""The market actors against the real protocols: everything agrees after a step, and liquidations are real."""

import threading

import pytest

from evenkeel.bindings import Authority, VolOracle
from evenkeel.sandbox.accounts import VOL_SIGNER_ROLES
from evenkeel.sandbox.actors import (
    SETTLE,
    ActorError,
    Driver,
    Liquidation,
    Market,
    MarketError,
    endless,
    moves,
)
from evenkeel.sandbox.actors.blocks import LocalChain, Read, Transaction
from evenkeel.sandbox.artifacts import hardhat
from evenkeel.sandbox.paths import demo_path
from evenkeel.sandbox.protocols import chainlink, curie, lyra, tokens, uniswap

pytestmark = pytest.mark.integration

WAD = 10**18
SHORT_CALL, SHORT_PUT = 3, 4
NEVER = 2**256 - 1
CLOSE = 0.003


class Desk:
    """What a test needs of the sandbox: reads, transactions of any account, and the market."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.protocols = sandbox.protocols
        self.node = LocalChain(sandbox.w3)
        self.market = Market(sandbox.w3, sandbox.protocols)

    def read(self, to, artifact, function, *args):
        return self.node.read([Read(to, artifact, function, args)])[0]

    def call(self, sender, to, artifact, function, *args):
        """What a transaction would return."""
        return self.node.read([Read(to, artifact, function, args, sender)])[0]

    def send(self, sender, to, artifact, function, *args, gas=3_000_000):
        tx = Transaction(function, sender, to, artifact.encode(function, *args), gas)
        self.node.mine([tx], self.node.now() + 1)

    def give(self, symbol, account, whole):
        token = self.protocols.tokens[symbol]
        amount = whole * 10**token.decimals
        minter = self.sandbox.accounts["deployer"]
        self.send(minter, token.address, tokens.contract(symbol), "mint(address,uint256)", account, amount)

    def approve(self, symbol, account, spender):
        self.send(
            account, self.protocols.tokens[symbol].address, tokens.contract(symbol), "approve", spender, NEVER
        )

    def balance(self, symbol, account):
        return self.read(self.protocols.tokens[symbol].address, tokens.contract(symbol), "balanceOf", account)

    def prices(self):
        """The ETH price by every protocol's own account."""
        protocols = self.protocols
        weth, usdc = protocols.tokens["WETH"], protocols.tokens["USDC"]
        slot = self.read(protocols.uniswap.pools["WETH/USDC"].address, uniswap.core("UniswapV3Pool"), "slot0")
        ratio = (slot[0] / 2**96) ** 2 * 1e12
        oracle = hardhat("aave-core-v3", "misc/AaveOracle.sol")
        adapter = lyra.contract("SynthetixAdapter")
        feed = chainlink.contract("EACAggregatorProxy")
        found = {
            "chainlink": self.read(protocols.feeds["ETH/USD"], feed, "latestRoundData")[1] / 1e8,
            "aave": self.read(protocols.aave.oracle, oracle, "getAssetPrice", weth.address) / 1e8,
            "uniswap": ratio if int(weth.address, 16) < int(usdc.address, 16) else 1e24 / ratio,
            "lyra": self.read(
                protocols.lyra.synthetix_adapter,
                adapter,
                "getSpotPriceForMarket",
                protocols.lyra.option_market,
            )
            / WAD,
        }
        for perp in protocols.perps:
            base = curie.contract("BaseToken")
            balances = curie.contract("AccountBalance")
            pool = self.read(perp.pool, curie.uniswap("UniswapV3Pool"), "slot0")
            found[f"{perp.name} index"] = self.read(perp.base_token, base, "getIndexPrice", SETTLE) / WAD
            found[f"{perp.name} mark"] = (
                self.read(perp.account_balance, balances, "getMarkPrice", perp.base_token) / WAD
            )
            found[f"{perp.name} pool"] = (pool[0] / 2**96) ** 2
        return found

    def board(self, number):
        """(expiry, base iv, {strike: id}) of a board by its number in order of listing."""
        board, strikes, _, _ = self.read(
            self.protocols.lyra.option_market,
            lyra.contract("OptionMarket"),
            "getBoardAndStrikeDetails",
            number,
        )
        return board[1], board[2], {strike[1] // WAD: strike[0] for strike in strikes}

    def minimum(self, kind, strike, expiry, spot, amount):
        cache = lyra.contract("OptionGreekCache")
        return self.read(
            self.protocols.lyra.option_greek_cache,
            cache,
            "getMinCollateral",
            kind,
            strike * WAD,
            expiry,
            spot * WAD,
            amount,
        )

    def sell(self, account, kind, strike, contracts, margin):
        """Open a short on the 42-day board with `margin` times its minimum collateral; (position id, cost, fee)."""
        market, code = self.protocols.lyra.option_market, lyra.contract("OptionMarket")
        expiry, _, strikes = self.board(2)
        collateral = int(self.minimum(kind, strike, expiry, strike, contracts * WAD) * margin)
        order = (strikes[strike], 0, 1, kind, contracts * WAD, collateral, 0, NEVER)
        result = self.call(account, market, code, "openPosition", order)
        self.send(account, market, code, "openPosition", order)
        return result


@pytest.fixture
def desk(chain):
    return Desk(chain)


@pytest.fixture
def alice(desk):
    """A plain account with 10M sUSD, approved on the option market."""
    account = desk.sandbox.accounts["alice"]
    desk.give("SUSD", account, 10_000_000)
    desk.approve("SUSD", account, desk.protocols.lyra.option_market)
    return account


def test_every_protocol_agrees_after_a_step(desk):
    desk.market.step(2880, 0.78)
    prices = desk.prices()
    assert {name: price for name, price in prices.items() if abs(price / 2880 - 1) > CLOSE} == {}
    assert [desk.board(number)[1] / WAD for number in (1, 2, 3)] == pytest.approx([0.78] * 3, abs=1e-4)


def test_iv_follows_down_and_up_again(desk):
    for iv in (0.9, 0.72, 0.81):
        desk.market.step(3000, iv)
        assert [desk.board(number)[1] / WAD for number in (1, 2, 3)] == pytest.approx([iv] * 3, abs=1e-4)


def test_far_from_every_strike_iv_still_follows(desk):
    desk.market.step(1500, 1.3)
    assert [desk.board(number)[1] / WAD for number in (1, 2, 3)] == pytest.approx([1.3] * 3, abs=1e-4)
    assert all(abs(price / 1500 - 1) < CLOSE for price in desk.prices().values())


def test_iv_follows_beyond_what_the_pool_could_sell(desk):
    desk.market.step(3000, 2.5)
    assert [desk.board(number)[1] / WAD for number in (1, 2, 3)] == pytest.approx([2.5] * 3, abs=1e-4)


def test_a_step_is_one_block_and_an_empty_one_after_it(desk):
    w3 = desk.sandbox.w3
    before = w3.eth.get_block("latest")
    result = desk.market.step(2880, 0.78)
    moving, last = w3.eth.get_block(result.block), w3.eth.get_block("latest")
    assert moving["number"] == before["number"] + 1
    assert last["number"] == moving["number"] + 1
    assert len(moving["transactions"]) == result.transactions
    assert last["transactions"] == []
    assert last["timestamp"] == result.timestamp == before["timestamp"] + 3600
    assert moving["timestamp"] == result.timestamp - SETTLE


def test_a_fall_beyond_curies_limit_takes_more_blocks(desk):
    head = desk.sandbox.w3.eth.block_number
    result = desk.market.step(3000 * 0.78, 0.9)
    assert result.block == head + 1
    assert desk.sandbox.w3.eth.block_number == head + 4
    assert all(abs(price / 2340 - 1) < CLOSE for price in desk.prices().values())


def test_the_demo_path_plays_without_a_failed_transaction(desk):
    path = demo_path()
    for price, iv, seconds in moves(path):
        desk.market.step(price, iv, seconds)
    assert min(path.prices) < 3000 * 0.785
    assert desk.prices()["uniswap"] == pytest.approx(path.prices[-1], rel=CLOSE)
    assert desk.board(2)[1] / WAD == pytest.approx(path.ivs[-1], abs=1e-4)


def test_sixty_straddles_are_sold_for_little_and_move_the_vol_by_their_size(desk, alice):
    desk.market.step(3000, 0.75)
    before = desk.balance("SUSD", alice)
    call = desk.sell(alice, SHORT_CALL, 3000, 60, 1.2)
    assert desk.board(2)[1] / WAD == pytest.approx(0.744)
    put = desk.sell(alice, SHORT_PUT, 3000, 60, 1.2)
    assert desk.board(2)[1] / WAD == pytest.approx(0.738)
    premium, fees = (call[1] + put[1]) / WAD, (call[2] + put[2]) / WAD
    # Black-Scholes at 74% for 42 days: about 36,000 for 60 straddles.
    assert premium == pytest.approx(35_330, rel=0.01)
    assert 500 < fees < 800
    posted = 1.2 * sum(
        desk.minimum(kind, 3000, desk.board(2)[0], 3000, 60 * WAD) / WAD for kind in (SHORT_CALL, SHORT_PUT)
    )
    assert (before - desk.balance("SUSD", alice)) / WAD == pytest.approx(posted - premium, rel=1e-4)


def test_a_short_without_enough_collateral_is_liquidated(desk, alice):
    desk.market.step(3000, 0.75)
    call, put = (desk.sell(alice, kind, 3000, 60, 1.1)[0] for kind in (SHORT_CALL, SHORT_PUT))
    fallen = []
    for price in (2900, 2800, 2700, 2600, 2500):
        fallen = desk.market.step(price, 0.75).liquidations
        if fallen:
            break
    assert fallen == (Liquidation("lyra", alice, put),)
    held = desk.read(
        desk.protocols.lyra.option_token, lyra.contract("OptionToken"), "getOwnerPositions", alice
    )
    assert [position[0] for position in held] == [call]
    assert desk.balance("SUSD", desk.sandbox.accounts["liquidator"]) > 0


def test_a_perp_account_without_enough_margin_is_liquidated(desk):
    bob, perp = desk.sandbox.accounts["bob"], desk.protocols.perps[0]
    house = curie.contract("ClearingHouse")
    desk.give("USDC", bob, 20_000)
    desk.approve("USDC", bob, perp.vault)
    usdc = desk.protocols.tokens["USDC"].address
    desk.send(bob, perp.vault, curie.contract("Vault"), "deposit", usdc, 20_000 * 10**6)
    long_60 = (perp.base_token, False, False, 60 * WAD, 0, NEVER, 0, bytes(32))
    desk.send(bob, perp.clearing_house, house, "openPosition", long_60)
    assert desk.market.step(2970).liquidations == ()
    fallen = desk.market.step(2800).liquidations
    assert Liquidation(perp.name, bob) in fallen
    balances = curie.contract("AccountBalance")
    left = desk.read(perp.account_balance, balances, "getTakerPositionSize", bob, perp.base_token)
    assert 0 <= left < 60 * WAD


def test_a_failing_actor_is_named(desk):
    maker = desk.sandbox.accounts["maker"]
    susd = desk.protocols.tokens["SUSD"].address
    desk.send(maker, susd, tokens.contract("SUSD"), "approve", desk.protocols.lyra.option_market, 0)
    with pytest.raises(ActorError) as failure:
        desk.market.step(2990, 0.95)
    assert failure.value.actor.startswith("lyra: trade board")


@pytest.mark.parametrize(
    ("price", "iv", "seconds"), [(-1, 0.7, 3600), (float("nan"), 0.7, 3600), (3000, 9, 3600), (3000, 0.7, 1)]
)
def test_a_step_that_makes_no_sense_is_refused(desk, price, iv, seconds):
    with pytest.raises(MarketError):
        desk.market.step(price, iv, seconds)


def test_a_board_is_settled_when_it_expires_and_another_listed(desk):
    expiry, _, _ = desk.board(1)
    while desk.node.now() <= expiry + 3600:
        desk.market.step(3000, 0.75, 86400)
    live = desk.read(desk.protocols.lyra.option_market, lyra.contract("OptionMarket"), "getLiveBoards")
    assert sorted(live) == [2, 3, 4]


def test_the_vol_signers_bring_our_oracle_to_the_market(desk):
    who, w3 = desk.sandbox.signers, desk.sandbox.w3
    governor = who["governor"]
    authority = Authority.deploy(governor.address).send(governor, w3)
    oracle = VolOracle.deploy(authority.address, WAD // 20, WAD // 2, 4 * 3600, 3600, 600).send(governor, w3)
    signers = sorted((who[role].address for role in VOL_SIGNER_ROLES), key=lambda address: int(address, 16))
    oracle.set_signers(signers, 2).send(governor)
    market = Market(w3, desk.protocols, vol_source=oracle.address)
    weth = desk.protocols.tokens["WETH"].address
    expiries = [desk.board(number)[0] for number in (1, 2, 3)]

    def posted():
        return [oracle.vol(weth, expiry, 3000 * WAD).read().mid / WAD for expiry in expiries]

    market.step(3000, 0.75)
    assert posted() == pytest.approx([0.75] * 3, abs=1e-6)
    market.step(2640, 0.84)
    # One post moves a vol by five points at most.
    assert posted() == pytest.approx([0.80] * 3, abs=1e-6)
    market.step(2640, 0.84)
    assert posted() == pytest.approx([0.84] * 3, abs=1e-6)
    market.step(2700, 0.76)
    assert posted() == pytest.approx([0.79] * 3, abs=1e-6)


def test_a_revert_of_the_chain_leaves_the_market_usable(desk, alice):
    desk.market.step(3000, 0.75)
    before = desk.sandbox.node.rpc("evm_snapshot")
    first = desk.sell(alice, SHORT_PUT, 3000, 60, 1.05)[0]
    assert desk.market.step(2700, 0.8).liquidations == (Liquidation("lyra", alice, first),)
    desk.sandbox.node.rpc("evm_revert", before)
    again = desk.sell(alice, SHORT_PUT, 2850, 60, 1.05)[0]
    assert desk.market.step(2500, 0.8).liquidations == (Liquidation("lyra", alice, again),)


def test_a_driver_plays_until_it_is_stopped(desk):
    results, third = [], threading.Event()

    def note(result):
        results.append(result)
        if len(results) == 3:
            third.set()

    with Driver(desk.market, endless(3000.0), every=0.01, on_step=note) as driver:
        assert third.wait(30)
        assert driver.playing
    assert not driver.playing
    assert desk.node.now() == results[-1].timestamp
