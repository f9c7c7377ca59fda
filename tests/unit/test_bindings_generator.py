"""Names, overloads, documentation and determinism of what is generated."""

import importlib
import json
import sys

import pytest
from web3 import Web3

from evenkeel.bindings._generator import GeneratorError
from evenkeel.bindings._generator.model import TypeBook, read_contract
from evenkeel.bindings._generator.naming import function_name, snake
from evenkeel.bindings._generator.sources import read_sources
from evenkeel.bindings._generator.write import Generated, render
from evenkeel.cli import main

HOME = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"
SOURCE = """
/// @notice A point.
/// @param xAxis Across.
struct Point { int256 xAxis; Colour colour; }
enum Colour {
    Red, // not used
    DarkBlue
}
"""


def value(name, kind, internal=None, **more):
    return {"name": name, "type": kind, "internalType": internal or kind, **more}


def function(name, inputs, outputs=(), mutability="nonpayable"):
    return {
        "type": "function",
        "name": name,
        "inputs": inputs,
        "outputs": list(outputs),
        "stateMutability": mutability,
    }


POINT = [value("xAxis", "int256"), value("colour", "uint8", "enum Colour")]
ABI = [
    function("move", [value("to", "address")]),
    function("move", [value("to", "address"), value("data", "bytes")]),
    function("set", [value("", "uint256")]),
    function("set", [value("", "address")]),
    function("import", [value("from", "address"), value("from", "address")], [value("", "bool")], "view"),
    function("deploy", [], [value("", "uint256[]")], "view"),
    function("nearest", [value("points", "tuple[2][]", "struct Map.Point[2][]", components=POINT)],
             [value("found", "tuple", "struct Map.Point", components=POINT), value("count", "uint256")], "pure"),
    {"type": "error", "name": "Off", "inputs": [value("point", "tuple", "struct Point", components=POINT), value("data", "bytes")]},
    {"type": "event", "name": "Moved", "inputs": [value("name", "string", indexed=True), value("log", "uint256", indexed=False)]},
]  # fmt: skip


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The bindings of `ABI`, imported as a package."""
    sources = tmp_path / "contracts"
    sources.mkdir()
    (sources / "Map.sol").write_text(SOURCE)
    (tmp_path / "Map.json").write_text(json.dumps({"abi": ABI}))
    book = TypeBook(read_sources([sources]))
    contract = read_contract("Map", tmp_path, "Map.json", book, deployable=False)
    name = f"made_{tmp_path.name}"
    Generated(tmp_path / name, render([contract], book, name, "Made in a test.")).write()
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(name)
    for module in [one for one in sys.modules if one.startswith(name)]:
        del sys.modules[module]


@pytest.fixture
def made(package):
    return package.Map(HOME, Web3())


def test_snake_case():
    names = {
        "maxLossPerCall": "max_loss_per_call",
        "sqrtPriceX96": "sqrt_price_x96",
        "getETHPrice": "get_eth_price",
        "UniswapV3TwapSource": "uniswap_v3_twap_source",
        "ERC20": "erc20",
        "DOMAIN_SEPARATOR": "domain_separator",
        "tokenIDs": "token_ids",
        "_owner": "owner",
        "from": "from_",
    }
    assert {name: snake(name) for name in names} == names
    assert function_name("address") == "address_"


def test_overloads_are_told_apart_by_number_of_arguments_and_then_by_type(made):
    selector = {name: Web3.keccak(text=name)[:4] for name in
                ("move(address)", "move(address,bytes)", "set(uint256)", "set(address)")}  # fmt: skip
    assert made.move_1(HOME).data[:4] == selector["move(address)"]
    assert made.move_2(HOME, b"x").data[:4] == selector["move(address,bytes)"]
    assert made.set_uint256(1).data[:4] == selector["set(uint256)"]
    assert made.set_address(HOME).data[:4] == selector["set(address)"]
    assert not hasattr(made, "move")


def test_keywords_members_and_equal_names_get_new_ones(made):
    call = made.import_(from_=HOME, from__2=HOME)
    assert call.decode(bytes(31) + b"\x01") is True
    assert made.deploy_().decode(bytes.fromhex("20".zfill(64) + "01".zfill(64) + "07".zfill(64))) == (7,)


def test_structs_nest_in_arrays_and_several_results_are_named(made, package):
    types = importlib.import_module(f"{package.__name__}.types")
    assert [member.name for member in types.Colour] == ["RED", "DARK_BLUE"]
    point = types.Point(x_axis=-3, colour=types.Colour.DARK_BLUE)
    call = made.nearest([[point, point]])
    assert call.data[:4] == Web3.keccak(text="nearest((int256,uint8)[2][])")[:4]
    result = call.decode((-3).to_bytes(32, signed=True) + (1).to_bytes(32) + (9).to_bytes(32))
    assert result == (point, 9)
    assert (result.found, result.count_) == (point, 9)
    assert "x_axis: Across." in types.Point.__doc__


def test_errors_and_events_have_typed_fields(package):
    errors = importlib.import_module(f"{package.__name__}.errors")
    events = importlib.import_module(f"{package.__name__}.events")
    tail = (5).to_bytes(32) + bytes(32) + (96).to_bytes(32) + bytes(32)
    error = errors.decode_error(Web3.keccak(text="Off((int256,uint8),bytes)")[:4] + tail)
    assert isinstance(error, errors.Off)
    assert (error.point.x_axis, error.data_) == (5, b"")
    topic = Web3.keccak(text="Moved(string,uint256)")
    log = {
        "address": HOME,
        "topics": [topic, bytes(range(32))],
        "data": "0x" + "08".zfill(64),
        "blockNumber": "0x2",
    }
    unknown = {**log, "topics": [bytes(32)]}
    (event,) = events.decode_logs([unknown, log])
    assert event == events.Moved(name=bytes(range(32)), log_=8)
    assert (event.log.address, event.log.block_number) == (HOME, 2)


def test_an_unknown_name_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = package.Nothing


def test_differences_name_files_and_writing_removes_what_is_left_over(tmp_path):
    generated = Generated(tmp_path, {"one.py": "1\n", "two.py": "2\n"})
    (tmp_path / "two.py").write_text("old\n")
    (tmp_path / "three.py").write_text("")
    assert generated.differences() == ["one.py is missing", "two.py is out of date", "three.py is left over"]
    assert generated.write() == ["one.py", "two.py"]
    assert generated.differences() == []


def test_an_enum_of_two_minds_and_an_artifact_that_is_not_there_are_refused(tmp_path):
    (tmp_path / "A.sol").write_text("enum Side { Long, Short }")
    (tmp_path / "B.sol").write_text("enum Side { Short, Long }")
    with pytest.raises(GeneratorError, match=r"B\.sol: enum Side is declared elsewhere with other members"):
        read_sources([tmp_path])
    (tmp_path / "B.sol").unlink()
    with pytest.raises(GeneratorError, match=r"No\.json: no such compiled contract; run `make build`"):
        read_contract("No", tmp_path, "No.json", TypeBook(read_sources([tmp_path])))


def test_the_command_says_what_to_run_where_nothing_is_compiled(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("EVENKEEL_ARTIFACTS", str(tmp_path))
    assert main(["bindings", "generate", "--check"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.endswith("no such compiled contract; run `make build`\n")
