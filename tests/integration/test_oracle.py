"""The price oracle on the real Chainlink feeds and the real Uniswap pool."""

from collections.abc import Iterator

import pytest
from oracle_desk import DAY, WAD, WINDOW, Oracle, refusal

from evenkeel.sandbox import up


@pytest.fixture(scope="module")
def deployed() -> Iterator[Oracle]:
    with up() as sandbox:
        yield Oracle(sandbox)


# Each test reverts what it did, so that one node serves them all.
@pytest.fixture
def oracle(deployed: Oracle) -> Iterator[Oracle]:
    snapshot = deployed.sandbox.node.rpc("evm_snapshot")
    yield deployed
    deployed.sandbox.node.rpc("evm_revert", snapshot)


def test_quote_holds_the_price_of_every_source(oracle: Oracle) -> None:
    low, mid, high, updated_at = oracle.quote(oracle.weth)
    assert abs(mid / WAD - 3000) < 3
    assert low < 3000 * WAD * 995 // 1000 < mid
    assert high > 3000 * WAD * 1005 // 1000
    assert updated_at <= oracle.w3.eth.get_block("latest")["timestamp"]
    assert oracle.quote(oracle.usdc)[:3] == (WAD, WAD, WAD)


def test_twap_is_the_pools_own_price_while_nobody_trades(oracle: Oracle) -> None:
    abi = [
        {
            "name": "slot0",
            "type": "function",
            "stateMutability": "view",
            "inputs": [],
            "outputs": [{"name": "", "type": t} for t in ("uint160", "int24")],
        }
    ]
    root, tick = oracle.w3.eth.contract(address=oracle.pool, abi=abi).functions.slot0().call()
    raw = (root / 2**96) ** 2 if int(oracle.weth, 16) < int(oracle.usdc, 16) else (2**96 / root) ** 2
    price, half_width, updated_at = oracle.twap.functions.read().call()
    # The pool accumulates whole ticks: at most one below its price.
    assert abs(price / WAD / (raw * 1e12) - 1) <= 1.0001e-4
    turned = tick if int(oracle.weth, 16) < int(oracle.usdc, 16) else -tick
    assert price / WAD == pytest.approx(1.0001**turned * 1e12, rel=1e-9)
    assert half_width == -(-price * 3 // 1000)
    assert updated_at == oracle.w3.eth.get_block("latest")["timestamp"]


def test_twap_refuses_a_window_older_than_the_pool(oracle: Oracle) -> None:
    young = oracle.deploy("UniswapV3TwapSource", oracle.weth, oracle.usdc, oracle.pool, 86_400, 1, 0)
    assert refusal(young, young.functions.read(), "HistoryTooShort(uint256)") == (86_400,)


def test_twap_refuses_a_thin_pool(oracle: Oracle) -> None:
    floor = 2**100
    thin = oracle.deploy("UniswapV3TwapSource", oracle.weth, oracle.usdc, oracle.pool, WINDOW, floor, 0)
    liquidity, minimum = refusal(thin, thin.functions.read(), "TooLittleLiquidity(uint256,uint256)")
    assert 0 < liquidity < minimum == floor


def test_stale_feed_is_a_typed_error_and_the_pool_alone_a_quorum_of_one(oracle: Oracle) -> None:
    oracle.wait(DAY + 1)
    source = oracle.eth_feed
    posted, max_age = refusal(source, source.functions.read(), "Stale(uint256,uint256)")
    assert max_age == DAY
    assert posted < oracle.w3.eth.get_block("latest")["timestamp"] - DAY
    # The asset's own feed is stale as well; the pool needs neither.
    assert oracle.quote(oracle.weth)[1] == oracle.twap.functions.read().call()[0]

    oracle.configure(oracle.weth, [oracle.eth_feed, oracle.twap], 2)
    quote = oracle.adapter.functions.quote(oracle.weth)
    assert refusal(oracle.adapter, quote, "TooFewSources(address,uint256,uint256)")[1:] == (1, 2)

    oracle.post("ETH/USD", 3000)
    error = "TooFewSources(address,uint256,uint256)"
    assert refusal(oracle.adapter, quote, error) == (oracle.usdc.lower(), 0, 1), (
        "the asset's price is missing"
    )
    oracle.post("USDC/USD", 1)
    assert abs(oracle.quote(oracle.weth)[1] / WAD - 3000) < 3


def test_a_depeg_of_the_asset_moves_what_ether_is_worth_in_it(oracle: Oracle) -> None:
    oracle.configure(oracle.weth, [oracle.eth_feed], 1)
    assert oracle.quote(oracle.weth)[1] == 3000 * WAD
    oracle.post("USDC/USD", 0.9)
    assert oracle.quote(oracle.weth)[1] == 3000 * WAD * 10 // 9


def test_a_feed_that_leaves_the_pool_behind_widens_the_interval(oracle: Oracle) -> None:
    before = oracle.quote(oracle.weth)
    oracle.post("ETH/USD", 3300)
    low, mid, high, _ = oracle.quote(oracle.weth)
    assert abs(mid / WAD - 3150) < 3
    assert low == pytest.approx(oracle.twap.functions.read().call()[0] * 0.997, rel=1e-9)
    assert high > 3300 * WAD
    assert high - low > 3 * (before[2] - before[0])


def test_a_primary_price_is_that_of_the_feed_alone_and_cheap(oracle: Oracle) -> None:
    oracle.post("ETH/USD", 3300)
    primary = oracle.adapter.functions.primary(oracle.weth)
    low, mid, high, _ = primary.call()
    assert mid == 3300 * WAD
    assert high - low < 2 * mid * 8 // 1000
    oracle.poke(oracle.weth)
    # Two real proxied aggregators, read cold: 21,000 of this is the transaction's own, and 40,000 theirs.
    assert primary.estimate_gas() < 80_000


def test_the_breaker_stops_an_absurd_round_and_rearms_when_three_agree(oracle: Oracle) -> None:
    level = oracle.adapter.functions.breaker(oracle.weth).call()[0]
    assert abs(level / WAD - 3000) < 1, "set when it was configured"
    oracle.configure(oracle.weth, [oracle.eth_feed], 1)
    oracle.post("ETH/USD", 30_000)
    error = "BreakerTripped(address,uint256,uint256,uint256)"
    for call in (oracle.adapter.functions.quote(oracle.weth), oracle.adapter.functions.primary(oracle.weth)):
        refused = refusal(oracle.adapter, call, error)
        assert refused == (oracle.weth.lower(), 30_000 * WAD, level, 4 * WAD // 10)
    for dollars in (30_010, 30_020):
        oracle.poke(oracle.weth)
        assert refusal(oracle.adapter, oracle.adapter.functions.quote(oracle.weth), error)
        oracle.wait(300)
        oracle.post("ETH/USD", dollars)
    oracle.poke(oracle.weth)
    assert oracle.quote(oracle.weth)[1] == 30_020 * WAD


def test_down_for_a_week_and_back(oracle: Oracle) -> None:
    oracle.configure(oracle.weth, [oracle.eth_feed], 1)
    oracle.poke(oracle.weth)
    oracle.wait(7 * DAY)
    oracle.poke(oracle.weth)
    quote = oracle.adapter.functions.quote(oracle.weth)
    assert refusal(oracle.adapter, quote, "TooFewSources(address,uint256,uint256)")[1:] == (0, 1)
    oracle.post("USDC/USD", 1)
    oracle.post("ETH/USD", 1_500)
    assert oracle.quote(oracle.weth)[1] == 1_500 * WAD
    oracle.poke(oracle.weth)
    assert oracle.adapter.functions.breaker(oracle.weth).call()[0] == 1_500 * WAD
