"""Files of signed slices: JSON, small, and the same whoever wrote them.

    {
      "chain_id": 31337,
      "contract": "0x...",                  the oracle the signatures are for
      "slices": [
        {
          "slice": {"underlying": "0x...", "expiry": 1735689600, "timestamp": 1733011200, "forward": "3000000000000000000000",
                    "a": "64726027395260275", "b": "0", "rho": "0", "m": "0", "sigma": "100000000000000000"},
          "signatures": {"0x<signer>": "0x<65 bytes>"}
        }
      ]
    }

Numbers at 1e18 are decimal strings, because many readers of JSON round integers of that size.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from web3 import Web3

from evenkeel.bindings.types import Slice
from evenkeel.vol.errors import SignedFileError
from evenkeel.vol.typed_data import FIELDS, Domain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from eth_typing import ChecksumAddress

_TIMES: Final = ("expiry", "timestamp")


@dataclass(frozen=True, slots=True)
class SignedSlice:
    """A slice and who signed it: 65 bytes (r, s, v) by signer."""

    slice_: Slice
    signatures: Mapping[ChecksumAddress, bytes]


@dataclass(frozen=True, slots=True)
class SignedFile:
    """The slices of one file and the oracle they are for."""

    domain: Domain
    slices: tuple[SignedSlice, ...]

    def save(self, path: Path) -> None:
        """Write the file whole or not at all. Raises `SignedFileError`."""
        content = {
            "chain_id": self.domain.chain_id,
            "contract": self.domain.contract,
            "slices": [
                {
                    "slice": _plain(signed.slice_),
                    "signatures": {who: "0x" + by.hex() for who, by in signed.signatures.items()},
                }
                for signed in self.slices
            ],
        }
        partial = path.with_name(f".{path.name}.partial")
        try:
            partial.write_text(json.dumps(content, indent=2) + "\n")
            partial.replace(path)
        except OSError as error:
            raise SignedFileError(f"{path}: cannot be written: {error.strerror}") from None

    @classmethod
    def load(cls, path: Path) -> SignedFile:
        """Read a file. Raises `SignedFileError` naming it and the field that is wrong; signatures are not checked here."""
        try:
            raw = json.loads(path.read_text())
        except OSError as error:
            raise SignedFileError(f"{path}: cannot be read: {error.strerror}") from None
        except ValueError:
            raise SignedFileError(f"{path}: not JSON") from None
        try:
            return _file(raw)
        except SignedFileError as error:
            raise SignedFileError(f"{path}: {error}") from None
        except KeyError as missing:
            raise SignedFileError(
                f"{path}: no field {missing.args[0]!r}: not a file of signed slices"
            ) from None
        except (TypeError, AttributeError):
            raise SignedFileError(f"{path}: not a file of signed slices") from None


def _plain(slice_: Slice) -> dict[str, Any]:
    values = {name: getattr(slice_, name) for name, _ in FIELDS}
    return {
        name: value if name in _TIMES or isinstance(value, str) else str(value)
        for name, value in values.items()
    }


def _file(raw: Mapping[str, Any]) -> SignedFile:
    domain = Domain(_integer("chain_id", raw["chain_id"], "uint256"), _address("contract", raw["contract"]))
    if not raw["slices"]:
        raise SignedFileError("slices: expected one or more")
    return SignedFile(domain, tuple(_signed(f"slices[{n}]", entry) for n, entry in enumerate(raw["slices"])))


def _signed(where: str, raw: Mapping[str, Any]) -> SignedSlice:
    fields: dict[str, Any] = {
        name: _address(f"{where}.{name}", raw["slice"][name])
        if type_ == "address"
        else _integer(f"{where}.{name}", raw["slice"][name], type_)
        for name, type_ in FIELDS
    }
    signatures: dict[ChecksumAddress, bytes] = {}
    for who, text in raw["signatures"].items():
        signer = _address(f"{where}.signatures", who)
        if signer in signatures:
            raise SignedFileError(f"{where}.signatures: {signer} twice")
        signatures[signer] = _bytes(f"{where}.signatures.{who}", text)
    return SignedSlice(Slice(**fields), signatures)


def _integer(where: str, value: Any, type_: str) -> int:
    try:
        number = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None:
        raise SignedFileError(f"{where}: expected an integer, got {value!r}")
    bits = int(type_.removeprefix("u").removeprefix("int"))
    low, high = (0, 2**bits - 1) if type_.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not low <= number <= high:
        raise SignedFileError(f"{where}: expected {type_}, from {low} to {high}, got {number}")
    return number


def _address(where: str, value: Any) -> ChecksumAddress:
    if not isinstance(value, str) or not Web3.is_address(value):
        raise SignedFileError(f"{where}: expected an address, got {value!r}")
    return Web3.to_checksum_address(value)


def _bytes(where: str, value: Any) -> bytes:
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except (ValueError, AttributeError):
        raise SignedFileError(f"{where}: expected hex bytes, got {value!r}") from None
