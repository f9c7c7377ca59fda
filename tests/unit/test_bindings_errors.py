"""Revert data becomes typed errors, wherever a node puts it and however deep it is nested."""

import pickle

import pytest
from eth_abi import encode
from eth_utils import keccak

from evenkeel import EvenkeelError
from evenkeel.bindings import (
    ArgumentError,
    BindingError,
    ContractError,
    RpcError,
    UnknownBlockError,
    decode_error,
)
from evenkeel.bindings._runtime.rpc import block_parameter, revert_data, rpc_error
from evenkeel.bindings.errors import LimitBreached, Panic, PriceLimit, RevertReason, Unpriced, VenueCallFailed
from evenkeel.bindings.types import Measure

TOKEN = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"


def reverted(signature, *values):
    kinds = signature[signature.index("(") + 1 : -1]
    return keccak(text=signature)[:4] + (encode(kinds.split(","), values) if kinds else b"")


BREACH = reverted("LimitBreached(address,uint8,int256,int256,int256)", TOKEN.lower(), 1, -5, -4, 4)
PRICE = reverted("PriceLimit(uint256,uint256)", 3100, 3000)


def test_an_error_carries_its_fields_and_says_them_in_one_line():
    error = decode_error(BREACH)
    assert isinstance(error, LimitBreached)
    assert isinstance(error, EvenkeelError)
    assert (error.underlying, error.measure, error.value, error.min, error.max) == (
        TOKEN,
        Measure.GAMMA,
        -5,
        -4,
        4,
    )
    assert error.measure is Measure.GAMMA
    assert str(error) == f"LimitBreached(underlying={TOKEN}, measure=GAMMA, value=-5, min=-4, max=4)"
    assert error.data == BREACH
    assert str(decode_error(reverted("Unpriced()"))) == "Unpriced()"
    assert isinstance(decode_error(reverted("Unpriced()")), Unpriced)


def test_a_nested_error_is_decoded_as_the_cause():
    error = decode_error(reverted("VenueCallFailed(address,uint256,bytes)", TOKEN, 2, PRICE))
    assert isinstance(error, VenueCallFailed)
    assert (error.venue, error.index, error.reason) == (TOKEN, 2, PRICE)
    assert isinstance(error.cause, PriceLimit)
    assert (error.cause.price, error.cause.limit) == (3100, 3000)
    assert str(error) == f"VenueCallFailed(venue={TOKEN}, index=2, reason=PriceLimit(price=3100, limit=3000))"
    silent = decode_error(reverted("VenueCallFailed(address,uint256,bytes)", TOKEN, 2, b""))
    assert silent.cause is None
    assert str(silent).endswith("reason=0x)")


def test_what_the_compiler_reverts_with_is_decoded():
    reason = decode_error(reverted("Error(string)", "STF"))
    assert isinstance(reason, RevertReason)
    assert (reason.reason, str(reason)) == ("STF", "reverted: STF")
    panic = decode_error(reverted("Panic(uint256)", 0x11))
    assert isinstance(panic, Panic)
    assert str(panic) == "Panic(0x11): arithmetic overflow or underflow"


@pytest.mark.parametrize("data", [b"", b"\x01\x02", b"\xde\xad\xbe\xef" + bytes(32), BREACH[:40]])
def test_what_is_not_known_keeps_its_data(data):
    error = decode_error(data)
    assert type(error) is ContractError
    assert error.data == data
    assert str(error).endswith(data.hex() if data else "reverted without a reason")


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(decode_error(BREACH)))
    assert isinstance(error, LimitBreached)
    assert error.value == -5


@pytest.mark.parametrize(
    "error",
    [
        {"code": 3, "message": "execution reverted", "data": f"0x{BREACH.hex()}"},
        {"code": -32015, "message": "VM execution error.", "data": f"Reverted 0x{BREACH.hex()}"},
        {"code": -32603, "message": "reverted", "data": {"data": f"0x{BREACH.hex()}", "message": "x"}},
        {
            "code": -32603,
            "message": "oops",
            "data": {"originalError": {"code": 3, "data": f"0x{BREACH.hex()}"}},
        },
        {
            "code": -32000,
            "message": "VM Exception",
            "data": {"0x77": {"error": "revert", "return": f"0x{BREACH.hex()}"}},
        },
    ],
)
def test_revert_data_is_found_wherever_nodes_put_it(error):
    assert isinstance(rpc_error(error), LimitBreached)


def test_a_revert_without_data_is_still_a_contracts_error():
    for error in (
        {"code": 3, "message": "execution reverted", "data": "0x"},
        {"code": -32603, "message": "EVM error OutOfGas"},
    ):
        found = rpc_error(error)
        assert type(found) is ContractError
        assert found.data == b""
    assert str(found) == "reverted without a reason (EVM error OutOfGas)"


def test_the_nodes_own_refusals_are_told_apart():
    for error in (
        {"code": -32001, "message": "Resource not found"},
        {"code": -32000, "message": "header not found"},
    ):
        assert isinstance(rpc_error(error), UnknownBlockError)
    limited = rpc_error({"code": -32005, "message": "too many requests"})
    assert type(limited) is RpcError
    assert limited.code == -32005
    assert isinstance(limited, BindingError)
    assert revert_data({"reason": None}) is None
    assert revert_data("0xzz") is None


def test_blocks_are_numbers_hashes_or_tags():
    block_hash = "0x" + "11" * 32
    pinned = {"blockHash": block_hash, "requireCanonical": True}
    assert block_parameter(255) == "0xff"
    assert block_parameter(bytes.fromhex("11" * 32)) == pinned
    assert block_parameter(block_hash) == pinned
    assert block_parameter("pending") == "pending"
    for wrong in ("newest", "0x11", True, None):
        with pytest.raises(ArgumentError, match="block: expected a number"):
            block_parameter(wrong)
