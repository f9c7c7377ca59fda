"""Wrong input to the keeper's command: one line that says what, and exit code 2."""

import json

import pytest

from evenkeel import InputError
from evenkeel.chain.keystore import KEYSTORE, PASSWORD_FILE
from evenkeel.chain.signing import unlocked
from evenkeel.cli import main
from keeper_world import MANDATE, VENUE
from plain_anvil import plain_anvil

GHOST = "0x00000000000000000000000000000000DeaDBeef"


@pytest.fixture(scope="module")
def url():
    with plain_anvil() as address:
        yield address


@pytest.fixture
def mandate(tmp_path):
    path = tmp_path / "mandate.toml"
    path.write_text(MANDATE + VENUE.format(name="spot", cap=0.2, target=0, minimum=0, critical=0))
    return path


def placed(address=GHOST):
    return {"contract": "X", "address": address, "transaction": "0x", "block": 1}


@pytest.fixture
def deployment(tmp_path):
    path = tmp_path / "deployment.json"
    write(path, 31337)
    return path


def write(path, chain_id, **more):
    content = {
        "chain_id": chain_id,
        "deployer": GHOST,
        "complete": True,
        "contracts": {name: placed() for name in ("vault", "lens", "spot")},
        "calls": {},
        "omitted": [],
        **more,
    }
    path.write_text(json.dumps(content))


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    for name in (KEYSTORE, PASSWORD_FILE, "EVENKEEL_RPC"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def refused(capsys, mandate, deployment, url):
    def run(*more, rpc=url):
        given = ["keeper", "run", "--mandate", str(mandate), "--deployment", str(deployment), "--once", *more]
        code = main([*given, "--rpc", rpc] if rpc else given)
        lines = capsys.readouterr().err.strip().splitlines()
        assert code == 2, lines
        assert len(lines) == 1, lines
        return lines[0]

    return run


def test_no_rpc(refused):
    assert "--rpc: expected the node's URL" in refused(rpc=None)


def test_an_rpc_that_is_no_url(refused):
    assert "RPC: expected an http:// or https:// URL" in refused(rpc="nonsense")


def test_no_deployment(refused, deployment):
    deployment.unlink()
    assert "--deployment: no file at" in refused()


def test_an_unfinished_deployment(refused, deployment):
    write(deployment, 31337, complete=False)
    assert "the deployment is not finished" in refused()


def test_a_deployment_of_another_chain_started_anew(refused):
    assert f"vault: no contract at {GHOST} on chain 31337" in refused()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--poll", "-1"), "--poll"),
        (("--spend-cap", "lots"), "--spend-cap"),
        (("--confirmations", "0"), "--confirmations"),
        (("--error-budget", "-1"), "--error-budget"),
    ],
)
def test_a_flag_out_of_range(refused, flags, expected):
    assert expected in refused(*flags)


def test_an_unlocked_account_is_for_local_chains_only():
    with pytest.raises(InputError, match="only on a local chain"):
        unlocked(None, 11155111, GHOST)
