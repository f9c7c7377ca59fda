"""The protocols file: what it accepts, and how each fault is named."""

import json
import re

import pytest

from evenkeel.deploy import Protocols, ProtocolsError

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
SMALL = {
    "chain_id": 11155111,
    "tokens": {"USDC": {"address": ADDRESS.lower(), "decimals": 6}},
    "feeds": {"ETH/USD": ADDRESS},
    "_sources": {"tokens.USDC": "the issuer's documentation"},
}
UNISWAP = {"factory": ADDRESS, "router": ADDRESS, "pools": {"WETH/USDC": {"address": ADDRESS, "fee": 500}}}


def load(tmp_path, content):
    path = tmp_path / "protocols.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return Protocols.load(path)


def test_sections_may_be_absent_and_addresses_come_back_checksummed(tmp_path):
    protocols = load(tmp_path, SMALL)
    assert protocols.tokens["USDC"].address == ADDRESS
    assert protocols.uniswap is protocols.aave is protocols.lyra is None
    assert protocols.perps == ()
    assert protocols.sources == {"tokens.USDC": "the issuer's documentation"}


def test_what_is_saved_loads_again(tmp_path):
    protocols = load(tmp_path, SMALL)
    protocols.save(tmp_path / "deep" / "again.json")
    assert Protocols.load(tmp_path / "deep" / "again.json") == protocols
    assert "_sources" in json.loads((tmp_path / "deep" / "again.json").read_text())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feeds": {"ETH/USD": "0x" + "0" * 40}}, "feeds.ETH/USD: the zero address is not allowed"),
        ({"feeds": {"ETH/USD": "0x1234"}}, "feeds.ETH/USD: expected an address"),
        ({"tokens": {"USDC": {"address": ADDRESS, "decimals": 19}}}, "tokens.USDC.decimals: "),
        ({"chain_id": 0}, "chain_id: "),
        ({"bridge": {}}, "bridge: Extra inputs are not permitted"),
        ({"uniswap": {"factory": ADDRESS}}, "uniswap.router: Field required"),
        ({"uniswap": UNISWAP}, "uniswap.pools.WETH/USDC: 'WETH' is not among tokens"),
    ],
)
def test_a_fault_is_one_line_with_file_and_field(tmp_path, change, message):
    with pytest.raises(ProtocolsError, match=re.escape(message)) as caught:
        load(tmp_path, {**SMALL, **change})
    text = str(caught.value)
    assert "protocols.json: " in text
    assert "\n" not in text


def test_a_wrong_checksum_is_refused(tmp_path):
    wrong = ADDRESS.replace("FbDB", "fBDB")
    with pytest.raises(ProtocolsError, match=r"feeds.ETH/USD: .*checksum"):
        load(tmp_path, {**SMALL, "feeds": {"ETH/USD": wrong}})


def test_a_file_that_is_missing_or_not_json_is_named(tmp_path):
    with pytest.raises(ProtocolsError, match=r"protocols.json: not JSON"):
        load(tmp_path, "{")
    with pytest.raises(ProtocolsError, match=r"absent.json: cannot be read"):
        Protocols.load(tmp_path / "absent.json")
