"""The demo, whole, as a user runs it: every promise it makes, on its own path and on a real crash."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

CRASH = ["--prices", "eth_usdt_1h.csv", "--from", "2024-08-04T12:00", "--steps", "48"]
PARTS = {
    "delta",
    "gamma",
    "vega",
    "theta",
    "vanna",
    "volga",
    "basis",
    "carry",
    "fees",
    "slippage",
    "new_trade_edge",
}


def run(*arguments):
    """The command's exit code and its one JSON object."""
    command = [sys.executable, "-m", "evenkeel", "demo", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def data_is_there():
    folder = os.environ.get("EVENKEEL_DATA")
    return folder is not None and (Path(folder) / "eth_usdt_1h.csv").exists()


needs_data = pytest.mark.skipif(
    not data_is_there(), reason="EVENKEEL_DATA names no folder with eth_usdt_1h.csv"
)


def assert_promises(document, min_hedges):
    steps = document["steps"]
    assert len(steps) == 48
    for step in steps:
        for name, (low, high) in step["limits"].items():
            assert low <= step["greeks_after"][name] <= high, (step["index"], name)
        for unit in step["venues"]:
            assert unit["health"] is None or unit["health"] >= unit["minimum_health"], step["index"]
        for action in step["actions"]:
            assert action["reason"]
            assert action["tx"].startswith("0x")
            if action["kind"] in ("hedge", "buy_back"):
                assert action["size_usd"] >= 500
    early = [
        s
        for s in steps
        if not s["limits"]["delta_usd"][0] <= s["greeks_before"]["delta_usd"] <= s["limits"]["delta_usd"][1]
    ]
    assert len(early) <= 0.05 * len(steps)
    kinds = [action["kind"] for step in steps for action in step["actions"]]
    assert kinds.count("hedge") >= min_hedges
    assert kinds.count("top_up") >= 1
    pnl = document["pnl"]
    assert set(pnl) == PARTS | {"residual", "total"}
    assert round(sum(v for k, v in pnl.items() if k != "total"), 2) == pnl["total"]
    assert pnl["total"] == round(document["end_nav"] - document["start_nav"], 2)
    assert abs(pnl["residual"]) <= 0.01 * sum(abs(pnl[name]) for name in PARTS)
    assert document["hedging_cost"] <= 5e-4 * document["start_nav"]
    assert document["liquidations"] == []
    assert document["drawdown"] <= 0.03


def assert_the_vault_kept_its_word(document):
    refused = document["refused"]
    assert refused["status"] == 0
    assert refused["error"] == "LimitBreached"
    assert not refused["fields"]["min"] <= refused["fields"]["value"] <= refused["fields"]["max"]
    redemption = document["redemption"]
    assert redemption["paid"] == redemption["owed"] > 0


def assert_the_unkept_vault_was_liquidated(counterfactual):
    assert counterfactual["delta_breached_at_step"] is not None
    assert counterfactual["liquidated_at_step"] is not None
    assert any(position.startswith("lyra") for position in counterfactual["liquidated"])
    assert counterfactual["loss"] > 0


def test_the_demos_own_path():
    code, document = run()
    assert document["failures"] == []
    assert code == 0
    assert document["ok"]
    assert_promises(document, min_hedges=6)
    assert_the_vault_kept_its_word(document)
    assert_the_unkept_vault_was_liquidated(document["counterfactual"])
    memory = document["memory_mb"]
    assert memory["keeper"] < 250
    assert sum(memory.values()) < 1500


@needs_data
def test_a_real_crash():
    code, document = run(*CRASH)
    assert document["failures"] == []
    assert code == 0
    assert_promises(document, min_hedges=5)
    assert_the_vault_kept_its_word(document)
    assert_the_unkept_vault_was_liquidated(document["counterfactual"])


def test_without_a_keeper():
    code, document = run("--no-keeper")
    assert code == 0
    assert_the_unkept_vault_was_liquidated(document["counterfactual"])


@needs_data
def test_a_real_crash_without_a_keeper():
    code, document = run("--no-keeper", *CRASH)
    assert code == 0
    assert_the_unkept_vault_was_liquidated(document["counterfactual"])


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_broken_off_leaves_nothing_running(ending):
    command = [sys.executable, "-m", "evenkeel", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as demo:
        for line in demo.stdout:
            if "nobody at the helm" in line:
                break
        children = psutil.Process(demo.pid).children(recursive=True)
        assert children
        demo.send_signal(ending)
        assert demo.wait(30) != 0
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []


def test_a_kept_chain_is_there_until_it_is_told_to_end():
    command = [sys.executable, "-m", "evenkeel", "demo", "--keep"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as demo:
        for line in demo.stderr:
            if "the chain is at" in line:
                break
        (node,) = psutil.Process(demo.pid).children(recursive=True)
        assert node.is_running()
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(30) == 0
    _, alive = psutil.wait_procs([node], timeout=20)
    assert alive == []
