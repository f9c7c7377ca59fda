"""The sandbox itself: booting, caching, ports, and that every protocol sees one market."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from evenkeel.cli import main
from evenkeel.deploy import Protocols
from evenkeel.sandbox import cache, node, up
from evenkeel.sandbox.artifacts import hardhat
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.errors import NodeNotFoundError, PortInUseError
from evenkeel.sandbox.node import Node, find_anvil
from evenkeel.sandbox.protocols import chainlink, lyra, uniswap

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """A cache folder with one entry, copied from the session's so that it can be damaged."""
    folder = tmp_path_factory.mktemp("cache")
    with up(folder=folder, say=lambda line: None):
        pass
    return folder


@pytest.fixture
def own_cache(cached, tmp_path):
    return shutil.copytree(cached, tmp_path / "cache")


def head(sandbox):
    return sandbox.w3.eth.get_block("latest")


def test_two_sandboxes_live_side_by_side():
    with up() as one:
        before = head(one)["number"]
        with up() as other:
            assert other.url != one.url
            other.node.rpc("evm_mine")
            assert head(other)["number"] == before + 1
            assert head(one)["number"] == before
        assert head(one)["number"] == before


def test_a_restored_node_answers_within_a_second(own_cache):
    (state,) = own_cache.glob("*/state.json")
    began = time.perf_counter()
    with Node(state=state) as restored:
        assert restored.w3.eth.block_number > 0
        assert time.perf_counter() - began < 1


def test_the_chain_starts_at_the_time_asked_for_with_fees_and_moves_by_blocks_only():
    # The session's own may have a vault on it by now.
    with up() as fresh:
        assert head(fresh)["timestamp"] == fresh.start_time
        fresh.node.rpc("evm_mine")
        assert head(fresh)["timestamp"] == fresh.start_time + 1
        assert head(fresh)["baseFeePerGas"] == node.BASE_FEE


def test_one_feed_drives_every_protocol(sandbox):
    d = Deployer(sandbox.w3, sandbox.signers["deployer"])
    there = sandbox.protocols
    weth = there.tokens["WETH"].address
    assert (
        d.call(there.feeds["ETH/USD"], chainlink.contract("EACAggregatorProxy"), "latestAnswer")
        == 3000 * 10**8
    )
    assert (
        d.call(there.aave.oracle, hardhat("aave-core-v3", "misc/AaveOracle.sol"), "getAssetPrice", weth)
        == 3000 * 10**8
    )
    dispatcher = hardhat("perp-perp-oracle-contract", "PriceFeedDispatcher.sol")
    for perp in there.perps:
        assert d.call(perp.price_feed, dispatcher, "getDispatchedPrice", 0) == 3000 * 10**18
    spot = d.call(
        there.lyra.synthetix_adapter,
        lyra.contract("SynthetixAdapter"),
        "getSpotPriceForMarket",
        there.lyra.option_market,
    )
    assert spot == 3000 * 10**18


def test_thirty_ether_and_two_hundred_thousand_susd_trade_within_a_few_basis_points_of_the_fee(sandbox):
    d = Deployer(sandbox.w3, sandbox.signers["deployer"])
    there = sandbox.protocols
    usdc = there.tokens["USDC"].address
    for symbol, amount, worth in (("WETH", 30, 90_000), ("SUSD", 200_000, 200_000)):
        pool = there.uniswap.pools[f"{symbol}/USDC"]
        quoted = d.call(
            there.uniswap.quoter,
            uniswap.periphery("lens/QuoterV2.sol"),
            "quoteExactInputSingle",
            (there.tokens[symbol].address, usdc, amount * 10**18, pool.fee, 0),
        )[0]
        cost = 1 - quoted / (worth * 10**6)
        assert pool.fee / 1e6 < cost < pool.fee / 1e6 + 3e-4
        # A time-weighted price over 15 minutes can be read from the start.
        ticks, _ = d.call(pool.address, uniswap.core("UniswapV3Pool"), "observe", [900, 0])
        assert ticks[1] != ticks[0]


def test_a_pool_whose_address_is_left_out_is_the_one_its_factory_made(sandbox):
    content = sandbox.protocols.to_json()
    for pool in content["uniswap"]["pools"].values():
        del pool["address"]
    assert Protocols.model_validate(content) == sandbox.protocols


def test_a_damaged_cache_is_rebuilt_with_one_line(own_cache):
    (state,) = own_cache.glob("*/state.json")
    state.write_bytes(state.read_bytes()[:1000])
    lines = []
    with up(folder=own_cache, say=lines.append) as rebuilt:
        assert head(rebuilt)["timestamp"] == rebuilt.start_time
    assert len(lines) == 1
    assert "damaged" in lines[0]
    assert "\n" not in lines[0]
    with up(folder=own_cache, say=lines.append):
        assert len(lines) == 1


def test_an_outdated_cache_is_rebuilt_with_one_line(own_cache, monkeypatch):
    (entry,) = (path for path in own_cache.iterdir() if path.is_dir())
    monkeypatch.setattr(cache, "key", lambda price, start: "f" * 16)
    lines = []
    with up(folder=own_cache, say=lines.append):
        pass
    assert len(lines) == 1
    assert "outdated" in lines[0]
    assert not entry.exists()


def test_the_key_depends_on_price_time_and_our_artifacts(monkeypatch):
    keys = {cache.key(3000.0, 10**9), cache.key(3001.0, 10**9), cache.key(3000.0, 10**9 + 1)}
    other = cache.own("ExchangeRates")
    monkeypatch.setattr(
        cache, "own", lambda name: type(other)(other.name, other.abi, other.bytecode + "00", other.links)
    )
    keys.add(cache.key(3000.0, 10**9))
    assert len(keys) == 4


def test_a_taken_port_is_a_typed_error_and_exit_2(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=str(port)):
            up(port=port)
        assert main(["sandbox", "up", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: port {port} ")
    assert error.count("\n") == 1


def test_no_anvil_is_a_typed_error_and_exit_2(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(node, "_NATIVE", tmp_path / "anvil")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeNotFoundError, match="no anvil"):
        find_anvil()
    assert main(["sandbox", "up"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--prices", "nowhere.csv"],
        ["--from", "2024-08-04"],
        ["--start-price", "-3"],
        ["--every", "0"],
        ["--every", "1", "--detach"],
        ["--every", "1", "--still"],
        ["--steps", "0"],
        ["--port", "99999"],
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(arguments, capsys):
    assert main(["sandbox", "up", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def started(*arguments):
    """Start the command and read its first lines up to the warning; returns the process and its URL."""
    command = [sys.executable, "-m", "evenkeel", "sandbox", "up", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = ""
    for line in process.stdout:
        if line.startswith("RPC"):
            url = line.split()[1]
        if line.startswith("WARNING"):
            assert "public" in line
            break
    return process, url


def answers(url):
    return node.rpc(node.connect(url), "eth_chainId") == hex(node.CHAIN_ID)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_what_up_started(number):
    process, url = started()
    assert answers(url)
    os.kill(process.pid, number)
    process.wait(10)
    with pytest.raises(OSError, match="refused"):
        answers(url)


def test_the_market_moves_along_the_path_by_default():
    process, _ = started("--every", "0.2", "--steps", "2")
    steps = [line for line in process.stdout if line.startswith("step") or process.send_signal(signal.SIGINT)]
    assert process.wait(10) == 0
    assert [line.split(":")[0] for line in steps] == ["step 1", "step 2"]


def test_down_stops_what_up_started_and_nothing_else(sandbox, capsys):
    first, one = started("--detach")
    second, two = started("--detach")
    assert first.wait(10) == second.wait(10) == 0
    assert main(["sandbox", "status"]) == 0
    listed = capsys.readouterr().out
    assert one in listed
    assert two in listed
    assert main(["sandbox", "down", "--port", one.rpartition(":")[2]]) == 0
    with pytest.raises(OSError, match="refused"):
        answers(one)
    assert answers(two)
    assert main(["sandbox", "down", "--port", two.rpartition(":")[2]]) == 0
    assert answers(sandbox.url)
    assert main(["sandbox", "down", "--port", two.rpartition(":")[2]]) == 2
