"""A contract that is yet to be: its creation code with the constructor's arguments."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from evenkeel.bindings._runtime.call import Contract
from evenkeel.bindings._runtime.codec import Shape
from evenkeel.bindings._runtime.errors import ArtifactError, BindingError
from evenkeel.bindings._runtime.send import send

if TYPE_CHECKING:
    from web3 import Web3

    from evenkeel.chain.signer import Signer

C = TypeVar("C", bound=Contract)

ARTIFACTS_VARIABLE = "EVENKEEL_ARTIFACTS"
"""Environment variable naming the folder of compiled artifacts, where it is not `out/` of the checkout."""


@dataclass(frozen=True, slots=True)
class Deployment(Generic[C]):
    """Creation code with its arguments. `.data` goes on the wire with no `to`."""

    data: bytes = field(repr=False)
    contract: type[C]

    def send(self, signer: Signer, w3: Web3, *, timeout: float = 120.0, **tx: Any) -> C:
        """Deploy and wait; returns the contract at its address. Raises as `Call.send`."""
        receipt = send(w3, signer, {"data": self.data, **tx}, timeout)
        if receipt.contract_address is None:
            raise BindingError(f"0x{receipt.transaction_hash.hex()} created no contract")
        return self.contract(receipt.contract_address, w3)


class Constructor(Generic[C]):
    """The constructor of one compiled contract; `artifact` is its file below the folder of artifacts."""

    def __init__(self, artifact: str, inputs: str, types: Mapping[str, Any]) -> None:
        self.artifact = artifact
        self._inputs = inputs
        self._types = types

    def __call__(self, contract: type[C], *arguments: Any) -> Deployment[C]:
        """Creation code for `arguments`. Raises `ArgumentError` and `ArtifactError`."""
        encoded = Shape(f"{contract.__name__}.deploy", self._inputs, self._types).encode(arguments)
        return Deployment(creation_code(artifacts_folder() / self.artifact) + encoded, contract)


def artifacts_folder() -> Path:
    """`EVENKEEL_ARTIFACTS` when set, else `out/` of the checkout that this package is in."""
    named = os.environ.get(ARTIFACTS_VARIABLE)
    return Path(named) if named else Path(__file__).resolve().parents[4] / "out"


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> bytes:
    text = json.loads(path.read_text(encoding="utf-8"))["bytecode"]["object"].removeprefix("0x")
    if not text:
        raise ArtifactError(f"{path}: has no creation code; it is an interface or abstract")
    if "__$" in text:
        raise ArtifactError(f"{path}: needs linked libraries, which deployments here do not support")
    return bytes.fromhex(text)


def creation_code(path: Path) -> bytes:
    """The creation code in a compiled artifact. Raises `ArtifactError`."""
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        raise ArtifactError(
            f"{path}: no such compiled contract; run `make build` (or set {ARTIFACTS_VARIABLE})"
        ) from None
    return _read(path, changed)
