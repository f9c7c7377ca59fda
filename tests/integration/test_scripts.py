"""Brownie's scripts and the console on a sandbox that holds the demo's opening book."""

from types import SimpleNamespace

import pytest
import requests
from brownie._cli.console import ConsoleCompleter
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from brownie_project import ROOT, Home
from evenkeel.bindings import ERC20, Vault
from evenkeel.console import CallCompleter
from evenkeel.demo.stage import set_up
from evenkeel.deploy import plan_of
from evenkeel.sandbox import up
from evenkeel.strategy import load_mandate

NOWHERE = "0x" + "00" * 19 + "11"


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    mandate = load_mandate(ROOT / "examples/demo.toml")
    with up() as sandbox:
        plan = plan_of(mandate, sandbox.protocols)
        yield set_up(sandbox, mandate, plan, 0.8, tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="module")
def home(stage, tmp_path_factory):
    made = Home(tmp_path_factory.mktemp("user") / "home", EVENKEEL_RPC=stage.sandbox.url)
    made.compile()
    return made


@pytest.fixture
def deployment(stage):
    return str(stage.deployment_file)


def health(stage, venue, unit=0):
    at = next(v for v in stage.state().venues if v.venue == stage.names[venue])
    return next(u.health for u in at.units if u.unit == unit)


def one_line(done):
    """The one line that a script ends with where something it was given is wrong."""
    assert done.returncode == 2, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_status_shows_nav_greeks_against_limits_and_healths(home, stage, deployment):
    done = home.run("status", deployment)
    assert done.returncode == 0, done.stderr
    nav = stage.vault.nav().read()
    assert f"NAV   {nav.low / 1e18:,.2f} to {nav.high / 1e18:,.2f}" in done.stdout
    low = f"{nav.low / 1e18 * 0.05:,.2f}"
    assert f"limits -{low} to {low}" in done.stdout
    assert "limits -750.00 to none" in done.stdout
    shorts = next(v for v in stage.state().venues if v.venue == stage.names["lyra-v1"]).units
    for unit in shorts:
        assert f"unit {unit.unit}: health {unit.health / 1e18:.3f}   minimum 1.08, target 1.20" in done.stdout


def test_rebalance_shows_then_does_what_the_keeper_would(home, stage, deployment):
    before = stage.w3.eth.block_number
    shown = home.run("rebalance", "dry", deployment)
    assert shown.returncode == 0, shown.stderr
    assert "hedge: delta -" in shown.stdout
    assert stage.w3.eth.block_number == before
    sent = home.run("rebalance", "", deployment)
    assert sent.returncode == 0, sent.stderr
    assert f"block {before + 1}" in sent.stdout
    again = home.run("rebalance", "dry", deployment)
    assert "nothing to do" in again.stdout


def test_top_up_posts_idle_and_is_refused_past_the_target(home, stage, deployment):
    stage.market.step(stage.sandbox.start_price * 0.97)
    shorts = next(v for v in stage.state().venues if v.venue == stage.names["lyra-v1"]).units
    worst = min(shorts, key=lambda u: u.health)
    idle = ERC20(stage.deployment.asset, stage.w3).balance_of(stage.vault.address)
    before = idle.read()
    done = home.run("top_up", "lyra-v1", str(worst.unit), "1000", deployment)
    assert done.returncode == 0, done.stderr
    after = health(stage, "lyra-v1", worst.unit)
    assert after > worst.health
    assert before - idle.read() == 1000 * 10**6
    assert f"health {after / 1e18:.3f}" in done.stdout
    refused = one_line(home.run("top_up", "lyra-v1", str(worst.unit), "100000", deployment))
    assert refused.startswith(f"error: PastTarget(venue={stage.names['lyra-v1']}, unit={worst.unit}, health=")


def test_the_keeper_script_runs_the_keeper(home, stage, deployment, tmp_path):
    flags = ("once", "poll=0.02", f"deployment={deployment}", f"journal={tmp_path / 'journal.sqlite'}")
    done = home.run("keeper", str(ROOT / "examples/demo.toml"), *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "journal.sqlite").exists()


@pytest.mark.parametrize(
    ("script", "arguments", "says"),
    [
        ("status", ("missing.json",), "--deployment: no file at missing.json"),
        ("deploy", ("missing.json",), "missing.json: cannot be read: No such file or directory"),
        ("top_up", ("perp-x", "0", "1"), "venue: perp-x is unknown; the deployment has aave-v3"),
        ("top_up", ("perp-a", "0", "much"), "amount: expected a number of 0 or more, got much"),
    ],
)
def test_bad_input_is_one_line_and_code_2(home, deployment, script, arguments, says):
    more = (deployment,) if script == "top_up" else ()
    assert says in one_line(home.run(script, *arguments, *more))


def test_a_node_that_is_not_there_is_one_line(tmp_path):
    away = Home(tmp_path / "home", EVENKEEL_RPC="http://127.0.0.1:9")
    assert "no answer from the RPC at http://127.0.0.1:9" in one_line(away.run("status"))


def test_the_console_on_its_own_sandbox(home):
    alone = Home(home.folder)
    done = alone.console(
        "vault.nav().read()",
        "greeks()['WETH'].vega_usd_pt < 0",
        "plan()",
        "vault.top_up(perp_a.address, 0, 10**9, 0).send(keeper)",
        "market.step(2900, 0.85).price",
        "len(send(plan()))",
    )
    assert done.returncode == 0, done.stderr
    shown = done.stderr
    assert "NavResult(priced=True, low=" in shown
    assert "hedge: delta -" in shown
    assert "PastTarget(venue=0x" in shown
    assert "Error" not in shown
    assert "Traceback" not in shown
    url = shown.partition(" at http")[2].partition(". Try")[0]
    with pytest.raises(requests.ConnectionError):
        requests.post(f"http{url}", json={}, timeout=5)


def test_the_console_attaches_to_a_running_sandbox(home, stage, deployment):
    done = home.console("vault.address", "1/0", arguments=("--deployment", deployment))
    assert done.returncode == 0, done.stderr
    assert stage.vault.address in done.stderr
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert stage.sandbox.w3.eth.block_number > 0


def test_the_console_completes_typed_calls():
    names = {"vault": Vault(NOWHERE, None)}

    def completed(text):
        completer = CallCompleter(names, ConsoleCompleter(SimpleNamespace(buffer=[]), names))
        found = completer.get_completions(Document(text), CompleteEvent())
        return {item.text for item in found}

    assert {"nav", "rebalance", "top_up", "deposit"} <= completed("vault.")
    assert completed("vault.to") == {"top_up", "top_up_critical", "total_assets", "total_supply"}
    assert {"read", "send", "simulate"} <= completed("vault.nav().")
    assert completed("vault.top_up(a, 0, 1, 0).se") == {"send"}
    assert completed("x = vault.na") == {"name", "nav", "nav_view"}
