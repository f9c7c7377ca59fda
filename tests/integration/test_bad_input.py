"""Bad input through the real command: one line on standard error that says what, exit code 2, and nothing left running."""

import json
import os
import shutil
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from eth_account import Account
from open_book import toml

from demo_mandate import raw
from evenkeel.chain.keystore import KEYSTORE, PASSWORD_FILE
from evenkeel.sandbox import node
from evenkeel.sandbox.errors import NodeStartError
from evenkeel.sandbox.node import Node
from plain_anvil import KEYS, plain_anvil

ROOT = Path(__file__).resolve().parents[2]
GHOST = "0x00000000000000000000000000000000DeaDBeef"
NOWHERE = "http://127.0.0.1:9"
ROWS = [
    "timestamp,open,close",
    "2024-08-04T00:00:00Z,1,3000",
    "2024-08-04T01:00:00Z,1,2990",
    "2024-08-04T02:00:00Z,1,2980",
    "2024-08-04T03:00:00Z,1,2970",
    "2024-08-04T04:00:00Z,1,2960",
]


def refused(*arguments, **environment):
    """Run the command; returns its one line of error."""
    clean = {k: v for k, v in os.environ.items() if k not in (KEYSTORE, PASSWORD_FILE, "EVENKEEL_RPC")}
    done = subprocess.run(
        [sys.executable, "-m", "evenkeel", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**clean, **{name: str(value) for name, value in environment.items()}},
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def url():
    with plain_anvil() as address:
        yield address


@pytest.fixture
def mandate(tmp_path):
    return write(tmp_path / "mandate.toml")


def write(path, **changes):
    path.write_text(toml(raw(**changes)))
    return path


@pytest.fixture
def deployment(tmp_path):
    placed = {"contract": "X", "address": GHOST, "transaction": "0x", "block": 1}
    names = ("vault", "lens", "spot", "lending", "option", "perp/perp-a", "perp/perp-b")
    content = {
        "chain_id": 31337,
        "deployer": GHOST,
        "complete": True,
        "contracts": dict.fromkeys(names, placed),
        "calls": {},
        "omitted": [],
    }
    path = tmp_path / "deployment.json"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def keeper(mandate, deployment, tmp_path):
    """A keeper's command line, right but for what a test changes."""

    def run(*more, rpc, **environment):
        given = ("keeper", "run", "--mandate", mandate, "--deployment", deployment, "--once")
        return refused(*given, "--journal", tmp_path / "journal.sqlite", "--rpc", rpc, *more, **environment)

    return run


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"delta_usd__limit": "wide"}, "delta_usd.limit: expected a number, got 'wide'"),
        ({"delta_usd__limit": 1.5}, "delta_usd.limit: expected a fraction between 0 and 1, got 1.5"),
        ({"gamma_usd_1pct__limit": None}, "gamma_usd_1pct.limit: expected a value, the field is missing"),
        ({"theta_usd_week": {"limit": -5.0}}, "theta_usd_week: unknown field"),
    ],
)
def test_an_invalid_mandate_field(keeper, mandate, changes, expected):
    write(mandate, **changes)
    assert keeper(rpc=NOWHERE) == f"error: {mandate}: {expected}"


def test_a_mandate_of_the_demo_is_checked_before_anything_starts(mandate):
    write(mandate, band__mode="wide")
    assert refused("demo", "--mandate", mandate).startswith(f"error: {mandate}: band.mode: ")


def test_a_mandate_that_is_no_file(tmp_path):
    assert refused("keeper", "run", "--mandate", tmp_path, "--rpc", NOWHERE).startswith(
        f"error: {tmp_path}: cannot be read: "
    )


def test_an_unknown_venue(keeper, mandate, url):
    write(mandate, venues__moon={"cap": 0.1})
    line = keeper(rpc=url)
    assert line.startswith("error: venues.moon: unknown venue; the deployment has ")
    assert "perp-a" in line


def test_the_wrong_chain_id(keeper, deployment, url):
    deployment.write_text(deployment.read_text().replace("31337", "11155111"))
    assert keeper(rpc=url) == "error: wrong chain id: expected 11155111, the RPC serves 31337"


def test_a_deployment_file_that_is_none(keeper, deployment, url):
    deployment.write_text("{")
    assert str(deployment) in keeper(rpc=url)


def test_an_unreachable_rpc(keeper):
    line = keeper(rpc=f"{NOWHERE}/a-secret-path")
    assert f"no answer from the RPC at {NOWHERE} " in line
    assert "secret" not in line


class Greeter(BaseHTTPRequestHandler):
    """Answers in words."""

    def do_POST(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_):
        pass


def test_an_rpc_that_is_no_rpc(keeper):
    with ThreadingHTTPServer(("127.0.0.1", 0), Greeter) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        line = keeper(rpc=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert f"http://127.0.0.1:{server.server_port}" in line


def test_a_key_file_that_is_named_but_missing(keeper, url, tmp_path):
    gone = tmp_path / "gone.json"
    assert keeper(rpc=url, **{KEYSTORE: gone}) == f"error: {KEYSTORE}: no file at {gone}"


def test_a_key_without_its_password_and_a_wrong_password(keeper, url, tmp_path):
    key, password = tmp_path / "key.json", tmp_path / "password"
    key.write_text(json.dumps(Account.encrypt(KEYS[0], "right", iterations=2)))
    assert PASSWORD_FILE in keeper(rpc=url, **{KEYSTORE: key})
    password.write_text("wrong\n")
    line = keeper(rpc=url, **{KEYSTORE: key, PASSWORD_FILE: password})
    assert str(key) in line
    assert "wrong\n" not in line


def test_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refused("sandbox", "up", "--port", port).startswith(f"error: port {port} cannot be taken: ")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout whose node packages are not installed."""
    folder = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "python_pkg", folder / "python_pkg", ignore=ignored)
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


@pytest.mark.parametrize("command", [("sandbox", "up"), ("demo",)], ids=["sandbox", "demo"])
def test_no_anvil(command, checkout, tmp_path):
    line = refused(*command, PYTHONPATH=checkout / "python_pkg", PATH=tmp_path)
    assert line == "error: no anvil: run `make setup`, or put Foundry's anvil on PATH"


def test_an_anvil_of_another_machine(tmp_path, monkeypatch):
    binary = tmp_path / "anvil"
    binary.write_bytes(b"\x7fELF nonsense")
    binary.chmod(0o755)
    monkeypatch.setattr(node, "_NATIVE", binary)
    with pytest.raises(NodeStartError, match=f"{binary} cannot be run: Exec format error"):
        Node()


@pytest.mark.parametrize("command", [("sandbox", "up"), ("demo",)], ids=["sandbox", "demo"])
@pytest.mark.parametrize(
    ("line", "row", "expected"),
    [
        (4, None, "line 4: 2:00:00 after the line before, expected 1:00:00"),
        (4, "2024-08-04T02:00:00Z,1,-5", "line 4: close -5 is not a price above 0"),
        (4, "2024-08-04T02:00:00Z,1,", "line 4: no price"),
        (1, "timestamp,open,last", "line 1: no column 'close'"),
    ],
    ids=["gap", "negative", "missing", "header"],
)
def test_a_bad_price_file(command, line, row, expected, tmp_path):
    rows = list(ROWS)
    rows[line - 1 : line] = [] if row is None else [row]
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(rows) + "\n")
    assert refused(*command, "--prices", path, "--steps", 3).startswith(f"error: prices.csv, {expected}")


def test_a_price_file_that_is_not_there():
    assert refused("demo", "--prices", "nowhere.csv").startswith("error: nowhere.csv: no such file")


@pytest.mark.parametrize("speed", ["0", "-2"])
def test_a_speed_that_is_none(speed):
    assert "--speed" in refused("demo", "--speed", speed)
