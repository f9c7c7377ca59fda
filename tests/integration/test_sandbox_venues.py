"""Curie and Lyra as the sandbox deploys them: the board, the costs and the price that the demo counts on."""

import pytest

from evenkeel.sandbox.actors import MarketError
from evenkeel.sandbox.actors.blocks import LocalChain, Read, Transaction
from evenkeel.sandbox.artifacts import own
from evenkeel.sandbox.errors import DeployError
from evenkeel.sandbox.protocols import curie, lyra, tokens
from evenkeel.sandbox.protocols.lyra_parameters import PRICING

pytestmark = pytest.mark.integration

WAD = 10**18
DAY = 86400


@pytest.fixture
def node(chain):
    return LocalChain(chain.w3)


def test_the_board_is_the_one_of_the_demo(chain, node):
    market, code = chain.protocols.lyra.option_market, lyra.contract("OptionMarket")
    assert node.read([Read(market, code, "getLiveBoards")])[0] == (1, 2, 3)
    boards = node.read([Read(market, code, "getBoardAndStrikeDetails", (number,)) for number in (1, 2, 3)])
    assert [board[1] - chain.start_time for board, *_ in boards] == [14 * DAY, 42 * DAY, 84 * DAY]
    assert [board[2] / WAD for board, *_ in boards] == [0.8, 0.75, 0.75]
    for _, strikes, _, _ in boards:
        assert [strike[1] for strike in strikes] == [30 * percent * WAD for percent in range(70, 131, 5)]
        assert {strike[2] for strike in strikes} == {WAD}


def test_lyras_pool_holds_what_its_provider_brought(chain, node):
    pool = chain.protocols.lyra.liquidity_pool
    value = node.read([Read(pool, lyra.contract("LiquidityPool"), "getTotalPoolValueQuote")])[0]
    assert value == pytest.approx(60_000_000 * WAD, rel=1e-3)


def test_a_parameter_struct_must_have_exactly_its_fields():
    with pytest.raises(DeployError, match="standardSize"):
        lyra.struct(
            lyra.contract("OptionMarketPricer"),
            "setPricingParams",
            {key: value for key, value in PRICING.items() if key != "standardSize"},
        )


@pytest.mark.parametrize(
    ("venue", "eth", "basis_points"), [(0, 10, 10.4), (0, 60, 12.5), (1, 10, 6.25), (1, 60, 12.5)]
)
def test_a_perp_trade_costs_its_fee_and_size_over_depth(chain, node, venue, eth, basis_points):
    perp, bob = chain.protocols.perps[venue], chain.accounts["bob"]
    usdc, house = chain.protocols.tokens["USDC"].address, curie.contract("ClearingHouse")
    steps = [
        (usdc, tokens.contract("USDC").encode("mint(address,uint256)", bob, 10**12)),
        (usdc, tokens.contract("USDC").encode("approve", perp.vault, 10**12)),
        (perp.vault, curie.contract("Vault").encode("deposit", usdc, 10**12)),
    ]
    node.mine([Transaction("bob", bob, to, data, 1_000_000) for to, data in steps], node.now() + 1)
    for sells, side in ((True, -1), (False, 1)):
        order = (perp.base_token, sells, sells, eth * WAD, 0, 2**255, 0, bytes(32))
        base, quote = node.read([Read(perp.clearing_house, house, "openPosition", (order,), bob)])[0]
        assert side * (quote / base / 3000 - 1) * 1e4 == pytest.approx(basis_points, rel=0.05)


def test_a_stale_feed_stops_lyra(chain, node):
    adapter = Read(
        chain.protocols.lyra.synthetix_adapter,
        lyra.contract("SynthetixAdapter"),
        "getSpotPriceForMarket",
        (chain.protocols.lyra.option_market,),
    )
    assert node.read([adapter]) == [3000 * WAD]
    node.mine([], node.now() + lyra.FEED_MAX_AGE + 1)
    with pytest.raises(MarketError, match="revert"):
        node.read([adapter])


def test_only_the_synth_that_is_served_has_a_rate(chain, node):
    rates, code = chain.protocols.lyra.exchange_rates, own("ExchangeRates")
    found = node.read([Read(rates, code, "rateAndInvalid", (lyra.key32(name),)) for name in ("sETH", "sBTC")])
    assert found == [(3000 * WAD, False), (0, True)]
