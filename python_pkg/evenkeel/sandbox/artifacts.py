"""Compiled contracts as values: ABI, linkable bytecode, and calldata, without a web3 Contract object.

Three layouts are read: hardhat's (Uniswap, Aave, Curie, Lyra), Chainlink's of 0.1.9, and foundry's `out/` for our own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector
from web3 import Web3

from evenkeel.sandbox import places
from evenkeel.sandbox.errors import ArtifactError

type_of = collapse_if_tuple


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    `bytecode` is hex without 0x, with the compiler's placeholders where a library's address goes; `links` maps a
    library's name to the byte offsets of those places.
    """

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: str
    links: Mapping[str, tuple[int, ...]]

    def initcode(self, *args: Any, libraries: Mapping[str, str] | None = None) -> bytes:
        """Creation code with libraries linked and constructor arguments appended. Raises `ArtifactError`."""
        code = self.bytecode
        for library, offsets in self.links.items():
            address = (libraries or {}).get(library)
            if address is None:
                raise ArtifactError(f"{self.name}: needs the library {library} linked")
            for offset in offsets:
                code = code[: 2 * offset] + address.removeprefix("0x").lower() + code[2 * offset + 40 :]
        inputs: list[Any] = next((item["inputs"] for item in self.abi if item["type"] == "constructor"), [])
        return bytes.fromhex(code) + self._arguments("constructor", inputs, args)

    def encode(self, function: str, *args: Any) -> bytes:
        """Calldata of `function`; an overload is chosen by its full signature, or else by argument count."""
        entry = self._function(function, len(args))
        return bytes(function_abi_to_4byte_selector(entry)) + self._arguments(function, entry["inputs"], args)

    def decode(self, function: str, data: bytes) -> Any:
        """Decode what `function` returned: a bare value for one output, a tuple for several; addresses checksummed."""
        outputs = self._function(function, None)["outputs"]
        try:
            values = decode([type_of(item) for item in outputs], data)
        except Exception as error:
            raise ArtifactError(f"{self.name}.{function}: cannot decode 0x{data.hex()} ({error})") from error
        checked = tuple(
            Web3.to_checksum_address(value) if item["type"] == "address" else value
            for item, value in zip(outputs, values, strict=True)
        )
        return checked[0] if len(checked) == 1 else checked

    def _function(self, function: str, count: int | None) -> Any:
        name = function.partition("(")[0]
        found = [item for item in self.abi if item["type"] == "function" and item["name"] == name]
        if "(" in function:
            found = [item for item in found if _signature(item) == function]
        elif len(found) > 1 and count is not None:
            found = [item for item in found if len(item["inputs"]) == count]
        if len(found) != 1:
            raise ArtifactError(f"{self.name}: {len(found)} functions fit {function!r}, expected one")
        return found[0]

    def _arguments(self, function: str, inputs: Sequence[Any], args: Sequence[Any]) -> bytes:
        if len(inputs) != len(args):
            raise ArtifactError(f"{self.name}.{function}: takes {len(inputs)} arguments, got {len(args)}")
        try:
            return encode([type_of(item) for item in inputs], list(args))
        except Exception as error:
            raise ArtifactError(f"{self.name}.{function}: {error}") from error


def _signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(type_of(part) for part in item['inputs'])})"


@lru_cache(maxsize=256)
def artifact(package: str, path: str) -> Artifact:
    """Load the artifact at `path` inside an unpacked package (by its slug).

    For example `artifact("uniswap-v3-core", "artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json")`.
    Raises `ArtifactError` if it is not there.
    """
    return _load(places.PACKAGES / package / path)


def hardhat(
    package: str, source: str, name: str | None = None, *, root: str = "artifacts/contracts"
) -> Artifact:
    """Load the artifact of contract `name` (default: the file's own name) of the Solidity file `source` in a package.

    `hardhat("perp-curie-contract", "ClearingHouse.sol")`,
    `hardhat("lyrafinance-protocol", "OptionMarket.sol", root="dist/artifacts/contracts")`.
    """
    return artifact(package, f"{root}/{source}/{name or Path(source).stem}.json")


@lru_cache(maxsize=256)
def own(name: str, source: str | None = None) -> Artifact:
    """Load our own contract as forge compiled it; `source` is its file name where that differs. Raises `ArtifactError`."""
    return _load(places.OUT / (source or f"{name}.sol") / f"{name}.json")


def _load(path: Path) -> Artifact:
    try:
        raw = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"no artifact {path.name} at {path}; run `python -m evenkeel.sandbox.packages` or `forge build`"
        ) from error
    if "compilerOutput" in raw:
        output = raw["compilerOutput"]
        code, links, abi = (
            output["evm"]["bytecode"]["object"],
            output["evm"]["bytecode"].get("linkReferences", {}),
            output["abi"],
        )
    elif isinstance(raw["bytecode"], dict):
        code, links, abi = raw["bytecode"]["object"], raw["bytecode"].get("linkReferences", {}), raw["abi"]
    else:
        code, links, abi = raw["bytecode"], raw.get("linkReferences", {}), raw["abi"]
    offsets = {
        library: tuple(place["start"] for place in found)
        for libraries in links.values()
        for library, found in libraries.items()
    }
    return Artifact(path.stem, tuple(abi), code.removeprefix("0x"), offsets)
