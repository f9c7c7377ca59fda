"""Values are checked against their Solidity types before they are encoded, and come back as their own classes."""

from dataclasses import FrozenInstanceError

import pytest
from eth_abi import decode, encode
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.bindings import ArgumentError, DecodeError
from evenkeel.bindings import types as vault_types
from evenkeel.bindings._runtime.codec import Shape
from evenkeel.bindings.types import Exposure, Greeks, Instruction, Kind, Range

LOWER = "0x" + "ab" * 20
RIGHT = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"
TYPES = vars(vault_types)


def shape(text):
    return Shape("Thing.act", text, TYPES)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("uint8", 0, 255),
        ("uint64", 0, 2**64 - 1),
        ("uint256", 0, 2**256 - 1),
        ("int24", -(2**23), 2**23 - 1),
        ("int256", -(2**255), 2**255 - 1),
    ],
)
def test_integers_are_held_to_the_range_of_their_type(kind, low, high):
    one = shape(f"{kind} amount")
    for value in (low, high):
        assert list(one.decode(one.encode([value]))) == [value]
    for value in (low - 1, high + 1):
        with pytest.raises(
            ArgumentError, match=rf"^Thing\.act: amount: expected a value within {kind}, got int"
        ):
            one.encode([value])


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("uint256", "5", "an int for uint256, got str '5'"),
        ("uint256", 5.0, "an int for uint256, got float 5.0"),
        ("uint256", True, "an int for uint256, got bool True"),
        ("int256", None, "an int for int256, got NoneType None"),
        ("bool", 1, "a bool, got int 1"),
        ("string", b"x", "a str, got bytes"),
        ("bytes", "0x00", "bytes for bytes, got str"),
        ("bytes32", b"\x01", "exactly 32 bytes for bytes32, not 1"),
        ("bytes4", b"\x01" * 5, "exactly 4 bytes for bytes4, not 5"),
        ("address", "0x12", "an address (0x and 40 hex digits), got str '0x12'"),
        ("address", bytes(20), "an address (0x and 40 hex digits), got bytes"),
        ("address", RIGHT[:-1] + "b", f"an address with its checksum ({RIGHT})"),
        ("uint256[]", 5, "a list or tuple for uint256[], got int 5"),
        ("uint256[2]", [1], "2 items, not 1"),
        ("Kind", 4, "a Kind, got int 4"),
        ("Kind", "Spot", "a Kind, got str 'Spot'"),
        ("Range", (1, 2), "a Range, got tuple (1, 2)"),
    ],
)
def test_a_wrong_type_is_refused_by_name(kind, value, expected):
    with pytest.raises(ArgumentError) as refused:
        shape(f"{kind} thing").encode([value])
    assert str(refused.value).startswith("Thing.act: thing: expected ")
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_refused_part_of_a_nested_value_is_named():
    with pytest.raises(ArgumentError, match=r"^Thing\.act: calls\[1\]\.venue: expected an address"):
        shape("Instruction[] calls").encode([[Instruction(LOWER, b""), Instruction("nowhere", b"")]])
    with pytest.raises(ArgumentError, match=r"exposure\.greeks\.gamma: expected a value within int256"):
        shape("Exposure exposure").encode([Exposure(LOWER, 0, Greeks(0, 2**255, 0, 0))])


def test_the_number_of_arguments_is_checked():
    with pytest.raises(ArgumentError, match=r"^Thing\.act: expected 2 arguments, got 1$"):
        shape("uint256 one, uint256 two").encode([1])


@pytest.mark.parametrize("given_as", [LOWER, "0x" + "AB" * 20, RIGHT])
def test_addresses_in_any_valid_form_go_in_and_checksummed_ones_come_out(given_as):
    one = shape("address venue, address[] others")
    assert list(one.decode(one.encode([given_as, [given_as]]))) == [RIGHT, (RIGHT,)]


def test_structs_and_enums_come_back_as_their_classes_and_cannot_be_changed():
    one = shape("Exposure[] exposures, Kind kind")
    exposure = Exposure(RIGHT, 1_700_000_000, Greeks(-1, 2, -3, 4))
    (found,), kind = one.decode(one.encode([[exposure], Kind.OPTION]))
    assert found == exposure
    assert kind is Kind.OPTION
    with pytest.raises(FrozenInstanceError):
        found.expiry = 0
    assert not hasattr(found, "__dict__")


def test_an_enum_value_that_is_not_one_is_refused():
    with pytest.raises(DecodeError, match=r"Thing\.act"):
        shape("Kind kind").decode(encode(["uint8"], [9]))


def test_data_cut_short_is_refused():
    with pytest.raises(DecodeError, match=r"^Thing\.act: 31 bytes are not \(uint256\)"):
        shape("uint256 amount").decode(bytes(31))


words = st.integers(-(2**255), 2**255 - 1)
greeks = st.builds(Greeks, words, words, words, words)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: decode(["address"], bytes(12) + raw)[0])


@given(
    st.lists(st.builds(Exposure, addresses, st.integers(0, 2**64 - 1), greeks), max_size=4),
    st.binary(max_size=80),
)
def test_what_is_encoded_is_what_eth_abi_encodes_and_decodes_to_the_same(exposures, data):
    one = shape("Exposure[] exposures, bytes data")
    encoded = one.encode([exposures, data])
    plain = [
        (e.underlying, e.expiry, (e.greeks.delta, e.greeks.gamma, e.greeks.vega, e.greeks.theta))
        for e in exposures
    ]
    assert encoded == encode(["(address,uint64,(int256,int256,int256,int256))[]", "bytes"], [plain, data])
    found, same = one.decode(encoded)
    assert same == data
    assert [e.underlying.lower() for e in found] == [e.underlying for e in exposures]
    assert [e.greeks for e in found] == [e.greeks for e in exposures]


def test_an_empty_range_and_a_struct_of_ints_need_no_conversion():
    one = shape("Range range, uint256[] none")
    assert list(one.decode(one.encode([Range(-1, 1), ()]))) == [Range(-1, 1), ()]
