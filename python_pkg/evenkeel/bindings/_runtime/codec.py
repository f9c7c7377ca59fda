"""Solidity types in Python: checked before they are encoded, and given their own classes when decoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import lru_cache
from typing import Any, NoReturn

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from evenkeel.bindings._runtime.errors import ArgumentError, DecodeError

try:  # compiled with mypyc, five times as fast; Brownie brings it along
    from faster_eth_abi import decode as _decode
    from faster_eth_abi import encode as _encode
except ImportError:
    from eth_abi.abi import decode as _decode
    from eth_abi.abi import encode as _encode

Check = Callable[[Any, str], Any]
Build = Callable[[Any], Any]

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_ARRAY = re.compile(r"^(.*)\[(\d*)\]$")
_INTEGER = re.compile(r"^(u?)int(\d+)$")
_FIXED_BYTES = re.compile(r"^bytes(\d+)$")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class AbiType:
    """One Solidity type: its canonical name, the check of a Python value, and what a decoded value becomes.

    `build` is None where the decoder's own value is right already, so that arrays of such values are not walked.
    """

    abi: str
    check: Check
    build: Build | None = None


@lru_cache(maxsize=8192)
def checksum(address: str) -> ChecksumAddress:
    """`address` with the capitals of EIP-55."""
    return to_checksum_address(address)


def _refuse(where: str, expected: str, value: object) -> NoReturn:
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    raise ArgumentError(f"{where}: expected {expected}, got {type(value).__name__} {shown}")


def check_address(value: object, where: str) -> ChecksumAddress:
    """Accept 0x and 40 hex digits; mixed case must be the EIP-55 checksum, since anything else is a typing error."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        _refuse(where, "an address (0x and 40 hex digits)", value)
    right = checksum(value)
    if value != right and value[2:] not in (value[2:].lower(), value[2:].upper()):
        _refuse(where, f"an address with its checksum ({right})", value)
    return right


def _integer(name: str, low: int, high: int) -> AbiType:
    def check(value: object, where: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            _refuse(where, f"an int for {name}", value)
        if not low <= value <= high:
            _refuse(where, f"a value within {name}", value)
        return value

    return AbiType(name, check)


def _check_bool(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        _refuse(where, "a bool", value)
    return value


def _check_string(value: object, where: str) -> str:
    if not isinstance(value, str):
        _refuse(where, "a str", value)
    return value


def _bytes(name: str, size: int | None) -> AbiType:
    def check(value: object, where: str) -> bytes:
        if not isinstance(value, bytes | bytearray):
            _refuse(where, f"bytes for {name}", value)
        if size is not None and len(value) != size:
            _refuse(where, f"exactly {size} bytes for {name}, not {len(value)}", value)
        return bytes(value)

    return AbiType(name, check)


def _array(item: AbiType, size: int | None) -> AbiType:
    name = f"{item.abi}[{'' if size is None else size}]"
    inner, build_item = item.check, item.build

    def check(value: object, where: str) -> list[Any]:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray):
            _refuse(where, f"a list or tuple for {name}", value)
        if size is not None and len(value) != size:
            _refuse(where, f"{size} items, not {len(value)}", value)
        return [inner(one, f"{where}[{index}]") for index, one in enumerate(value)]

    if build_item is None:
        return AbiType(name, check, tuple)

    def build(value: Sequence[Any]) -> tuple[Any, ...]:
        return tuple([build_item(one) for one in value])

    return AbiType(name, check, build)


def _enum(cls: type[IntEnum]) -> AbiType:
    def check(value: object, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value not in list(cls):
            _refuse(where, f"a {cls.__name__}", value)
        return int(value)

    return AbiType("uint8", check, cls)


def _struct(cls: type[Any], types: Mapping[str, Any]) -> AbiType:
    names = [one.name for one in fields(cls)]
    parts = [parse(text, types) for text in cls.__abi__]
    checks = list(zip(names, (part.check for part in parts), strict=True))

    def check(value: object, where: str) -> tuple[Any, ...]:
        if not isinstance(value, cls):
            _refuse(where, f"a {cls.__name__}", value)
        return tuple([one(getattr(value, name), f"{where}.{name}") for name, one in checks])

    abi = f"({','.join(part.abi for part in parts)})"
    convert = _converter(parts)

    def build(value: Sequence[Any]) -> Any:
        return cls(*convert(value))

    return AbiType(abi, check, build)


def _converter(parts: Sequence[AbiType]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    todo = [(index, part.build) for index, part in enumerate(parts) if part.build is not None]

    def convert(values: Sequence[Any]) -> Sequence[Any]:
        if not todo:
            return values
        built = list(values)
        for index, build in todo:
            built[index] = build(built[index])
        return built

    return convert


def parse(text: str, types: Mapping[str, Any]) -> AbiType:
    """The type that `text` names; structs and enums are looked up in `types`."""
    if array := _ARRAY.match(text):
        return _array(parse(array[1], types), int(array[2]) if array[2] else None)
    if integer := _INTEGER.match(text):
        bits = int(integer[2])
        if integer[1]:
            return _integer(text, 0, 2**bits - 1)
        return _integer(text, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if fixed := _FIXED_BYTES.match(text):
        return _bytes(text, int(fixed[1]))
    simple = _SIMPLE.get(text)
    if simple is not None:
        return simple
    cls = types[text]
    return _enum(cls) if issubclass(cls, IntEnum) else _struct(cls, types)


_SIMPLE = {
    "address": AbiType("address", check_address, checksum),
    "bool": AbiType("bool", _check_bool),
    "string": AbiType("string", _check_string),
    "bytes": _bytes("bytes", None),
}


class Shape:
    """A list of named Solidity values, as of a function's arguments or an error's fields.

    `text` is like `"Instruction[] calls, uint256 deadline"`. Values without a name are called by their position.
    """

    __slots__ = ("_abi", "_convert", "_owner", "_parts", "names")

    def __init__(self, owner: str, text: str, types: Mapping[str, Any]) -> None:
        entries = [entry.split(" ") for entry in text.split(", ")] if text else []
        self._owner = owner
        self.names = [entry[1] if len(entry) > 1 else str(index) for index, entry in enumerate(entries)]
        self._parts = [parse(entry[0], types) for entry in entries]
        self._abi = [part.abi for part in self._parts]
        self._convert = _converter(self._parts)

    def encode(self, values: Sequence[Any]) -> bytes:
        """ABI bytes of `values`. Raises `ArgumentError` naming what does not fit."""
        if len(values) != len(self._parts):
            raise ArgumentError(f"{self._owner}: expected {len(self._parts)} arguments, got {len(values)}")
        checked = [
            part.check(value, f"{self._owner}: {name}")
            for part, value, name in zip(self._parts, values, self.names, strict=True)
        ]
        return _encode(self._abi, checked)

    def decode(self, data: bytes) -> Sequence[Any]:
        """The values in `data`. Raises `DecodeError`."""
        try:
            return self._convert(_decode(self._abi, data))
        except Exception as error:  # both decoders raise many kinds, ValueError of an enum among them
            raise DecodeError(
                f"{self._owner}: {len(data)} bytes are not ({','.join(self._abi)}): {error}"
            ) from error
